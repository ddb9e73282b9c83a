// Which of a filter's conditions measurements can follow, and how a filter gets and loses its times.

import { expect, test } from "vitest";
import { checkTraces } from "../../lib/search/traces";
import { anyTime, followed, narrowed } from "./measured";

test("what is equal to a text is followed, with its quotes", () => {
  const { filters, without } = followed("status = 'ERROR' AND tags.topic = \"it's\" and tags.`a/b` = 'AND' AND metadata.`mlflow.trace.session` = 's' AND trace.name = 'n' AND run_id = 'r'");
  expect(filters).toEqual(["trace.status = 'ERROR'", "trace.tag.topic = \"it's\"", "trace.tag.`a/b` = 'AND'", "trace.metadata.mlflow.trace.session = 's'", "trace.tag.`mlflow.traceName` = 'n'", "trace.metadata.`mlflow.sourceRun` = 'r'"]);
  expect(without).toEqual([]);
  expect(followed("", "r").filters).toEqual(["trace.metadata.`mlflow.sourceRun` = 'r'"]);
});

test("what is not followed is said", () => {
  const typed = ["status != 'OK'", "status = 'ok'", "span.type = 'TOOL'", "execution_time > 5", "name LIKE 'a AND b'", "tags.x IS NOT NULL", "status IN ('OK', 'ERROR')", "timestamp_ms != 5", "nothing.such = 'x'", "status ="];
  expect(followed(typed.join(" AND "))).toEqual({ filters: [], without: typed });
  expect(followed(" two words ")).toEqual({ filters: [], without: ["two words"] });
});

test("times are bounds, the narrowest of several", () => {
  expect(followed("timestamp_ms >= 10 AND attributes.timestamp < 20 AND timestamp > 5")).toEqual({ filters: [], without: [], start: 10, end: 19 });
  expect(followed("timestamp > 1.5e1 AND timestamp <= 20.5")).toEqual({ filters: [], without: [], start: 16, end: 20 });
  expect(followed("timestamp_ms = 7")).toMatchObject({ start: 7, end: 7 });
  expect(followed("tags.timestamp = '7'")).toEqual({ filters: ["trace.tag.timestamp = '7'"], without: [] });
});

test("a filter is narrowed to an interval, and widened to all time", () => {
  expect(narrowed("", 10, 20)).toBe("timestamp_ms >= 10 AND timestamp_ms < 20");
  expect(narrowed("status = 'OK' and timestamp > 3 AND timestamp_ms < 90", 10, 20)).toBe("status = 'OK' AND timestamp_ms >= 10 AND timestamp_ms < 20");
  expect(narrowed("no such plant", 10, 20)).toBe("text ILIKE '%no such plant%' AND timestamp_ms >= 10 AND timestamp_ms < 20");
  for (const typed of ["", "words", "tags.a = 'x'"]) expect(checkTraces(narrowed(typed, 10, 20))).toBeUndefined();
  expect(anyTime(narrowed("status = 'OK' AND span.name LIKE '%AND%'", 10, 20))).toBe("status = 'OK' AND span.name LIKE '%AND%'");
  expect(anyTime("words")).toBe("words");
  expect(anyTime("timestamp_ms < 20")).toBe("");
});
