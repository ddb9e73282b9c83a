// What axe-core finds on every page, light and dark: nothing serious.

import assert from "node:assert/strict";
import { serious } from "./axe.mjs";
import { test } from "./harness.mjs";

const pages = (seed) => ({
  experiments: ["#/experiments", "tbody tr"],
  runs: [`#/experiments/${seed.sweep.experiment}`, ".line"],
  grouped: [`#/experiments/${seed.sweep.experiment}?groupBy=params.optimizer&selected=${seed.sweep.trials[0]}`, ".line"],
  empty: [`#/experiments/${seed.empty}`, "pre"],
  charts: [`#/experiments/${seed.sweep.experiment}/charts`, "canvas"],
  datasets: [`#/experiments/${seed.sweep.experiment}/datasets`, "tbody tr"],
  run: [`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}`, "tbody tr"],
  metrics: [`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}/model-metrics`, "canvas"],
  artifacts: [`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}/artifacts/train.py`, "pre"],
  compare: [`#/compare-runs?runs=${seed.sweep.trials.slice(0, 3).join(",")}&all=1`, "tbody tr"],
  models: ["#/models", "tr.item"],
  model: [`#/models/${seed.models.name}`, "tr.item"],
  version: [`#/models/${seed.models.name}/versions/2`, "tr.part"],
  "version-files": [`#/models/${seed.models.name}/versions/2/artifacts/MLmodel`, "pre"],
  "compare-versions": [`#/compare-model-versions?name=${seed.models.name}&versions=1,2&all=1`, "tbody tr"],
  prompts: ["#/prompts", "tr.item"],
  prompt: [`#/prompts/${seed.prompts.greeting}`, "mark"],
  "prompt-diff": [`#/prompts/${seed.prompts.greeting}?promptVersion=2&compareTo=1`, "tr.added"],
  "prompt-chat": [`#/prompts/${seed.prompts.chat}`, "mark"],
  traces: [`#/experiments/${seed.traces.experiment}/traces`, "tr.item"],
  "traces-empty": [`#/experiments/${seed.empty}/traces`, "pre"],
  "traces-run": [`#/experiments/${seed.traces.experiment}/runs/${seed.traces.run}/traces`, "tr.item"],
  trace: [`#/experiments/${seed.traces.experiment}/traces/${seed.traces.good}`, ".pane"],
  "trace-about": [`#/experiments/${seed.traces.experiment}/traces/${seed.traces.good}?view=about`, ".pane dl"],
  "trace-failed": [`#/experiments/${seed.traces.experiment}/traces/${seed.traces.failed}`, ".exception"],
  "trace-long": [`#/experiments/${seed.traces.many_experiment}/traces/${seed.traces.long}`, "[role=treeitem]"],
});

const NAMES = ["experiments", "runs", "grouped", "empty", "charts", "datasets", "run", "metrics", "artifacts", "compare", "models", "model", "version", "version-files", "compare-versions", "prompts", "prompt", "prompt-diff", "prompt-chat", "traces", "traces-empty", "traces-run", "trace", "trace-about", "trace-failed", "trace-long"];

export default NAMES.flatMap((name) =>
  ["light", "dark"].map((scheme) =>
    test(`${name}, ${scheme}`, async ({ page, open, seed, shot }) => {
      const [hash, ready] = pages(seed)[name];
      await open(hash);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(300);
      if (scheme === "dark") await shot(`dark-${name}`);
      assert.deepEqual(await serious(page), []);
      assert.equal(await page.locator("h1").count(), 1);
    }, { context: { colorScheme: scheme } }),
  ),
).concat([
  test("a phone has everything that matters", async ({ page, open, seed, shot }) => {
    for (const name of ["experiments", "runs", "charts", "run", "artifacts", "compare", "models", "model", "version", "version-files", "compare-versions", "prompts", "prompt", "prompt-diff", "traces", "traces-empty", "traces-run", "trace", "trace-about", "trace-failed", "trace-long"]) {
      const [hash, ready] = pages(seed)[name];
      await open(hash);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(200);
      await shot(`phone-${name}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector("main").scrollWidth <= innerWidth), `${name} is wider than the screen`);
    }
  }, { context: { viewport: { width: 390, height: 844 } } }),
]);
