// Charts of an experiment.

import { test } from "./harness.mjs";

export default [
  test("a chart for each metric, with the lines of the runs", async ({ page, open, see, seed, release, watch, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}${release === "3.17" ? "/runs" : ""}?compareRunsMode=CHART&searchFilter=${encodeURIComponent("params.batch = '32'")}`);
    await page.locator(".ag-row", { hasText: "parent" }).getByRole("button").first().click();
    await see("child-0", "child-3", "loss", /^Model metrics/);
    await page.locator(".js-plotly-plot .scatterlayer .trace").nth(3).waitFor({ state: "attached" });
    await see("single");
    await shot("charts");
    await page.getByPlaceholder(/search metric charts/i).fill("single");
    await page.locator(".js-plotly-plot .barlayer .bars").first().waitFor({ state: "attached" });
    if (![...watch.answered].some((path) => path.startsWith("metrics/get-history-bulk"))) throw new Error("no history was asked for");
  }, {
    // A chart is redrawn after its place in the page has gone.
    known: { "2.17": [/^console: Error while plotting: Error: DOM element provided is null or undefined/] },
  }),
];
