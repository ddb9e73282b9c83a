// One run: what it is, and its charts.

import { eventually, test } from "./harness.mjs";

const at = (seed, tab = "") => `#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.children[0]}${tab}`;

export default [
  test("the overview has all that was logged", async ({ open, see, seed, shot }) => {
    await open(at(seed));
    await see("child-0", "Overview", "Model metrics", "System metrics", "Artifacts");
    await see(/^0\.00605510949/, "val/accuracy", "optimizer", "adam", "epochs", /^flowers/, /^Finished/, seed.sweep.children[0], "parent", /seed\.py/);
    await shot("run");
  }),
  test("a description is written", async ({ page, open, see, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.parent}`);
    const mark = `hand-${Date.now()}`;
    await see("parent", "strategy", "grid");
    await page.getByRole("button", { name: /edit description/i }).or(page.getByTestId("edit-description-button")).first().click();
    await page.locator("textarea").first().fill(`Written by **${mark}**`);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await see(mark);
    await page.reload();
    await see(mark);
  }),
  test("charts of model metrics and of system metrics", async ({ page, open, see, seed, shot }) => {
    await open(at(seed, "/model-metrics"));
    await see("loss", /accuracy$/, "single");
    await page.locator(".js-plotly-plot .scatterlayer .trace").first().waitFor({ state: "attached" });
    await shot("run-metrics");
    await page.getByRole("tab", { name: "System metrics" }).click();
    await eventually(() => page.locator(".js-plotly-plot").count().then((count) => count > 0), true);
    await shot("run-system");
  }),
  test("the tab of traces", async ({ page, open, see, seed }) => {
    await open(at(seed));
    await see("child-0");
    await page.getByRole("tab", { name: "Traces" }).click();
    await see(/No traces|Record traces|Log traces|Get started/i);
  }, { only: "3.17" }),
];
