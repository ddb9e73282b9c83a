// What an `MLmodel` file says: the signature of the model, and how it can be loaded.

import { parseYaml, type Yaml } from "./yaml";

export interface Column {
  name: string;
  type: string;
  required: boolean;
  /** Of a param. */
  value?: string;
}

export interface Schema {
  inputs: Column[];
  outputs: Column[];
  params: Column[];
}

export interface ModelFile {
  flavors: string[];
  schema: Schema | undefined;
  mlflow: string;
  python: string;
  sizeBytes: number | undefined;
}

const MOST_COLUMNS = 5000;

const map = (value: Yaml | undefined): { [key: string]: Yaml } => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
const textOf = (value: Yaml | undefined): string => (typeof value === "string" ? value : "");

export function readModelFile(text: string): ModelFile | undefined {
  const root = parseYaml(text);
  if (!root || typeof root !== "object" || Array.isArray(root)) return undefined;
  const flavors = map(root.flavors);
  const size = Number(textOf(root.model_size_bytes));
  return {
    flavors: Object.keys(flavors),
    schema: schemaOf(map(root.signature)),
    mlflow: textOf(root.mlflow_version),
    python: textOf(map(flavors.python_function).python_version),
    sizeBytes: size > 0 ? size : undefined,
  };
}

function schemaOf(signature: { [key: string]: Yaml }): Schema | undefined {
  const schema = { inputs: columns(signature.inputs), outputs: columns(signature.outputs), params: columns(signature.params) };
  return schema.inputs.length || schema.outputs.length || schema.params.length ? schema : undefined;
}

type Json = Record<string, unknown>;

function columns(value: Yaml | undefined): Column[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(value) || "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(parsed)) return [];
  return parsed.slice(0, MOST_COLUMNS).map((each: unknown, i): Column => {
    const spec = (each && typeof each === "object" ? each : {}) as Json;
    return {
      name: typeof spec.name === "string" ? spec.name : `#${i}`,
      // Params say their shape beside their type.
      type: `${typeName(spec, 0)}${Array.isArray(spec.shape) ? ` (${spec.shape.join(", ")})` : ""}`,
      required: spec.required !== false,
      ...("default" in spec ? { value: JSON.stringify(spec.default) } : {}),
    };
  });
}

/** `double`, `array<double>`, `{a: string, b?: long}`, `float32 (-1, 2)`. */
function typeName(spec: Json, depth: number): string {
  if (depth > 20) return "…";
  const inner = (value: unknown): string => (value && typeof value === "object" ? typeName(value as Json, depth + 1) : String(value ?? "any"));
  switch (spec.type) {
    case "tensor": {
      const tensor = (spec["tensor-spec"] ?? {}) as Json;
      return `${String(tensor.dtype ?? "tensor")} (${Array.isArray(tensor.shape) ? tensor.shape.join(", ") : ""})`;
    }
    case "array":
      return `array<${inner(spec.items)}>`;
    case "map":
      return `map<${inner(spec.values)}>`;
    case "object": {
      const properties = Object.entries((spec.properties ?? {}) as Record<string, Json>);
      return `{${properties.map(([name, property]) => `${name}${property?.required === false ? "?" : ""}: ${inner(property)}`).join(", ")}}`;
    }
    default:
      return typeof spec.type === "string" ? spec.type : "any";
  }
}
