// Numbers, times and links as text. No DOM, no network.

const NONE = "–";

/** Stands for a name of spaces only, which the API allows and nobody could click. */
export const UNNAMED = "(no name)";
const pad = (n) => String(n).padStart(2, "0");

/** `2026-11-24 13:05` in the reader's time zone. `ms` counts from 1970. */
export function dateTime(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

/** `3 h ago`; a date when it is more than a month back. */
export function ago(ms, now = Date.now()) {
  const seconds = Math.max(0, (now - ms) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
  return dateTime(ms).slice(0, 10);
}

/** `340 ms`, `12.3 s`, `4 min 5 s`, `3 h 20 min`, `2 d 1 h`. */
export function duration(start, end) {
  if (!start || !end || end < start) return NONE;
  const ms = end - start;
  if (ms < 1000) return `${ms} ms`;
  const s = ms / 1000;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const total = Math.round(s);
  const [d, hr, m] = [Math.floor(total / 86400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60];
  if (d) return `${d} d ${hr} h`;
  if (hr) return `${hr} h ${m} min`;
  return `${m} min ${total % 60} s`;
}

/** A metric in at most five significant digits; whole numbers stay whole. NaN and infinities arrive as words. */
export function metric(value) {
  if (value === undefined) return "";
  if (typeof value !== "number" || Number.isSafeInteger(value)) return String(value);
  return Math.abs(value) < 1e-4 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

/** `1.2 MB`. The API leaves the size of an empty file out. */
export function bytes(count = 0) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const value = count / 1000 ** unit;
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `1 run`, `2 runs`. */
export const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Hash links in MLflow's form: its clients print them. */
export const link = {
  experiment: (id) => `#/experiments/${encodeURIComponent(id)}`,
  run: (experiment, id) => `#/experiments/${encodeURIComponent(experiment)}/runs/${encodeURIComponent(id)}`,
  artifact: (run, path) => `get-artifact?${new URLSearchParams({ path, run_id: run })}`,
};

/** Key-value lists of the API (`[{key, value}]`) as a `Map`. */
export const pairs = (list) => new Map((list ?? []).map(({ key, value }) => [key, value]));
