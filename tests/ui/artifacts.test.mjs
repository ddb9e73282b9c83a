// Files of a run and their previews.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { eventually, test } from "./harness.mjs";

const at = (seed, path = "") => `#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}/artifacts${path}`;

export default [
  test("browses folders; the file is in the link", async ({ page, open, seed, shot }) => {
    await open(at(seed));
    await page.getByRole("treeitem", { name: "plots" }).getByRole("button").first().click();
    await page.getByRole("tree").getByRole("button", { name: "matrix.png" }).click();
    await eventually(() => page.$eval(".image img", (image) => image.naturalWidth), 64);
    assert.match(page.url(), /artifacts\/plots\/matrix\.png/);
    await shot("artifact-image");
    await page.reload();
    await eventually(() => page.$eval(".image img", (image) => image.naturalWidth), 64);
    await page.getByRole("treeitem", { name: "matrix.png" }).waitFor();
  }),
  test("code with colours, JSON laid out, tables, markdown", async ({ page, open, seed, shot }) => {
    await open(at(seed, "/train.py"));
    await page.locator(".keyword", { hasText: "def" }).waitFor();
    await shot("artifact-code");
    await open(at(seed, "/config.json"));
    await page.locator(".key", { hasText: '"depth"' }).waitFor();
    await open(at(seed, "/table.json"));
    await page.getByRole("cell", { name: "there" }).waitFor();
    await open(at(seed, "/metrics/per_class.csv"));
    await page.getByRole("cell", { name: "dog, big" }).waitFor();
    await page.getByRole("button", { name: "f1" }).click();
    await eventually(() => page.$eval("tbody tr td:nth-child(2)", (cell) => cell.textContent), "dog, big");
    await shot("artifact-csv");
    await open(at(seed, "/README.md"));
    await page.locator(".markdown h3", { hasText: "Notes" }).waitFor();
    await open(at(seed, "/model/MLmodel"));
    await page.locator(".key", { hasText: "flavors" }).waitFor();
  }),
  test("HTML with its styles, PDF, audio, and what has no preview", async ({ page, open, seed }) => {
    await open(at(seed, "/report.html"));
    const frame = page.frameLocator("main iframe").frameLocator("iframe");
    await frame.getByText("Report").waitFor();
    assert.equal(await frame.locator("h1").evaluate((h) => getComputedStyle(h).color), "rgb(1, 2, 3)");
    await open(at(seed, "/paper.pdf"));
    await page.locator("iframe.pdf").waitFor();
    assert.match(await page.locator("iframe.pdf").getAttribute("src"), /^blob:/);
    await open(at(seed, "/sound.wav"));
    await page.locator("audio").waitFor();
    await open(at(seed, "/weights.pkl"));
    await page.getByText("has no preview").waitFor();
  }),
  test("downloads a file, and a folder as an archive", async ({ page, open, seed }) => {
    await open(at(seed, "/train.py"));
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download" }).click()]);
    assert.equal(file.suggestedFilename(), "train.py");
    await open(at(seed));
    const [archive] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as zip" }).click()]);
    const list = execFileSync("python3", ["-c", "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(z.namelist())", await archive.path()], { encoding: "utf8" });
    assert.match(list, /plots\/matrix\.png/);
  }),
  test("arrows walk the tree", async ({ page, open, seed }) => {
    await open(at(seed));
    await page.getByRole("treeitem", { name: "images" }).getByRole("button").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await eventually(() => page.$$eval("[role=treeitem][aria-expanded=true]", (items) => items.length), 1);
    await page.keyboard.press("ArrowLeft");
    await eventually(() => page.$$eval("[role=treeitem][aria-expanded=true]", (items) => items.length), 0);
  }),
  test("an empty run says how to log files", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.parent}/artifacts`);
    await page.getByRole("heading", { name: "No artifacts" }).waitFor();
  }),
];
