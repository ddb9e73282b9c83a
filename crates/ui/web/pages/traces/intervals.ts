// Time in equal intervals, as the server counts by them: they begin at multiples of their length since the epoch.

import type { Interval } from "../../lib/charts/interval";
import type { MeasuredPoint } from "../../lib/api/traceMetrics";

export const RANGES = ["24h", "7d", "30d", "all"] as const;

export type Range = (typeof RANGES)[number];

const HOUR = 3600;
const DAY = 24 * HOUR;
const LENGTHS: Record<Exclude<Range, "all">, number> = { "24h": DAY * 1000, "7d": 7 * DAY * 1000, "30d": 30 * DAY * 1000 };
const SIZES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 182 * DAY, 364 * DAY];

/** The range that the address names; everything, unless it names one. */
export const rangeOf = (query: URLSearchParams): Range => RANGES.find((range) => range === query.get("tracesRange")) ?? "all";

/** The last hours or days of what a filter allows. */
export function lastOf(range: Exclude<Range, "all">, now: number, end = now): { start: number; end: number } {
  const last = Math.min(now, end);
  return { start: last - LENGTHS[range], end: last };
}

/** The shortest usual length, in seconds, in which at most so many intervals hold all between two moments. */
export function sizeFor(start: number, end: number, most: number): number {
  const fits = (size: number): boolean => Math.floor(end / (size * 1000)) - Math.floor(start / (size * 1000)) < most;
  let size = SIZES.find(fits) ?? SIZES.at(-1)! * 2;
  while (!fits(size)) size *= 2;
  return size;
}

/** All intervals that touch what is between two moments, empty ones too. */
export function intervalsOf(start: number, end: number, size: number): Interval[] {
  const step = size * 1000;
  const out: Interval[] = [];
  for (let from = Math.floor(start / step) * step; from <= end; from += step) out.push({ from, to: from + step });
  return out;
}

/** What points say, each at the place of its interval; several of one interval are summed up. */
export function placed(intervals: readonly Interval[], points: readonly MeasuredPoint[], value: (point: MeasuredPoint) => number | undefined = (point) => point.values[0]): (number | undefined)[] {
  const out = new Array<number | undefined>(intervals.length).fill(undefined);
  const first = intervals[0];
  if (!first) return out;
  for (const point of points) {
    const measured = value(point);
    const place = Math.round(((point.start ?? NaN) - first.from) / (first.to - first.from));
    if (measured !== undefined && place >= 0 && place < out.length) out[place] = (out[place] ?? 0) + measured;
  }
  return out;
}

/** `30 min`: how long an interval is, in the largest unit of which it has whole ones. */
export function lengthWords({ from, to }: Interval): string {
  const seconds = (to - from) / 1000;
  for (const [unit, name] of [[DAY, "d"], [HOUR, "h"], [60, "min"]] as const) if (seconds % unit === 0) return `${seconds / unit} ${name}`;
  return `${seconds} s`;
}
