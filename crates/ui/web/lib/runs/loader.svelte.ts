// Loads the runs of a search: the first page at once, the others in a worker, new and running ones from time to time.

import { isAbort, words } from "../api/call";
import { searchRuns, type RunSearch } from "../api/runs";
import type { ViewType } from "../api/experiments";
import { decode } from "./decode";
import type { PageAnswer, PageRequest } from "./pages.worker";
import { allRows, orderClause, sorted, type Order } from "./sort";
import { RunTable } from "./table";
import { pageWorker } from "./worker";

/** What fills a tall screen; small, so that the first rows come at once. */
const FIRST_PAGE = 80;
const PAGE = 1500;
/** Nobody reads further, and the memory of a browser has an end. */
export const MOST_ROWS = 300_000;
const MOST_RUNNING = 200;
/** While somebody scrolls, pages come at most this often: to take them in needs the processor, which frames need more. */
const PAUSE_MS = 400;
/** So long after the last step the table is still being scrolled. */
const SCROLLING_MS = 200;

export interface Wanted {
  experimentIds: readonly string[];
  filter: string;
  view: ViewType;
  order: Order;
}

const same = (a: Wanted | undefined, b: Wanted): boolean =>
  a !== undefined && a.filter === b.filter && a.view === b.view && a.experimentIds.join() === b.experimentIds.join();

export class RunsLoader {
  /** Grows without notice; `version` says when. */
  table = new RunTable();
  version = $state(0);
  /** No answer has come yet. */
  loading = $state(true);
  complete = $state(false);
  cut = $state(false);
  error = $state<string>();
  /** When runs were last asked for; for "updated 5 s ago". */
  refreshed = $state(0);

  #wanted: Wanted | undefined;
  #arrival: Order | undefined;
  #gone = new Set<number>();
  #job = 0;
  #worker: Worker | undefined;
  #abort = new AbortController();
  #scrolled = -Infinity;

  /** Says that the table is being scrolled. */
  scrolling(): void {
    this.#scrolled = performance.now();
  }

  /** Loads anew if another search is wanted, or another order before all runs are here. */
  load(wanted: Wanted, options: { again?: boolean } = {}): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    const sameOrder = before?.order.id === wanted.order.id && before.order.ascending === wanted.order.ascending;
    if (!options.again && same(before, wanted) && (sameOrder || (this.complete && !this.cut))) return;
    void this.#start(wanted, !same(before, wanted));
  }

  reload(): void {
    if (this.#wanted) this.load(this.#wanted, { again: true });
  }

  async #start(wanted: Wanted, clear: boolean): Promise<void> {
    this.#abort.abort();
    const abort = (this.#abort = new AbortController());
    const job = ++this.#job;
    this.error = undefined;
    this.complete = false;
    this.cut = false;
    this.loading = true;
    if (clear && this.table.length) {
      this.#replace(new RunTable());
    }
    const clause = orderClause(wanted.order);
    const search: RunSearch = {
      experiment_ids: wanted.experimentIds,
      filter: wanted.filter,
      run_view_type: wanted.view,
      order_by: clause ? [clause] : [],
      max_results: FIRST_PAGE,
    };
    try {
      const page = await searchRuns(search, abort.signal);
      if (job !== this.#job) return;
      const table = new RunTable();
      table.append(decode(page.runs ?? []));
      this.#arrival = clause ? wanted.order : undefined;
      this.#replace(table);
      this.loading = false;
      this.refreshed = Date.now();
      if (page.next_page_token) this.#more(search, page.next_page_token, job);
      else this.complete = true;
    } catch (error) {
      if (job !== this.#job || isAbort(error)) return;
      this.loading = false;
      this.error = words(error);
    }
  }

  #replace(table: RunTable): void {
    this.table = table;
    this.#gone = new Set();
    this.version++;
  }

  #more(search: RunSearch, token: string, job: number): void {
    const worker = (this.#worker ??= pageWorker());
    const url = new URL("ajax-api/2.0/mlflow/runs/search", document.baseURI).href;
    const ask = (page_token: string): void => worker.postMessage({ url, job, search: { ...search, max_results: PAGE, page_token } } satisfies PageRequest);
    worker.onerror = () => (this.error = "The other runs could not be loaded: the background script did not start.");
    worker.onmessage = ({ data }: MessageEvent<PageAnswer>) => {
      if (data.job !== this.#job) return;
      if (data.error !== undefined) {
        this.error = data.error;
        return;
      }
      if (data.chunk) this.table.append(data.chunk);
      this.version++;
      this.cut = Boolean(data.next) && this.table.length >= MOST_ROWS;
      this.complete = !data.next || this.cut;
      if (!data.next || this.cut) return;
      const { next } = data;
      if (performance.now() - this.#scrolled > SCROLLING_MS) ask(next);
      else setTimeout(() => job === this.#job && ask(next), PAUSE_MS);
    };
    ask(token);
  }

  /** Asks for runs that began since, and how the running ones are doing. */
  async refresh(): Promise<void> {
    const wanted = this.#wanted;
    if (!wanted || this.loading || this.error) return;
    const job = this.#job;
    const table = this.table;
    const both = (clause: string): string => (wanted.filter.trim() ? `${wanted.filter} AND ${clause}` : clause);
    const ask = (filter: string) =>
      searchRuns({ experiment_ids: wanted.experimentIds, filter, run_view_type: wanted.view, order_by: [], max_results: 500 }, this.#abort.signal);
    const running: string[] = [];
    const status = table.column("attributes.status");
    if (status?.kind === "text") {
      const codes = [status.code("RUNNING"), status.code("SCHEDULED")];
      for (let row = 0; row < table.length && running.length < MOST_RUNNING; row++) {
        if (codes.includes(status.codes[row]!)) running.push(`'${table.ids[row]}'`);
      }
    }
    const start = table.column("attributes.start_time");
    const newest = start?.kind === "number" && start.count ? start.max : 0;
    try {
      const answers = await Promise.all([
        ask(both(`attributes.start_time >= ${newest}`)),
        running.length ? ask(both(`attributes.run_id IN (${running.join(",")})`)) : { runs: [] },
      ]);
      if (job !== this.#job) return;
      const runs = answers.flatMap((answer) => answer.runs ?? []);
      const fresh = runs.filter((run) => !this.#gone.has(table.rowOf(run.info.run_id) ?? -1));
      if (table.append(decode(fresh)).length) this.#arrival = undefined;
      this.refreshed = Date.now();
      if (fresh.length) this.version++;
    } catch {
      // The next time may do better; what is shown stays right as of `refreshed`.
    }
  }

  /** Rows in the wanted order, without those that were removed here. */
  rows(order: Order): Int32Array {
    const inOrder = this.#arrival?.id === order.id && this.#arrival.ascending === order.ascending;
    const rows = inOrder ? allRows(this.table) : sorted(this.table, order);
    return this.#gone.size ? rows.filter((row) => !this.#gone.has(row)) : rows;
  }

  /** Takes runs off the list, as they were deleted or restored. */
  remove(ids: Iterable<string>): void {
    for (const id of ids) {
      const row = this.table.rowOf(id);
      if (row !== undefined) this.#gone.add(row);
    }
    this.version++;
  }

  get length(): number {
    void this.version;
    return this.table.length - this.#gone.size;
  }

  close(): void {
    this.#job++;
    this.#abort.abort();
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
