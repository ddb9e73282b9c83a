// Finds the first error of a filter, with its place. The server has the last word; this only says it sooner.

import { bad, unquoted } from "./grammar";
import { tokens, type Token } from "./lexer";

export interface Problem {
  start: number;
  end: number;
  message: string;
}

const ENTITIES: Record<string, string> = {
  metrics: "metrics", metric: "metrics",
  params: "params", param: "params", parameters: "params", parameter: "params",
  tags: "tags", tag: "tags",
  attributes: "attributes", attribute: "attributes", attr: "attributes", run: "attributes",
  datasets: "datasets", dataset: "datasets",
};
const TEXTS = ["run_id", "run_name", "status", "user_id", "artifact_uri"];
const NUMBERS = ["start_time", "end_time", "created", "Created"];
export const ATTRIBUTES: readonly string[] = ["run_name", "status", "start_time", "end_time", "user_id", "run_id", "artifact_uri"];
export const DATASET_FIELDS: readonly string[] = ["name", "digest", "context"];

/** How a key with odd characters is written. */
const EXAMPLE = "metrics.`val/loss`";

/** The entity and key of a name; an attribute where there is no dot. */
export function split(name: string): { entity: string; key: string } {
  const dot = name.indexOf(".");
  if (dot < 0) return { entity: "attributes", key: unquoted(name) };
  return { entity: ENTITIES[name.slice(0, dot)] ?? name.slice(0, dot), key: unquoted(name.slice(dot + 1)) };
}

export function check(text: string): Problem | undefined {
  const all = tokens(text);
  let at = 0;
  const problem = (token: Token | undefined, message: string): Problem =>
    token ? { start: token.start, end: token.end, message } : { start: Math.max(0, text.trimEnd().length - 1), end: text.length, message };
  const keyword = (token: Token | undefined): string => (token?.kind === "word" ? token.text.toUpperCase() : "");
  while (at < all.length) {
    const name = all[at]!;
    if (keyword(name) === "AND") {
      at++;
      continue;
    }
    if (name.kind === "bad") return problem(name, bad(name, EXAMPLE));
    if (/^or$/i.test(name.text)) return problem(name, "There is no OR: all conditions must hold.");
    if (name.kind !== "name") return problem(name, "A name is expected here, such as metrics.loss.");
    const { entity, key } = split(name.text);
    if (!["metrics", "params", "tags", "attributes", "datasets"].includes(entity)) return problem(name, `“${entity}” has no keys. Use metrics, params, tags, attributes or datasets.`);
    if (!key || key === "." || name.text.endsWith(".")) return problem(name, `Which of the ${entity}?`);
    const numeric = entity === "metrics" || (entity === "attributes" && NUMBERS.includes(key));
    if (entity === "attributes" && ![...TEXTS, ...NUMBERS].includes(key)) return problem(name, `There is no attribute “${key}”. There are ${ATTRIBUTES.join(", ")}.`);
    if (entity === "datasets" && !DATASET_FIELDS.includes(key)) return problem(name, `Datasets have name, digest and context.`);

    let operator = all[at + 1];
    let word = operator?.kind === "operator" ? operator.text : keyword(operator);
    at += 2;
    if (word === "NOT" && keyword(all[at]) === "IN") {
      word = "NOT IN";
      operator = { ...operator!, end: all[at++]!.end };
    }
    if (word === "IS") {
      if (keyword(all[at]) === "NOT") at++;
      if (keyword(all[at]) !== "NULL") return problem(all[at] ?? operator, "NULL is expected here.");
      if (entity !== "params" && entity !== "tags") return problem(operator, "IS NULL is for params and tags.");
      at++;
      continue;
    }
    if (operator?.kind === "bad") return problem(operator, bad(operator, EXAMPLE));
    if (word === "RLIKE") return problem(operator, "RLIKE is for traces: use = != LIKE ILIKE.");
    if (!word || word === "AND" || word === "NULL" || word === "NOT") return problem(operator ?? undefined, `A comparison is expected after ${name.text}.`);
    const value = all[at];
    if (!value) return problem(undefined, "A value is expected here.");
    at++;
    if (value.kind === "bad") return problem(value, bad(value, EXAMPLE));
    if (numeric) {
      if (!["=", "!=", "<", "<=", ">", ">="].includes(word)) return problem(operator, `${name.text} is a number: use = != < <= > >=.`);
      if (value.kind !== "number") return problem(value, `${name.text} is a number: write it without quotes.`);
      continue;
    }
    if (["<", "<=", ">", ">="].includes(word)) return problem(operator, `${name.text} is a text: use = != LIKE ILIKE.`);
    if (word === "IN" || word === "NOT IN") {
      if (entity !== "datasets" && !(entity === "attributes" && key === "run_id")) return problem(operator, "IN is for run_id and datasets.");
      if (value.kind !== "list") return problem(value, "A list is expected here, such as ('a', 'b').");
      continue;
    }
    if (value.kind !== "text") return problem(value, `${name.text} is a text: write '${value.text}'.`);
  }
  return undefined;
}
