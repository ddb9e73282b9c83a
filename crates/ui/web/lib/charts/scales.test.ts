// Ticks, boxes and fields.

import { expect, test } from "vitest";
import { box, extent, field, linear, logarithmic, ticks, wantsLog } from "./scales";

test("ticks are round", () => {
  expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(3, 97)).toEqual([20, 40, 60, 80]);
  expect(ticks(5, 5)).toEqual([5]);
});

test("scales reach from end to end, and a single value is in the middle", () => {
  expect(linear(0, 10, 100, 0)(10)).toBe(0);
  expect(linear(5, 5, 0, 100)(5)).toBe(50);
  expect(logarithmic(1, 100, 0, 100)(10)).toBeCloseTo(50);
  expect(wantsLog([1e-4, 0.1])).toBe(true);
});

test("extents leave out what is no number", () => {
  expect(extent([undefined, NaN, 3, Infinity, -1])).toEqual([-1, 3]);
  expect(extent([NaN])).toBeUndefined();
});

test("a box of numbers", () => {
  expect(box([1, 2, 3, 4, 100])).toMatchObject({ q1: 2, median: 3, q3: 4, high: 4, outside: [100] });
  expect(box([7])).toMatchObject({ low: 7, median: 7, high: 7, outside: [] });
});

test("a field is the value where a point is", () => {
  const [left, right] = field([{ x: 0.25, y: 0.5, z: 1 }, { x: 0.75, y: 0.5, z: 9 }], 2, 1);
  expect(left).toBeCloseTo(1, 3);
  expect(right).toBeCloseTo(9, 3);
});
