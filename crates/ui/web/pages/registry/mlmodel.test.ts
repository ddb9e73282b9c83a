// Files as PyYAML writes them, with long texts folded over lines.

import { expect, test } from "vitest";
import { readModelFile } from "./mlmodel";
import { parseYaml } from "./yaml";

const FILE = `artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
    python_version: '3.11'
  sklearn:
    code: null
metadata:
  a b: 'it''s "x": y'
  list:
  - 1
  - 2
  - c: d
    e: f
  multi: 'line one

    line two'
mlflow_version: 3.17.2
model_size_bytes: 1234
signature:
  inputs: '[{"type": "double", "name": "amount of the transfer in euros and cents",
    "required": true}, {"type": "array", "items": {"type": "double"}, "name": "history",
    "required": false}, {"type": "object", "properties": {"a": {"type": "string",
    "required": true}, "b": {"type": "long", "required": false}}, "name": "nested", "required":
    true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1,
    2]}}]'
  params: '[{"name": "threshold", "default": 0.5, "shape": null, "type": "double"}]'
type_hint_from_example: false
`;

test("the signature is a table", () => {
  const file = readModelFile(FILE)!;
  expect(file.flavors).toEqual(["python_function", "sklearn"]);
  expect([file.mlflow, file.python, file.sizeBytes]).toEqual(["3.17.2", "3.11", 1234]);
  expect(file.schema!.inputs).toEqual([
    { name: "amount of the transfer in euros and cents", type: "double", required: true },
    { name: "history", type: "array<double>", required: false },
    { name: "nested", type: "{a: string, b?: long}", required: true },
  ]);
  expect(file.schema!.outputs).toEqual([{ name: "#0", type: "float32 (-1, 2)", required: true }]);
  expect(file.schema!.params).toEqual([{ name: "threshold", type: "double", required: true, value: "0.5" }]);
});

test("texts, lists and breaks", () => {
  expect(parseYaml(FILE)).toMatchObject({ metadata: { "a b": 'it\'s "x": y', list: ["1", "2", { c: "d", e: "f" }], multi: "line one\nline two" } });
  expect(parseYaml('a: "x\\n\\u00e9 \\\n  y"\nb: |-\n  one\n    two\nc: []\n')).toEqual({ a: "x\né y", b: "one\n  two", c: [] });
});

test("quotes and backslashes at the ends of lines", () => {
  expect(parseYaml("a: 'x\n  '''\nb: 'y ''\n  z'\nc: 'u\n\n  ''v'''\n")).toEqual({ a: "x '", b: "y ' z", c: "u\n'v'" });
  expect(parseYaml('a: "x\\\\\n  y"\nb: "x\\\\\\\n  \\ y"\nc: "x\\"\n  y\\\\"\n')).toEqual({ a: "x\\ y", b: "x\\ y", c: 'x" y\\' });
});

test("time grows with the length of a file, not with its square", () => {
  const columns = Array.from({ length: 20_000 }, (_, i) => `{"type": "double", "name": "c${i}", "required": true}`);
  const began = performance.now();
  expect(readModelFile(`signature:\n  inputs: '[${columns.join(",\n    ")}]'\n`)!.schema!.inputs.at(-1)!.name).toBe("c4999");
  for (const line of [`a: b${": c".repeat(300_000)}\u2028`, `a: '${"'".repeat(600_000)}x`, `a: "${"\\".repeat(600_000)}x`]) parseYaml(line);
  // Some dozens of milliseconds; with the square it was ten seconds for the columns alone.
  expect(performance.now() - began).toBeLessThan(2_000);
});

test("what is no YAML of ours is said to be unreadable", () => {
  expect(parseYaml("a: 'x")).toBeUndefined();
  expect(readModelFile("- 1\n")).toBeUndefined();
  expect(readModelFile("signature:\n  inputs: nonsense\n")!.schema).toBeUndefined();
  expect(parseYaml("- ".repeat(5000) + "x")).toBeUndefined();
  expect(readModelFile("__proto__:\n  polluted: yes\n")).toBeDefined();
  expect(({} as { polluted?: string }).polluted).toBeUndefined();
});
