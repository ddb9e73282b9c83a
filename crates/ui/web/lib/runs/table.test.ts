// From answers of the server to the lines of the screen.

import { describe, expect, test } from "vitest";
import type { Run } from "../api/runs";
import { csv } from "./csv";
import { decode } from "./decode";
import { grouped } from "./group";
import { orderClause, sorted } from "./sort";
import { RunTable } from "./table";
import { nested } from "./tree";

interface Given {
  metrics?: Record<string, number | "NaN">;
  params?: Record<string, string>;
  tags?: Record<string, string>;
  start?: number;
}

function run(id: string, { metrics = {}, params = {}, tags = {}, start = 0 }: Given = {}): Run {
  const pairs = (o: Record<string, string>) => Object.entries(o).map(([key, value]) => ({ key, value }));
  return {
    info: { run_id: id, run_name: `name-${id}`, experiment_id: "1", status: "FINISHED", start_time: start, lifecycle_stage: "active" },
    data: { metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })), params: pairs(params), tags: pairs(tags) },
  };
}

function table(...runs: Run[]): RunTable {
  const out = new RunTable();
  out.append(decode(runs));
  return out;
}

const ids = (of: RunTable, rows: Iterable<number>) => [...rows].map((row) => of.ids[row]);

describe("a table", () => {
  test("takes pages, and a run that comes again replaces its values", () => {
    const t = table(run("a", { metrics: { m: 1 }, params: { p: "x" } }), run("b"));
    expect(t.append(decode([run("a", { metrics: { n: 2 } }), run("c", { metrics: { m: NaN } })]))).toEqual([2]);
    expect(t.length).toBe(3);
    expect(t.number("metrics.m", 0)).toBeUndefined();
    expect(t.number("metrics.n", 0)).toBe(2);
    expect(t.text("params.p", 0)).toBeUndefined();
    expect(t.number("metrics.m", 2)).toBeNaN();
    expect(t.name(1)).toBe("name-b");
  });
});

describe("orders", () => {
  const t = table(run("a", { metrics: { m: 2 } }), run("b", { metrics: { m: "NaN" } }), run("c"), run("d", { metrics: { m: -1 }, start: 5 }), run("e", { metrics: { m: -1 }, start: 9 }));
  test("values, NaN, nothing; equals by start time", () => {
    expect(ids(t, sorted(t, { id: "metrics.m", ascending: true }))).toEqual(["e", "d", "a", "b", "c"]);
    expect(ids(t, sorted(t, { id: "metrics.m", ascending: false }))).toEqual(["a", "e", "d", "b", "c"]);
  });
  test("texts by their words", () => {
    expect(ids(t, sorted(t, { id: "attributes.run_name", ascending: false }))).toEqual(["e", "d", "c", "b", "a"]);
  });
  test("clauses quote every key", () => {
    expect(orderClause({ id: "metrics.val/loss", ascending: true })).toBe("metrics.`val/loss` ASC");
    expect(orderClause({ id: "attributes.duration", ascending: true })).toBeUndefined();
  });
});

describe("trees", () => {
  const child = (id: string, parent: string) => run(id, { tags: { "mlflow.parentRunId": parent } });
  test("children follow their parents, orphans stay", () => {
    const t = table(child("c1", "p"), run("x"), run("p"), child("c2", "p"), child("o", "gone"), child("g", "c2"));
    const tree = nested(t, Int32Array.from([0, 1, 2, 3, 4, 5]), () => false);
    expect(ids(t, tree.rows)).toEqual(["x", "p", "c1", "c2", "g", "o"]);
    expect([...tree.depth]).toEqual([0, 0, 1, 1, 2, 0]);
    expect(ids(t, nested(t, Int32Array.from([0, 1, 2, 3, 4, 5]), (id) => id === "p").rows)).toEqual(["x", "p", "o"]);
  });
  test("a ring of parents is shown once", () => {
    const t = table(child("a", "b"), child("b", "a"), child("self", "self"));
    expect(ids(t, nested(t, Int32Array.from([0, 1, 2]), () => false).rows).sort()).toEqual(["a", "b", "self"]);
  });
});

test("groups have aggregates of the runs that have the metric", () => {
  const t = table(run("a", { metrics: { m: 1 }, params: { p: "x", q: "1" } }), run("b", { params: { p: "x", q: "1" } }), run("c", { metrics: { m: 3 }, params: { p: "x" } }), run("d", { metrics: { m: 8 } }));
  const [x, none] = grouped(t, Int32Array.from([0, 1, 2, 3]), ["params.p"]);
  expect(x!.rows).toEqual([0, 1, 2]);
  expect(x!.aggregate(t, "metrics.m", "mean")).toBe(2);
  expect(x!.aggregate(t, "metrics.m", "max")).toBe(3);
  expect(x!.shared(t, "params.q")).toBeUndefined();
  expect(none!.values).toEqual([undefined]);
});

test("CSV quotes what needs it and defuses formulas", () => {
  const t = table(run("a", { params: { p: 'x,"y"', f: "=1+1", n: "-3" }, metrics: { m: 0.1 } }));
  const [head, line] = csv(t, [0]).split("\r\n");
  expect(head).toContain("params.f,params.n,params.p,metrics.m");
  expect(line).toContain(`'=1+1,-3,"x,""y""",0.1`);
});
