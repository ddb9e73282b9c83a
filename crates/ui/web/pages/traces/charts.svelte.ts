// What is drawn above a list of traces: counts, latency, errors and tokens in each interval, as the server measures them.

import { ApiError, isAbort, words } from "../../lib/api/call";
import { measureTraces, type TraceMeasure } from "../../lib/api/traceMetrics";
import { searchTraces, startOf } from "../../lib/api/traces";
import type { Interval } from "../../lib/charts/interval";
import { intervalsOf, lastOf, placed, sizeFor, type Range } from "./intervals";
import type { Followed } from "./measured";

export type Values = readonly (number | undefined)[];

export const PERCENTILES = [50, 90, 99] as const;

/** What one look at the server gave. */
export interface Drawn {
  intervals: readonly Interval[];
  /** The moments between which was measured, both included. */
  start: number;
  end: number;
  counts: Values;
  failed: Values;
  /** For each of the percentiles, in milliseconds: in each interval, and over all. */
  latency: readonly Values[];
  overall: Values;
  input: Values;
  output: Values;
}

export interface Question {
  experiments: readonly string[];
  /** The filter of the list, for where its times begin and end. */
  filter: string;
  followed: Followed;
  range: Range;
  /** As many intervals as there is room for. */
  most: number;
}

/** Why there is nothing to draw. A server that does not measure will not when it is asked again. */
export interface Trouble {
  text: string;
  again: boolean;
}

export class TraceCharts {
  drawn: Drawn | undefined = $state.raw();
  loading = $state(true);
  trouble: Trouble | undefined = $state.raw();
  #abort = new AbortController();

  /** Asks anew. What was drawn stays until there is an answer. */
  async load(question: Question): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.loading = true;
    try {
      const drawn = await look(question, signal);
      if (signal.aborted) return;
      this.drawn = drawn;
      this.trouble = undefined;
    } catch (problem) {
      if (signal.aborted || isAbort(problem)) return;
      this.drawn = undefined;
      this.trouble = troubleOf(problem);
    }
    this.loading = false;
  }

  close(): void {
    this.#abort.abort();
  }
}

export function troubleOf(problem: unknown): Trouble {
  const text = words(problem).replace(/\.$/, "");
  const never = problem instanceof ApiError && [404, 405, 501].includes(problem.status);
  return never ? { text: `This server does not measure traces, so there are no charts: ${text}.`, again: false } : { text: `The charts could not be loaded: ${text}.`, again: true };
}

async function look(question: Question, signal: AbortSignal): Promise<Drawn | undefined> {
  const period = await periodOf(question, signal);
  if (!period || period.end < period.start) return undefined;
  const size = sizeFor(period.start, period.end, question.most);
  const intervals = intervalsOf(period.start, period.end, size);
  const shared = { experiments: question.experiments, filters: question.followed.filters, ...period };
  const measure = (rest: Pick<TraceMeasure, "metric" | "aggregations" | "dimensions">, interval?: number) => measureTraces({ ...shared, ...rest, ...(interval ? { interval } : {}) }, signal);
  const [states, latency, overall, input, output] = await Promise.all([
    measure({ metric: "trace_count", aggregations: ["COUNT"], dimensions: ["trace_status"] }, size),
    measure({ metric: "latency", aggregations: PERCENTILES }, size),
    measure({ metric: "latency", aggregations: PERCENTILES }),
    measure({ metric: "input_tokens", aggregations: ["SUM"] }, size),
    measure({ metric: "output_tokens", aggregations: ["SUM"] }, size),
  ]);
  if (!states.length) return undefined;
  return {
    intervals,
    ...period,
    counts: placed(intervals, states),
    failed: placed(intervals, states, (point) => (point.dimensions.trace_status === "ERROR" ? point.values[0] : 0)),
    latency: PERCENTILES.map((_, i) => placed(intervals, latency, (point) => point.values[i])),
    overall: PERCENTILES.map((_, i) => overall[0]?.values[i]),
    input: placed(intervals, input),
    output: placed(intervals, output),
  };
}

/** From when to when: the last hours or days, or from the oldest to the newest that the list has. */
async function periodOf({ experiments, filter, followed, range }: Question, signal: AbortSignal): Promise<{ start: number; end: number } | undefined> {
  // A filter that says from when on is more exact than a range.
  if (range !== "all" && followed.start === undefined) return lastOf(range, Date.now(), followed.end);
  const at = async (direction: "ASC" | "DESC") => {
    const { items } = await searchTraces({ experiments, filter, order_by: [`timestamp_ms ${direction}`], max_results: 1 }, signal);
    return items[0] && startOf(items[0]);
  };
  const [start, end] = await Promise.all([at("ASC"), at("DESC")]);
  return start === undefined || end === undefined ? undefined : { start, end };
}
