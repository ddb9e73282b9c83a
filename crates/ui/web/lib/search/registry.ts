// Filters of registered models and of prompts. The grammar is that of `crates/search`, which has the last word: names and
// tags, joined by AND.

import type { Problem } from "./check";
import type { Completion } from "./complete";
import { checkWith, completeWith, keyText, LIKES, textField, unquoted, type Field, type Grammar, type Seen } from "./grammar";
import { toFilterOf } from "./lexer";

const ENTITIES = new Map<string, "tag" | "attribute">([["tag", "tag"], ["tags", "tag"], ["attribute", "attribute"]]);
const NAME = textField([...LIKES, "IN", "NOT IN"]);
const TAG = textField(LIKES);

/** What is sent to the server for what was typed: words without a comparison are looked for in names. */
export const toRegistryFilter = (text: string): string => toFilterOf("name", text);

function parts(name: string): { entity: "tag" | "attribute" | undefined; key: string } {
  const dot = name.indexOf(".");
  return { entity: dot < 0 ? "attribute" : ENTITIES.get(name.slice(0, dot)), key: unquoted(name.slice(dot + 1)) };
}

function fieldOf(name: string): Field | string {
  const { entity, key } = parts(name);
  if (!entity) return `“${name.slice(0, name.indexOf("."))}” has no keys. Models are found by name and by tags.`;
  if (!key) return "Which tag?";
  if (entity === "tag") return TAG;
  return key === "name" ? NAME : `There is no attribute “${key}”. Models are found by name and by tags, such as tags.team.`;
}

const GRAMMAR: Grammar = {
  examples: "name or tags.team",
  fieldOf,
  valuesOf: (name, tags) => (parts(name).entity === "tag" ? [...(tags.get(parts(name).key) ?? [])].sort() : []),
  namesOf: (typed, tags) => {
    const needle = typed.replace(/^tags?\./i, "").replace(/[`"']/g, "").toLowerCase();
    const keys = [...tags.keys()].sort().filter((key) => key.toLowerCase().includes(needle));
    const name = "name".includes(typed.toLowerCase()) ? [{ label: "name", insert: "name ", detail: "attribute" }] : [];
    return [...name, ...keys.map((key) => ({ label: `tags.${key}`, insert: `tags.${keyText(key)} `, detail: "tag" }))];
  },
};

export const checkRegistry = (text: string): Problem | undefined => checkWith(GRAMMAR, text);

/** Completes with tags that were seen: of each key, its values. */
export const completeRegistry = (text: string, cursor: number, tags: Seen): Completion | undefined => completeWith(GRAMMAR, text, cursor, tags);
