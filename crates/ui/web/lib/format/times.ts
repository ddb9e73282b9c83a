// Times as text, in the reader's time zone.

const pad = (n: number): string => String(n).padStart(2, "0");

/** `2026-11-24 13:05`. */
export function dateTime(ms: number): string {
  const d = new Date(ms);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}`;
}

/** `2026-11-24 13:05:09.120 +01:00`, for tooltips. */
export function fullTime(ms: number): string {
  const d = new Date(ms);
  const offset = -d.getTimezoneOffset();
  const zone = `${offset < 0 ? "−" : "+"}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
  return `${dateTime(ms)}:${pad(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")} ${zone}`;
}

/** `3 h ago`; a date when it is more than a month back. */
export function ago(ms: number, now: number): string {
  const seconds = (now - ms) / 1000;
  if (seconds < -60) return dateTime(ms);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return dateTime(ms).slice(0, 10);
}

/** `340 ms`, `12.3 s`, `4 min 5 s`, `3 h 20 min`, `2 d 1 h`. */
export function duration(ms: number): string {
  if (!(ms >= 0)) return "–";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 59.95) return `${s.toFixed(1)} s`;
  const total = Math.round(s);
  const [d, h, m] = [Math.floor(total / 86_400), Math.floor(total / 3600) % 24, Math.floor(total / 60) % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return `${m} min ${total % 60} s`;
}

/** As `duration`, with more digits below ten milliseconds: `0.42 ms`. */
export function fine(ms: number): string {
  return ms >= 0 && ms < 9.995 ? `${Number(ms.toFixed(ms < 0.1 ? 3 : 2))} ms` : duration(ms);
}
