// Filters of traces: errors with their places, and what may come next. The grammar is that of `crates/search`, which has
// the last word: attributes, tags, metadata, spans and assessments, joined by AND.

import type { Problem } from "./check";
import type { Completion, Option } from "./complete";
import { isFreeText, tokens, type Token } from "./lexer";

/** What was seen in the traces that were loaded: for each field, its values. */
export type KnownFields = ReadonlyMap<string, ReadonlySet<string>>;

const TEXT = ["=", "!=", "LIKE", "ILIKE", "RLIKE"];
const LISTED = [...TEXT, "IN", "NOT IN"];
const NUMBER = ["=", "!=", ">", ">=", "<", "<="];
const TAG = [...TEXT, "IS NULL", "IS NOT NULL"];
const CONTENT = ["LIKE", "ILIKE"];
const MOST = 50;

type Kind = "number" | "text" | "either";
interface Field {
  kind: Kind;
  operators: readonly string[];
}

const text = (operators: readonly string[]): Field => ({ kind: "text", operators });
const number: Field = { kind: "number", operators: NUMBER };

const ATTRIBUTES: Record<string, Field> = {
  status: text(LISTED), name: text(LISTED), execution_time: number, timestamp: number, text: text(CONTENT), run_id: text(LISTED), request_id: text(LISTED),
  client_request_id: text(LISTED), prompt: text(["="]), execution_time_ms: number, timestamp_ms: number, end_time: number, end_time_ms: number,
};
/** Worth offering; the others are other names of these. */
const OFFERED = ["status", "name", "execution_time", "timestamp", "end_time", "text", "run_id", "request_id", "prompt"];
const SPAN: Record<string, Field> = { name: text(LISTED), type: text(LISTED), status: text(LISTED), content: text(CONTENT) };
const ENTITIES: Record<string, string> = {
  attribute: "attributes", attributes: "attributes", trace: "attributes", tag: "tags", tags: "tags", metadata: "metadata", request_metadata: "metadata",
  span: "span", feedback: "feedback", expectation: "expectation", issue: "issue",
};
const STATUSES = ["OK", "ERROR", "IN_PROGRESS"];
export const SPAN_TYPES: readonly string[] = ["AGENT", "CHAIN", "CHAT_MODEL", "EMBEDDING", "EVALUATOR", "GUARDRAIL", "LLM", "MEMORY", "PARSER", "RERANKER", "RETRIEVER", "TASK", "TOOL", "UNKNOWN", "WORKFLOW"];

const unquoted = (given: string): string => (/^[`"']/.test(given) && given.length > 1 && given.endsWith(given[0]!) ? given.slice(1, -1) : given);

/** What is sent to the server for what was typed: words without a comparison are looked for in the contents of spans. */
export function toTraceFilter(typed: string): string {
  const trimmed = typed.trim();
  if (!trimmed || !isFreeText(trimmed)) return trimmed;
  // Quotes cannot be escaped; `_` stands for any one character.
  return `text ILIKE '%${trimmed.replace(/['"]/g, "_")}%'`;
}

function parts(name: string): { entity: string; key: string } {
  const dot = name.indexOf(".");
  const entity = dot < 0 ? "attributes" : (ENTITIES[name.slice(0, dot)] ?? "");
  return { entity, key: unquoted(name.slice(dot + 1)) };
}

/** What a name may be compared with; or what is wrong with it. */
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
  return { kind: "either", operators: [...NUMBER, "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"] };
}

const word = (token: Token | undefined): string => (token?.kind === "operator" || token?.kind === "word" ? token.text.toUpperCase() : "");

