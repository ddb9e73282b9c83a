// Numbers as text.

/**
 * A metric in at most `digits` significant digits. Whole numbers stay whole: an epoch of 50 is `50`, not `50.000`.
 */
export function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value) || Math.abs(value) >= Number.MAX_VALUE) return value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return minus(value.toString());
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e9)) return minus(value.toExponential(digits - 1).replace("e+", "e"));
  return minus(Number(value.toPrecision(size >= 1000 ? Math.max(digits, 6) : digits)).toString());
}

/** The whole number behind a shortened one, for tooltips and copies. */
export function exact(value: number): string {
  return String(value);
}

const minus = (text: string): string => text.replace("-", "−").replace("e−", "e-");

/** `12,345`. */
export const count = (n: number): string => n.toLocaleString("en-US");

/** `1 run`, `2 runs`. */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** `1.2 MB`. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
  const value = n / 1000 ** unit;
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
