// What of a list's filter measurements can follow: its times, and conditions that something is equal to a text. Other
// conditions are left out, and said to be.

import { equals } from "../../lib/api/registry";
import { conditionsOf } from "../../lib/search/conditions";
import { keyText, unquoted } from "../../lib/search/grammar";
import { isFreeText } from "../../lib/search/lexer";
import { parts, toTraceFilter } from "../../lib/search/traces";

export interface Followed {
  /** For the server, without the times. */
  filters: readonly string[];
  /** The times that are allowed, in milliseconds since the epoch, both included. */
  start?: number;
  end?: number;
  /** Conditions that are not followed, as they were typed. */
  without: readonly string[];
}

const STATES = new Set(["OK", "ERROR", "IN_PROGRESS", "STATE_UNSPECIFIED"]);
const NAME = "trace.tag.`mlflow.traceName`";
const RUN = "trace.metadata.`mlflow.sourceRun`";

/** Whether a name is when a trace began. */
function isTime(name: string | undefined): boolean {
  const { entity, key } = name === undefined ? { entity: "", key: "" } : parts(name);
  return entity === "attributes" && (key === "timestamp" || key === "timestamp_ms");
}

/** First and last millisecond that a comparison with a time allows. */
function bounds(comparison: string | undefined, time: number): { start?: number; end?: number } | undefined {
  if (comparison === ">") return { start: Math.floor(time) + 1 };
  if (comparison === ">=") return { start: Math.ceil(time) };
  if (comparison === "<") return { end: Math.ceil(time) - 1 };
  if (comparison === "<=") return { end: Math.floor(time) };
  return comparison === "=" ? { start: Math.ceil(time), end: Math.floor(time) } : undefined;
}

/** The clause that says the same to measurements, if there is one. */
function clause(name: string, value: string): string | undefined {
  const { entity, key } = parts(name);
  if (entity === "attributes") {
    if (key === "status") return STATES.has(unquoted(value)) ? `trace.status = ${value}` : undefined;
    return key === "name" ? `${NAME} = ${value}` : key === "run_id" ? `${RUN} = ${value}` : undefined;
  }
  // A backtick cannot be within backticks; other quotes are not for keys there.
  if ((entity !== "tags" && entity !== "metadata") || key.includes("`")) return undefined;
  return `trace.${entity === "tags" ? "tag" : "metadata"}.${keyText(key)} = ${value}`;
}

export function followed(typed: string, run?: string): Followed {
  const filters = run ? [equals(RUN, run)] : [];
  const without: string[] = [];
  let [start, end] = [-Infinity, Infinity];
  for (const condition of isFreeText(typed) ? [] : conditionsOf(typed)) {
    const { name, comparison, value } = condition;
    const allowed = isTime(name) && value?.kind === "number" ? bounds(comparison, Number(value.text)) : undefined;
    const same = name !== undefined && comparison === "=" && value?.kind === "text" ? clause(name, value.text) : undefined;
    if (allowed) [start, end] = [Math.max(start, allowed.start ?? start), Math.min(end, allowed.end ?? end)];
    else if (same) filters.push(same);
    else without.push(condition.text);
  }
  if (isFreeText(typed) && typed.trim()) without.push(typed.trim());
  return { filters, without, ...(Number.isFinite(start) ? { start } : {}), ...(Number.isFinite(end) ? { end } : {}) };
}

/** The filter without what it says of times. */
export function anyTime(typed: string): string {
  if (isFreeText(typed)) return typed.trim();
  return conditionsOf(typed).filter((condition) => !isTime(condition.name)).map((condition) => condition.text).join(" AND ");
}

/** The filter for what began from a moment on and before another. */
export function narrowed(typed: string, from: number, to: number): string {
  // Words alone cannot be joined with conditions: they become what is sent for them.
  return [toTraceFilter(anyTime(typed)), `timestamp_ms >= ${from}`, `timestamp_ms < ${to}`].filter(Boolean).join(" AND ");
}
