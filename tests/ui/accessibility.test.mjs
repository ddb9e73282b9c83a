// What axe-core finds on every page, light and dark: nothing serious.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

async function serious(page) {
  // Through the debugger: the policy of the page allows no script of others.
  const client = await page.context().newCDPSession(page);
  await client.send("Runtime.evaluate", { expression: axe });
  const { result } = await client.send("Runtime.evaluate", {
    awaitPromise: true,
    returnByValue: true,
    expression: `axe.run(document, { resultTypes: ["violations"], iframes: false }).then((found) => found.violations.filter((each) => ["serious", "critical"].includes(each.impact)).map((each) => each.id + ": " + each.nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? node.all[0]?.message ?? node.none[0]?.message ?? "")).join(" | ")))`,
  });
  return result.value;
}

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
});

export default ["experiments", "runs", "grouped", "empty", "charts", "datasets", "run", "metrics", "artifacts", "compare"].flatMap((name) =>
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
    for (const name of ["experiments", "runs", "charts", "run", "artifacts", "compare"]) {
      const [hash, ready] = pages(seed)[name];
      await open(hash);
      await page.locator(ready).first().waitFor();
      await page.waitForTimeout(200);
      await shot(`phone-${name}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector("main").scrollWidth <= innerWidth), `${name} is wider than the screen`);
    }
  }, { context: { viewport: { width: 390, height: 844 } } }),
]);
