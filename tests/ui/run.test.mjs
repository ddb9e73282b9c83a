// The page of a run.

import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const at = (seed, run, tab = "") => `#/experiments/${seed.sweep.experiment}/runs/${run}${tab}`;

export default [
  test("shows metrics, params, tags, source and datasets", async ({ page, open, seed, shot }) => {
    await open(at(seed, seed.sweep.trials[0]));
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.0001" }).waitFor();
    assert.match(await page.title(), /^trial-adam-0.0001 · /);
    await page.getByRole("link", { name: "train/loss" }).waitFor();
    await page.getByRole("cell", { name: "optimizer" }).waitFor();
    await page.getByText("train.py").first().waitFor();
    await page.getByRole("link", { name: "sweep", exact: true }).waitFor();
    await page.getByText("cards-2026").click();
    await page.getByRole("cell", { name: "amount" }).waitFor();
    await shot("run");
  }),
  test("renames, takes notes in markdown, tags", async ({ page, open, seed }) => {
    await open(at(seed, seed.sweep.trials[2]));
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("renamed here");
    await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { level: 1, name: "renamed here" }).waitFor();
    await page.getByRole("button", { name: "Add notes" }).click();
    await page.getByRole("textbox", { name: "Notes" }).fill("It *works*.");
    await page.keyboard.press("Control+Enter");
    await page.locator(".markdown em", { hasText: "works" }).waitFor();
    await page.getByRole("button", { name: "Add tag" }).click();
    await page.getByLabel("Key of the tag").fill("verdict");
    await page.getByLabel("Value of the tag").fill("good");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove the tag verdict" }).click();
    await page.getByText("verdict").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill("trial-adam-0.001");
    await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.001" }).waitFor();
  }),
  test("lists children and compares them", async ({ page, open, seed }) => {
    await open(at(seed, seed.sweep.parent));
    await page.getByRole("heading", { name: "Child runs" }).waitFor();
    await page.getByRole("link", { name: "Compare them" }).click();
    await page.getByRole("heading", { level: 1, name: "Compare 8 runs" }).waitFor();
  }),
  test("draws metrics and system metrics apart", async ({ page, open, seed, shot }) => {
    await open(at(seed, seed.sweep.trials[0], "/model-metrics"));
    await page.getByRole("img", { name: /train\/loss: 1 line/ }).waitFor();
    assert.equal(await page.getByRole("img", { name: /system/ }).count(), 0);
    await shot("run-metrics");
    await page.getByRole("link", { name: /System metrics/ }).click();
    await page.getByRole("img", { name: /system\/cpu/ }).waitFor();
  }),
  test("follows a running run", async ({ page, open, seed, url }) => {
    await open(at(seed, seed.sweep.live));
    await page.getByText("Running").first().waitFor();
    await page.request.post(`${url}api/2.0/mlflow/runs/log-metric`, { data: { run_id: seed.sweep.live, key: "fresh", value: 42, timestamp: Date.now(), step: 0 } });
    await page.getByRole("link", { name: "fresh" }).waitFor();
  }),
  test("deletes and restores", async ({ page, open, seed }) => {
    await open(at(seed, seed.sweep.trials[5]));
    await page.getByRole("button", { name: "More about this run" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Deleted", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByText("Deleted", { exact: true }).waitFor({ state: "detached" });
  }),
  test("leads to the next and the previous run of the list it was opened from", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.sweep.experiment}?nest=0&orderByKey=metrics.val/acc`);
    await page.getByRole("link", { name: "trial-adam-0.01", exact: true }).click();
    await page.getByText("1 of 10").waitFor();
    await page.keyboard.press("]");
    await page.getByRole("heading", { level: 1, name: "trial-sgd-0.01" }).waitFor();
    await page.getByRole("link", { name: "Previous run of the list" }).click();
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.01" }).waitFor();
  }),
  test("a run that is not there is said so", async ({ page, open, seed }) => {
    await open(at(seed, "0".repeat(32)));
    await page.getByRole("heading", { name: "There is no such run" }).waitFor();
  }, { expected: ["status of 404"] }),
  test("a link with the run alone finds its experiment", async ({ page, open, seed }) => {
    await open(`#/runs/${seed.sweep.trials[0]}`);
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.0001" }).waitFor();
    await eventually(() => page.url().includes(`/experiments/${seed.sweep.experiment}/runs/`), true);
  }),
];
