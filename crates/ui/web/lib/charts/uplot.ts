// Options for uPlot: plain data in, plain data out. The component is `LineChart`.

import type uPlot from "uplot";
import { number } from "../format/numbers";
import { duration } from "../format/times";
import type { XAxis } from "./lines";

/** Colours of the page; a canvas does not know its style sheet. */
export interface Ink {
  text: string;
  grid: string;
  line: string;
  font: string;
}

export function ink(element: Element): Ink {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return { text: of("--muted"), grid: of("--line"), line: of("--line-strong"), font: `11px ${of("--sans")}` };
}

export interface Drawing {
  axis: XAxis;
  logX: boolean;
  logY: boolean;
  width: number;
  height: number;
  ink: Ink;
  sync?: string | undefined;
  series: uPlot.Series[];
  bands: uPlot.Band[];
  hooks: uPlot.Hooks.Arrays;
}

export function options({ axis, logX, logY, width, height, ink: colors, sync, series, bands, hooks }: Drawing): uPlot.Options {
  const shared: uPlot.Axis = { stroke: colors.text, font: colors.font, grid: { stroke: colors.grid, width: 1 }, ticks: { stroke: colors.grid, width: 1, size: 4 }, gap: 4 };
  const x: uPlot.Axis = { ...shared, size: 26, space: 60 };
  if (axis === "relative") x.values = (_, values) => values.map((value) => (value === null ? "" : duration(value * 1000)));
  if (axis === "step") x.values = (_, values) => values.map((value) => (value === null ? "" : short(value)));
  return {
    width,
    height,
    series,
    bands,
    hooks,
    padding: [8, 14, 0, 4],
    legend: { show: false },
    scales: {
      x: { time: axis === "time", ...(logX && axis !== "time" ? { distr: 3, log: 10 } : {}) },
      y: logY ? { distr: 3, log: 10 } : {},
    },
    axes: [x, { ...shared, size: 52, space: 34, values: (_, values) => values.map((value) => (value === null ? "" : short(value))) }],
    cursor: {
      drag: { x: true, y: false, uni: 12 },
      points: { size: 7 },
      focus: { prox: 24 },
      ...(sync ? { sync: { key: sync, scales: ["x", null] as [string, null] } } : {}),
    },
    focus: { alpha: 0.28 },
  };
}

/** `1.2k`, `3M`: a tick has little room. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return number(value, 2);
  if (size >= 1e6) return `${number(value / 1e6, 3)}M`;
  if (size >= 1e4) return `${number(value / 1e3, 3)}k`;
  return number(value, 3);
}
