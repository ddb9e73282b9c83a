// Lines as they are drawn.

import { expect, test } from "vitest";
import { Looks } from "./colors";
import { aligned, band, line } from "./lines";
import { smoothed } from "./smoothing";

const series = { steps: [2, 0, 1, 1], times: [3000, 1000, 2000, 2500], values: [30, 10, 20, 25] };

test("points are in order, and the last of a step counts", () => {
  expect(line(series, "step", 0)).toEqual({ x: [0, 1, 2], y: [10, 25, 30] });
  expect(line(series, "relative", 0).x).toEqual([0, 1, 1.5, 2]);
});

test("smoothing starts at the first value and keeps NaN", () => {
  const out = smoothed([1, NaN, 3, 3], 50);
  expect(out[0]).toBe(1);
  expect(out[1]).toBeNaN();
  expect(out[2]).toBeCloseTo(2.3333, 3);
  expect(smoothed([5, 5, 5], 90)).toEqual([5, 5, 5]);
});

test("lines share one x", () => {
  expect(aligned([{ x: [0, 2], y: [1, NaN] }, { x: [1, 2], y: [5, 6] }])).toEqual([[0, 1, 2], [1, undefined, null], [undefined, 5, 6]]);
  expect(band([{ x: [0], y: [1] }, { x: [0, 1], y: [3, 4] }])).toEqual({ x: [0, 1], mean: [2, 4], min: [1, 4], max: [3, 4] });
});

test("neighbours never share a look, and shown runs keep theirs", () => {
  const looks = new Looks();
  const runs = Array.from({ length: 40 }, (_, i) => `r${i}`);
  looks.assign(runs);
  expect(new Set(runs.map((run) => JSON.stringify(looks.of(run)))).size).toBe(40);
  const kept = looks.of("r5");
  looks.assign(["r5", "new"]);
  expect(looks.of("r5")).toEqual(kept);
});
