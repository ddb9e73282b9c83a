// Without a mouse.

import assert from "node:assert/strict";
import { eventually, names, test } from "./harness.mjs";

export default [
  test("walks, selects, compares and opens runs", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}?nest=0`);
    await eventually(async () => (await names(page)).length, 10);
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByText("2 runs selected").waitFor();
    const active = await page.getAttribute(".grid", "aria-activedescendant");
    assert.equal(active, "line-2");
    await page.keyboard.press("c");
    await page.getByRole("heading", { level: 1, name: "Compare 2 runs" }).waitFor();
    await page.goBack();
    await eventually(async () => (await names(page)).length, 10);
    await page.keyboard.press("Escape");
    await page.keyboard.press("o");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await eventually(() => page.url().includes("/runs/"), true);
  }),
  test("a list of shortcuts, the filter, the palette, the theme", async ({ page, open, seed, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}`);
    await eventually(async () => (await names(page)).length, 10);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Select the run", { exact: true }).waitFor();
    await shot("shortcuts");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Filter the runs");
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    assert.equal(await page.getAttribute("html", "data-theme"), "dark");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Experiment, run/ }).waitFor();
    await page.keyboard.type(`many-${seed.mark}`);
    await page.getByRole("option", { name: new RegExp(`many-${seed.mark}`) }).waitFor();
    await shot("palette");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: `ui/many-${seed.mark}` }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("e");
    await page.getByRole("heading", { level: 1, name: "Experiments" }).waitFor();
  }),
  test("the palette finds runs by name and id", async ({ page, open, seed }) => {
    await open("#/experiments");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Experiment, run/ }).waitFor();
    await page.keyboard.type(seed.sweep.trials[0]);
    await page.getByRole("option", { name: /trial-adam-0.0001/ }).click();
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.0001" }).waitFor();
  }),
];
