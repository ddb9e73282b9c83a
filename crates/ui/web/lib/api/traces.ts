// Traces: `traces/*` of version 3, and the files in which older clients keep spans.

import { get, post, send } from "./call";
import type { Tag } from "./experiments";

export type TraceState = "OK" | "ERROR" | "IN_PROGRESS" | "STATE_UNSPECIFIED";

export interface Assessment {
  assessment_id: string;
  assessment_name: string;
  span_id?: string;
  source?: { source_type?: string; source_id?: string };
  create_time?: string;
  feedback?: { value?: unknown; error?: { error_code?: string; error_message?: string; stack_trace?: string } };
  expectation?: { value?: unknown; serialized_value?: { value?: string } };
  rationale?: string;
  metadata?: Record<string, string>;
  /** Whether no later assessment took its place. */
  valid?: boolean;
}

export interface TraceInfo {
  trace_id: string;
  client_request_id?: string;
  trace_location?: { mlflow_experiment?: { experiment_id?: string } };
  request_time?: string;
  /** Seconds: `0.058s`. */
  execution_duration?: string;
  state?: TraceState;
  request_preview?: string;
  response_preview?: string;
  trace_metadata?: Record<string, string>;
  tags?: Record<string, string>;
  assessments?: Assessment[];
}

export interface TraceSearch {
  experiments: readonly string[];
  filter: string;
  order_by: readonly string[];
  max_results: number;
  page_token?: string | undefined;
}

export async function searchTraces({ experiments, filter, ...search }: TraceSearch, signal?: AbortSignal): Promise<{ items: TraceInfo[]; next?: string | undefined }> {
  const locations = experiments.map((id) => ({ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: id } }));
  const page = await post<{ traces?: TraceInfo[]; next_page_token?: string }>("3.0/traces/search", { locations, filter: filter || undefined, ...search }, signal);
  return { items: page.traces ?? [], next: page.next_page_token };
}

export async function getTraceInfo(id: string, signal?: AbortSignal): Promise<TraceInfo> {
  return (await get<{ trace: { trace_info: TraceInfo } }>(`3.0/traces/${encodeURIComponent(id)}`, {}, signal)).trace.trace_info;
}

/** The spans as they are kept: in the store, or in a file beside the other artifacts. What is in them is for `lib/traces`. */
export async function getSpans(info: TraceInfo, signal?: AbortSignal): Promise<readonly unknown[]> {
  if (info.tags?.["mlflow.trace.spansLocation"] === "TRACKING_STORE") {
    return (await get<{ trace: { spans?: unknown[] } }>("3.0/traces/get", { trace_id: info.trace_id, allow_partial: "true" }, signal)).trace.spans ?? [];
  }
  return (await get<{ spans?: unknown[] }>("3.0/get-trace-artifact", { request_id: info.trace_id }, signal)).spans ?? [];
}

const of = (id: string): string => `3.0/traces/${encodeURIComponent(id)}`;

export const setTraceTag = (id: string, key: string, value: string) => send("PATCH", `${of(id)}/tags`, { key, value });

export const deleteTraceTag = (id: string, key: string) => send("DELETE", `${of(id)}/tags`, { key });

export const deleteTraces = (experiment: string, ids: readonly string[]) => post<{ traces_deleted?: number }>("3.0/traces/delete-traces", { experiment_id: experiment, request_ids: ids });

export interface NewAssessment {
  kind: "feedback" | "expectation";
  name: string;
  value: string | number | boolean;
  rationale: string;
  /** Who says so. */
  by: string;
  /** About this span only. */
  span?: string | undefined;
}

export function giveAssessment(trace: string, { kind, name, value, rationale, by, span }: NewAssessment) {
  const assessment = { assessment_name: name, trace_id: trace, span_id: span, source: { source_type: "HUMAN", source_id: by }, rationale: rationale || undefined, [kind]: { value } };
  return post(`${of(trace)}/assessments`, { assessment });
}

export const deleteAssessment = (trace: string, id: string) => send("DELETE", `${of(trace)}/assessments/${encodeURIComponent(id)}`, {});

/** What went in, in short. Clients before MLflow 3 write it elsewhere. */
export const requestOf = (info: TraceInfo): string => info.request_preview ?? info.trace_metadata?.["mlflow.traceInputs"] ?? "";

export const responseOf = (info: TraceInfo): string => info.response_preview ?? info.trace_metadata?.["mlflow.traceOutputs"] ?? "";

export const nameOfTrace = (info: TraceInfo): string => info.tags?.["mlflow.traceName"] || info.trace_id;

export const experimentOfTrace = (info: TraceInfo): string => info.trace_location?.mlflow_experiment?.experiment_id ?? "";

export const startOf = (info: TraceInfo): number | undefined => (info.request_time ? Date.parse(info.request_time) || undefined : undefined);

/** In milliseconds. */
export const durationOf = (info: TraceInfo): number => (info.execution_duration ? parseFloat(info.execution_duration) * 1000 : NaN);

/** Numbers that clients write as JSON into one value: tokens, costs. */
function numbersIn(text: string | undefined): Record<string, number> {
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    return parsed && typeof parsed === "object" ? Object.fromEntries(Object.entries(parsed).filter(([, value]) => typeof value === "number")) : {};
  } catch {
    return {};
  }
}

export const tokensOf = (info: TraceInfo): Record<string, number> => numbersIn(info.trace_metadata?.["mlflow.trace.tokenUsage"]);

export const costOf = (info: TraceInfo): number | undefined => numbersIn(info.trace_metadata?.["mlflow.trace.cost"]).total_cost;

export const sessionOf = (info: TraceInfo): string => info.trace_metadata?.["mlflow.trace.session"] ?? "";

export const runOf = (info: TraceInfo): string => info.trace_metadata?.["mlflow.sourceRun"] ?? "";

/** The tags, as lists of tags have them. */
export const tagsOfTrace = (info: TraceInfo): Tag[] => Object.entries(info.tags ?? {}).map(([key, value]) => ({ key, value }));

/** What an assessment says, whatever its kind. */
export function valueOf(assessment: Assessment): unknown {
  if (assessment.feedback) return assessment.feedback.error ? (assessment.feedback.error.error_message ?? assessment.feedback.error.error_code ?? "failed") : assessment.feedback.value;
  const serialized = assessment.expectation?.serialized_value?.value;
  if (serialized === undefined) return assessment.expectation?.value;
  try {
    return JSON.parse(serialized) as unknown;
  } catch {
    return serialized;
  }
}
