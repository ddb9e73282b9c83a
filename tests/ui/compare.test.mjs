// Runs side by side.

import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const at = (seed, query = "") => `#/compare-runs?runs=${seed.sweep.trials.slice(0, 2).join(",")}${query}`;

export default [
  test("shows what differs, then everything; the best and the distance from a baseline", async ({ page, open, seed, shot }) => {
    await open(at(seed));
    await page.getByRole("rowheader", { name: "optimizer" }).waitFor();
    assert.equal(await page.getByRole("rowheader", { name: "epochs" }).count(), 0);
    await page.getByLabel("Show equal values too").check();
    await page.getByRole("rowheader", { name: "epochs" }).waitFor();
    await page.getByRole("cell", { name: /^best: / }).first().waitFor();
    await page.getByLabel("Baseline").selectOption("trial-adam-0.0001");
    await page.locator("td small").first().waitFor();
    await shot("compare");
  }),
  test("draws and diffs", async ({ page, open, seed, shot }) => {
    await open(at(seed));
    await page.getByRole("button", { name: "Charts" }).click();
    await page.getByRole("img", { name: /val\/acc: 2 lines/ }).waitFor();
    await page.getByRole("button", { name: "Artifacts" }).click();
    await page.getByLabel("File").selectOption("README.md");
    await page.locator("tr.removed", { hasText: "200" }).waitFor();
    await page.locator("tr.added", { hasText: "40" }).waitFor();
    await shot("compare-diff");
    await page.getByLabel("File").selectOption("plots/matrix.png");
    await eventually(() => page.$$eval(".images img", (images) => images.length), 2);
  }),
  test("MLflow's own link opens it; a run can be taken out", async ({ page, open, seed }) => {
    const [a, b, c] = seed.sweep.trials;
    await open(`#/compare-runs?runs=${encodeURIComponent(JSON.stringify([a, b, c]))}&experiments=${encodeURIComponent(JSON.stringify([seed.sweep.experiment]))}`);
    await page.getByRole("heading", { level: 1, name: "Compare 3 runs" }).waitFor();
    await page.getByRole("button", { name: "Take trial-sgd-0.0001 out" }).click();
    await page.getByRole("heading", { level: 1, name: "Compare 2 runs" }).waitFor();
  }),
];
