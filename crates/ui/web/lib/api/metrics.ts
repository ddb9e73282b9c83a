// Histories of metrics: `metrics/*`.

import { get } from "./call";
import { toNumber, type Metric } from "./runs";

/** The points of one metric in one run, by step and then by time. */
export interface Series {
  steps: number[];
  times: number[];
  values: number[];
}

/** The server refuses more runs in one request. */
export const RUNS_PER_REQUEST = 100;

type Point = Metric & { run_id: string };

/** Samples of one metric in many runs; the server thins each to at most `points`. */
export async function sampledHistories(
  runs: readonly string[],
  key: string,
  points: number,
  steps?: readonly [number, number],
  signal?: AbortSignal,
): Promise<Map<string, Series>> {
  const out = new Map<string, Series>();
  for (let from = 0; from < runs.length; from += RUNS_PER_REQUEST) {
    const query = {
      run_ids: runs.slice(from, from + RUNS_PER_REQUEST),
      metric_key: key,
      max_results: points,
      start_step: steps?.[0],
      end_step: steps?.[1],
    };
    const answer = await get<{ metrics?: Point[] }>("metrics/get-history-bulk-interval", query, signal);
    for (const [run, series] of split(answer.metrics ?? [])) out.set(run, series);
  }
  return out;
}

function split(points: readonly Point[]): Map<string, Series> {
  const out = new Map<string, Series>();
  for (const point of points) {
    let series = out.get(point.run_id);
    if (!series) out.set(point.run_id, (series = { steps: [], times: [], values: [] }));
    series.steps.push(Number(point.step ?? 0));
    series.times.push(Number(point.timestamp ?? 0));
    series.values.push(toNumber(point.value));
  }
  return out;
}

/** The whole history, page by page. */
export async function history(run: string, key: string, signal?: AbortSignal): Promise<Series> {
  const out: Series = { steps: [], times: [], values: [] };
  let token: string | undefined;
  do {
    const page: { metrics?: Metric[]; next_page_token?: string } = await get(
      "metrics/get-history",
      { run_id: run, metric_key: key, max_results: 25_000, page_token: token },
      signal,
    );
    for (const point of page.metrics ?? []) {
      out.steps.push(Number(point.step ?? 0));
      out.times.push(Number(point.timestamp ?? 0));
      out.values.push(toNumber(point.value));
    }
    token = page.next_page_token;
  } while (token);
  return out;
}
