// Charts of an experiment.

import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const at = (seed, query = "") => `#/experiments/${seed.sweep.experiment}/charts${query}`;
const chart = (page, name) => page.getByRole("article", { name, exact: true });

async function add(page, kind, act) {
  await page.getByRole("button", { name: "Add a chart" }).click();
  await page.getByRole("radio", { name: new RegExp(`^${kind}`) }).check();
  await act(page.getByRole("dialog"));
  await page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
}

export default [
  test("make themselves: the sweep, a line for each metric, one colour for each run", async ({ page, open, seed, shot }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /8 runs over/ }).waitFor();
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    await page.getByRole("img", { name: /train\/loss: 9 lines/ }).waitFor();
    await shot("charts");
    const colors = await page.$$eval(".line .dot", (dots) => dots.map((dot) => getComputedStyle(dot).backgroundColor).filter((color) => color !== "rgba(0, 0, 0, 0)"));
    assert.equal(new Set(colors).size, colors.length);
    assert.ok(await chart(page, "val/acc").locator("canvas").evaluate((canvas) => new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data).size > 20));
  }),
  test("axis, smoothing and logarithms are in the link", async ({ page, open, seed }) => {
    await open(at(seed));
    await page.getByRole("button", { name: "Relative" }).click();
    await page.getByRole("button", { name: "Log y" }).click();
    await page.getByLabel("Smoothing").fill("60");
    await eventually(() => /x=relative/.test(page.url()) && /logy=1/.test(page.url()) && /smooth=60/.test(page.url()), true);
    await page.reload();
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    assert.equal(await page.getByRole("button", { name: "Relative" }).getAttribute("aria-pressed"), "true");
  }),
  test("a drag zooms, a double click goes back; the cursor is shared", async ({ page, open, seed, api }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    await chart(page, "val/acc").scrollIntoViewIfNeeded();
    const over = chart(page, "val/acc").locator(".u-over");
    const { x, y, width, height } = await over.boundingBox();
    await page.mouse.move(x + width * 0.5, y + height * 0.5);
    await chart(page, "val/acc").locator(".tip").waitFor();
    await chart(page, "val/loss").locator(".tip").waitFor();
    const before = api.length;
    await page.mouse.move(x + width * 0.3, y + height * 0.5);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.6, y + height * 0.5, { steps: 6 });
    await page.mouse.up();
    await eventually(() => api.length > before, true, "finer samples are asked for");
    await over.dblclick();
  }),
  test("a chart that is scrolled to is not behind the settings", async ({ page, open, seed }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    const box = page.getByRole("searchbox", { name: /Find charts/ });
    await chart(page, "train/loss").evaluate((card) => card.scrollIntoView());
    const [below, top] = await Promise.all([box, chart(page, "train/loss")].map((each, i) => each.evaluate((element, i) => element.getBoundingClientRect()[i ? "top" : "bottom"], i)));
    assert.ok(top >= below, `${top} is above ${below}`);
  }),
  test("hidden runs are not drawn", async ({ page, open, seed }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    await page.getByRole("button", { name: "Hide trial-adam-0.01 in charts" }).click();
    await page.getByRole("img", { name: /val\/acc: 7 lines/ }).waitFor();
    await page.getByText("8 of 10 drawn").waitFor();
  }),
  test("groups become one line with a band", async ({ page, open, seed, shot }) => {
    await open(at(seed, "?groupBy=params.optimizer"));
    await page.getByRole("img", { name: /val\/acc: 2 lines/ }).waitFor();
    await shot("charts-grouped");
  }),
  test("scatter, contour, box, bar, parallel, difference and images are made by hand and kept", async ({ page, open, seed, shot }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    await add(page, "Scatter", async (dialog) => {
      await dialog.getByLabel("Horizontal").selectOption({ label: "lr (param)" });
      await dialog.getByLabel("Vertical").selectOption({ label: "val/acc (metric)" });
    });
    await page.getByRole("img", { name: /val\/acc against lr: 8 runs/ }).waitFor();
    await add(page, "Contour", async (dialog) => {
      await dialog.getByLabel("Horizontal").selectOption({ label: "lr (param)" });
      await dialog.getByLabel("Vertical").selectOption({ label: "val/loss (metric)" });
      await dialog.getByLabel("Colour (z)").selectOption({ label: "val/acc (metric)" });
    });
    await page.getByRole("img", { name: /val\/loss against lr/ }).waitFor();
    await add(page, "Box", async (dialog) => {
      await dialog.getByRole("radio", { name: "val/acc" }).check();
      await dialog.getByLabel("Grouped by").selectOption({ label: "optimizer (param)" });
    });
    await page.getByRole("img", { name: /val\/acc by optimizer: adam median/ }).waitFor();
    await add(page, "Bar", (dialog) => dialog.getByRole("radio", { name: "train/loss" }).check());
    await page.getByRole("link", { name: /trial-adam-0.01.*\d/ }).first().waitFor();
    await add(page, "Difference", async () => {});
    await page.getByRole("combobox", { name: "Baseline" }).waitFor();
    await add(page, "Images", async () => {});
    await page.getByRole("img", { name: /sample of trial-adam-0.0001 at step 0/ }).waitFor();
    await page.getByLabel(/^Step/).fill("1");
    await page.getByRole("img", { name: /sample of trial-adam-0.0001 at step 5/ }).waitFor();
    await shot("charts-made");
    await page.reload();
    await page.getByRole("img", { name: /val\/acc by optimizer/ }).waitFor();
    await page.getByRole("button", { name: "Save for everyone" }).click();
    await page.getByText("Everyone who opens this experiment").waitFor();
    await page.evaluate(() => localStorage.clear());
    await page.reload();
    await page.getByRole("img", { name: /val\/acc by optimizer/ }).waitFor();
    await page.getByRole("button", { name: "Back to automatic" }).click();
    await page.getByText("made automatically").waitFor();
  }),
  test("are found by name, shown large, moved and removed", async ({ page, open, seed }) => {
    await open(at(seed));
    await page.getByRole("img", { name: /val\/acc: 8 lines/ }).waitFor();
    await page.getByRole("searchbox", { name: /Find charts/ }).fill("^val/acc$");
    await eventually(() => page.getByRole("article").count(), 1);
    await page.getByRole("button", { name: "Show val/acc large" }).click();
    await page.getByRole("dialog", { name: "val/acc" }).getByRole("img").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Chart val/acc" }).click();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByText("No chart matches").waitFor();
    await page.getByRole("button", { name: "Undo my changes" }).click();
    await eventually(() => page.getByRole("article").count(), 1);
  }),
];
