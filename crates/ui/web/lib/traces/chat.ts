// Conversations in the inputs and outputs of spans, from the forms of the common APIs: lists of messages (OpenAI, Ollama,
// Anthropic), choices, and the items of OpenAI's responses. Anything else is no conversation and is shown as it is.

export type Part = { kind: "text"; text: string } | { kind: "call"; name: string; input: string } | { kind: "image"; url: string };

export interface Message {
  role: string;
  parts: Part[];
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const written = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? ""));

/** The messages in a value; nothing where it holds no conversation. */
export function messagesOf(value: unknown, depth = 0): Message[] | undefined {
  if (depth > 2) return undefined;
  if (Array.isArray(value)) {
    // LangChain: a list of conversations.
    if (value.length === 1 && Array.isArray(value[0])) return messagesOf(value[0], depth + 1);
    const messages = value.map(message);
    return value.length && messages.every((each) => each !== undefined) ? messages : undefined;
  }
  if (!isObject(value)) return undefined;
  if (Array.isArray(value.messages)) {
    const found = messagesOf(value.messages, depth + 1);
    return found && value.system !== undefined ? [{ role: "system", parts: parts(value.system) }, ...found] : found;
  }
  if (Array.isArray(value.choices)) return messagesOf(value.choices.map((choice) => (isObject(choice) ? choice.message : undefined)), depth + 1);
  for (const key of ["output", "input"]) if (Array.isArray(value[key])) return messagesOf(value[key], depth + 1);
  if (isObject(value.message)) return messagesOf([value.message], depth + 1);
  const own = value.role === undefined ? undefined : message(value);
  return own && [own];
}

const ROLES: Record<string, string> = { human: "user", ai: "assistant" };

function message(given: unknown): Message | undefined {
  if (!isObject(given)) return undefined;
  if (given.type === "function_call") return { role: "assistant", parts: [call(given)] };
  if (given.type === "function_call_output") return { role: "tool", parts: parts(given.output) };
  const role = typeof given.role === "string" ? given.role : typeof given.type === "string" && "content" in given ? (ROLES[given.type] ?? given.type) : undefined;
  if (role === undefined || !("content" in given || "tool_calls" in given)) return undefined;
  const calls = Array.isArray(given.tool_calls) ? given.tool_calls.filter(isObject).map((each) => call(isObject(each.function) ? each.function : each)) : [];
  return { role, parts: [...parts(given.content), ...calls] };
}

function call(given: Json): Part {
  const input = given.arguments ?? given.input ?? given.args ?? {};
  let laid = written(input);
  try {
    if (typeof input === "string") laid = JSON.stringify(JSON.parse(input), null, 2);
  } catch {
    // Not JSON: as the model wrote it.
  }
  return { kind: "call", name: typeof given.name === "string" ? given.name : "", input: laid };
}

function parts(content: unknown): Part[] {
  if (content === null || content === undefined || content === "") return [];
  return (Array.isArray(content) ? content : [content]).map((each): Part => {
    if (!isObject(each)) return { kind: "text", text: written(each) };
    if (typeof each.text === "string") return { kind: "text", text: each.text };
    if (each.type === "tool_use") return call(each);
    if (each.type === "tool_result") return { kind: "text", text: parts(each.content).map((part) => (part.kind === "text" ? part.text : "")).join("\n") };
    const image = isObject(each.image_url) ? each.image_url.url : each.image_url;
    if (typeof image === "string") return { kind: "image", url: image };
    if (each.type === "image" && isObject(each.source) && typeof each.source.data === "string") return { kind: "image", url: `data:${written(each.source.media_type)};base64,${each.source.data}` };
    return { kind: "text", text: written(each) };
  });
}
