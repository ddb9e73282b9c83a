// Scales and ticks of the charts that are not uPlot's.

export interface Scale {
  (value: number): number;
  ticks: number[];
  domain: readonly [number, number];
}

/** Round steps: 1, 2 or 5 times a power of ten. */
export function ticks(min: number, max: number, about = 5): number[] {
  if (!(max > min)) return [min];
  const raw = (max - min) / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw)!;
  const out: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

export function linear(min: number, max: number, from: number, to: number, about = 5): Scale {
  if (min === max) [min, max] = min === 0 ? [-1, 1] : [min - Math.abs(min) * 0.1, max + Math.abs(max) * 0.1];
  return Object.assign((value: number) => from + ((value - min) / (max - min)) * (to - from), { ticks: ticks(min, max, about), domain: [min, max] as const });
}

/** For values above zero; powers of ten are ticks, with more between where there are few. */
export function logarithmic(min: number, max: number, from: number, to: number): Scale {
  if (min === max) [min, max] = [min / 2, max * 2];
  const [a, b] = [Math.log10(min), Math.log10(max)];
  const marks: number[] = [];
  for (let power = Math.floor(a); power <= Math.ceil(b); power++) {
    for (const factor of b - a < 2 ? [1, 2, 5] : [1]) {
      const value = factor * 10 ** power;
      if (value >= min * 0.999 && value <= max * 1.001) marks.push(value);
    }
  }
  return Object.assign((value: number) => from + ((Math.log10(value) - a) / (b - a)) * (to - from), { ticks: marks, domain: [min, max] as const });
}

/** The least and greatest finite values; `undefined` where there are none. */
export function extent(values: Iterable<number | undefined>): [number, number] | undefined {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value === undefined || !Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? [min, max] : undefined;
}

/** Whether a range is better read by its powers: learning rates, decays. */
export function wantsLog([min, max]: readonly [number, number]): boolean {
  return min > 0 && max / min >= 200;
}

/** The five numbers of a box, and what lies outside of its whiskers. */
export function box(values: readonly number[]): { low: number; q1: number; median: number; q3: number; high: number; outside: number[] } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): number => {
    const place = (sorted.length - 1) * part;
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
  };
  const [q1, median, q3] = [at(0.25), at(0.5), at(0.75)];
  const reach = 1.5 * (q3 - q1);
  const within = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach);
  return { low: within[0]!, q1, median, q3, high: within.at(-1)!, outside: sorted.filter((value) => value < q1 - reach || value > q3 + reach) };
}

/** A colour from blue over grey-green to yellow for 0 to 1: even in lightness, and readable with any colour vision. */
export function ramp(part: number): string {
  const stops = [[59, 76, 152], [40, 125, 142], [53, 160, 120], [140, 190, 70], [240, 205, 50]] as const;
  const place = Math.max(0, Math.min(1, part)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  const channel = (c: 0 | 1 | 2): number => Math.round(stops[i]![c] + (stops[i + 1]![c] - stops[i]![c]) * (place - i));
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)})`;
}

/**
 * Values of a grid between scattered points, by the weight of nearness. Good enough to see where a metric is high; made
 * up where there are no runs, so the points are drawn on top.
 */
export function field(points: readonly { x: number; y: number; z: number }[], columns: number, rows: number): number[] {
  const out: number[] = [];
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const [x, y] = [(i + 0.5) / columns, (j + 0.5) / rows];
      let [sum, weights] = [0, 0];
      for (const point of points) {
        const d = (point.x - x) ** 2 + (point.y - y) ** 2;
        const weight = 1 / (d * d + 1e-6);
        sum += weight * point.z;
        weights += weight;
      }
      out.push(sum / weights);
    }
  }
  return out;
}
