// Runs side by side, as rows of values; which rows differ, and which value is the best.

import { tagOf } from "../../lib/api/experiments";
import { toNumber, type Run } from "../../lib/api/runs";
import { number } from "../../lib/format/numbers";
import { dateTime, duration } from "../../lib/format/times";
import { better } from "../../lib/runs/choose";

export interface Row {
  key: string;
  /** What is shown; `undefined` where a run has none. */
  texts: (string | undefined)[];
  titles: (string | undefined)[];
  numbers?: (number | undefined)[];
  differs: boolean;
  /** Places of the best values. */
  best: number[];
}

export interface Section {
  name: string;
  rows: Row[];
}

export function row(key: string, values: (string | undefined)[]): Row {
  return { key, texts: values, titles: values, differs: values.some((value) => value !== values[0]), best: [] };
}

export function metricRow(key: string, numbers: (number | undefined)[]): Row {
  const there = numbers.filter((value): value is number => value !== undefined && !Number.isNaN(value));
  const sense = better(`metrics.${key}`);
  const top = sense === "min" ? Math.min(...there) : sense === "max" ? Math.max(...there) : undefined;
  const differs = numbers.some((value) => !Object.is(value, numbers[0]));
  return {
    key,
    texts: numbers.map((value) => (value === undefined ? undefined : number(value, 6))),
    titles: numbers.map((value) => value?.toString()),
    numbers,
    differs,
    best: differs && there.length > 1 && top !== undefined ? numbers.flatMap((value, i) => (value === top ? [i] : [])) : [],
  };
}

export const keysOf = (lists: readonly { key: string }[][]): string[] => [...new Set(lists.flat().map((item) => item.key))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

export function facts(runs: readonly Run[], experiments: ReadonlyMap<string, string>): Section[] {
  const tag = (run: Run, key: string): string | undefined => tagOf(run.data?.tags, key) || undefined;
  const metrics = runs.map((run) => run.data?.metrics ?? []);
  const params = runs.map((run) => run.data?.params ?? []);
  const tags = runs.map((run) => (run.data?.tags ?? []).filter((each) => !each.key.startsWith("mlflow.")));
  const about = [
    row("Experiment", runs.map((run) => experiments.get(run.info.experiment_id) ?? run.info.experiment_id)),
    row("Status", runs.map((run) => run.info.status.toLowerCase())),
    row("Started", runs.map((run) => (run.info.start_time ? dateTime(Number(run.info.start_time)) : undefined))),
    row("Duration", runs.map((run) => (run.info.start_time && run.info.end_time ? duration(Number(run.info.end_time) - Number(run.info.start_time)) : undefined))),
    row("User", runs.map((run) => run.info.user_id || tag(run, "mlflow.user"))),
    row("Source", runs.map((run) => tag(run, "mlflow.source.name"))),
    row("Commit", runs.map((run) => tag(run, "mlflow.source.git.commit")?.slice(0, 10))),
    row("Datasets", runs.map((run) => run.inputs?.dataset_inputs?.map(({ dataset }) => `${dataset.name} (${dataset.digest})`).join(", ") || undefined)),
  ].filter((each) => each.texts.some(Boolean));
  return [
    { name: "Metrics", rows: keysOf(metrics).map((key) => metricRow(key, metrics.map((list) => { const found = list.find((metric) => metric.key === key); return found && toNumber(found.value); }))) },
    { name: "Params", rows: keysOf(params).map((key) => row(key, params.map((list) => list.find((param) => param.key === key)?.value))) },
    { name: "Tags", rows: keysOf(tags).map((key) => row(key, tags.map((list) => list.find((each) => each.key === key)?.value))) },
    { name: "About", rows: about },
  ].filter((section) => section.rows.length);
}
