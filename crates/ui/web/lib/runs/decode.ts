// From the server's answer to columns. Runs in a worker for all pages but the first.

import type { Run } from "../api/runs";
import { toNumber } from "../api/runs";
import type { ColumnId } from "./columns";

/** Values of one column for some rows of a chunk. */
export type Part =
  | { id: ColumnId; kind: "number"; rows: Uint32Array; values: Float64Array }
  | { id: ColumnId; kind: "text"; rows: Uint32Array; codes: Uint32Array; words: string[] };

/** A page of runs, ready to be appended to a table. Row 0 is the page's first run. */
export interface Chunk {
  ids: string[];
  parts: Part[];
  /** Metrics whose latest value is of a later step than the first: those that have a history to draw. */
  stepped: string[];
}

/** Longer values are cut in the table; the run's own page shows them whole. */
const MAX_TEXT = 500;

/** Kept for the run's page only: large, and nothing to read in a table. */
const SKIPPED = new Set(["mlflow.runName", "mlflow.log-model.history", "mlflow.sharedViewState"]);

interface Gathered {
  kind: "number" | "text";
  rows: number[];
  values: number[];
  words: string[];
  places: Map<string, number>;
}

export function decode(runs: readonly Run[]): Chunk {
  const columns = new Map<ColumnId, Gathered>();
  const column = (id: ColumnId, kind: "number" | "text"): Gathered => {
    let found = columns.get(id);
    if (!found) columns.set(id, (found = { kind, rows: [], values: [], words: [], places: new Map() }));
    return found;
  };
  const number = (id: ColumnId, row: number, value: number): void => {
    const to = column(id, "number");
    to.rows.push(row);
    to.values.push(value);
  };
  const text = (id: ColumnId, row: number, value: string | undefined): void => {
    if (value === undefined || value === "") return;
    const word = value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
    const to = column(id, "text");
    let place = to.places.get(word);
    if (place === undefined) {
      place = to.words.push(word);
      to.places.set(word, place);
    }
    to.rows.push(row);
    to.values.push(place);
  };

  const stepped = new Set<string>();
  runs.forEach((run, row) => {
    const { info } = run;
    text("attributes.run_name", row, info.run_name?.trim() || info.run_id.slice(0, 8));
    text("attributes.status", row, info.status);
    text("attributes.user_id", row, info.user_id || run.data?.tags?.find((tag) => tag.key === "mlflow.user")?.value);
    text("attributes.experiment_id", row, info.experiment_id);
    text("attributes.lifecycle_stage", row, info.lifecycle_stage);
    if (info.start_time !== undefined) number("attributes.start_time", row, Number(info.start_time));
    if (info.end_time !== undefined) {
      number("attributes.end_time", row, Number(info.end_time));
      if (info.start_time) number("attributes.duration", row, Number(info.end_time) - Number(info.start_time));
    }
    for (const metric of run.data?.metrics ?? []) {
      number(`metrics.${metric.key}`, row, toNumber(metric.value));
      if (Number(metric.step ?? 0) !== 0) stepped.add(metric.key);
    }
    for (const param of run.data?.params ?? []) text(`params.${param.key}`, row, param.value);
    for (const tag of run.data?.tags ?? []) if (!SKIPPED.has(tag.key)) text(`tags.${tag.key}`, row, tag.value);
    const datasets = (run.inputs?.dataset_inputs ?? []).map(({ dataset, tags }) => {
      const context = tags?.find((tag) => tag.key === "mlflow.data.context")?.value;
      return `${dataset.name} (${dataset.digest})${context ? ` · ${context}` : ""}`;
    });
    text("attributes.datasets", row, datasets.join("\n"));
    const models = (run.outputs?.model_outputs ?? []).map((model) => model.model_id);
    text("attributes.models", row, models.join("\n"));
  });

  const parts = [...columns].map(([id, gathered]): Part => {
    const rows = Uint32Array.from(gathered.rows);
    return gathered.kind === "number"
      ? { id, kind: "number", rows, values: Float64Array.from(gathered.values) }
      : { id, kind: "text", rows, codes: Uint32Array.from(gathered.values), words: gathered.words };
  });
  return { ids: runs.map((run) => run.info.run_id), parts, stepped: [...stepped] };
}

/** Memory that a worker hands over rather than copies. */
export function transferables(chunk: Chunk): ArrayBuffer[] {
  return chunk.parts.flatMap((part) => [part.rows.buffer, part.kind === "number" ? part.values.buffer : part.codes.buffer] as ArrayBuffer[]);
}
