// Histories of many runs as the aligned arrays that uPlot draws.

import type { Series } from "../api/metrics";
import { smoothed } from "./smoothing";

export type XAxis = "step" | "time" | "relative";

export interface Line {
  x: number[];
  y: number[];
}

/** One history in the coordinates of a chart: x strictly rising, seconds for times. */
export function line(series: Series, axis: XAxis, weight: number): Line {
  const x: number[] = [];
  const y: number[] = [];
  const start = series.times.length ? series.times.reduce((a, b) => Math.min(a, b)) : 0;
  const order = series.values.map((_, i) => i);
  const at = (i: number): number => (axis === "step" ? series.steps[i]! : axis === "time" ? series.times[i]! / 1000 : (series.times[i]! - start) / 1000);
  order.sort((a, b) => at(a) - at(b) || a - b);
  for (const i of order) {
    // Of several values at one place the last one counts.
    if (x.length && x.at(-1) === at(i)) y[y.length - 1] = series.values[i]!;
    else {
      x.push(at(i));
      y.push(series.values[i]!);
    }
  }
  return { x, y: smoothed(y, weight) };
}

/** One x for all, and for each line its y there: `undefined` where it has no point, `null` where it has no number. */
export function aligned(lines: readonly Line[]): [number[], ...(number | null | undefined)[][]] {
  const places = new Map<number, number>();
  const xs = [...new Set(lines.flatMap((each) => each.x))].sort((a, b) => a - b);
  xs.forEach((x, i) => places.set(x, i));
  const columns = lines.map((each) => {
    const column = new Array<number | null | undefined>(xs.length).fill(undefined);
    each.x.forEach((x, i) => {
      const value = each.y[i]!;
      column[places.get(x)!] = Number.isFinite(value) ? value : null;
    });
    return column;
  });
  return [xs, ...columns];
}

/** Mean, least and greatest of lines at each x where any has a point, for a group's line and band. */
export function band(lines: readonly Line[]): { x: number[]; mean: number[]; min: number[]; max: number[] } {
  const at = new Map<number, number[]>();
  for (const each of lines) {
    each.x.forEach((x, i) => {
      const value = each.y[i]!;
      if (!Number.isFinite(value)) return;
      const found = at.get(x);
      if (found) found.push(value);
      else at.set(x, [value]);
    });
  }
  const x = [...at.keys()].sort((a, b) => a - b);
  const values = x.map((place) => at.get(place)!);
  return {
    x,
    mean: values.map((all) => all.reduce((a, b) => a + b, 0) / all.length),
    min: values.map((all) => Math.min(...all)),
    max: values.map((all) => Math.max(...all)),
  };
}
