// What filters of registered models and of traces have in common: comparisons joined by AND. Which fields there are, and
// what they may be compared with, each says itself. Filters of runs have older rules, in `check.ts` and `complete.ts`.

import type { Problem } from "./check";
import type { Completion, Option } from "./complete";
import { tokens, type Token } from "./lexer";

/** What was seen of what is listed: of each field, its values. */
export type Seen = ReadonlyMap<string, ReadonlySet<string>>;

export interface Field {
  kind: "number" | "text" | "either";
  operators: readonly string[];
}

export interface Grammar {
  /** Good names, for who wrote none: "name or tags.team". */
  examples: string;
  /** What a name may be compared with; or what is wrong with it. */
  fieldOf: (name: string) => Field | string;
  /** Values that a name may be compared with, as far as they are known. */
  valuesOf: (name: string, seen: Seen) => readonly string[];
  /** Names that what was typed may become. */
  namesOf: (typed: string, seen: Seen) => Option[];
}

export const LIKES: readonly string[] = ["=", "!=", "LIKE", "ILIKE"];
export const NUMBERS: readonly string[] = ["=", "!=", ">", ">=", "<", "<="];
const MOST = 50;
const IS: Record<Field["kind"], string> = { number: "is a number", text: "is a text", either: "is an assessment" };

export const textField = (operators: readonly string[]): Field => ({ kind: "text", operators });

/** A key or a text without the quotes around it. */
export const unquoted = (given: string): string => (/^[`"']/.test(given) && given.length > 1 && given.endsWith(given[0]!) ? given.slice(1, -1) : given);

/** A key as it is written in a filter. */
export const keyText = (key: string): string => (/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$/.test(key) ? key : key.includes("`") ? `"${key}"` : `\`${key}\``);

/** A text as it is written in a filter. */
export const valueText = (value: string): string => (value.includes("'") ? `"${value}"` : `'${value}'`);

/** Why a piece is none of a filter. */
export function bad(token: Token, example: string): string {
  if (/^['"`]/.test(token.text)) return "The closing quote is missing.";
  if (token.text.startsWith("(")) return "The closing bracket is missing.";
  return `“${token.text}” does not belong here. Keys with such characters need backticks: ${example}.`;
}

/** An operator or a word of the language, as it is written in tables. */
const word = (token: Token | undefined): string => (token?.kind === "operator" || token?.kind === "word" ? token.text.toUpperCase() : "");

/** A comparison of one word or of several: `NOT IN`, `IS NOT NULL`. */
function comparisonAt(all: readonly Token[], at: number): { name: string; words: number } {
  const first = word(all[at]);
  const second = word(all[at + 1]);
  if (first === "NOT" && second === "IN") return { name: "NOT IN", words: 2 };
  if (first !== "IS") return { name: first, words: 1 };
  if (second === "NULL") return { name: "IS NULL", words: 2 };
  return second === "NOT" && word(all[at + 2]) === "NULL" ? { name: "IS NOT NULL", words: 3 } : { name: "IS", words: second === "NOT" ? 2 : 1 };
}

/** The first error of a filter. */
export function checkWith(grammar: Grammar, given: string): Problem | undefined {
  const all = tokens(given);
  const problem = (token: Token | undefined, message: string): Problem =>
    token ? { start: token.start, end: token.end, message } : { start: Math.max(0, given.trimEnd().length - 1), end: given.length, message };
  const badly = (token: Token): Problem => problem(token, bad(token, "tags.`a/b`"));
  for (let at = 0; at < all.length; at++) {
    const name = all[at]!;
    if (word(name) === "AND") continue;
    if (name.kind === "bad") return badly(name);
    if (/^or$/i.test(name.text)) return problem(name, "There is no OR: all conditions must hold.");
    if (name.kind !== "name") return problem(name, `A name is expected here, such as ${grammar.examples}.`);
    const field = grammar.fieldOf(name.text);
    if (typeof field === "string") return problem(name, field);

    const first = all[++at];
    if (first?.kind === "bad") return badly(first);
    const comparison = comparisonAt(all, at);
    if (!comparison.name || comparison.name === "AND") return problem(first, `A comparison is expected after ${name.text}.`);
    at += comparison.words - 1;
    if (comparison.name === "IS") return problem(all[at + 1] ?? first, "NULL is expected here.");
    if (!field.operators.includes(comparison.name)) return problem({ ...first!, end: all[at]!.end }, `${name.text} ${IS[field.kind]}: use ${field.operators.join(" ")}.`);
    if (comparison.name.startsWith("IS ")) continue;

    const value = all[++at];
    if (!value) return problem(undefined, "A value is expected here.");
    if (value.kind === "bad") return badly(value);
    if (comparison.name.endsWith("IN")) {
      if (value.kind !== "list") return problem(value, "A list is expected here, such as ('a', 'b').");
    } else if (field.kind === "number" && value.kind !== "number") return problem(value, `${name.text} is a number: write it without quotes.`);
    else if (field.kind === "text" && value.kind !== "text") return problem(value, `Texts are in quotes: '${unquoted(value.text)}'.`);
    else if (value.kind !== "text" && value.kind !== "number") return problem(value, "A number, or a text in quotes, is expected here.");
  }
  return undefined;
}

/** What may come next at a place in a filter. */
export function completeWith(grammar: Grammar, given: string, cursor: number, seen: Seen): Completion | undefined {
  const before = tokens(given.slice(0, cursor));
  const touching = before.at(-1)?.end === cursor ? before.at(-1) : undefined;
  const settled = touching ? before.slice(0, -1) : before;
  const typed = touching?.text ?? "";
  const last = settled.at(-1);
  const completion = (options: Option[]): Completion | undefined => (options.length ? { from: touching?.start ?? cursor, to: cursor, options: options.slice(0, MOST) } : undefined);
  const begun = (words: readonly string[], detail: string): Completion | undefined =>
    completion(words.filter((each) => each.startsWith(typed.toUpperCase()) && each !== typed.toUpperCase()).map((each) => ({ label: each, insert: `${each} `, detail })));

  if (last?.kind === "operator" || (last?.kind === "word" && /like$/i.test(last.text))) {
    const name = settled.at(-2);
    if (name?.kind !== "name") return undefined;
    const needle = typed.replace(/^['"]/, "").toLowerCase();
    return completion(grammar.valuesOf(name.text, seen).filter((value) => value.toLowerCase().includes(needle)).map((value) => ({ label: value, insert: `${valueText(value)} `, detail: "value" })));
  }
  if (last?.kind === "name" && (!touching || ["operator", "word", "name"].includes(touching.kind))) {
    const field = grammar.fieldOf(last.text);
    return typeof field === "string" ? undefined : begun(field.operators, "comparison");
  }
  if (last && ["text", "list", "number"].includes(last.kind)) return begun(["AND"], "another condition");
  if (touching && touching.kind !== "name" && touching.kind !== "bad") return undefined;
  return completion(grammar.namesOf(typed, seen));
}
