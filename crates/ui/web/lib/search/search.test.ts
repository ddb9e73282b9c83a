// The filter box: errors with their places, and what may come next.

import { describe, expect, test } from "vitest";
import { check } from "./check";
import { complete, type Known } from "./complete";
import { isFreeText, toFilter, tokens } from "./lexer";

const known: Known = {
  metrics: ["loss", "val/loss", "accuracy"],
  params: ["lr", "optimizer"],
  tags: ["team", "mlflow.user"],
  values: (entity, key) => (entity === "params" && key === "optimizer" ? ["adam", "sgd", "it's"] : []),
};
const labels = (text: string) => complete(text, text.length, known)?.options.map((option) => option.label) ?? [];
const applied = (text: string, label: string) => {
  const found = complete(text, text.length, known)!;
  return text.slice(0, found.from) + found.options.find((option) => option.label === label)!.insert;
};

describe("errors", () => {
  const at = (text: string) => {
    const found = check(text);
    return found && text.slice(found.start, found.end);
  };
  test("good filters have none", () => {
    for (const text of [
      "", "metrics.loss < 0.5", "metrics.`val/loss` <= -1e-3 and params.lr = '0.1'", "tags.mlflow.runName LIKE '%a%'", "status = \"FINISHED\" AND start_time > 17",
      "params.p IS NOT NULL", "attributes.run_id IN ('a','b')", "datasets.name NOT IN ('x')", "metrics.a > 1 metrics.b > 2",
    ]) expect(check(text), text).toBeUndefined();
  });
  test("the place is that of the mistake", () => {
    expect(at("metrics.loss < 'x'")).toBe("'x'");
    expect(at("params.lr > '1'")).toBe(">");
    expect(at("params.lr = 0.1")).toBe("0.1");
    expect(at("metrics.a > 1 OR metrics.b > 1")).toBe("OR");
    expect(at("metricz.a > 1")).toBe("metricz.a");
    expect(at("attributes.foo = 'x'")).toBe("attributes.foo");
    expect(at("params.lr = 'x")).toBe("'x");
    expect(at("metrics.val/loss > 1")).toBe("/");
    expect(check("metrics.loss <")?.message).toBe("A value is expected here.");
  });
});

describe("completion", () => {
  test("names by what was typed, wherever it stands", () => {
    expect(labels("los")).toEqual(["metrics.loss", "metrics.val/loss"]);
    expect(labels("params.")).toEqual(["params.lr", "params.optimizer"]);
    expect(applied("metrics.v", "metrics.val/loss")).toBe("metrics.`val/loss` ");
  });
  test("comparisons by kind", () => {
    expect(labels("metrics.loss ")).toContain("<");
    expect(labels("params.lr ")).toEqual(["=", "!=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"]);
  });
  test("values in quotes that hold them", () => {
    expect(labels("params.optimizer = ")).toEqual(["adam", "sgd", "it's"]);
    expect(applied("params.optimizer = 'i", "it's")).toBe('params.optimizer = "it\'s" ');
  });
  test("then AND, then names again", () => {
    expect(labels("metrics.loss < 1 ")).toEqual(["AND"]);
    expect(labels("metrics.loss < 1 AND o")).toContain("params.optimizer");
  });
});

test("plain words look for names", () => {
  expect(isFreeText("resnet 50")).toBe(true);
  expect(isFreeText("metrics.loss < 1")).toBe(false);
  expect(toFilter(" it's ")).toBe("attributes.run_name ILIKE '%it_s%'");
  expect(toFilter("status = 'RUNNING'")).toBe("status = 'RUNNING'");
});

test("tokens cover the text", () => {
  expect(tokens("metrics.`a b` >= -1.5e3").map((token) => token.kind)).toEqual(["name", "operator", "number"]);
});
