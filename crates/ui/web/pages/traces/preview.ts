// What went in or came out, on one line: the words without the JSON around them.

import { messagesOf } from "../../lib/traces/chat";

export function preview(text: string | undefined): string {
  if (!text) return "";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Plain text, or JSON that was cut.
    return text;
  }
  const last = messagesOf(value)?.at(-1)?.parts.map((part) => (part.kind === "text" ? part.text : part.kind === "call" ? `${part.name}(…)` : "")).join(" ");
  if (last) return last;
  if (typeof value === "string") return value;
  if (value && typeof value === "object" && !Array.isArray(value)) {
    const entries = Object.entries(value);
    const written = (each: unknown): string => (typeof each === "string" ? each : (JSON.stringify(each) ?? ""));
    return entries.length === 1 ? written(entries[0]![1]) : entries.map(([key, each]) => `${key}: ${written(each)}`).join(", ");
  }
  return text;
}
