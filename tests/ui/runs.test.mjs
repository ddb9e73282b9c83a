// The runs table.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { column, eventually, footer, heads, names, test } from "./harness.mjs";

const sweep = (seed, query = "") => `#/experiments/${seed.sweep.experiment}${query}`;

export default [
  test("shows metrics and differing params without being asked, after at most three requests", async ({ page, open, seed, api, shot }) => {
    await open(sweep(seed));
    await page.locator(".line .cell").first().waitFor();
    assert.ok(api.length <= 3, api.join());
    const shown = await heads(page);
    for (const name of ["Created", "Duration", "train/loss", "val/acc", "lr", "optimizer"]) assert.ok(shown.includes(name), `${name} in ${shown}`);
    assert.ok(!shown.includes("epochs"), "what is the same in all runs is no column");
    await eventually(() => footer(page), "10 runs");
    await shot("runs");
  }),
  test("the name of a group of columns stands above the first of them", async ({ page, open, seed }) => {
    await open(sweep(seed));
    const left = (selector) => page.$eval(selector, (element) => Math.round(element.getBoundingClientRect().left + parseFloat(getComputedStyle(element).paddingLeft)));
    await eventually(async () => (await left(".head .section span")) - (await left(".head .cell button")), (apart) => Math.abs(apart) <= 1);
  }),
  test("nests children below their parents, closes them, and lists them flat", async ({ page, open, seed }) => {
    await open(sweep(seed));
    await eventually(() => names(page), (list) => list.length === 10 && list[0] === "live" && list[1] === "sweep");
    await page.getByRole("button", { name: "Hide the children of sweep" }).click();
    await eventually(() => names(page), ["live", "sweep"]);
    assert.match(page.url(), /closed=/);
    await page.reload();
    await eventually(() => names(page), ["live", "sweep"]);
    await page.getByRole("button", { name: "Show child runs below their parents" }).click();
    await eventually(async () => (await names(page)).at(-1), "sweep");
  }),
  test("sorts by a metric both ways; runs without it stay last; the link keeps it", async ({ page, open, seed }) => {
    await open(sweep(seed));
    await page.getByRole("button", { name: "val/acc" }).click();
    const first = await eventually(() => names(page), (list) => list[0] === "trial-adam-0.01");
    assert.deepEqual(first.slice(-2).sort(), ["live", "sweep"]);
    await page.getByRole("button", { name: "val/acc" }).click();
    await eventually(() => names(page), (list) => list[0]?.startsWith("trial-sgd-") && list.slice(-2).sort().join() === "live,sweep");
    await page.reload();
    await eventually(() => names(page), (list) => list[0]?.startsWith("trial-sgd-"));
  }),
  test("marks the best value", async ({ page, open, seed }) => {
    await open(sweep(seed, "?orderByKey=metrics.val/acc"));
    await page.locator(".best").first().waitFor();
    const best = await page.$eval('.best[data-column="metrics.val/acc"]', (cell) => cell.textContent);
    assert.equal(best, (await column(page, "metrics.val/acc"))[0]);
  }),
  test("chooses, orders and forgets columns", async ({ page, open, seed }) => {
    await open(sweep(seed));
    await page.getByRole("button", { name: /^Columns/ }).click();
    await page.getByRole("searchbox", { name: "Find a column" }).fill("epo");
    await page.getByLabel("epochs").check();
    await page.keyboard.press("Escape");
    await eventually(() => heads(page), (list) => list.includes("epochs"));
    assert.match(page.url(), /columns=/);
    await page.reload();
    await eventually(() => heads(page), (list) => list.includes("epochs"));
    await page.getByRole("columnheader", { name: "train/loss" }).getByRole("button").dragTo(page.getByRole("columnheader", { name: "Created" }).getByRole("button"));
    await eventually(async () => (await heads(page))[0], "train/loss");
    await page.getByRole("button", { name: /^Columns/ }).click();
    await page.getByRole("button", { name: "Automatic" }).click();
    await eventually(() => heads(page), (list) => !list.includes("epochs"));
  }),
  test("narrows by status, time and dataset", async ({ page, open, seed }) => {
    await open(sweep(seed));
    await page.getByRole("button", { name: /^Filters/ }).click();
    await page.getByLabel("Status").selectOption("failed");
    await eventually(() => names(page), ["trial-sgd-0.1"]);
    await eventually(() => footer(page), "1 matching run");
    await page.getByLabel("Status").selectOption("any");
    await page.getByLabel("Dataset").selectOption("cards-2026");
    await eventually(async () => (await names(page)).length, 3);
    await page.getByLabel("Dataset").selectOption("any");
    await page.getByLabel("Created").selectOption("last hour");
    await eventually(async () => (await names(page)).includes("sweep"), false);
  }),
  test("groups by a param with aggregates", async ({ page, open, seed, shot }) => {
    await open(sweep(seed, "?groupBy=params.optimizer"));
    await page.getByText("optimizer: adam").waitFor();
    await shot("grouped");
    const mean = await page.$$eval(".line", (lines) => lines.find((line) => line.textContent.includes("optimizer: adam"))?.textContent ?? "");
    assert.match(mean, /\d/);
    await page.getByRole("button", { name: "Close the group optimizer: adam" }).click();
    await eventually(async () => (await names(page)).filter((name) => name.startsWith("trial-adam")).length, 0);
    await page.getByRole("button", { name: /^Group/ }).click();
    await page.getByLabel("Metrics").selectOption("maximum");
    assert.match(page.url(), /aggregate=max/);
    await page.getByRole("button", { name: "Ungroup" }).click();
    await eventually(async () => (await names(page)).length, 10);
  }),
  test("selects, tags, pins, hides, colours", async ({ page, open, seed }) => {
    await open(sweep(seed, "?nest=0"));
    await page.getByRole("checkbox", { name: "Select trial-adam-0.01" }).click();
    await page.getByRole("checkbox", { name: "Select trial-sgd-0.01" }).click();
    await page.getByText("2 runs selected").waitFor();
    assert.match(page.url(), /selected=/);
    await page.getByRole("button", { name: "Tag", exact: true }).click();
    await page.getByRole("combobox", { name: "Key" }).fill("reviewed");
    await page.getByRole("textbox", { name: "Value" }).fill("yes");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("2 runs tagged").waitFor();
    await page.getByRole("combobox", { name: "Filter the runs" }).fill("tags.reviewed = 'yes'");
    await eventually(async () => (await names(page)).length, 2);
    await page.getByRole("button", { name: "Clear the filter" }).click();
    await eventually(async () => (await names(page)).length, 10);
    await page.getByRole("button", { name: "Pin", exact: true }).click();
    await eventually(async () => (await names(page)).slice(0, 2).sort(), ["trial-adam-0.01", "trial-sgd-0.01"]);
    await page.getByRole("toolbar", { name: "Selected runs" }).getByRole("button", { name: "Hide", exact: true }).click();
    await page.getByRole("button", { name: "Show trial-adam-0.01 in charts" }).waitFor();
    await page.getByRole("button", { name: "Colour" }).click();
    await page.getByRole("button", { name: "Colour #d43f53" }).click();
    await page.getByRole("button", { name: "Show trial-adam-0.01 in charts" }).click();
    await eventually(() => page.$eval(".line .dot", (dot) => getComputedStyle(dot).backgroundColor), "rgb(212, 63, 83)");
    await page.getByRole("button", { name: "Colour" }).click();
    await page.getByRole("button", { name: "Automatic" }).click();
    await eventually(() => page.$eval(".line .dot", (dot) => getComputedStyle(dot).backgroundColor), (color) => color !== "rgb(212, 63, 83)");
  }),
  test("deletes, undoes, and restores runs", async ({ page, open, seed }) => {
    const victim = "trial-sgd-0.0001";
    await open(sweep(seed, "?nest=0"));
    await page.getByRole("checkbox", { name: `Select ${victim}` }).click();
    await page.getByRole("toolbar", { name: "Selected runs" }).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(async () => (await names(page)).includes(victim), false);
    await page.getByRole("button", { name: /^Filters/ }).click();
    await page.getByLabel("Lifecycle").selectOption("deleted");
    await page.keyboard.press("Escape");
    await eventually(async () => (await names(page)).includes(victim), true);
    await page.getByRole("checkbox", { name: `Select ${victim}` }).click();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByText("1 run restored").waitFor();
    await open(sweep(seed, "?nest=0"));
    await eventually(async () => (await names(page)).includes(victim), true);
  }),
  test("downloads what is shown as CSV, formulas defused", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.hostile.experiment}`);
    await page.locator(".line").first().waitFor();
    await page.getByRole("button", { name: "More", exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: /Download/ }).click()]);
    const text = readFileSync(await download.path(), "utf8");
    assert.match(text, /^run_id,name,status/);
    assert.match(text, /'=1\+1/);
    assert.equal(text.trim().split("\r\n").length, 3);
  }),
  test("scrolls through all runs with a bounded page", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.many.experiment}`);
    await eventually(() => footer(page), `${seed.many.count} runs`);
    assert.ok((await page.$$(".line")).length < 60);
    await page.$eval(".grid", (grid) => (grid.scrollTop = grid.scrollHeight));
    await eventually(async () => (await names(page)).at(-1), `run-${String(seed.many.count - 1).padStart(4, "0")}`);
    await page.getByRole("button", { name: "m0", exact: true }).click();
    await eventually(async () => {
      const values = (await column(page, "metrics.m0")).slice(0, 20).map(Number);
      return values.length === 20 && values.every((value, i) => i === 0 || values[i - 1] >= value);
    }, true);
  }),
  test("shows what is logged meanwhile", async ({ page, open, seed, url }) => {
    await open(sweep(seed));
    await page.locator(".line").first().waitFor();
    const post = (path, body) => page.request.post(`${url}api/2.0/mlflow/${path}`, { data: body });
    const made = await (await post("runs/create", { experiment_id: seed.sweep.experiment, start_time: Date.now(), run_name: "latecomer" })).json();
    await page.getByRole("link", { name: "latecomer" }).waitFor();
    await post("runs/log-metric", { run_id: made.run.info.run_id, key: "train/loss", value: 0.123, step: 1, timestamp: Date.now() });
    await eventually(async () => (await column(page, "metrics.train/loss")).includes("0.123"), true);
    await post("runs/delete", { run_id: made.run.info.run_id });
  }),
];
