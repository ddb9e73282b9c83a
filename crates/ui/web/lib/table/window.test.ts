// What is in sight, and in which element.

import { expect, test } from "vitest";
import { columnsInSight, edges, rowsInSight, slotsInSight } from "./window";

test("rows around the window, never outside of the table", () => {
  expect(rowsInSight(0, 280, 28, 1000)).toEqual({ first: 0, end: 16 });
  expect(rowsInSight(2800, 280, 28, 105)).toEqual({ first: 94, end: 105 });
  expect(rowsInSight(9999, 280, 28, 3).end).toBe(3);
});

test("columns that touch the window", () => {
  expect(columnsInSight(250, 100, edges([100, 100, 100, 100, 100]), 0)).toEqual({ first: 2, end: 4 });
  expect(columnsInSight(0, 100, edges([]), 0)).toEqual({ first: 0, end: 0 });
});

test("every row in sight has a line of its own and keeps it", () => {
  for (const scrollTop of [0, 28, 2790, 2800, 27_720, 99_999]) {
    const { first, end, slots } = slotsInSight(scrollTop, 280, 28, 1000, 2);
    expect([slots, end - first]).toEqual([15, 15]);
    const rows = Array.from({ length: slots }, (_, i) => first + i);
    expect(new Set(rows.map((row) => row % slots)).size).toBe(slots);
    expect(first * 28 <= Math.min(scrollTop, 27_720) && end * 28 >= Math.min(scrollTop, 27_720) + 280).toBe(true);
  }
  expect(slotsInSight(0, 280, 28, 3, 2)).toEqual({ first: 0, end: 3, slots: 15 });
});
