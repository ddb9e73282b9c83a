// Versions of a model side by side, as rows of values.

import { ownTags } from "../../lib/api/experiments";
import type { LoggedModel } from "../../lib/api/models";
import type { Alias, ModelVersion } from "../../lib/api/registry";
import { nameOf, toNumber, type Metric, type Param, type Run } from "../../lib/api/runs";
import { dateTime } from "../../lib/format/times";
import { isSystem } from "../../lib/runs/choose";
import { keysOf, metricRow, row, type Section } from "../compare/differences";
import type { Column, ModelFile } from "./mlmodel";

/** A version and what is known of its origins. */
export interface Whole {
  version: ModelVersion;
  run?: Run | undefined;
  logged?: LoggedModel | undefined;
  file?: ModelFile | undefined;
}

/** What was measured of the model itself goes before what its run measured. */
export function metricsOf({ run, logged }: Whole): Metric[] {
  const own: Metric[] = logged?.data?.metrics ?? [];
  return [...own, ...(run?.data?.metrics ?? []).filter((metric) => !isSystem(`metrics.${metric.key}`) && !own.some((each) => each.key === metric.key))];
}

export const paramsOf = ({ run, logged }: Whole): Param[] => (logged?.data?.params?.length ? logged.data.params : (run?.data?.params ?? []));

const described = (column: Column): string => `${column.type}${column.value === undefined ? "" : ` = ${column.value}`}${column.required ? "" : ", optional"}`;

export function differences(versions: readonly Whole[], aliases: readonly Alias[]): Section[] {
  const metrics = versions.map(metricsOf);
  const params = versions.map(paramsOf);
  const tags = versions.map(({ version }) => ownTags(version.tags));
  const schema = versions.map(({ file }) =>
    (["inputs", "outputs", "params"] as const).flatMap((part) => (file?.schema?.[part] ?? []).map((column) => ({ key: `${part}.${column.name}`, value: described(column) }))),
  );
  const value = (list: readonly { key: string; value: string }[], key: string): string | undefined => list.find((each) => each.key === key)?.value;
  const about = [
    row("Aliases", versions.map(({ version }) => aliases.filter((each) => each.version === version.version).map(({ alias }) => `@${alias}`).join(", ") || undefined)),
    row("Stage", versions.map(({ version }) => (version.current_stage === "None" ? undefined : version.current_stage))),
    row("Created", versions.map(({ version }) => (version.creation_timestamp ? dateTime(version.creation_timestamp) : undefined))),
    row("Description", versions.map(({ version }) => version.description || undefined)),
    row("Run", versions.map(({ version, run }) => (run ? nameOf(run.info) : version.run_id || undefined))),
    row("Flavors", versions.map(({ file }) => file?.flavors.join(", ") || undefined)),
    row("MLflow", versions.map(({ file }) => file?.mlflow || undefined)),
    row("Python", versions.map(({ file }) => file?.python || undefined)),
    row("Source", versions.map(({ version }) => version.source)),
  ].filter((each) => each.texts.some(Boolean));
  return [
    { name: "Metrics", rows: keysOf(metrics).map((key) => metricRow(key, metrics.map((list) => { const found = list.find((metric) => metric.key === key); return found && toNumber(found.value); }))) },
    { name: "Params", rows: keysOf(params).map((key) => row(key, params.map((list) => value(list, key)))) },
    { name: "Schema", rows: keysOf(schema).map((key) => row(key, schema.map((list) => value(list, key)))) },
    { name: "Tags", rows: keysOf(tags).map((key) => row(key, tags.map((list) => value(list, key)))) },
    { name: "About", rows: about },
  ].filter((section) => section.rows.length);
}
