// Charts that make themselves, and layouts that come from a tag.

import { expect, test } from "vitest";
import type { Run } from "../../lib/api/runs";
import { decode } from "../../lib/runs/decode";
import { RunTable } from "../../lib/runs/table";
import { automatic, moved, readLayout, withChart, type Layout } from "./layout";

function table(): RunTable {
  const out = new RunTable();
  const run = (i: number): Run => ({
    info: { run_id: `r${i}`, experiment_id: "1", status: "FINISHED", lifecycle_stage: "active" },
    data: {
      metrics: [
        { key: "train/loss", value: i, step: 9 },
        { key: "val/loss", value: i, step: 9 },
        { key: "val/acc", value: i, step: 9 },
        { key: "final", value: i },
        { key: "system/cpu", value: i, step: 3 },
      ],
      params: [{ key: "lr", value: String(i / 10) }, { key: "same", value: "x" }],
    },
  });
  out.append(decode([0, 1, 2, 3].map(run)));
  return out;
}

test("sections by prefix; what was logged once is a bar, not a line; system metrics come last and closed", () => {
  const { sections } = automatic(table());
  expect(sections.map((section) => section.name)).toEqual(["Overview", "Metrics", "val", "Logged once", "System metrics"]);
  expect(sections[0]!.charts[0]!.columns).toEqual(["params.lr", "metrics.val/acc"]);
  expect(sections[3]!.charts.map((chart) => chart.kind)).toEqual(["bar"]);
  expect(sections[4]!.closed).toBe(true);
});

test("nothing but a layout is one", () => {
  expect(readLayout("{")).toBeUndefined();
  expect(readLayout('{"sections":5}')).toBeUndefined();
  expect(readLayout('{"sections":[{"name":"a","charts":[{"id":"1","kind":"evil","columns":[]},{"id":"2","kind":"bar","columns":["metrics.a"]}]}]}')).toEqual({
    sections: [{ name: "a", charts: [{ id: "2", kind: "bar", columns: ["metrics.a"] }] }],
  });
});

const chart = (id: string) => ({ id, kind: "bar" as const, columns: ["metrics.a"] });
const layout: Layout = { sections: [{ name: "a", charts: [chart("1"), chart("2"), chart("3")] }, { name: "b", charts: [] }] };
const ids = (of: Layout) => of.sections.map((section) => section.charts.map((each) => each.id).join(""));

test("charts move within and between sections", () => {
  expect(ids(moved(layout, "1", 0, 2))).toEqual(["213", ""]);
  expect(ids(moved(layout, "3", 0, 0))).toEqual(["312", ""]);
  expect(ids(moved(layout, "2", 1, 0))).toEqual(["13", "2"]);
});

test("a chart is added first, or replaces itself", () => {
  expect(ids(withChart(layout, chart("4"), 1))).toEqual(["123", "4"]);
  expect(ids(withChart(layout, chart("2"), 1))).toEqual(["123", ""]);
});
