// Filters of traces. The grammar is that of `crates/search`, which has the last word: attributes, tags, metadata, spans and
// assessments, joined by AND.

import type { Problem } from "./check";
import type { Completion } from "./complete";
import { checkWith, completeWith, keyText, LIKES, NUMBERS, textField as text, unquoted, type Field, type Grammar, type Seen } from "./grammar";
import { toFilterOf } from "./lexer";

const TEXT = [...LIKES, "RLIKE"];
const LISTED = [...TEXT, "IN", "NOT IN"];
const TAG = [...TEXT, "IS NULL", "IS NOT NULL"];
const CONTENT = ["LIKE", "ILIKE"];

const number: Field = { kind: "number", operators: NUMBERS };
const assessment: Field = { kind: "either", operators: [...NUMBERS, "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"] };

const ATTRIBUTES: Record<string, Field> = {
  status: text(LISTED), name: text(LISTED), execution_time: number, timestamp: number, text: text(CONTENT), run_id: text(LISTED), request_id: text(LISTED),
  client_request_id: text(LISTED), prompt: text(["="]), execution_time_ms: number, timestamp_ms: number, end_time: number, end_time_ms: number,
};
/** Worth offering; the others are other names of these. */
const OFFERED = ["status", "name", "execution_time", "timestamp", "end_time", "text", "run_id", "request_id", "prompt"];
const SPAN: Record<string, Field> = { name: text(LISTED), type: text(LISTED), status: text(LISTED), content: text(CONTENT) };
const ENTITIES = new Map(Object.entries({
  attribute: "attributes", attributes: "attributes", trace: "attributes", tag: "tags", tags: "tags", metadata: "metadata", request_metadata: "metadata",
  span: "span", feedback: "feedback", expectation: "expectation", issue: "issue",
}));
const STATUSES = ["OK", "ERROR", "IN_PROGRESS"];
const SPAN_TYPES = ["AGENT", "CHAIN", "CHAT_MODEL", "EMBEDDING", "EVALUATOR", "GUARDRAIL", "LLM", "MEMORY", "PARSER", "RERANKER", "RETRIEVER", "TASK", "TOOL", "UNKNOWN", "WORKFLOW"];

/** What is sent to the server for what was typed: words without a comparison are looked for in the contents of spans. */
export const toTraceFilter = (typed: string): string => toFilterOf("text", typed);

/** What the left side of a comparison names: `tags.topic` is the key `topic` of `tags`. The entity is empty where there is no such one. */
export function parts(name: string): { entity: string; key: string } {
  const dot = name.indexOf(".");
  const entity = dot < 0 ? "attributes" : (ENTITIES.get(name.slice(0, dot)) ?? "");
  return { entity, key: unquoted(name.slice(dot + 1)) };
}

function fieldOf(name: string): Field | string {
  const { entity, key } = parts(name);
  if (!entity) return `“${name.split(".")[0]!}” has no keys. Use attributes, tags, metadata, span, feedback or expectation.`;
  if (!key || name.endsWith(".")) return `Which of the ${entity}?`;
  if (entity === "attributes") return Object.hasOwn(ATTRIBUTES, key) ? ATTRIBUTES[key]! : `There is no attribute “${key}”. There are ${OFFERED.join(", ")}.`;
  if (entity === "tags" || entity === "metadata") return text(TAG);
  if (entity === "issue") return key === "id" ? text(["="]) : "Issues are found by their id.";
  if (entity === "span") {
    if (Object.hasOwn(SPAN, key)) return SPAN[key]!;
    return /^attributes\../.test(key) ? text(LISTED) : "Spans have name, type, status, content, and attributes such as span.attributes.model.";
  }
  return assessment;
}

function valuesOf(name: string, seen: Seen): readonly string[] {
  const { entity, key } = parts(name);
  if ((entity === "attributes" || entity === "span") && key === "status") return STATUSES;
  if (entity === "span" && key === "type") return SPAN_TYPES;
  return [...(seen.get(entity === "attributes" ? key : `${entity}.${key}`) ?? [])].sort();
}

function namesOf(typed: string, seen: Seen) {
  const needle = typed.replace(/[`"']/g, "").toLowerCase();
  const fixed = [...OFFERED.map((key) => ({ label: key, insert: `${key} `, detail: "attribute" })), ...Object.keys(SPAN).map((key) => ({ label: `span.${key}`, insert: `span.${key} `, detail: "span" }))];
  const known = [...seen.keys()].filter((name) => name.includes(".")).sort().map((name) => {
    const { entity, key } = parts(name);
    return { label: name, insert: `${entity}.${keyText(key)} `, detail: entity === "tags" ? "tag" : entity };
  });
  const options = [...fixed, ...known].filter((option) => option.label.toLowerCase().includes(needle));
  // What begins with what was typed comes first.
  const begins = (option: { label: string }): boolean => option.label.toLowerCase().startsWith(needle);
  return [...options.filter(begins), ...options.filter((option) => !begins(option))];
}

const GRAMMAR: Grammar = { examples: "status or tags.topic", fieldOf, valuesOf, namesOf };

export const checkTraces = (given: string): Problem | undefined => checkWith(GRAMMAR, given);

/** Completes with what was seen in the traces that were loaded: of each field, its values. */
export const completeTraces = (given: string, cursor: number, seen: Seen): Completion | undefined => completeWith(GRAMMAR, given, cursor, seen);
