// What charts over intervals of time are drawn from.

import { dateTime, fullTime } from "../format/times";

/** From a moment on, until before another: milliseconds since the epoch. */
export interface Interval {
  from: number;
  to: number;
}

export interface IntervalSeries {
  label: string;
  color: string;
  dash?: readonly number[];
  /** At each interval; `undefined` where there is none. */
  values: readonly (number | undefined)[];
}

/** How a vertical axis is read: its marks, and how they are written. */
export interface Measure {
  /** One step of this is a round number: 1000 for milliseconds that are read as seconds. */
  unit: number;
  /** The top of an axis whose values are all 0. */
  top: number;
  /** Nothing where there is no mark: half a trace. */
  tick: (inUnits: number) => string;
}

/** `2026-11-24 13:05 to 13:35`: seconds where there are parts of minutes, the day once if it is the same. */
export function intervalWords({ from, to }: Interval): string {
  const written = (ms: number): string => ((to - from) % 60_000 ? fullTime(ms).slice(0, 19) : dateTime(ms));
  const [first, last] = [written(from), written(to)];
  return `${first} to ${first.slice(0, 10) === last.slice(0, 10) ? last.slice(11) : last}`;
}
