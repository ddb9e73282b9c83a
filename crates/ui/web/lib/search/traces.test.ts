// Filters of traces.

import { expect, test } from "vitest";
import { checkTraces, completeTraces, toTraceFilter } from "./traces";

const at = (text: string) => {
  const found = checkTraces(text);
  return found && text.slice(found.start, found.end);
};
const known = new Map([["name", new Set(["assistant"])], ["tags.topic", new Set(["plants", "it's"])], ["metadata.mlflow.trace.session", new Set(["s-1"])], ["feedback.correct", new Set(["true"])]]);
const labels = (text: string) => completeTraces(text, text.length, known)?.options.map((option) => option.label) ?? [];

test("good filters have no error", () => {
  const good = [
    "", "status = 'ERROR' AND execution_time > 1000", "name IN ('a', 'b')", "trace.text ILIKE '%x%'", "tags.topic IS NOT NULL AND tag.a RLIKE '^b'", "metadata.`mlflow.trace.session` = 's'",
    "span.type = 'TOOL' AND span.attributes.model != 'x'", "span.content LIKE '%a%'", "feedback.correct = 'true'", "expectation.petals >= 4", "feedback.`a b` IS NULL", "prompt = 'p/1'", "attributes.timestamp_ms <= 5",
  ];
  for (const text of good) expect(checkTraces(text), text).toBeUndefined();
});

test("the place is that of the mistake", () => {
  expect(at("stat = 'OK'")).toBe("stat");
  expect(at("params.a = 'b'")).toBe("params.a");
  expect(at("status > 'OK'")).toBe(">");
  expect(at("execution_time LIKE '5'")).toBe("LIKE");
  expect(at("execution_time > '5'")).toBe("'5'");
  expect(at("tags.a IN ('b')")).toBe("IN");
  expect(at("tags.a NOT IN ('b')")).toBe("NOT IN");
  expect(at("status IS NULL")).toBe("IS NULL");
  expect(at("tags.a IS 'b'")).toBe("'b'");
  expect(at("text = 'a'")).toBe("=");
  expect(at("span.kind = 'a'")).toBe("span.kind");
  expect(at("span. = 'a'")).toBe("span.");
  expect(at("status = 'OK' OR name = 'b'")).toBe("OR");
  expect(at("name = 'a")).toBe("'a");
  expect(at("feedback.a > b")).toBe("b");
  expect(at("name = constructor")).toBe("constructor");
  expect(at("constructor = 'a'")).toBe("constructor");
  expect(at("constructor.a = 'b'")).toBe("constructor.a");
  expect(at("tags.a IS NOT 'b'")).toBe("'b'");
  expect(at("name NOT LIKE 'b'")).toBe("NOT");
  expect(checkTraces("name =")?.message).toBe("A value is expected here.");
  expect(checkTraces("name")?.message).toBe("A comparison is expected after name.");
});

test("names, comparisons and values are completed", () => {
  expect(labels("stat")).toEqual(["status", "span.status"]);
  expect(labels("topic")).toEqual(["tags.topic"]);
  expect(labels("execution_time ")).toEqual(["=", "!=", ">", ">=", "<", "<="]);
  expect(labels("tags.topic i")).toEqual(["ILIKE", "IS NULL", "IS NOT NULL"]);
  expect(labels("tags.topic = ")).toEqual(["it's", "plants"]);
  expect(labels("name = ")).toEqual(["assistant"]);
  expect(labels("status = ")).toEqual(["OK", "ERROR", "IN_PROGRESS"]);
  expect(labels("span.type = 'CHAT")).toEqual(["CHAT_MODEL"]);
  expect(labels("execution_time > 5 ")).toEqual(["AND"]);
  expect(completeTraces("session", 7, known)?.options[0]?.insert).toBe("metadata.mlflow.trace.session ");
});

test("words without a comparison are a part of the contents", () => {
  expect(toTraceFilter(" it's ")).toBe("text ILIKE '%it_s%'");
  expect(toTraceFilter("name RLIKE 'x'")).toBe("name RLIKE 'x'");
  expect(toTraceFilter("")).toBe("");
});
