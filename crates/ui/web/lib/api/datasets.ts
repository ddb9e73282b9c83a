// Datasets that the runs of experiments used.

import { post } from "./call";

export interface DatasetSummary {
  experiment_id: string;
  name: string;
  digest: string;
  context?: string;
}

export async function searchDatasets(experiments: readonly string[], signal?: AbortSignal): Promise<DatasetSummary[]> {
  const answer = await post<{ dataset_summaries?: DatasetSummary[] }>("experiments/search-datasets", { experiment_ids: experiments }, signal);
  return answer.dataset_summaries ?? [];
}
