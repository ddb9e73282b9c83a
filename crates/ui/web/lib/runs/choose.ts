// Which columns a table of runs shows when nobody has chosen, and what columns are called.

import { groupOf, keyOf, type ColumnId } from "./columns";
import type { RunTable } from "./table";

export const ATTRIBUTE_LABELS: Record<string, string> = {
  "attributes.start_time": "Created",
  "attributes.duration": "Duration",
  "attributes.user_id": "User",
  "attributes.datasets": "Datasets",
  "attributes.models": "Models",
  "attributes.experiment_id": "Experiment",
  "attributes.status": "Status",
  "attributes.end_time": "Ended",
  "attributes.run_name": "Name",
  "tags.mlflow.source.name": "Source",
  "tags.mlflow.source.git.commit": "Version",
  "tags.mlflow.note.content": "Description",
};

/** Tags of MLflow's that are columns like attributes; the others are noise. */
const KNOWN_TAGS = ["tags.mlflow.source.name", "tags.mlflow.source.git.commit", "tags.mlflow.note.content"];

export type Section = "Attributes" | "Metrics" | "Params" | "Tags";

export function sectionOf(id: ColumnId): Section {
  if (id in ATTRIBUTE_LABELS) return "Attributes";
  const group = groupOf(id);
  return group === "metrics" ? "Metrics" : group === "params" ? "Params" : "Tags";
}

export const labelOf = (id: ColumnId): string => ATTRIBUTE_LABELS[id] ?? keyOf(id);

export const isSystem = (id: ColumnId): boolean => id.startsWith("metrics.system/");

const dictionary = new Intl.Collator("en", { numeric: true });

/** Every column that can be shown, by section, in the order of a dictionary. */
export function available(table: RunTable): Record<Section, ColumnId[]> {
  const out: Record<Section, ColumnId[]> = { Attributes: [], Metrics: [], Params: [], Tags: [] };
  out.Attributes = Object.keys(ATTRIBUTE_LABELS).filter((id) => id !== "attributes.run_name");
  for (const id of table.columns.keys()) {
    if (id.startsWith("attributes.") || (id.startsWith("tags.mlflow.") && !KNOWN_TAGS.includes(id))) continue;
    if (!(id in ATTRIBUTE_LABELS)) out[sectionOf(id)].push(id);
  }
  for (const section of ["Metrics", "Params", "Tags"] as const) out[section].sort(dictionary.compare);
  return out;
}

const MOST_METRICS = 10;
const MOST_PARAMS = 10;

/** The metrics that most runs have, and the params that differ. What is the same everywhere tells runs apart nowhere. */
export function defaults(table: RunTable, several: boolean): ColumnId[] {
  const all = available(table);
  const count = (id: ColumnId): number => table.column(id)?.count ?? 0;
  const varies = (id: ColumnId): boolean => table.column(id)?.varies ?? false;
  const widest = (ids: ColumnId[], most: number): ColumnId[] => {
    const kept = new Set([...ids].sort((a, b) => count(b) - count(a)).slice(0, most));
    return ids.filter((id) => kept.has(id));
  };
  return [
    "attributes.start_time",
    "attributes.duration",
    ...(several ? ["attributes.experiment_id"] : []),
    ...widest(all.Metrics.filter((id) => !isSystem(id)), MOST_METRICS),
    ...widest(all.Params.filter(varies), MOST_PARAMS),
    ...all.Tags.filter((id) => varies(id) && count(id) * 2 > table.length).slice(0, 2),
    ...["attributes.datasets", "attributes.models"].filter((id) => count(id) > 0),
    ...["attributes.user_id", "tags.mlflow.source.name"].filter(varies),
  ];
}

/** Params that all loaded runs have with the same value. */
export function constants(table: RunTable): { key: string; value: string }[] {
  if (table.length < 2) return [];
  return available(table)
    .Params.filter((id) => table.column(id)?.count === table.length && !table.column(id)!.varies)
    .map((id) => ({ key: keyOf(id), value: table.text(id, 0) ?? "" }));
}

export function widthOf(id: ColumnId): number {
  if (id === "attributes.datasets" || id === "tags.mlflow.note.content") return 200;
  if (id === "attributes.experiment_id") return 160;
  if (id === "attributes.start_time" || id === "attributes.duration") return 104;
  const label = labelOf(id).length * 7 + 34;
  return Math.min(190, Math.max(groupOf(id) === "metrics" ? 92 : 104, label));
}

/** Whether less or more of a metric is better, if its name says so. */
export function better(id: ColumnId): "min" | "max" | undefined {
  const key = keyOf(id).toLowerCase();
  if (/(loss|error|\berr\b|mse|rmse|mae|mape|perplexity|ppl|wer|cer|latency|_time|duration|nll|divergence)/.test(key)) return "min";
  if (/(acc|auc|f1|precision|recall|score|r2|iou|map\b|bleu|rouge|reward|throughput|dice|kappa|ndcg|hit)/.test(key)) return "max";
  return undefined;
}
