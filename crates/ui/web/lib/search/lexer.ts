// Pieces of a filter of runs. The grammar is in `crates/search`; this one colours, completes and finds errors early.

export type TokenKind = "name" | "text" | "number" | "operator" | "word" | "list" | "bad";

export interface Token {
  kind: TokenKind;
  start: number;
  end: number;
  text: string;
}

const WORDS = new Set(["AND", "LIKE", "ILIKE", "RLIKE", "IN", "NOT", "IS", "NULL"]);
const OPERATORS = ["!=", ">=", "<=", "=", ">", "<"];

/** A name may have one quoted part: metrics.`val/loss`. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*(?:\.(?:`[^`]*`?|"[^"]*"?|'[^']*'?)|\.)?/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z_])/;

export function tokens(text: string): Token[] {
  const out: Token[] = [];
  let at = 0;
  const push = (kind: TokenKind, length: number): void => {
    out.push({ kind, start: at, end: at + length, text: text.slice(at, at + length) });
    at += length;
  };
  while (at < text.length) {
    const rest = text.slice(at);
    const space = /^\s+/.exec(rest);
    if (space) {
      at += space[0].length;
      continue;
    }
    const first = rest[0]!;
    const operator = OPERATORS.find((candidate) => rest.startsWith(candidate));
    if (operator) push("operator", operator.length);
    else if (first === "'" || first === '"' || first === "`") {
      const end = rest.indexOf(first, 1);
      push(end < 0 ? "bad" : first === "`" ? "name" : "text", end < 0 ? rest.length : end + 1);
    } else if (first === "(") {
      const end = rest.indexOf(")");
      push(end < 0 ? "bad" : "list", end < 0 ? rest.length : end + 1);
    } else {
      const number = NUMBER.exec(rest);
      const name = NAME.exec(rest);
      if (number) push("number", number[0].length);
      else if (name) push(WORDS.has(name[0].toUpperCase()) ? "word" : "name", name[0].length);
      else push("bad", 1);
    }
  }
  return out;
}

/** Text without any comparison is not a filter but words to look for. */
export function isFreeText(text: string): boolean {
  const found = tokens(text);
  return !found.some((token) => token.kind === "operator" || (token.kind === "word" && ["LIKE", "ILIKE", "RLIKE", "IN", "IS"].includes(token.text.toUpperCase())));
}

/** What is sent to the server for what was typed: text without a comparison is looked for in this field. */
export function toFilterOf(field: string, text: string): string {
  const trimmed = text.trim();
  if (!trimmed || !isFreeText(trimmed)) return trimmed;
  // Quotes cannot be escaped; `_` stands for any one character.
  return `${field} ILIKE '%${trimmed.replace(/['"]/g, "_")}%'`;
}

/** Runs are looked for by their names. */
export const toFilter = (text: string): string => toFilterOf("attributes.run_name", text);
