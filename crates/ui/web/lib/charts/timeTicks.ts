// Places and words of an axis of time, at round times of the reader's clock.

import { dateTime, fullTime } from "../format/times";

export interface TimeTick {
  at: number;
  label: string;
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const SHORT = [1, 2, 5, 10, 30].map((n) => n * SECOND).concat([1, 2, 5, 10, 30].map((n) => n * MINUTE), [1, 2, 3, 4, 6, 8, 12].map((n) => n * HOUR));
const DAYS = [1, 2, 4, 7, 14];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120];

/** At most `most` ticks from a moment to another. */
export function timeTicks(from: number, to: number, most: number): TimeTick[] {
  const room = (step: number): boolean => (to - from) / step <= most;
  const step = SHORT.find(room);
  if (step !== undefined) {
    // Local hours: where the clock is changed between, its offset at the start holds.
    const offset = new Date(from).getTimezoneOffset() * MINUTE;
    const out: TimeTick[] = [];
    for (let at = Math.ceil((from - offset) / step) * step + offset; at <= to; at += step) out.push({ at, label: clock(at, step, to - from) });
    return out.slice(0, most);
  }
  const first = new Date(from);
  const days = DAYS.find((n) => room(n * DAY));
  const months = MONTHS.find((n) => room(n * 30 * DAY)) ?? Math.ceil((to - from) / (most * 365 * DAY)) * 12;
  // Months are counted through the years, so that quarters and decades begin where they begin.
  const begin = Math.floor((first.getFullYear() * 12 + first.getMonth()) / months) * months;
  const out: TimeTick[] = [];
  for (let i = 0; out.length < most; i++) {
    const at = days ? new Date(first.getFullYear(), first.getMonth(), first.getDate() + i * days).getTime() : new Date(0, begin + i * months - 1900 * 12, 1).getTime();
    if (at > to) break;
    if (at >= from) out.push({ at, label: days ? dateTime(at).slice(5, 10) : dateTime(at).slice(0, 7) });
  }
  return out;
}

function clock(at: number, step: number, span: number): string {
  if (step < MINUTE) return fullTime(at).slice(11, 19);
  // Over days, a midnight says which day begins.
  return span > 1.5 * DAY && new Date(at).getHours() === 0 && new Date(at).getMinutes() === 0 ? dateTime(at).slice(5, 10) : dateTime(at).slice(11, 16);
}
