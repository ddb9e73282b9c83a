// Histories of metrics, fetched once: one request for all runs of a chart, a few requests at a time.

import { isAbort, words } from "../api/call";
import { sampledHistories, type Series } from "../api/metrics";

const AT_ONCE = 3;

interface Job {
  key: string;
  runs: string[];
}

export class Histories {
  /** Grows whenever something came. */
  version = $state(0);
  error = $state("");
  #known = new Map<string, Series | null>();
  #queue: Job[] = [];
  #busy = 0;
  #abort = new AbortController();

  constructor(readonly points = 400) {}

  /** `undefined` until it came, `null` if the run has no such metric. */
  get(run: string, key: string): Series | null | undefined {
    return this.#known.get(`${run}\n${key}`);
  }

  /** Fetches what is not here yet. What is wanted last comes first: that is what is looked at. */
  want(runs: readonly string[], key: string): void {
    const waiting = new Set(this.#queue.filter((job) => job.key === key).flatMap((job) => job.runs));
    const missing = runs.filter((run) => !this.#known.has(`${run}\n${key}`) && !waiting.has(run));
    if (!missing.length) return;
    this.#queue.unshift({ key, runs: missing });
    this.#next();
  }

  /** Fetches again, keeping what is shown until the new points are here. */
  refresh(runs: readonly string[], key: string): void {
    if (!runs.length || this.#queue.some((job) => job.key === key)) return;
    this.#queue.push({ key, runs: [...runs] });
    this.#next();
  }

  #next(): void {
    while (this.#busy < AT_ONCE && this.#queue.length) void this.#fetch(this.#queue.shift()!);
  }

  async #fetch(job: Job): Promise<void> {
    this.#busy++;
    try {
      const found = await sampledHistories(job.runs, job.key, this.points, undefined, this.#abort.signal);
      for (const run of job.runs) this.#known.set(`${run}\n${job.key}`, found.get(run) ?? null);
      this.error = "";
      this.version++;
    } catch (error) {
      if (!isAbort(error)) this.error = words(error);
    }
    this.#busy--;
    this.#next();
  }

  close(): void {
    this.#abort.abort();
    this.#queue = [];
  }
}
