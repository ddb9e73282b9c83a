// An axis of time: round local times, few enough, none outside.

import { expect, test } from "vitest";
import { timeTicks } from "./timeTicks";

const at = (...parts: [number, number, number, number?, number?, number?]): number => new Date(parts[0], parts[1] - 1, ...(parts.slice(2) as [number])).getTime();
const labels = (from: number, to: number, most = 4): string[] => timeTicks(from, to, most).map((tick) => tick.label);

test("hours, minutes and seconds are those of the clock", () => {
  expect(labels(at(2026, 3, 2, 9, 20), at(2026, 3, 2, 12, 50))).toEqual(["10:00", "11:00", "12:00"]);
  expect(labels(at(2026, 3, 2, 9, 20, 3), at(2026, 3, 2, 9, 20, 18))).toEqual(["09:20:05", "09:20:10", "09:20:15"]);
  expect(labels(at(2026, 3, 2, 12), at(2026, 3, 4, 11))).toEqual(["12:00", "03-03", "12:00", "03-04"]);
});

test("days and months begin at midnight, in their calendars", () => {
  expect(labels(at(2026, 3, 2, 12), at(2026, 3, 9, 12))).toEqual(["03-04", "03-06", "03-08"]);
  expect(labels(at(2025, 11, 20), at(2026, 8, 3))).toEqual(["2026-01", "2026-04", "2026-07"]);
  expect(labels(at(1970, 1, 2), at(2026, 8, 3))).toEqual(["1980-01", "1995-01", "2010-01", "2025-01"]);
});

test("there are never more than there is room for", () => {
  for (let span = 500; span < 4e12; span *= 1.7) {
    const from = at(2026, 1, 31, 23, 59, 58);
    const ticks = timeTicks(from, from + span, 3);
    expect(ticks.length).toBeLessThanOrEqual(3);
    for (const tick of ticks) expect(tick.at >= from && tick.at <= from + span).toBe(true);
  }
});
