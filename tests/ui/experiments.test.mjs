// The list of experiments.

import assert from "node:assert/strict";
import { eventually, test } from "./harness.mjs";

const row = (page, name) => page.locator("tbody tr", { hasText: name });

export default [
  test("lists experiments and narrows them by name and tag, in the link", async ({ page, open, seed, shot }) => {
    await open("#/experiments");
    await row(page, seed.sweep.name).waitFor();
    await shot("experiments");
    await page.getByRole("searchbox", { name: "Search experiments" }).fill(`sweep-${seed.mark}`);
    await eventually(() => page.locator("tbody tr").count(), 1);
    assert.match(page.url(), /search=sweep/);
    await page.getByRole("searchbox").fill("team: vision");
    await row(page, seed.sweep.name).waitFor();
    await page.reload();
    await row(page, seed.sweep.name).waitFor();
    assert.equal(await page.getByRole("searchbox").inputValue(), "team: vision");
  }),
  test("creates, refuses a name that is taken, renames, describes, tags, deletes, restores", async ({ page, open, seed }) => {
    const name = `ui/made-${seed.mark}`;
    await open("#/experiments");
    await page.getByRole("button", { name: "New experiment" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill(seed.sweep.name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "already exists" }).waitFor();
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByText("No runs yet").waitFor();
    await page.getByText("mlflow.start_run()").waitFor();

    await open("#/experiments");
    await page.getByRole("button", { name: `Edit ${name}` }).click();
    await page.getByRole("textbox", { name: "Name" }).fill(`${name}-renamed`);
    await page.getByRole("textbox", { name: "Description" }).fill("Some **bold** words");
    await page.getByRole("button", { name: "Preview" }).click();
    await page.locator("dialog strong", { hasText: "bold" }).waitFor();
    await page.getByRole("button", { name: "Add tag" }).click();
    await page.getByLabel("Key of the tag").fill("owner");
    await page.getByLabel("Value of the tag").fill("grace");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await row(page, `${name}-renamed`).getByText("owner: grace").waitFor();
    await row(page, `${name}-renamed`).getByText("Some bold words").waitFor();

    await page.getByRole("button", { name: `Delete ${name}-renamed` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await row(page, `${name}-renamed`).waitFor({ state: "detached" });
    await page.getByLabel("Lifecycle").selectOption("Deleted");
    await row(page, `${name}-renamed`).getByRole("button", { name: "Restore" }).click();
    await row(page, `${name}-renamed`).waitFor({ state: "detached" });
    await page.getByLabel("Lifecycle").selectOption("Active");
    await row(page, `${name}-renamed`).waitFor();
  }, { expected: ["status of 400"] }),
  test("opens the runs of several experiments together", async ({ page, open, seed }) => {
    await open("#/experiments");
    await page.getByRole("checkbox", { name: `Select ${seed.sweep.name}` }).check();
    await page.getByRole("checkbox", { name: `Select ui/many-${seed.mark}` }).check();
    await page.getByRole("link", { name: "Show their runs" }).click();
    await page.getByRole("heading", { level: 1, name: "2 experiments" }).waitFor();
    await eventually(() => page.textContent("footer span"), `${seed.many.count + 10} runs`);
    await page.getByRole("columnheader", { name: "Experiment" }).waitFor();
  }),
];
