// Intervals of time: how long they are, where they begin, and what is put into them.

import { expect, test } from "vitest";
import { intervalsOf, lastOf, lengthWords, placed, rangeOf, sizeFor } from "./intervals";

const DAY = 86_400_000;
const at = Date.UTC(2026, 2, 2, 9, 20, 30);

test("the range is in the address, everything unless it says another", () => {
  expect(rangeOf(new URLSearchParams("tracesRange=7d"))).toBe("7d");
  expect(rangeOf(new URLSearchParams("tracesRange=fortnight"))).toBe("all");
  expect(lastOf("24h", at)).toEqual({ start: at - DAY, end: at });
  expect(lastOf("7d", at, at - DAY)).toEqual({ start: at - 8 * DAY, end: at - DAY });
  expect(lastOf("24h", at, Infinity)).toEqual({ start: at - DAY, end: at });
});

test("intervals have a usual length, and are not more than there is room for", () => {
  expect(sizeFor(at - DAY, at, 50)).toBe(1800);
  expect(sizeFor(at - 7 * DAY, at, 50)).toBe(4 * 3600);
  expect(sizeFor(at - 30 * DAY, at, 50)).toBe(86_400);
  expect(sizeFor(at, at, 50)).toBe(1);
  for (let span = 0; span < 1e14; span = span * 2 + 7) {
    for (const most of [24, 50]) {
      const intervals = intervalsOf(at, at + span, sizeFor(at, at + span, most));
      expect(intervals.length).toBeLessThanOrEqual(most);
      expect(intervals[0]!.from <= at && intervals.at(-1)!.from <= at + span && intervals.at(-1)!.to > at + span).toBe(true);
    }
  }
});

test("they begin where the server's do, and none is left out", () => {
  const hour = Date.UTC(2026, 2, 2, 9);
  expect(intervalsOf(at, at + 3_600_000, 3600)).toEqual([{ from: hour, to: hour + 3_600_000 }, { from: hour + 3_600_000, to: hour + 7_200_000 }]);
});

test("points are put into their intervals, and summed up there", () => {
  const intervals = intervalsOf(0, 29_999, 10);
  const point = (start: number | undefined, value: number | undefined, state = "OK") => ({ start, dimensions: { trace_status: state }, values: [value] });
  const points = [point(0, 3), point(20_000, 2), point(20_000, 1, "ERROR"), point(30_000, 9), point(-10_000, 9), point(undefined, 9), point(10_000, undefined)];
  expect(placed(intervals, points)).toEqual([3, undefined, 3]);
  expect(placed(intervals, points, ({ dimensions, values }) => (dimensions.trace_status === "ERROR" ? values[0] : 0))).toEqual([0, 0, 1]);
  expect(placed(intervals.slice(0, 1), points)).toEqual([3]);
  expect(placed([], points)).toEqual([]);
});

test("lengths are in whole units", () => {
  expect([15, 60, 1800, 14_400, 172_800].map((seconds) => lengthWords({ from: 0, to: seconds * 1000 }))).toEqual(["15 s", "1 min", "30 min", "4 h", "2 d"]);
});
