// From histories to the curves of a chart: each run its own, or one for each group with its band.

import type { Histories } from "../../lib/charts/histories.svelte";
import { PALETTE, type Look } from "../../lib/charts/colors";
import { band, line, type XAxis } from "../../lib/charts/lines";
import { smoothed } from "../../lib/charts/smoothing";
import type { Curve } from "../../lib/charts/curve";
import type { DrawnRun } from "../../lib/charts/source";
import type { Series } from "../../lib/api/metrics";
import type { RunTable } from "../../lib/runs/table";

/** Finer samples for a range of steps. */
export interface Detail {
  steps: [number, number];
  found: ReadonlyMap<string, ReadonlyMap<string, Series>>;
}

export interface Grouping {
  by: readonly string[];
}

interface Wanted {
  runs: readonly DrawnRun[];
  keys: readonly string[];
  histories: Histories;
  axis: XAxis;
  smoothing: number;
  detail: Detail | undefined;
  grouping: Grouping | undefined;
  table: RunTable;
}

const DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export function curvesOf({ runs, keys, histories, axis, smoothing, detail, grouping, table }: Wanted): Curve[] {
  const out: Curve[] = [];
  keys.forEach((key, k) => {
    const found = runs
      .map((run) => ({ run, series: merged(histories.get(run.id, key), detail?.found.get(key)?.get(run.id), detail?.steps) }))
      .filter((each): each is typeof each & { series: Series } => each.series != null && each.series.values.length > 0);
    const named = (name: string): string => (keys.length > 1 ? `${name} · ${key}` : name);
    // Several metrics in one chart are told apart by dashes.
    const look = (of: Look): Look => (keys.length > 1 ? { color: of.color, dash: DASHES[k % DASHES.length]! } : of);
    if (grouping?.by.length) {
      const groups = new Map<string, Series[]>();
      for (const { run, series } of found) {
        const name = grouping.by.map((id) => table.text(id, run.row) ?? "none").join(", ");
        const list = groups.get(name);
        if (list) list.push(series);
        else groups.set(name, [series]);
      }
      [...groups].forEach(([name, all], i) => {
        const { x, mean, min, max } = band(all.map((series) => line(series, axis, 0)));
        out.push({
          id: name,
          label: named(`${name} (${all.length})`),
          look: look({ color: PALETTE[i % PALETTE.length]!, dash: [] }),
          line: { x, y: smoothed(mean, smoothing) },
          band: all.length > 1 ? { min: { x, y: min }, max: { x, y: max } } : undefined,
        });
      });
      return;
    }
    for (const { run, series } of found) {
      out.push({
        id: run.id,
        label: named(run.name),
        look: look(run.look),
        line: line(series, axis, smoothing),
        raw: smoothing > 0 && found.length <= 12 ? line(series, axis, 0) : undefined,
      });
    }
  });
  return out;
}

/** Coarse samples outside of the range, fine ones inside. */
function merged(coarse: Series | null | undefined, fine: Series | undefined, steps: [number, number] | undefined): Series | null | undefined {
  if (!coarse || !fine || !steps) return coarse;
  const outside = coarse.steps.map((_, i) => i).filter((i) => coarse.steps[i]! < steps[0] || coarse.steps[i]! > steps[1]);
  const pick = (of: number[]): number[] => outside.map((i) => of[i]!);
  return { steps: [...pick(coarse.steps), ...fine.steps], times: [...pick(coarse.times), ...fine.times], values: [...pick(coarse.values), ...fine.values] };
}

/** The sampled points of a chart as CSV. */
export function pointsCsv(runs: readonly DrawnRun[], keys: readonly string[], histories: Histories): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = ["run_id,run_name,metric,step,timestamp,value"];
  for (const run of runs) {
    for (const key of keys) {
      const series = histories.get(run.id, key);
      series?.values.forEach((value, i) => lines.push(`${run.id},${quoted(run.name)},${quoted(key)},${series.steps[i]},${series.times[i]},${value}`));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}
