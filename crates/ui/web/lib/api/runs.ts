// Runs: `runs/*`.

import { get, post } from "./call";
import type { Stage, Tag, ViewType } from "./experiments";

export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

export const STATUSES: readonly RunStatus[] = ["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];

export interface RunInfo {
  run_id: string;
  run_name?: string;
  experiment_id: string;
  user_id?: string;
  status: RunStatus;
  start_time?: number;
  end_time?: number;
  artifact_uri?: string;
  lifecycle_stage: Stage;
}

/** NaN and the infinities arrive as words. */
export type Value = number | "NaN" | "Infinity" | "-Infinity";

export interface Metric {
  key: string;
  value: Value;
  timestamp?: number;
  step?: number;
}

export interface Param {
  key: string;
  value: string;
}

export interface Dataset {
  name: string;
  digest: string;
  source_type?: string;
  source?: string;
  schema?: string;
  profile?: string;
}

export interface DatasetInput {
  tags?: Tag[];
  dataset: Dataset;
}

export interface Run {
  info: RunInfo;
  data?: { metrics?: Metric[]; params?: Param[]; tags?: Tag[] };
  inputs?: { dataset_inputs?: DatasetInput[]; model_inputs?: { model_id: string }[] };
  outputs?: { model_outputs?: { model_id: string; step?: number }[] };
}

export interface RunSearch {
  experiment_ids: readonly string[];
  filter: string;
  run_view_type: ViewType;
  order_by: readonly string[];
  max_results: number;
  page_token?: string | undefined;
}

export interface RunsPage {
  runs?: Run[];
  next_page_token?: string;
}

export const searchRuns = (search: RunSearch, signal?: AbortSignal) => post<RunsPage>("runs/search", search, signal);

export async function getRun(id: string, signal?: AbortSignal): Promise<Run> {
  return (await get<{ run: Run }>("runs/get", { run_id: id }, signal)).run;
}

export const renameRun = (id: string, name: string) => post("runs/update", { run_id: id, run_name: name });

export const deleteRun = (id: string) => post("runs/delete", { run_id: id });

export const restoreRun = (id: string) => post("runs/restore", { run_id: id });

export const setRunTag = (id: string, key: string, value: string) => post("runs/set-tag", { run_id: id, key, value });

export const deleteRunTag = (id: string, key: string) => post("runs/delete-tag", { run_id: id, key });

/** What a run is called on the screen: every run has an id, not every one a name. */
export function nameOf(info: RunInfo): string {
  return info.run_name?.trim() || info.run_id.slice(0, 8);
}

export function toNumber(value: Value): number {
  return typeof value === "number" ? value : Number(value);
}
