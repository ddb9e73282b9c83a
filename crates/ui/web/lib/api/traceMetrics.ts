// Measurements of traces: `traces/metrics`. The server counts, sums and ranks; no trace is loaded for it.

import { post } from "./call";

export type TraceMetric = "trace_count" | "latency" | "input_tokens" | "output_tokens";

/** What becomes of the measurements: a number is a percentile. */
export type Aggregation = "COUNT" | "SUM" | number;

export interface TraceMeasure {
  experiments: readonly string[];
  metric: TraceMetric;
  aggregations: readonly Aggregation[];
  dimensions?: readonly string[];
  /** Clauses such as `trace.status = 'OK'`, all of which hold. */
  filters: readonly string[];
  /** Milliseconds since the epoch, both included. */
  start: number;
  end: number;
  /** The length of intervals in seconds; without it all is one. They begin at multiples of it since the epoch. */
  interval?: number;
}

export interface MeasuredPoint {
  /** When its interval begins, in milliseconds since the epoch. */
  start: number | undefined;
  dimensions: Readonly<Record<string, string>>;
  /** In the order of the aggregations; what is not there was not measured. */
  values: readonly (number | undefined)[];
}

interface WirePoint {
  dimensions?: Record<string, string>;
  values?: Record<string, number>;
}

/** Servers have this most. */
const MOST = 1000;

export async function measureTraces(measure: TraceMeasure, signal?: AbortSignal): Promise<MeasuredPoint[]> {
  const { experiments, metric, aggregations, dimensions, filters, start, end, interval } = measure;
  const body = {
    experiment_ids: experiments,
    view_type: "TRACES",
    metric_name: metric,
    aggregations: aggregations.map((each) => (typeof each === "number" ? { aggregation_type: "PERCENTILE", percentile_value: each } : { aggregation_type: each })),
    dimensions,
    filters,
    time_interval_seconds: interval,
    start_time_ms: start,
    end_time_ms: end,
    max_results: MOST,
  };
  const { data_points: points = [] } = await post<{ data_points?: WirePoint[] }>("3.0/traces/metrics", body, signal);
  return points.map(({ dimensions: { time_bucket: bucket, ...others } = {}, values = {} }) => ({
    start: bucket === undefined ? undefined : Date.parse(bucket),
    dimensions: others,
    values: aggregations.map((each) => values[nameOf(each)]),
  }));
}

/** As answers call it: percentiles as Python writes a float. */
const nameOf = (aggregation: Aggregation): string => (typeof aggregation === "number" ? `P${Number.isInteger(aggregation) ? aggregation.toFixed(1) : aggregation}` : aggregation);
