// Logged models and registered models.

import { test } from "./harness.mjs";
import { FETCH_FAILED } from "./known.mjs";

/** The page asks whether a name is free. */
const NAME_IS_FREE = /^GET \/ajax-api\/2\.0\/mlflow\/registered-models\/get 404$/;

export default [
  test("the logged models of an experiment, and one of them", async ({ page, open, see, seed, shot }) => {
    await open(`#/experiments/${seed.sweep.experiment}/models`);
    await see("classifier", "Ready", "with-model", /seed\.py/);
    await shot("logged-models");
    await page.getByRole("link", { name: "classifier" }).first().click();
    await see(seed.sweep.logged_model, "Not registered", "Source run", "loss", "0.25");
    await shot("logged-model");
    await page.getByRole("link", { name: "Artifacts", exact: true }).click();
    await page.getByText("MLmodel", { exact: true }).click();
    await see(/loader_module/);
  }, { only: "3.17" }),
  test("the list of registered models", async ({ page, open, see, seed, shot }) => {
    await open("#/models");
    await see(seed.registry.name, "Version 2", /champion/, "Create Model");
    await shot("models");
    await page.getByTestId("model-search-input").fill("no such model");
    await page.getByTestId("model-search-input").press("Enter");
    await see(/No models found|No results/);
  }),
  test("a registered model, its version, and the run behind it", async ({ page, open, see, seed, shot }) => {
    await open(`#/models/${seed.registry.name}`);
    await see(seed.registry.name, /^flowers$/, "team", "vision", "Version 1", "Version 2", "checked", "The first version");
    await shot("model");
    await page.getByRole("link", { name: "Version 1" }).click();
    await see("The first version", /champion/, "checked", /Inputs \(2\)/, /Outputs \(1\)/, "Source Run");
    await shot("version");
  }),
  test("two versions are compared", async ({ page, open, see, seed, shot }) => {
    await open(`#/models/${seed.registry.name}`);
    await see("Version 1", "Version 2");
    for (const index of [1, 2]) await page.getByRole("checkbox").or(page.locator("input[type=checkbox]")).nth(index).click();
    await page.getByRole("button", { name: "Compare", exact: true }).click();
    await see(/Comparing 2 Versions/);
    await shot("versions");
  }),
  test("makes a model", async ({ page, open, see, seed }) => {
    const name = `made-by-hand-${Date.now()}`;
    await open("#/models");
    await see(seed.registry.name);
    await page.getByRole("button", { name: "Create Model" }).click();
    await page.getByRole("dialog").getByRole("textbox").first().fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Create", exact: true }).click();
    await see(name, /No versions|Created Time/);
  }, {
    known: { "2.17": [NAME_IS_FREE, FETCH_FAILED], "3.17": [NAME_IS_FREE] },
  }),
];
