// Spans, from each of the forms in which servers and clients write them:
// the store's (OpenTelemetry's, with values as `{"string_value": …}`), the file's of MLflow 3 (attributes as an object) and
// the file's of MLflow 2 (another layout, values as JSON texts).

export interface SpanEvent {
  name: string;
  /** Milliseconds after the start of the span. */
  at: number;
  attributes: Record<string, unknown>;
}

export interface Span {
  id: string;
  parent: string;
  name: string;
  /** As MLflow names them: `CHAT_MODEL`. */
  type: string;
  /** In milliseconds, of the clock. */
  start: number;
  /** Absent while it goes on. */
  end: number | undefined;
  status: "OK" | "ERROR" | "UNSET";
  message: string;
  inputs: unknown;
  outputs: unknown;
  /** Without inputs, outputs and type. */
  attributes: Record<string, unknown>;
  events: SpanEvent[];
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === "string" ? value : value === undefined || value === null ? "" : String(value));

/** One value of OpenTelemetry. */
function anyValue(value: unknown): unknown {
  if (!isObject(value)) return value;
  const [kind, content] = Object.entries(value)[0] ?? [];
  const values = isObject(content) && Array.isArray(content.values) ? (content.values as unknown[]) : [];
  switch (kind) {
    case "kvlist_value":
      return pairs(values);
    case "array_value":
      return values.map(anyValue);
    case undefined:
      return null;
    default:
      return content;
  }
}

function pairs(list: readonly unknown[]): Json {
  // Without a prototype: a key may be `__proto__`.
  const out = Object.create(null) as Json;
  for (const pair of list) if (isObject(pair)) out[text(pair.key)] = anyValue(pair.value);
  return out;
}

/** Clients write attributes as JSON into texts; what is no JSON is a text. */
function unpacked(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function attributesOf(given: unknown): Json {
  if (Array.isArray(given)) return pairs(given);
  const out = Object.create(null) as Json;
  if (isObject(given)) for (const [key, value] of Object.entries(given)) out[key] = unpacked(value);
  return out;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Base64 or hexadecimal, as hexadecimal of 16 digits. */
function idOf(given: unknown): string {
  const id = text(given).replace(/^0x/, "");
  if (!id) return "";
  if (/^[0-9a-f]{16}$/i.test(id)) return id.toLowerCase();
  try {
    const bytes = atob(id);
    let out = "";
    for (let i = 0; i < 8; i++) out += HEX[bytes.charCodeAt(i)];
    if (bytes.length === 8) return out;
  } catch {
    // Neither: as it is.
  }
  return id;
}

/** Nanoseconds, or the microseconds that MLflow writes for some events, as milliseconds. */
function time(given: unknown): number | undefined {
  const n = Number(given);
  if (!given || !Number.isFinite(n) || n <= 0) return undefined;
  return n / (n < 1e17 ? 1e3 : 1e6);
}

const STATUS: Record<string, Span["status"]> = { STATUS_CODE_OK: "OK", OK: "OK", "1": "OK", STATUS_CODE_ERROR: "ERROR", ERROR: "ERROR", "2": "ERROR" };

/** One attribute, without decoding the others. */
function attributeOf(given: unknown, key: string): unknown {
  if (Array.isArray(given)) return anyValue(given.filter(isObject).findLast((pair) => pair.key === key)?.value);
  return isObject(given) && Object.hasOwn(given, key) ? unpacked(given[key]) : undefined;
}

/** What `make` gives, made when it is first wanted. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const APART = new Set(["mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType", "mlflow.traceRequestId"]);

/** Of the thousands of spans of a trace few are opened: what only an opened one shows is decoded then. */
export function decodeSpan(given: unknown): Span | undefined {
  if (!isObject(given)) return undefined;
  const context = isObject(given.context) ? given.context : given;
  const status = isObject(given.status) ? given.status : { code: given.status_code, message: given.status_message };
  const start = time(given.start_time_unix_nano ?? given.start_time) ?? 0;
  const all = once(() => attributesOf(given.attributes));
  const attributes = once(() => {
    const out: Json = {};
    for (const [key, value] of Object.entries(all())) if (!APART.has(key)) Object.defineProperty(out, key, { value, enumerable: true });
    return out;
  });
  const events = once(() => eventsOf(given.events, start));
  return {
    id: idOf(context.span_id),
    parent: idOf(given.parent_span_id ?? given.parent_id),
    name: text(given.name) || "span",
    type: text(attributeOf(given.attributes, "mlflow.spanType")) || "UNKNOWN",
    start,
    end: time(given.end_time_unix_nano ?? given.end_time),
    status: STATUS[text(status.code)] ?? "UNSET",
    message: text(status.message),
    get inputs() {
      return all()["mlflow.spanInputs"];
    },
    get outputs() {
      return all()["mlflow.spanOutputs"];
    },
    get attributes() {
      return attributes();
    },
    get events() {
      return events();
    },
  };
}

const eventsOf = (given: unknown, start: number): SpanEvent[] =>
  (Array.isArray(given) ? given : []).filter(isObject).map((event) => ({
    name: text(event.name),
    at: (time(event.time_unix_nano ?? event.timestamp) ?? start) - start,
    // An event's attributes are no JSON, not even where they look like it.
    attributes: Array.isArray(event.attributes) ? pairs(event.attributes) : isObject(event.attributes) ? event.attributes : {},
  }));

export const decodeSpans = (given: readonly unknown[]): Span[] => given.map(decodeSpan).filter((span) => span !== undefined);

/** What a span raised. */
export function exceptionsOf(span: Span): { type: string; message: string; stack: string }[] {
  return span.events
    .filter((event) => event.name === "exception")
    .map(({ attributes }) => ({ type: text(attributes["exception.type"]), message: text(attributes["exception.message"]), stack: text(attributes["exception.stacktrace"]) }));
}
