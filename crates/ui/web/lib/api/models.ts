// Logged models of MLflow 3: `logged-models/*`.

import { get, post } from "./call";
import type { Tag } from "./experiments";
import type { Metric, Param } from "./runs";

export interface LoggedModel {
  info: {
    model_id: string;
    experiment_id: string;
    name: string;
    creation_timestamp_ms?: number;
    last_updated_timestamp_ms?: number;
    artifact_uri?: string;
    status?: string;
    model_type?: string;
    source_run_id?: string;
    tags?: Tag[];
  };
  data?: { params?: Param[]; metrics?: (Metric & { dataset_name?: string; run_id?: string })[] };
}

export interface ModelsPage {
  models?: LoggedModel[];
  next_page_token?: string;
}

export function searchLoggedModels(experiments: readonly string[], token?: string, signal?: AbortSignal): Promise<ModelsPage> {
  return post("logged-models/search", { experiment_ids: experiments, max_results: 50, page_token: token }, signal);
}

export async function getLoggedModel(id: string, signal?: AbortSignal): Promise<LoggedModel> {
  return (await get<{ model: LoggedModel }>(`logged-models/${encodeURIComponent(id)}`, {}, signal)).model;
}
