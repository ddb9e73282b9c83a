// Prompts as MLflow keeps them: versions of a registered model whose text is in a tag.

import type { Tag } from "../../lib/api/experiments";
import { tagOf } from "../../lib/api/experiments";
import { createRegistered, createVersion, deleteRegistered, IS_PROMPT, type ModelVersion } from "../../lib/api/registry";

const TEXT = "mlflow.prompt.text";
const TYPE = "_mlflow_prompt_type";
const FORMAT = "_mlflow_prompt_response_format";
const CONFIG = "_mlflow_prompt_model_config";
/** A version needs a source, and a prompt has none; MLflow's clients write this. */
const SOURCE = "dummy-source";

/** What MLflow allows in the name of a prompt. */
export const NAME = /^[a-zA-Z0-9_.-]+$/;

export interface Message {
  role: string;
  content: string;
  /** The content is no text, such as a list with images; it is shown as its JSON. */
  structured?: boolean;
  /** What else a message has, such as calls of tools. It is kept in the next version. */
  rest?: Record<string, unknown>;
}

export type Template = string | Message[];

export interface PromptText {
  template: Template;
  /** JSON, laid out, if there is any. */
  format: string;
  config: string;
}

export function read(version: ModelVersion): PromptText {
  const text = tagOf(version.tags, TEXT);
  return {
    template: tagOf(version.tags, TYPE) === "chat" ? (messages(text) ?? text) : text,
    format: laidOut(tagOf(version.tags, FORMAT)),
    config: laidOut(tagOf(version.tags, CONFIG)),
  };
}

/** Chat messages as JSON. */
function messages(text: string): Message[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (!Array.isArray(parsed)) return undefined;
    return parsed.map((each: unknown): Message => {
      const { role, content, ...rest } = (each ?? {}) as Record<string, unknown>;
      return {
        role: typeof role === "string" ? role : "unknown",
        content: typeof content === "string" ? content : JSON.stringify(content ?? null, null, 2),
        ...(typeof content === "string" ? {} : { structured: true }),
        ...(Object.keys(rest).length ? { rest } : {}),
      };
    });
  } catch {
    return undefined;
  }
}

function laidOut(text: string): string {
  try {
    return text ? JSON.stringify(JSON.parse(text), null, 2) : "";
  } catch {
    return text;
  }
}

/** A template as lines that can be compared. */
export function plain(template: Template): string {
  return typeof template === "string" ? template : template.map(({ role, content }) => `[${role}]\n${content}`).join("\n\n");
}

export interface Piece {
  text: string;
  /** Whether it is a variable, such as `{{ name }}`. */
  variable: boolean;
}

const VARIABLE = /\{\{\s*([a-zA-Z_]\w*(?:\.[a-zA-Z_]\w*)*)\s*\}\}/g;

export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let at = 0;
  for (const found of text.matchAll(VARIABLE)) {
    if (found.index > at) out.push({ text: text.slice(at, found.index), variable: false });
    out.push({ text: found[0], variable: true });
    at = found.index + found[0].length;
  }
  if (at < text.length) out.push({ text: text.slice(at), variable: false });
  return out;
}

/** Names of the variables, in the order in which they appear. */
export function variables(template: Template): string[] {
  return [...new Set([...plain(template).matchAll(VARIABLE)].map((found) => found[1]!))];
}

/** Tags that people wrote; the rest is the prompt itself. */
export function promptTags(tags: readonly Tag[] | undefined): Tag[] {
  return (tags ?? []).filter((tag) => !tag.key.startsWith("mlflow.") && !tag.key.startsWith("_mlflow_"));
}

/** Whether there is anything in a message. One that only calls tools has no content of its own. */
export const isWritten = ({ content, rest }: Message): boolean => Boolean(content.trim() || rest);

/** Messages as MLflow's clients store them, without those that were left empty. */
export function stored(messages: readonly Message[]): string {
  return JSON.stringify(
    messages.flatMap((message, i) => {
      if (!isWritten(message)) return [];
      const { role, content, structured, rest } = message;
      try {
        return [{ role, content: structured ? (JSON.parse(content) as unknown) : content, ...rest }];
      } catch {
        throw new Error(`The content of message ${i + 1} was JSON and is none now. Write it as JSON, or remove the message.`);
      }
    }),
  );
}

/** Stores a template as the next version; a prompt that is new is made first. */
export async function save(name: string, template: Template, message: string, isNew: boolean, keep: PromptText | undefined): Promise<ModelVersion> {
  const mark = { key: IS_PROMPT, value: "true" };
  const tags = [
    mark,
    { key: TYPE, value: typeof template === "string" ? "text" : "chat" },
    { key: TEXT, value: typeof template === "string" ? template : stored(template) },
    ...(keep?.format ? [{ key: FORMAT, value: keep.format }] : []),
    ...(keep?.config ? [{ key: CONFIG, value: keep.config }] : []),
  ];
  if (isNew) await createRegistered(name, { tags: [mark], ...(message ? { description: message } : {}) });
  try {
    return await createVersion({ name, source: SOURCE, tags, ...(message ? { description: message } : {}) });
  } catch (error) {
    // A prompt without a version is of no use, and its name would be taken.
    if (isNew) await deleteRegistered(name).catch(() => {});
    throw error;
  }
}
