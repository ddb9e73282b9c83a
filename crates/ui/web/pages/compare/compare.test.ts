// What differs between runs and between texts.

import { expect, test } from "vitest";
import type { Run } from "../../lib/api/runs";
import { diff } from "./diff";
import { facts } from "./differences";

const run = (loss: number | undefined, lr: string): Run => ({
  info: { run_id: "r", experiment_id: "1", status: "FINISHED", lifecycle_stage: "active" },
  data: { metrics: loss === undefined ? [] : [{ key: "loss", value: loss }, { key: "depth", value: 50 }], params: [{ key: "lr", value: lr }, { key: "same", value: "x" }] },
});

test("rows differ or not, and the best value of a metric is marked", () => {
  const [metrics, params] = facts([run(0.5, "1"), run(0.25, "2"), run(undefined, "1")], new Map());
  expect(metrics!.rows.map((row) => [row.key, row.best])).toEqual([["depth", []], ["loss", [1]]]);
  expect(metrics!.rows[0]!.texts).toEqual(["50", "50", undefined]);
  expect(params!.rows.map((row) => [row.key, row.differs])).toEqual([["lr", true], ["same", false]]);
});

const text = (lines: ReturnType<typeof diff>) => lines.map((line) => `${{ same: " ", removed: "-", added: "+" }[line.kind]}${line.text}`).join("|");

test("lines that were removed and added", () => {
  expect(text(diff("a\nb\nc", "a\nx\nc"))).toBe(" a|-b|+x| c");
  expect(text(diff("a\nb\nc\nd", "b\nc\ne\nd"))).toBe("-a| b| c|+e| d");
  expect(text(diff("same", "same"))).toBe(" same");
  expect(text(diff("", "a"))).toBe("-|+a");
});

test("both texts come back out of a difference", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let round = 0; round < 200; round++) {
    const make = () => Array.from({ length: random(12) + 1 }, () => "abc"[random(3)]).join("\n");
    const [left, right] = [make(), make()];
    const lines = diff(left, right);
    expect(lines.filter((line) => line.kind !== "added").map((line) => line.text).join("\n")).toBe(left);
    expect(lines.filter((line) => line.kind !== "removed").map((line) => line.text).join("\n")).toBe(right);
  }
});
