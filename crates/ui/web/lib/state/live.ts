// What goes on is loaded again and again; what is asked for last is what is shown.

const EVERY_MS = 5000;

export class Live {
  #running: AbortController | undefined;
  #left = false;

  constructor(
    /** Loads and shows. It says itself what went wrong, and gives up once the signal is aborted. */
    readonly load: (signal: AbortSignal) => Promise<void>,
    /** Whether it may have changed since it was loaded. */
    readonly goesOn: () => boolean,
  ) {}

  /** Loads now, and from then on whenever it goes on and somebody looks; until the returned function is called. */
  start(): () => void {
    void this.reload();
    const timer = setInterval(() => {
      if (!this.#running && !document.hidden && this.goesOn()) void this.reload();
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      this.#left = true;
      this.#running?.abort();
    };
  }

  /** Loads now. An answer that is still on its way is older, and is given up. */
  async reload(): Promise<void> {
    if (this.#left) return;
    this.#running?.abort();
    const own = (this.#running = new AbortController());
    await this.load(own.signal);
    if (this.#running === own) this.#running = undefined;
  }
}
