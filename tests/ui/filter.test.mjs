// The filter box.

import assert from "node:assert/strict";
import { eventually, footer, names, test } from "./harness.mjs";

const box = (page) => page.getByRole("combobox", { name: "Filter the runs" });

export default [
  test("filters by the grammar, in the link", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}?nest=0`);
    await page.locator(".line").first().waitFor();
    await box(page).fill("metrics.`val/acc` > 0.9 AND params.optimizer = 'adam'");
    await eventually(() => names(page), ["trial-adam-0.01"]);
    assert.match(page.url(), /searchFilter=/);
    await page.reload();
    await eventually(() => footer(page), "1 matching run");
    await box(page).fill("trial-sgd");
    await eventually(async () => (await names(page)).every((name) => name.startsWith("trial-sgd")), true);
  }),
  test("completes names, comparisons and values by keyboard", async ({ page, open, seed, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}?nest=0`);
    await page.locator(".line").first().waitFor();
    await box(page).click();
    await page.keyboard.type("opt");
    await page.getByRole("option", { name: /params\.optimizer/ }).waitFor();
    await shot("completion");
    await page.keyboard.press("Tab");
    await eventually(() => box(page).inputValue(), "params.optimizer ");
    await page.keyboard.press("Tab");
    await eventually(() => box(page).inputValue(), "params.optimizer = ");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await eventually(() => box(page).inputValue(), "params.optimizer = 'sgd' ");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await eventually(async () => (await names(page)).length, 4);
  }),
  test("says where an error is, and keeps the rows", async ({ page, open, seed, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}?nest=0`);
    await eventually(async () => (await names(page)).length, 10);
    await box(page).fill("metrics.loss < 'x'");
    await page.keyboard.press("Enter");
    await page.getByText("write it without quotes").waitFor();
    await shot("filter-error");
    assert.equal(await page.textContent(".mirror .wrong"), "'x'");
    assert.equal((await names(page)).length, 10);
    assert.equal(await box(page).getAttribute("aria-invalid"), "true");
  }),
  test("says what the server found wrong", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}?searchFilter=${encodeURIComponent("params.a = 'x' -- comment")}`);
    await page.getByRole("button", { name: "Clear the filter" }).first().waitFor();
  }, { expected: ["status of 400"] }),
  test("nothing found has a way back", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}?searchFilter=nothing-has-this-name`);
    await page.getByText("No run matches").waitFor();
    await page.getByRole("button", { name: "Show all active runs" }).click();
    await eventually(async () => (await names(page)).length, 10);
  }),
];
