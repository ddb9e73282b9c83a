// The list of experiments.

import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";
import { FETCH_FAILED } from "./known.mjs";

/** In 2.17 the list stands beside the runs of the first experiment. */
const list = (release) => (release === "3.17" ? "#/experiments" : "#/");

/** The page asks whether a name is free. */
const NAME_IS_FREE = /^GET \/ajax-api\/2\.0\/mlflow\/experiments\/get-by-name 404$/;

export default [
  test("lists experiments with their tags and descriptions", async ({ page, open, see, seed, shot }) => {
    await open("#/experiments");
    await see("Default", seed.sweep.name, seed.traces.name, /About this sweep/, /vision/);
    await shot("experiments");
    await page.getByRole("link", { name: seed.sweep.name }).click();
    await see("About this sweep");
    await page.getByRole("link", { name: "Training runs" }).click();
    await see("parent", "with-model");
  }, { only: "3.17" }),
  test("the home page shows the latest experiments", async ({ open, see, seed, shot }) => {
    await open("#/");
    await see(seed.sweep.name, seed.traces.name);
    await shot("home");
  }, { only: "3.17" }),
  test("finds an experiment by its name", async ({ page, open, see, seed, release }) => {
    await open(list(release));
    await see(seed.traces.name);
    await page.getByTestId("search-experiment-input").fill("sweep");
    await page.getByTestId("search-experiment-input").press("Enter");
    await eventually(() => page.getByText(seed.traces.name).count(), 0);
    await see(seed.sweep.name);
  }),
  test("makes an experiment; in 2.17 also deletes it", async ({ page, open, see, release, seed, url }) => {
    const name = `made by hand ${Date.now()}`;
    await open(list(release));
    await see(seed.sweep.name);
    if (release === "3.17") {
      await page.getByRole("button", { name: "Create", exact: true }).click();
    } else {
      await page.getByTestId("create-experiment-button").click();
    }
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").first().fill(name);
    await dialog.getByRole("button", { name: "Create", exact: true }).click();
    await see(name);
    const { experiment } = await (await page.request.get(`${url}ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`)).json();
    assert.equal(experiment.lifecycle_stage, "active");
    if (release === "3.17") return;
    await page.locator("[data-testid*=experiment-list-item]", { hasText: name }).getByTestId("delete-experiment-button").click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await eventually(() => page.getByText(name, { exact: true }).count(), 0);
  }, { known: { "2.17": [NAME_IS_FREE, FETCH_FAILED], "3.17": [NAME_IS_FREE] } }),
  test("experiments stand beside the runs of one", async ({ open, see, seed, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}`);
    await see("Default", seed.sweep.name, seed.traces.name, "About this sweep", "with-model");
    await shot("experiments");
  }, { only: "2.17" }),
];
