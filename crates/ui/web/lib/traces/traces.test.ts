// Spans of every form, as a tree, and the conversations in them.

import { expect, test } from "vitest";
import { messagesOf } from "./chat";
import { decodeSpan, decodeSpans, exceptionsOf, type Span } from "./spans";
import { rowsOf, treeOf } from "./tree";

const stored = {
  trace_id: "4BbDeWsGp1a+Phr61Tt6ig==", span_id: "jpWSDHUXQrk=", parent_span_id: "hzFoODtMQeY=", name: "retrieve", start_time_unix_nano: 1795771392514815907, end_time_unix_nano: 1795771392541294375,
  attributes: [
    { key: "mlflow.spanType", value: { string_value: "RETRIEVER" } },
    { key: "mlflow.spanInputs", value: { kvlist_value: { values: [{ key: "k", value: { int_value: 2 } }, { key: "empty", value: { kvlist_value: {} } }] } } },
    { key: "mlflow.spanOutputs", value: { array_value: { values: [{ double_value: 0.5 }, {}, { bool_value: false }] } } },
    { key: "index", value: { string_value: "plants" } },
    { key: "__proto__", value: { string_value: "x" } },
  ],
  events: [{ time_unix_nano: 1795771392516815907, name: "exception", attributes: [{ key: "exception.type", value: { string_value: "ValueError" } }, { key: "exception.message", value: { string_value: "no" } }] }],
  status: { message: "ValueError: no", code: "STATUS_CODE_ERROR" },
};

test("spans of the store", () => {
  const span = decodeSpan(stored)!;
  expect(span).toMatchObject({ id: "8e95920c751742b9", parent: "873168383b4c41e6", name: "retrieve", type: "RETRIEVER", status: "ERROR", message: "ValueError: no" });
  expect({ ...(span.inputs as object) }).toMatchObject({ k: 2 });
  expect(span.outputs).toEqual([0.5, null, false]);
  expect(Object.keys(span.attributes)).toEqual(["index", "__proto__"]);
  expect(span.end! - span.start).toBeCloseTo(26.478, 2);
  expect(span.events[0]!.at).toBeCloseTo(2, 2);
  expect(exceptionsOf(span)).toEqual([{ type: "ValueError", message: "no", stack: "" }]);
});

test("spans of files, of MLflow 3 and of MLflow 2", () => {
  const three = { span_id: "jpWSDHUXQrk=", parent_span_id: null, name: "a", start_time_unix_nano: 2e18, end_time_unix_nano: 2e18 + 1e6, attributes: { "mlflow.spanType": '"TOOL"', "mlflow.spanInputs": '{"a": 1}', plain: "not json" }, status: { code: "STATUS_CODE_OK" } };
  expect(decodeSpan(three)).toMatchObject({ id: "8e95920c751742b9", parent: "", type: "TOOL", inputs: { a: 1 }, status: "OK", attributes: { plain: "not json" }, outputs: undefined });
  const two = { name: "b", context: { span_id: "0x8e95920c751742b9", trace_id: "0x1" }, parent_id: "0x873168383b4c41e6", start_time: 2e18, end_time: null, status_code: "ERROR", status_message: "m", attributes: { "mlflow.spanOutputs": "[1]" }, events: [{ name: "e", timestamp: 2e15 + 5000, attributes: { a: "1" } }] };
  const span = decodeSpan(two)!;
  expect(span).toMatchObject({ id: "8e95920c751742b9", parent: "873168383b4c41e6", end: undefined, status: "ERROR", message: "m", outputs: [1], type: "UNKNOWN" });
  expect(span.events).toEqual([{ name: "e", at: 5, attributes: { a: "1" } }]);
});

test("what is no span is left out, and nothing else breaks", () => {
  expect(decodeSpans([null, 5, "x", [], {}]).map((span) => span.name)).toEqual(["span"]);
  expect(decodeSpan({ name: 5, attributes: "x", events: {}, status: 7, start_time_unix_nano: "y" })).toMatchObject({ name: "5", status: "UNSET", start: 0 });
});

const span = (id: string, parent: string, start: number, end = start + 1): Span => ({ id, parent, name: id, type: "UNKNOWN", start, end, status: "OK", message: "", inputs: undefined, outputs: undefined, attributes: {}, events: [] });
const drawn = (spans: Span[], folded: string[] = []) => rowsOf(treeOf(spans), new Set(folded)).map((row) => "  ".repeat(row.depth) + row.span.id);

test("a tree in the order of time, whatever order the spans came in", () => {
  const spans = [span("b", "root", 3), span("a", "root", 1), span("a1", "a", 2), span("root", "", 0, 10)];
  expect(drawn(spans)).toEqual(["root", "  a", "    a1", "  b"]);
  expect(drawn(spans, ["a"])).toEqual(["root", "  a", "  b"]);
  expect(treeOf(spans)).toMatchObject({ start: 0, end: 10 });
  expect(treeOf([])).toMatchObject({ start: 0, end: 0 });
});

test("spans without their parents, twice, and in circles are there once", () => {
  expect(drawn([span("lost", "gone", 1), span("x", "", 0)])).toEqual(["x", "lost"]);
  expect(drawn([span("a", "", 0), span("a", "", 0)])).toEqual(["a"]);
  expect(drawn([span("a", "b", 0), span("b", "a", 1), span("self", "self", 2)]).sort()).toEqual(["  a", "b", "self"]);
  const deep = Array.from({ length: 5000 }, (_, i) => span(`s${i}`, i ? `s${i - 1}` : "", i));
  expect(drawn(deep)).toHaveLength(5000);
});

test("conversations are found in the forms of the common APIs", () => {
  const text = (role: string, words: string) => ({ role, parts: [{ kind: "text", text: words }] });
  expect(messagesOf({ messages: [{ role: "user", content: "hi" }] })).toEqual([text("user", "hi")]);
  expect(messagesOf({ choices: [{ message: { role: "assistant", content: "yes" } }] })).toEqual([text("assistant", "yes")]);
  expect(messagesOf({ system: "be kind", messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }] })).toEqual([text("system", "be kind"), text("user", "hi")]);
  expect(messagesOf({ role: "assistant", content: [{ type: "tool_use", name: "f", input: { a: 1 } }] })).toEqual([{ role: "assistant", parts: [{ kind: "call", name: "f", input: '{\n  "a": 1\n}' }] }]);
  expect(messagesOf([{ role: "assistant", content: null, tool_calls: [{ function: { name: "f", arguments: "{broken" } }] }])).toEqual([{ role: "assistant", parts: [{ kind: "call", name: "f", input: "{broken" }] }]);
  expect(messagesOf({ output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "x" }] }, { type: "function_call", name: "g", arguments: "{}" }] })).toHaveLength(2);
  expect(messagesOf([[{ type: "human", content: "hi" }]])).toEqual([text("user", "hi")]);
  expect(messagesOf({ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://x" } }] }] })?.[0]?.parts).toEqual([{ kind: "image", url: "https://x" }]);
});

test("what is no conversation is none", () => {
  for (const value of [undefined, null, 5, "text", [], {}, { messages: [] }, { messages: ["x"] }, [{ role: "x" }], { content: "a" }, { choices: [{}] }, { question: "a" }]) expect(messagesOf(value), JSON.stringify(value)).toBeUndefined();
});
