// The charts above a list of traces: of what was measured, their lines and bars with the words for each interval.

import { DASHES, PALETTE } from "../../lib/charts/colors";
import type { IntervalSeries, Measure } from "../../lib/charts/interval";
import { short } from "../../lib/charts/uplot";
import { count, number, plural } from "../../lib/format/numbers";
import { fine } from "../../lib/format/times";
import { PERCENTILES, type Drawn, type Values } from "./charts.svelte";
import { lengthWords } from "./intervals";

export interface Card {
  title: string;
  kind: "bars" | "lines";
  measure: Measure;
  /** Why there is nothing to draw, if there is nothing. */
  none: string;
  /** What it comes to over all intervals, with the colours of the series. */
  legend: readonly { text: string; color?: string }[];
  /** The same as a sentence. */
  label: string;
  series: readonly IntervalSeries[];
  /** What is said of an interval. */
  words: (place: number) => readonly string[];
}

const COUNTS: Measure = { unit: 1, top: 1, tick: (value) => (Number.isInteger(value) ? short(value) : "") };
const SHARES: Measure = { unit: 0.01, top: 1, tick: (value) => `${number(value, 2)} %` };
const UNITS = [[3_600_000, "h"], [60_000, "min"], [1000, "s"], [1, "ms"]] as const;

/** An axis of times, in the unit that the longest fills. */
function timesOf(series: readonly Values[]): Measure {
  const most = Math.max(0, ...series.flat().map((value) => value ?? 0));
  const [unit, name] = UNITS.find(([unit]) => most >= unit) ?? UNITS[3];
  return { unit, top: 1, tick: (value) => `${number(value, 3)} ${name}` };
}

const at = (values: Values, place: number): number => values[place] ?? 0;
const sum = (values: Values): number => values.reduce((all: number, value) => all + (value ?? 0), 0);
const any = (...series: Values[]): boolean => series.some((values) => values.some((value) => value !== undefined));
const time = (ms: number | undefined): string => fine(ms ?? NaN);
const share = (part: number, all: number): string => `${number((part / all) * 100, 3)} %`;

export function cardsOf({ intervals, counts, failed, latency, overall, input, output }: Drawn): Card[] {
  const per = `in intervals of ${lengthWords(intervals[0]!)}`;
  const [all, bad] = [sum(counts), sum(failed)];
  const ins = { text: `${count(sum(input))} in`, color: PALETTE[0] };
  const outs = { text: `${count(sum(output))} out`, color: PALETTE[1] };
  const percentiles = PERCENTILES.map((percent, i) => ({ label: `p${percent}`, color: PALETTE[i]!, dash: DASHES[i]!, values: latency[i]! }));
  const inAll = percentiles.map(({ label, color }, i) => ({ text: `${label} ${time(overall[i])}`, color }));
  const failures = `${share(bad, all)}, ${count(bad)} of ${count(all)}`;
  return [
    {
      title: "Traces",
      kind: "bars",
      measure: COUNTS,
      none: "",
      legend: [{ text: count(all) }],
      label: `Traces ${per}: ${count(all)} together`,
      series: [{ label: "traces", color: "var(--accent)", values: counts }],
      words: (place) => [plural(at(counts, place), "trace")],
    },
    {
      title: "Latency",
      kind: "lines",
      measure: timesOf(latency),
      none: any(...latency) ? "" : "None of the traces has ended.",
      legend: inAll,
      label: `Latency ${per}: ${inAll.map((each) => each.text).join(", ")} over all`,
      series: percentiles,
      words: (place) => percentiles.map(({ label, values }) => `${label} ${time(values[place])}`),
    },
    {
      title: "Errors",
      kind: "bars",
      measure: SHARES,
      none: "",
      legend: [{ text: failures }],
      label: `Share that failed ${per}: ${failures} together`,
      series: [{ label: "failed", color: "var(--bad)", values: counts.map((n, place) => (n ? at(failed, place) / n : undefined)) }],
      words: (place) => [`${share(at(failed, place), at(counts, place))} failed, ${count(at(failed, place))} of ${count(at(counts, place))}`],
    },
    {
      title: "Tokens",
      kind: "bars",
      measure: COUNTS,
      none: any(input, output) ? "" : "None of the traces says how many tokens it used.",
      legend: [ins, outs],
      label: `Tokens ${per}: ${ins.text} and ${outs.text} together`,
      series: [{ label: "in", color: ins.color, values: input }, { label: "out", color: outs.color, values: output }],
      words: (place) => [`${count(at(input, place))} in`, `${count(at(output, place))} out`],
    },
  ];
}
