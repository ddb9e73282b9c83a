// Experiments: `experiments/*`.

import { get, post } from "./call";

export interface Tag {
  key: string;
  value: string;
}

export type Stage = "active" | "deleted";

export interface Experiment {
  experiment_id: string;
  name: string;
  artifact_location: string;
  lifecycle_stage: Stage;
  creation_time?: number;
  last_update_time?: number;
  tags?: Tag[];
}

export type ViewType = "ACTIVE_ONLY" | "DELETED_ONLY" | "ALL";

export interface ExperimentsPage {
  experiments?: Experiment[];
  next_page_token?: string;
}

export const NOTE = "mlflow.note.content";

export function searchExperiments(view: ViewType, token?: string, size = 500, signal?: AbortSignal): Promise<ExperimentsPage> {
  return get("experiments/search", { view_type: view, max_results: size, order_by: "last_update_time DESC", page_token: token }, signal);
}

export async function getExperiment(id: string, signal?: AbortSignal): Promise<Experiment> {
  return (await get<{ experiment: Experiment }>("experiments/get", { experiment_id: id }, signal)).experiment;
}

export async function createExperiment(name: string, artifactLocation: string): Promise<string> {
  const body = { name, artifact_location: artifactLocation || undefined };
  return (await post<{ experiment_id: string }>("experiments/create", body)).experiment_id;
}

export const renameExperiment = (id: string, name: string) => post("experiments/update", { experiment_id: id, new_name: name });

export const deleteExperiment = (id: string) => post("experiments/delete", { experiment_id: id });

export const restoreExperiment = (id: string) => post("experiments/restore", { experiment_id: id });

export const setExperimentTag = (id: string, key: string, value: string) => post("experiments/set-experiment-tag", { experiment_id: id, key, value });

export const deleteExperimentTag = (id: string, key: string) => post("experiments/delete-experiment-tag", { experiment_id: id, key });

/** A tag's value, or an empty text. */
export function tagOf(tags: readonly Tag[] | undefined, key: string): string {
  return tags?.find((tag) => tag.key === key)?.value ?? "";
}

/** Tags that people wrote: those of MLflow itself begin with `mlflow.`. */
export function ownTags(tags: readonly Tag[] | undefined): Tag[] {
  return (tags ?? []).filter((tag) => !tag.key.startsWith("mlflow."));
}
