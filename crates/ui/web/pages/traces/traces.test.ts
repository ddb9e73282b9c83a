// The list of traces: previews, and its order.

import { expect, test } from "vitest";
import { read, short } from "./assessment";
import { orderOf } from "./order";
import { preview } from "./preview";

test("a preview has the words without the JSON around them", () => {
  expect(preview(undefined)).toBe("");
  expect(preview("plain")).toBe("plain");
  expect(preview('{"cut": "of')).toBe('{"cut": "of');
  expect(preview('"A text"')).toBe("A text");
  expect(preview('{"question": "why?"}')).toBe("why?");
  expect(preview('{"question": "why?", "k": 2}')).toBe("question: why?, k: 2");
  expect(preview('{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]}')).toBe("hi");
  expect(preview("[1, 2]")).toBe("[1, 2]");
  expect(preview("5")).toBe("5");
});

test("the order is in the address, the newest first", () => {
  const at = (query: string) => orderOf(new URLSearchParams(query));
  expect(at("").clause).toBe("timestamp_ms DESC");
  expect(at("").toggled("started")).toEqual({ tracesBy: undefined, tracesAsc: "true" });
  expect(at("").toggled("duration")).toEqual({ tracesBy: "duration", tracesAsc: undefined });
  expect(at("tracesBy=duration&tracesAsc=true").clause).toBe("execution_time_ms ASC");
  expect(at("tracesBy=x").clause).toBe("timestamp_ms DESC");
});

test("assessments in few letters, and as they are typed", () => {
  expect([true, false, undefined, "words", 0.5, [1]].map(short)).toEqual(["yes", "no", "–", "words", "0.5", "[1]"]);
  expect([" 5 ", "-0.5", "1e3", "five", "5 stars", ""].map(read)).toEqual([5, -0.5, 1000, "five", "5 stars", ""]);
});
