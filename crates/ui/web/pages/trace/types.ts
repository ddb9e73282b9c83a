// What kinds of spans there are: their icons, and their names in words.

import type { IconName } from "../../lib/ui/icons";

const ICONS: Record<string, IconName> = {
  AGENT: "agent", CHAT_MODEL: "chat", LLM: "chat", TOOL: "tool", RETRIEVER: "search", RERANKER: "filter", EMBEDDING: "data", MEMORY: "data", PARSER: "text", CHAIN: "link", WORKFLOW: "tree", TASK: "check", GUARDRAIL: "alert", EVALUATOR: "check",
};

export const iconOf = (type: string): IconName => (Object.hasOwn(ICONS, type) ? ICONS[type]! : "step");

/** `CHAT_MODEL` is `chat model`. Kinds of one's own stay as they are. */
export const nameOfType = (type: string): string => (Object.hasOwn(ICONS, type) ? (type === "LLM" ? "LLM" : type.toLowerCase().replace("_", " ")) : type === "UNKNOWN" ? "span" : type);
