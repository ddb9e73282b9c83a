// What is in sight, and in which element.

import { expect, test } from "vitest";
import { columnsInSight, edges, rowOfSlot, rowsInSight } from "./window";

test("rows around the window, never outside of the table", () => {
  expect(rowsInSight(0, 280, 28, 1000)).toEqual({ first: 0, end: 16 });
  expect(rowsInSight(2800, 280, 28, 105)).toEqual({ first: 94, end: 105 });
  expect(rowsInSight(9999, 280, 28, 3).end).toBe(3);
});

test("columns that touch the window", () => {
  expect(columnsInSight(250, 100, edges([100, 100, 100, 100, 100]), 0)).toEqual({ first: 2, end: 4 });
  expect(columnsInSight(0, 100, edges([]), 0)).toEqual({ first: 0, end: 0 });
});

test("every row in sight has a slot of its own and keeps it", () => {
  for (const first of [0, 1, 7, 23]) {
    const rows = [0, 1, 2, 3, 4].map((slot) => rowOfSlot(slot, 5, first));
    expect([...rows].sort((a, b) => a - b)).toEqual([first, first + 1, first + 2, first + 3, first + 4]);
    expect(rows.every((row, slot) => row % 5 === slot)).toBe(true);
  }
});
