// The artifact viewer.

import { eventually, test } from "./harness.mjs";

const at = (seed, run) => `#/experiments/${seed.sweep.experiment}/runs/${run}/artifacts`;
const node = (page, name) => page.getByText(name, { exact: true }).filter({ visible: true }).first();

/** A button without a name. */
const DOWNLOAD = { "2.17": ".du-bois-light-btn-icon-only:not(.du-bois-light-btn-link)", "3.17": "[data-component-id*=artifactview]" };

/** A view of a file, and what it shows. */
const view = (name, act) =>
  test(`shows ${name}`, async ({ page, open, see, seed, shot }) => {
    await open(at(seed, seed.sweep.children[0]));
    await see("code", "images", "plots", "weights.bin");
    const parts = name.split("/");
    for (const part of parts) await node(page, part).click();
    await see(new RegExp(`artifacts/${name}$`));
    await act({ page, see });
    await shot(`artifact-${parts.at(-1)}`);
  });

export default [
  view("notes.txt", ({ see }) => see(/second line of the notes/)),
  view("code/train.py", ({ see }) => see(/return/)),
  view("config.json", ({ see }) => see(/depth/)),
  view("scores.csv", async ({ page, see }) => {
    await see("label", "emu", "0.85");
    await page.getByRole("table").or(page.locator("table")).first().waitFor();
  }),
  view("report.html", ({ page }) => page.frameLocator("iframe").first().getByText("Report of a run").waitFor()),
  view("README.md", ({ see }) => see(/Notes in Markdown/)),
  view("table.json", ({ see }) => see("hello", "there")),
  view("plots/line.png", ({ page }) =>
    eventually(() => page.evaluate(() => [...document.querySelectorAll("img")].some((image) => image.naturalWidth === 200)), true)),
  view("weights.bin", ({ see }) => see(/Select a file to preview|not supported|preview/i)),
  test("downloads a file", async ({ page, open, see, seed, release }) => {
    await open(at(seed, seed.sweep.children[0]));
    await see("notes.txt");
    await node(page, "notes.txt").click();
    await see(/second line of the notes/);
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator(DOWNLOAD[release]).last().click()]);
    if (download.suggestedFilename() !== "notes.txt" || (await download.failure())) throw new Error(`${download.suggestedFilename()}: ${await download.failure()}`);
  }),
  test("shows a model with its schema", async ({ page, open, see, seed, release, shot }) => {
    await open(at(seed, seed.sweep.model_run));
    // In 3.x the folder is the logged model's, and what it takes stands on its own page.
    await see("MLmodel", "requirements.txt", ...(release === "3.17" ? [/assigned to a/] : ["classifier", /width/, "Register model"]));
    await node(page, "MLmodel").click();
    await see(/loader_module/);
    await shot("artifact-model");
  }),
];
