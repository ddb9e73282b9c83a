// Filters of registered models: errors with their places, and what may come next. The grammar is that of
// `crates/search`, which has the last word: names and tags, joined by AND.

import type { Problem } from "./check";
import type { Completion, Option } from "./complete";
import { isFreeText, tokens, type Token } from "./lexer";

/** Tags that were seen, and their values. */
export type KnownTags = ReadonlyMap<string, ReadonlySet<string>>;

const NAMES: Record<string, "name" | "tag" | "attribute"> = { tag: "tag", tags: "tag", attribute: "attribute" };
const OF_NAME = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"];
const OF_TAG = ["=", "!=", "LIKE", "ILIKE"];
const MOST = 50;

const unquoted = (text: string): string => (/^[`"']/.test(text) && text.length > 1 && text.endsWith(text[0]!) ? text.slice(1, -1) : text);

/** What is sent to the server for what was typed: words without a comparison are looked for in names. */
export function toRegistryFilter(text: string): string {
  const trimmed = text.trim();
  if (!trimmed || !isFreeText(trimmed)) return trimmed;
  // Quotes cannot be escaped; `_` stands for any one character.
  return `name ILIKE '%${trimmed.replace(/['"]/g, "_")}%'`;
}

/** Whether it is the name or a tag that is compared; or what is wrong with it. */
function field(name: Token): "name" | "tag" | string[] {
  const dot = name.text.indexOf(".");
  const entity = dot < 0 ? "attribute" : NAMES[name.text.slice(0, dot)];
  const key = unquoted(name.text.slice(dot + 1));
  if (!entity) return [`“${name.text.slice(0, dot)}” has no keys. Models are found by name and by tags.`];
  if (!key) return ["Which tag?"];
  if (entity === "tag") return "tag";
  return key === "name" ? "name" : [`There is no attribute “${key}”. Models are found by name and by tags, such as tags.team.`];
}

export function checkRegistry(text: string): Problem | undefined {
  const all = tokens(text);
  const problem = (token: Token | undefined, message: string): Problem =>
    token ? { start: token.start, end: token.end, message } : { start: Math.max(0, text.trimEnd().length - 1), end: text.length, message };
  const word = (token: Token | undefined): string => (token?.kind === "operator" || token?.kind === "word" ? token.text.toUpperCase() : "");
  for (let at = 0; at < all.length; at++) {
    const name = all[at]!;
    if (word(name) === "AND") continue;
    if (name.kind === "bad") return problem(name, bad(name));
    if (/^or$/i.test(name.text)) return problem(name, "There is no OR: all conditions must hold.");
    if (name.kind !== "name") return problem(name, "A name is expected here: name, or a tag such as tags.team.");
    const kind = field(name);
    if (typeof kind !== "string") return problem(name, kind[0]!);
    let operator = all[++at];
    let comparison = word(operator);
    if (comparison === "NOT" && word(all[at + 1]) === "IN") {
      operator = { ...operator!, end: all[++at]!.end };
      comparison = "NOT IN";
    }
    if (operator?.kind === "bad") return problem(operator, bad(operator));
    if (!comparison || comparison === "AND") return problem(operator, `A comparison is expected after ${name.text}.`);
    const allowed = kind === "name" ? OF_NAME : OF_TAG;
    if (!allowed.includes(comparison)) return problem(operator, `${kind === "name" ? "A name" : "A tag"} is a text: use ${allowed.join(" ")}.`);
    const value = all[++at];
    if (!value) return problem(undefined, "A value is expected here.");
    if (value.kind === "bad") return problem(value, bad(value));
    if (comparison.endsWith("IN")) {
      if (value.kind !== "list") return problem(value, "A list is expected here, such as ('a', 'b').");
    } else if (value.kind !== "text") return problem(value, `Texts are in quotes: '${unquoted(value.text)}'.`);
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

export function completeRegistry(text: string, cursor: number, tags: KnownTags): Completion | undefined {
  const before = tokens(text.slice(0, cursor));
  const touching = before.at(-1)?.end === cursor ? before.at(-1) : undefined;
  const settled = touching ? before.slice(0, -1) : before;
  const typed = touching?.text ?? "";
  const last = settled.at(-1);
  const from = touching?.start ?? cursor;
  const completion = (options: Option[]): Completion | undefined => (options.length ? { from, to: cursor, options: options.slice(0, MOST) } : undefined);

  if (last?.kind === "operator" || (last?.kind === "word" && /^i?like$/i.test(last.text))) {
    const name = settled.at(-2);
    if (!name || field(name) !== "tag") return undefined;
    const needle = typed.replace(/^['"]/, "").toLowerCase();
    const values = [...(tags.get(unquoted(name.text.slice(name.text.indexOf(".") + 1))) ?? [])].sort();
    return completion(values.filter((value) => value.toLowerCase().includes(needle)).map((value) => ({ label: value, insert: `${valueText(value)} `, detail: "value" })));
  }
  if (last?.kind === "name" && (!touching || ["operator", "word", "name"].includes(touching.kind))) {
    const names = field(last) === "tag" ? OF_TAG : OF_NAME;
    return completion(names.filter((name) => name.startsWith(typed.toUpperCase()) && name !== typed.toUpperCase()).map((name) => ({ label: name, insert: `${name} `, detail: "comparison" })));
  }
  if (last && ["text", "list"].includes(last.kind)) {
    return "AND".startsWith(typed.toUpperCase()) && typed.toUpperCase() !== "AND" ? completion([{ label: "AND", insert: "AND ", detail: "another condition" }]) : undefined;
  }
  if (touching && touching.kind !== "name" && touching.kind !== "bad") return undefined;
  const needle = typed.replace(/^tags?\./i, "").replace(/[`"']/g, "").toLowerCase();
  const keys = [...tags.keys()].sort().filter((key) => key.toLowerCase().includes(needle));
  const name = "name".includes(typed.toLowerCase()) ? [{ label: "name", insert: "name ", detail: "attribute" }] : [];
  return completion([...name, ...keys.map((key) => ({ label: `tags.${key}`, insert: `tags.${keyText(key)} `, detail: "tag" }))]);
}
