// Links that MLflow's clients and its own pages make lead somewhere.

import { expect, test } from "vitest";
import { links } from "./links";
import { parse } from "./route";

test("links that clients print", () => {
  expect(parse("#/experiments/1").route).toEqual({ page: "experiment", ids: ["1"], tab: "runs" });
  expect(parse("#/experiments/1/runs/abc").route).toEqual({ page: "run", experiment: "1", run: "abc", tab: "overview", artifact: "" });
  expect(parse("#/experiments/1/models/m-1").route).toEqual({ page: "model", experiment: "1", model: "m-1", artifact: "" });
});

test("links of MLflow's pages", () => {
  expect(parse('#/compare-runs?runs=["a","b"]&experiments=["1"]').route).toEqual({ page: "compare", runs: ["a", "b"] });
  expect(parse('#/compare-experiments/s?experiments=["1","2"]').route).toEqual({ page: "experiment", ids: ["1", "2"], tab: "runs" });
  expect(parse("#/experiments/1?compareRunsMode=CHART").route).toMatchObject({ tab: "charts" });
  expect(parse("#/runs/abc").route).toEqual({ page: "find-run", run: "abc" });
});

test("links to registered models, versions and prompts", () => {
  expect(parse("#/models").route).toEqual({ page: "registry" });
  expect(parse("#/models/fraud%20a%2Fb").route).toEqual({ page: "registered", name: "fraud a/b" });
  expect(parse("#/models/fraud/versions/3").route).toEqual({ page: "version", name: "fraud", version: "3", tab: "overview", artifact: "" });
  expect(parse(`#/compare-model-versions?name=${encodeURIComponent('"fraud"')}&runs=${encodeURIComponent('{"a":"1","b":"2"}')}`).route).toEqual({ page: "compare-versions", name: "fraud", versions: ["1", "2"] });
  expect(parse("#/prompts/greeting?promptVersion=2").route).toEqual({ page: "prompt", name: "greeting" });
  expect(parse("#/experiments/1/prompts/greeting").route).toEqual({ page: "prompt", name: "greeting" });
  const name = `it's "100%" é?#`;
  expect(parse(links.registered(name)).route).toEqual({ page: "registered", name });
  expect(parse(links.versionArtifact(name, "7", "a b/c#.txt")).route).toEqual({ page: "version", name, version: "7", tab: "artifacts", artifact: "a b/c#.txt" });
  expect(parse(links.compareVersions(name, ["1", "2"])).route).toEqual({ page: "compare-versions", name, versions: ["1", "2"] });
  expect(parse(links.compareVersions("123", ["1"])).route).toMatchObject({ name: "123" });
});

test("links to traces", () => {
  const trace = { page: "trace", experiment: "1", trace: "tr-1" };
  expect(parse("#/experiments/1/traces").route).toEqual({ page: "experiment", ids: ["1"], tab: "traces" });
  expect(parse("#/experiments/1?compareRunsMode=TRACES").route).toMatchObject({ page: "experiment", tab: "traces" });
  expect(parse("#/experiments/1/runs/r/traces").route).toMatchObject({ page: "run", run: "r", tab: "traces" });
  for (const link of ["/traces/tr-1", "/traces?selectedTraceId=tr-1", "/traces?selectedEvaluationId=tr-1", "/traces?traceId=tr-1", "?compareRunsMode=TRACES&selectedTraceId=tr-1", "/runs/r/traces?selectedEvaluationId=tr-1"]) expect(parse(`#/experiments/1${link}`).route, link).toEqual(trace);
  expect(parse("#/experiments/1?selectedTraceId=tr-1").route).toMatchObject({ page: "experiment" });
  expect(parse(links.trace("1", "a/b?c", "ff")).route).toEqual({ page: "trace", experiment: "1", trace: "a/b?c" });
});

test("our links come back", () => {
  const path = "plots/a b/100%/x?.png";
  expect(parse(links.artifact("1", "r", path)).route).toMatchObject({ page: "run", tab: "artifacts", artifact: path });
  expect(parse(links.compare(["a", "b"])).route).toEqual({ page: "compare", runs: ["a", "b"] });
  expect(parse(links.several(["1", "2"], "charts")).route).toEqual({ page: "experiment", ids: ["1", "2"], tab: "charts" });
  expect(parse(links.several(["1"])).route).toEqual({ page: "experiment", ids: ["1"], tab: "runs" });
});

test("nothing is unreadable", () => {
  expect(parse("").route).toEqual({ page: "experiments" });
  expect(parse("#/experiments/%E0%A4%A").route).toMatchObject({ page: "experiment" });
  expect(parse("#/nowhere").route).toEqual({ page: "unknown", path: "/nowhere" });
});
