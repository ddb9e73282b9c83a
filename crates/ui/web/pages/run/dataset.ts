// Datasets describe themselves in JSON that clients write; any of it may be missing or of another form.

import type { Dataset } from "../../lib/api/runs";

/** Columns of a schema as MLflow writes it for tables. */
export function schemaOf(text: string | undefined): { name: string; type: string }[] {
  try {
    const parsed = JSON.parse(text ?? "null") as { mlflow_colspec?: { name?: string; type?: string }[] } | null;
    return (parsed?.mlflow_colspec ?? []).map((column) => ({ name: String(column.name ?? ""), type: String(column.type ?? "") }));
  } catch {
    return [];
  }
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The address in a source, whatever its kind calls it. */
export function sourceOf(dataset: Dataset): string {
  try {
    const parsed = JSON.parse(dataset.source ?? "null") as Record<string, unknown> | null;
    const found = parsed?.uri ?? parsed?.url ?? parsed?.path;
    return typeof found === "string" ? found : (dataset.source ?? "");
  } catch {
    return dataset.source ?? "";
  }
}
