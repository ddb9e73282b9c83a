// What may come next in a filter, at a place in it.

import { ATTRIBUTES, DATASET_FIELDS, split } from "./check";
import { keyText, valueText } from "./grammar";
import { tokens } from "./lexer";

export interface Known {
  metrics: readonly string[];
  params: readonly string[];
  tags: readonly string[];
  /** Values of a param, tag or text attribute that were seen. */
  values(entity: string, key: string): readonly string[];
}

export interface Option {
  label: string;
  insert: string;
  detail: string;
}

export interface Completion {
  from: number;
  to: number;
  options: Option[];
}

const MOST = 50;

export function complete(text: string, cursor: number, known: Known): Completion | undefined {
  const before = tokens(text.slice(0, cursor));
  const touching = before.at(-1)?.end === cursor ? before.at(-1) : undefined;
  const settled = touching ? before.slice(0, -1) : before;
  const from = touching?.start ?? cursor;
  const typed = touching?.text ?? "";
  const last = settled.at(-1);
  const completion = (options: Option[]): Completion | undefined => (options.length ? { from, to: cursor, options: options.slice(0, MOST) } : undefined);

  // A value, after an operator.
  if (last && (last.kind === "operator" || (last.kind === "word" && /^i?like$/i.test(last.text)))) {
    const name = settled.at(-2);
    if (!name) return undefined;
    const { entity, key } = split(name.text);
    if (entity === "metrics") return undefined;
    const prefix = typed.replace(/^['"]/, "").toLowerCase();
    const values = known.values(entity, key).filter((value) => value.toLowerCase().includes(prefix));
    return completion(values.map((value) => ({ label: value, insert: `${valueText(value)} `, detail: "value" })));
  }
  // An operator, after a name.
  if (last?.kind === "name" && (!touching || touching.kind === "operator" || touching.kind === "word" || touching.kind === "name")) {
    const { entity, key } = split(last.text);
    const numeric = entity === "metrics" || /^(start|end)_time$|^created$/i.test(key);
    const names = numeric ? [">", "<", ">=", "<=", "=", "!="] : ["=", "!=", "LIKE", "ILIKE", ...(entity === "params" || entity === "tags" ? ["IS NULL", "IS NOT NULL"] : []), ...(entity === "datasets" ? ["IN"] : [])];
    const options = names.filter((name) => name.startsWith(typed.toUpperCase()) && name !== typed.toUpperCase());
    return completion(options.map((name) => ({ label: name, insert: `${name} `, detail: "comparison" })));
  }
  // After a whole comparison.
  if (last && ["text", "number", "list"].includes(last.kind)) {
    return "AND".startsWith(typed.toUpperCase()) && typed.toUpperCase() !== "AND" ? completion([{ label: "AND", insert: "AND ", detail: "another condition" }]) : undefined;
  }
  if (touching && touching.kind !== "name" && touching.kind !== "bad" && !/^and$/i.test(typed)) return undefined;
  return completion(names(/^and$/i.test(typed) ? "" : typed, known));
}

function names(typed: string, known: Known): Option[] {
  const dot = typed.indexOf(".");
  const entity = dot < 0 ? undefined : split(typed).entity;
  const needle = (dot < 0 ? typed : typed.slice(dot + 1)).replace(/[`"']/g, "").toLowerCase();
  const of = (name: string, keys: readonly string[], detail: string): Option[] =>
    !entity || entity === name
      ? keys
          .filter((key) => key.toLowerCase().includes(needle) || (!entity && name.startsWith(needle)))
          .map((key) => ({ label: `${name}.${key}`, insert: `${name}.${keyText(key)} `, detail }))
      : [];
  const options = [
    ...of("metrics", known.metrics, "metric"),
    ...of("params", known.params, "param"),
    ...of("attributes", ATTRIBUTES, "attribute"),
    ...of("tags", known.tags, "tag"),
    ...of("datasets", DATASET_FIELDS, "dataset"),
  ];
  // What begins with what was typed comes first.
  const starts = (option: Option): number => (option.label.slice(option.label.indexOf(".") + 1).toLowerCase().startsWith(needle) ? 0 : 1);
  return options.sort((a, b) => starts(a) - starts(b));
}
