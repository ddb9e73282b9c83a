// Prompts as MLflow's clients store them.

import { expect, test } from "vitest";
import { isWritten, NAME, pieces, plain, read, stored, variables, type Message } from "./prompt";

const version = (tags: Record<string, string>) => ({ name: "p", version: "1", tags: Object.entries(tags).map(([key, value]) => ({ key, value })) });

test("texts and chats", () => {
  expect(read(version({ "mlflow.prompt.text": "Hi {{a}}", _mlflow_prompt_type: "text" }))).toEqual({ template: "Hi {{a}}", format: "", config: "" });
  const chat = [{ role: "system", content: "Be {{style}}" }, { role: "user", content: "{{ q.text }} {{style}}" }];
  const found = read(version({ "mlflow.prompt.text": JSON.stringify(chat), _mlflow_prompt_type: "chat", _mlflow_prompt_model_config: '{"a":1}' }));
  expect(found.template).toEqual(chat);
  expect(found.config).toBe('{\n  "a": 1\n}');
  expect(plain(found.template)).toBe("[system]\nBe {{style}}\n\n[user]\n{{ q.text }} {{style}}");
  expect(variables(found.template)).toEqual(["style", "q.text"]);
});

test("what is no chat is shown as it is", () => {
  expect(read(version({ "mlflow.prompt.text": "not json", _mlflow_prompt_type: "chat" })).template).toBe("not json");
  expect(read(version({ "mlflow.prompt.text": '[{"role":"user","content":[{"type":"image"}]}, null]', _mlflow_prompt_type: "chat" })).template).toEqual([
    { role: "user", content: '[\n  {\n    "type": "image"\n  }\n]', structured: true },
    { role: "unknown", content: "null", structured: true },
  ]);
});

test("a next version keeps what cannot be edited", () => {
  const chat = [{ role: "user", content: [{ type: "image" }] }, { role: "assistant", content: "x", tool_calls: [1] }];
  const found = read(version({ "mlflow.prompt.text": JSON.stringify(chat), _mlflow_prompt_type: "chat" })).template as Message[];
  expect(JSON.parse(stored(found))).toEqual(chat);
  expect(() => stored([{ role: "user", content: "{", structured: true }])).toThrow("message 1");
});

test("empty messages are left out, but not those that call tools, and are counted", () => {
  const calls = [{ role: "user", content: "x" }, { role: "assistant", content: "", tool_calls: [1] }];
  const found = read(version({ "mlflow.prompt.text": JSON.stringify(calls), _mlflow_prompt_type: "chat" })).template as Message[];
  expect(JSON.parse(stored([{ role: "system", content: " " }, ...found]))).toEqual(calls);
  expect(found.map(isWritten)).toEqual([true, true]);
  expect(() => stored([{ role: "system", content: "" }, { role: "user", content: "{", structured: true }])).toThrow("message 2");
});

test("variables are found as MLflow finds them", () => {
  expect(pieces("a {{ b }}{{c}} {{1x}} {{ }}").map((piece) => [piece.text, piece.variable])).toEqual([["a ", false], ["{{ b }}", true], ["{{c}}", true], [" {{1x}} {{ }}", false]]);
});

test("names", () => {
  expect(NAME.test("a.b_c-1")).toBe(true);
  expect(NAME.test("a b")).toBe(false);
});
