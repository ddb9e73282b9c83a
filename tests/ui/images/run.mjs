// Takes the pictures of the documentation: `node run.mjs --url http://127.0.0.1:5000 --python python3 --out ../../../docs/images`.
//
// `seed.py` logs what they show, through the client of `--python`, which makes the pictures small as well (it needs
// `mlflow`, `matplotlib` and with it `pillow`).

import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    python: { type: "string", default: "python3" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    out: { type: "string" },
    seed: { type: "string" },
  },
});
if (!values.url || !values.out) {
  console.error("usage: node run.mjs --url URL --out DIR [--python PYTHON] [--chromium PATH] [--seed JSON]");
  process.exit(2);
}
const folder = new URL(".", import.meta.url).pathname;
const python = (...args) => execFileSync(values.python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 24 });
const { flowers, garden } = JSON.parse(values.seed ?? python(join(folder, "seed.py"), "--uri", values.url).trim().split("\n").at(-1));

const quiet = (page) => page.waitForLoadState("networkidle");
/** Where each is taken, and what is done before. */
const PICTURES = {
  runs: [
    `#/experiments/${flowers.experiment}?orderByKey=${encodeURIComponent("metrics.val/accuracy")}`,
    async (page) => {
      await page.locator(".best").first().waitFor();
    },
  ],
  charts: [
    `#/experiments/${flowers.experiment}/charts`,
    async (page) => {
      await page.getByRole("img", { name: /train\/loss: \d+ lines/ }).waitFor();
      await page.getByRole("article", { name: "train/loss" }).evaluate((chart) => chart.closest("section").scrollIntoView());
      await page.getByRole("img", { name: /val\/loss: \d+ lines/ }).waitFor();
    },
  ],
  run: [
    `#/experiments/${flowers.experiment}/runs/${flowers.best}`,
    async (page) => {
      await page.getByRole("heading", { level: 1 }).waitFor();
    },
  ],
  compare: [
    `#/compare-runs?runs=${flowers.compared.join(",")}`,
    async (page) => {
      await page.getByRole("cell", { name: /^best: / }).first().waitFor();
    },
  ],
  artifacts: [
    `#/experiments/${flowers.experiment}/runs/${flowers.best}/artifacts/plots/confusion.png`,
    async (page) => {
      await page.getByRole("treeitem", { name: /confusion/ }).waitFor();
    },
  ],
  traces: [
    `#/experiments/${garden.experiment}/traces`,
    async (page) => {
      await page.locator("tr.item").first().waitFor();
    },
  ],
  trace: [
    `#/experiments/${garden.experiment}/traces/${garden.trace}`,
    async (page) => {
      await page.getByRole("treeitem", { name: /write/ }).click();
    },
  ],
  models: [
    "#/models/flower-classifier",
    async (page) => {
      await page.getByRole("heading", { level: 1 }).waitFor();
    },
  ],
};

mkdirSync(values.out, { recursive: true });
const browser = await chromium.launch({ executablePath: values.chromium, args: ["--no-sandbox"] });
for (const [name, [hash, ready]] of Object.entries(PICTURES)) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  const page = await context.newPage();
  await page.goto(`${values.url}/${hash}`);
  await ready(page);
  await quiet(page);
  const path = join(values.out, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  python(join(folder, "palette.py"), path);
  console.log(`ok ${path}`);
  await context.close();
}
await browser.close();
