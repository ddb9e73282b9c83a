// A long list of the server, loaded page by page as it is looked at.

import { isAbort, words } from "../api/call";

export interface Page<T> {
  items: readonly T[];
  next?: string | undefined;
}

/** The first page comes at once and is small; who goes on gets more at a time. */
const FIRST = 100;
const LATER = 500;

export class Pages<T> {
  items: readonly T[] = $state.raw([]);
  loading = $state(true);
  error = $state("");
  #next: string | undefined = $state();
  #abort = new AbortController();
  #closed = false;

  constructor(
    readonly fetch: (size: number, token: string | undefined, signal: AbortSignal) => Promise<Page<T>>,
    /** What tells two items apart. The server's list moves while it is read, so that a later page may repeat an item. */
    readonly key: (item: T) => string,
  ) {}

  /** Whether the server has more than was loaded. */
  get more(): boolean {
    return this.#next !== undefined;
  }

  /** From the start, with what the server has now. The old rows stay until the new ones are there. */
  async restart(): Promise<void> {
    if (this.#closed) return;
    this.#abort.abort();
    this.#abort = new AbortController();
    await this.#load(undefined);
  }

  /** The next page, unless one is on its way. */
  async next(): Promise<void> {
    if (!this.loading && this.more) await this.#load(this.#next);
  }

  /** What an item is now takes its place; the list stays as long as it was. */
  replace(item: T): void {
    const key = this.key(item);
    this.items = this.items.map((each) => (this.key(each) === key ? item : each));
  }

  /** A new item, where the server's list begins with what is new. */
  add(item: T): void {
    this.items = this.#once([item], this.items);
  }

  /** Nothing is loaded any more. */
  close(): void {
    this.#closed = true;
    this.#abort.abort();
  }

  async #load(token: string | undefined): Promise<void> {
    const { signal } = this.#abort;
    this.loading = true;
    this.error = "";
    try {
      const page = await this.fetch(token ? LATER : FIRST, token, signal);
      if (signal.aborted) return;
      this.items = this.#once(token ? this.items : [], page.items);
      this.#next = page.next || undefined;
    } catch (problem) {
      if (signal.aborted || isAbort(problem)) return;
      this.error = words(problem);
      if (!token) this.#next = undefined;
    }
    this.loading = false;
  }

  /** What is there and what has come, each once. */
  #once(there: readonly T[], come: readonly T[]): readonly T[] {
    const seen = new Set(there.map(this.key));
    return [
      ...there,
      ...come.filter((item) => {
        const key = this.key(item);
        return !seen.has(key) && seen.add(key);
      }),
    ];
  }
}