export function checkTraces(given: string): Problem | undefined {
  const all = tokens(given);
  const problem = (token: Token | undefined, message: string): Problem =>
    token ? { start: token.start, end: token.end, message } : { start: Math.max(0, given.trimEnd().length - 1), end: given.length, message };
  for (let at = 0; at < all.length; at++) {
    const name = all[at]!;
    if (word(name) === "AND") continue;
    if (name.kind === "bad") return problem(name, bad(name));
    if (/^or$/i.test(name.text)) return problem(name, "There is no OR: all conditions must hold.");
    if (name.kind !== "name") return problem(name, "A name is expected here, such as status or tags.topic.");
    const field = fieldOf(name.text);
    if (typeof field === "string") return problem(name, field);
    let operator = all[++at];
    let comparison = word(operator);
    if (comparison === "NOT" && word(all[at + 1]) === "IN") {
      operator = { ...operator!, end: all[++at]!.end };
      comparison = "NOT IN";
    } else if (comparison === "IS") {
      const not = word(all[at + 1]) === "NOT";
      const last = all[at + (not ? 2 : 1)];
      if (word(last) !== "NULL") return problem(last ?? operator, "NULL is expected here.");
      operator = { ...operator!, end: last!.end };
      comparison = not ? "IS NOT NULL" : "IS NULL";
      at += not ? 2 : 1;
    }
    if (operator?.kind === "bad") return problem(operator, bad(operator));
    if (!comparison || comparison === "AND") return problem(operator, `A comparison is expected after ${name.text}.`);
    if (!field.operators.includes(comparison)) return problem(operator, `${name.text} ${field.kind === "number" ? "is a number" : field.kind === "text" ? "is a text" : "is an assessment"}: use ${field.operators.join(" ")}.`);
    if (comparison.startsWith("IS ")) continue;
    const value = all[++at];
    if (!value) return problem(undefined, "A value is expected here.");
    if (value.kind === "bad") return problem(value, bad(value));
    if (comparison.endsWith("IN")) {
      if (value.kind !== "list") return problem(value, "A list is expected here, such as ('a', 'b').");
    } else if (field.kind === "number" && value.kind !== "number") return problem(value, `${name.text} is a number: write it without quotes.`);
    else if (field.kind === "text" && value.kind !== "text") return problem(value, `Texts are in quotes: '${unquoted(value.text)}'.`);
    else if (value.kind !== "text" && value.kind !== "number") return problem(value, "A number, or a text in quotes, is expected here.");
  }
  return undefined;
}

function bad(token: Token): string {
  if (/^['"`]/.test(token.text)) return "The closing quote is missing.";
  if (token.text.startsWith("(")) return "The closing bracket is missing.";
  return `“${token.text}” does not belong here. Keys with such characters need backticks: tags.\`a/b\`.`;
}

const keyText = (key: string): string => (/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$/.test(key) ? key : key.includes("`") ? `"${key}"` : `\`${key}\``);
const valueText = (value: string): string => (value.includes("'") ? `"${value}"` : `'${value}'`);

function valuesOf(name: string, known: KnownFields): readonly string[] {
  const { entity, key } = parts(name);
  if ((entity === "attributes" || entity === "span") && key === "status") return STATUSES;
  if (entity === "span" && key === "type") return SPAN_TYPES;
  return [...(known.get(entity === "attributes" ? key : `${entity}.${key}`) ?? [])].sort();
}

export function completeTraces(given: string, cursor: number, known: KnownFields): Completion | undefined {
  const before = tokens(given.slice(0, cursor));
  const touching = before.at(-1)?.end === cursor ? before.at(-1) : undefined;
  const settled = touching ? before.slice(0, -1) : before;
  const typed = touching?.text ?? "";
  const last = settled.at(-1);
  const from = touching?.start ?? cursor;
  const completion = (options: Option[]): Completion | undefined => (options.length ? { from, to: cursor, options: options.slice(0, MOST) } : undefined);

  if (last?.kind === "operator" || (last?.kind === "word" && /like$/i.test(last.text))) {
    const name = settled.at(-2);
    if (name?.kind !== "name") return undefined;
    const needle = typed.replace(/^['"]/, "").toLowerCase();
    return completion(valuesOf(name.text, known).filter((value) => value.toLowerCase().includes(needle)).map((value) => ({ label: value, insert: `${valueText(value)} `, detail: "value" })));
  }
  if (last?.kind === "name" && (!touching || ["operator", "word", "name"].includes(touching.kind))) {
    const field = fieldOf(last.text);
    if (typeof field === "string") return undefined;
    return completion(field.operators.filter((name) => name.startsWith(typed.toUpperCase()) && name !== typed.toUpperCase()).map((name) => ({ label: name, insert: `${name} `, detail: "comparison" })));
  }
  if (last && ["text", "list", "number"].includes(last.kind)) {
    return "AND".startsWith(typed.toUpperCase()) && typed.toUpperCase() !== "AND" ? completion([{ label: "AND", insert: "AND ", detail: "another condition" }]) : undefined;
  }
  if (touching && touching.kind !== "name" && touching.kind !== "bad") return undefined;
  const needle = typed.replace(/[`"']/g, "").toLowerCase();
  const fixed = [...OFFERED.map((key) => ({ label: key, insert: `${key} `, detail: "attribute" })), ...Object.keys(SPAN).map((key) => ({ label: `span.${key}`, insert: `span.${key} `, detail: "span" }))];
  const seen = [...known.keys()].filter((name) => name.includes(".")).sort().map((name) => {
    const { entity, key } = parts(name);
    return { label: name, insert: `${entity}.${keyText(key)} `, detail: entity === "tags" ? "tag" : entity };
  });
  const options = [...fixed, ...seen].filter((option) => option.label.toLowerCase().includes(needle));
  // What begins with what was typed comes first.
  return completion([...options.filter((option) => option.label.toLowerCase().startsWith(needle)), ...options.filter((option) => !option.label.toLowerCase().startsWith(needle))]);
}
