// Registered models: the list, a model, a version, comparing, registering.

import assert from "node:assert/strict";
import { serious } from "./axe.mjs";
import { eventually, test } from "./harness.mjs";

const at = (name, rest = "") => `#/models/${encodeURIComponent(name)}${rest}`;
const filter = (page) => page.getByRole("combobox", { name: "Filter the models" });
const rows = (page) => page.$$eval("tr.item td.name a", (links) => links.map((link) => link.textContent));
const post = async (page, url, path, data) => {
  const answer = await page.request.post(`${url}api/2.0/mlflow/${path}`, { data });
  assert.ok(answer.ok(), await answer.text());
};

export default [
  test("are listed with versions, aliases, stages and tags, and found by name, in the link", async ({ page, open, seed, shot }) => {
    await open("#/models");
    await page.getByRole("table", { name: "Models" }).waitFor();
    await filter(page).fill(seed.models.name);
    await page.keyboard.press("Enter");
    await eventually(() => rows(page), [seed.models.name]);
    assert.match(page.url(), /searchFilter=ui-fraud/);
    await page.getByRole("link", { name: "Version 3", exact: true }).waitFor();
    await page.getByRole("link", { name: "@champion" }).waitFor();
    await page.getByText("Production 2").waitFor();
    await page.getByText("team: risk").waitFor();
    await shot("models");
    await page.reload();
    await eventually(() => rows(page), [seed.models.name]);
    assert.equal(await filter(page).inputValue(), seed.models.name);
  }),
  test("the filter completes tags, says where an error is, and keeps the rows", async ({ page, open, seed }) => {
    await open("#/models");
    await page.locator("tr.item").first().waitFor();
    await filter(page).fill(`name = '${seed.models.name}' AND tags.team = 'risk'`);
    await page.keyboard.press("Enter");
    await eventually(() => rows(page), [seed.models.name]);
    await filter(page).fill("tags.team > 'a'");
    await page.keyboard.press("Enter");
    await page.getByText("is a text: use = != LIKE ILIKE").waitFor();
    assert.equal(await page.textContent(".mirror .wrong"), ">");
    assert.deepEqual(await rows(page), [seed.models.name]);
    await filter(page).fill("");
    await filter(page).click();
    await page.keyboard.type("tea");
    await page.getByRole("option", { name: /tags\.team/ }).waitFor();
    await page.keyboard.press("Tab");
    await eventually(() => filter(page).inputValue(), "tags.team ");
    await filter(page).fill("no model has this name");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Show all models" }).click();
    await page.locator("tr.item").nth(5).waitFor();
  }),
  test("a long list loads as it is scrolled, ordered, with a bounded page", async ({ page, open, seed, api }) => {
    await open(`#/models?searchFilter=ui-many-${seed.mark}`);
    await page.locator("tr.item").first().waitFor();
    assert.ok((await page.$$("tr.item")).length < 70);
    await page.getByRole("button", { name: "Name", exact: true }).click();
    await eventually(async () => (await rows(page))[0], `ui-many-${seed.mark}-0000`);
    await eventually(async () => {
      await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
      return (await rows(page)).at(-1);
    }, `ui-many-${seed.mark}-${String(seed.models.many - 1).padStart(4, "0")}`);
    assert.ok((await page.$$("tr.item")).length < 70);
    await page.getByText(`${seed.models.many} models`).waitFor();
    assert.ok(api.filter((path) => path.startsWith("registered-models/search")).length <= 4, api.join());
    assert.match(page.url(), /orderBy=name/);
  }),
  test("a later page that is refused is asked for again by hand only", async ({ page, open, seed, api }) => {
    await page.route(/registered-models\/search\?.*page_token=/, (route) => route.fulfill({ status: 500, json: { error_code: "INTERNAL_ERROR", message: "not this page" } }));
    await open(`#/models?searchFilter=ui-many-${seed.mark}&orderBy=name`);
    await page.getByText(/so far; the rest comes/).waitFor();
    await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
    await page.getByText("not this page", { exact: true }).waitFor();
    const searches = () => api.filter((path) => path.startsWith("registered-models/search")).length;
    await page.waitForTimeout(1000);
    assert.equal(searches(), 2);
    await page.$eval("main", (main) => (main.scrollTop -= 400));
    await page.waitForTimeout(300);
    assert.equal(searches(), 2);
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText(`${seed.models.many} models`).waitFor();
  }, { expected: ["status of 500"] }),
  test("a model that a later page repeats is there once", async ({ page, open, seed }) => {
    let last;
    let repeated;
    await page.route(/registered-models\/search\?/, async (route) => {
      const response = await route.fetch();
      const found = await response.json();
      if (last) {
        repeated ??= last.name;
        found.registered_models.unshift(last);
      }
      last = found.registered_models.at(-1);
      await route.fulfill({ response, json: found });
    });
    await open(`#/models?searchFilter=ui-many-${seed.mark}&orderBy=name`);
    await page.getByText(/so far; the rest comes/).waitFor();
    await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
    await page.getByText(`${seed.models.many} models`).waitFor();
    await eventually(async () => {
      await page.$eval("main", (main) => (main.scrollTop = 95 * 36));
      return (await rows(page)).filter((name) => name === repeated).length;
    }, 1);
  }),
  test("creates, refuses a taken name, describes, tags, renames, deletes", async ({ page, open, seed }) => {
    const name = `ui-made-${seed.mark}`;
    await open("#/models");
    await page.locator("tr.item").first().waitFor();
    await page.keyboard.press("n");
    await page.getByRole("textbox", { name: "Name" }).fill(seed.models.name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "already exists" }).waitFor();
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByText("No version yet").waitFor();
    await page.getByRole("button", { name: "Add a description" }).click();
    await page.getByRole("textbox", { name: "Description" }).fill("It *scores*.");
    await page.keyboard.press("Control+Enter");
    await page.locator(".markdown em", { hasText: "scores" }).waitFor();
    await page.getByRole("button", { name: "Add tag" }).click();
    await page.getByLabel("Key of the tag").fill("owner");
    await page.getByLabel("Value of the tag").fill("grace");
    await page.keyboard.press("Enter");
    await page.getByText("owner: grace").waitFor();
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("textbox", { name: "Name" }).fill(`${name} renamed`);
    await page.getByRole("dialog").getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { level: 1, name: `${name} renamed` }).waitFor();
    await page.getByText("owner: grace").waitFor();
    await page.getByRole("button", { name: "More about this model" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
    await open(at(`${name} renamed`));
    await page.getByRole("heading", { name: "There is no such model" }).waitFor();
  }, { expected: ["status of 400", "status of 404"] }),
  test("a model shows its versions, what names they have, and how to load them", async ({ page, open, seed, shot }) => {
    await open(at(seed.models.name));
    await eventually(() => page.$$eval("tr.item td.number", (cells) => cells.map((cell) => cell.textContent)), ["Version 3", "Version 2", "Version 1"]);
    await page.locator(".markdown strong", { hasText: "transfers" }).waitFor();
    await page.getByText(`models:/${seed.models.name}@champion`, { exact: true }).waitFor();
    await page.getByText("mlflow.pyfunc.load_model(").waitFor();
    assert.match(await page.title(), /^ui-fraud.* · Models/);
    await shot("model");
  }),
  test("aliases are set, moved and taken back, and removed", async ({ page, open, seed }) => {
    await open(at(seed.models.name));
    await page.getByRole("button", { name: "Set an alias" }).click();
    await page.getByRole("textbox", { name: "Alias" }).or(page.getByRole("combobox", { name: "Alias" })).fill("latest");
    await page.getByRole("dialog").getByRole("button", { name: "Set", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "reserved" }).waitFor();
    await page.getByRole("combobox", { name: "Alias" }).fill("canary");
    await page.getByRole("textbox", { name: "Version" }).fill("1");
    await page.getByRole("dialog").getByRole("button", { name: "Set", exact: true }).click();
    const chips = () => page.locator("tr.item", { hasText: "Version 1" }).locator(".chip").allTextContents();
    await eventually(chips, ["@canary", "depth: 3"]);
    await page.getByRole("button", { name: "Move @canary", exact: true }).click();
    await page.getByRole("textbox", { name: "Version" }).fill("2");
    await page.getByText("@canary is version 1 now").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Move", exact: true }).click();
    await eventually(chips, ["depth: 3"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await eventually(chips, ["@canary", "depth: 3"]);
    await page.getByRole("button", { name: "Remove @canary" }).click();
    await eventually(chips, ["depth: 3"]);
  }, { expected: ["status of 400"] }),
  test("a link of MLflow's clients opens the version: metrics, params, schema, lineage, files", async ({ page, open, seed, shot }) => {
    await open(at(seed.models.name, "/versions/2"));
    await page.getByRole("heading", { level: 1, name: `${seed.models.name} version 2` }).waitFor();
    await page.getByRole("link", { name: "val/acc" }).waitFor();
    await page.getByRole("cell", { name: "optimizer" }).waitFor();
    await page.getByRole("cell", { name: "amount of the transfer, in euros and cents" }).waitFor();
    await page.getByRole("cell", { name: "array<double>" }).waitFor();
    await page.getByRole("cell", { name: "float32 (-1, 2)" }).waitFor();
    await page.getByRole("cell", { name: "double = 0.5" }).waitFor();
    await page.getByText("python_function, sklearn").waitFor();
    await page.getByRole("link", { name: seed.sweep.name }).waitFor();
    await shot("version");
    await page.keyboard.press("2");
    await page.getByRole("tree").getByRole("button", { name: "MLmodel" }).click();
    await page.locator(".key", { hasText: "flavors" }).waitFor();
    assert.match(page.url(), /versions\/2\/artifacts\/MLmodel$/);
    await page.keyboard.press("[");
    await page.getByRole("heading", { level: 1, name: `${seed.models.name} version 1` }).waitFor();
    await page.keyboard.press("u");
    await page.getByRole("heading", { level: 1, name: seed.models.name, exact: true }).waitFor();
    await open(at(seed.models.name, "/versions/1"));
    await page.getByText("cards-2026").waitFor();
    await page.getByRole("link", { name: "trial-adam-0.0001" }).click();
    await page.getByRole("heading", { level: 1, name: "trial-adam-0.0001" }).waitFor();
    await page.getByRole("link", { name: seed.models.name }).waitFor();
  }),
  test("a version of a logged model has its metrics, params, schema and files", async ({ page, open, seed }) => {
    await open(at(seed.models.name, "/versions/3"));
    await page.getByRole("cell", { name: "rmse" }).waitFor();
    await page.getByRole("cell", { name: "it's final" }).waitFor();
    await page.getByRole("cell", { name: "float64 (-1, 1)" }).waitFor();
    await page.getByRole("link", { name: seed.models.logged }).waitFor();
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("treeitem", { name: "requirements.txt" }).waitFor();
  }),
  test("a copy leads to what it was copied from, and has its files", async ({ page, open, seed }) => {
    await open(at(seed.models.copied, "/versions/1"));
    await page.getByRole("cell", { name: "array<double>" }).waitFor();
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("treeitem", { name: "model.pkl" }).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("link", { name: `${seed.models.name}, version 2` }).click();
    await page.getByRole("heading", { level: 1, name: `${seed.models.name} version 2` }).waitFor();
  }),
  test("moves between stages, with and without archiving the others", async ({ page, open, seed }) => {
    const stage = () => page.getByRole("region", { name: "About the version" }).locator(".stage").textContent();
    await open(at(seed.models.copied, "/versions/1"));
    await page.getByRole("button", { name: "No stage" }).click();
    await page.getByRole("button", { name: "Move to Staging" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await eventually(async () => (await stage()).trim(), "Staging");
    await open(at(seed.models.name, "/versions/3"));
    await page.getByRole("button", { name: "No stage" }).click();
    await page.getByRole("button", { name: "Move to Production" }).click();
    await page.getByLabel("Archive the versions that are in Production now").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await eventually(async () => (await stage()).trim(), "Production");
    await open(at(seed.models.name, "/versions/2"));
    await eventually(async () => (await stage()).trim(), "Archived");
    await page.getByRole("button", { name: "Archived" }).click();
    await page.getByRole("button", { name: "Move to Production" }).click();
    await page.getByLabel("Archive the versions that are in Production now").uncheck();
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await eventually(async () => (await stage()).trim(), "Production");
    await open(at(seed.models.name, "/versions/3"));
    await eventually(async () => (await stage()).trim(), "Production");
    await page.getByRole("button", { name: "Production" }).click();
    await page.getByRole("button", { name: "No stage" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take out" }).click();
    await eventually(async () => (await stage()).trim(), "No stage");
  }),
  test("versions are compared: metrics, params, schema and tags, what differs first", async ({ page, open, seed, shot }) => {
    await open(at(seed.models.name));
    await page.getByRole("checkbox", { name: "Select version 1" }).check();
    await page.getByRole("checkbox", { name: "Select version 2" }).check();
    await page.keyboard.press("c");
    await page.getByRole("heading", { level: 1, name: "Compare 2 versions" }).waitFor();
    for (const name of ["val/acc", "lr", "outputs.score", "params.threshold", "depth", "Aliases"]) await page.getByRole("rowheader", { name, exact: true }).waitFor();
    assert.equal(await page.getByRole("rowheader", { name: "inputs.history" }).count(), 0);
    await page.getByRole("cell", { name: /^best: / }).first().waitFor();
    await page.getByLabel("Show equal values too").check();
    await page.getByRole("rowheader", { name: "inputs.history" }).waitFor();
    await page.locator("td.differs").first().waitFor();
    await shot("compare-versions");
    // As MLflow links it.
    const runs = encodeURIComponent(JSON.stringify({ [seed.sweep.trials[0]]: "1", [seed.models.final]: "3" }));
    await open(`#/compare-model-versions?name=${encodeURIComponent(JSON.stringify(seed.models.name))}&runs=${runs}`);
    await page.getByRole("columnheader", { name: "Version 3" }).waitFor();
    await page.getByRole("button", { name: "Take Version 3 out" }).click();
    await page.getByRole("heading", { level: 1, name: "Compare 1 version" }).waitFor();
  }),
  test("of more versions than fit, it is said which are not compared", async ({ page, open, seed, url }) => {
    const name = `ui-twenty-${seed.mark}`;
    await post(page, url, "registered-models/create", { name });
    for (let n = 1; n <= 22; n++) await post(page, url, "model-versions/create", { name, source: "s3://bucket/a/model" });
    await open(at(name));
    await page.locator("tr.item").nth(20).waitFor();
    for (let n = 2; n <= 22; n++) await page.getByRole("checkbox", { name: `Select version ${n}`, exact: true }).check();
    await page.keyboard.press("c");
    await page.getByText("At most 20 versions are compared at once, and 21 are selected").waitFor();
    await page.getByRole("checkbox", { name: "Select version 2", exact: true }).uncheck();
    await page.keyboard.press("c");
    await page.getByRole("heading", { level: 1, name: "Compare 20 versions" }).waitFor();
    assert.equal(await page.getByText("Left out").count(), 0);
    await open(`#/compare-model-versions?name=${encodeURIComponent(JSON.stringify(name))}&versions=${Array.from({ length: 22 }, (_, i) => i + 1).join()}`);
    await page.getByText("Left out: version 21, 22").waitFor();
    await page.request.delete(`${url}api/2.0/mlflow/registered-models/delete`, { data: { name } });
  }, { expected: ["status of 4", "status of 5"] }),
  test("a run's folder becomes a model, and the next version of one", async ({ page, open, seed, shot }) => {
    const name = `ui-registered-${seed.mark}`;
    await open(`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}/artifacts/classifier`);
    await page.getByRole("button", { name: "Register this model" }).click();
    await page.getByRole("textbox", { name: "Model" }).fill(name);
    await page.getByText("A new model of this name is made").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.getByText(`Registered as version 1 of “${name}”`).waitFor();
    await page.getByRole("button", { name: "Register this model" }).click();
    await page.getByRole("textbox", { name: "Model" }).fill(name.slice(0, -2));
    await page.getByRole("dialog").getByRole("button", { name: new RegExp(`^${name}`) }).click();
    await page.getByText("It becomes version 2 of this model.").waitFor();
    await shot("register");
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.getByText(`Registered as version 2 of “${name}”`).waitFor();
    await page.getByRole("button", { name: "Open" }).last().click();
    await page.getByRole("heading", { level: 1, name: `${name} version 2` }).waitFor();
    await page.getByRole("cell", { name: "array<double>" }).waitFor();
    await page.getByRole("button", { name: "More about this version" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(() => page.$$eval("tr.item td.number", (cells) => cells.map((cell) => cell.textContent)), ["Version 1"]);
  }),
  test("a logged model is registered; a name that is not allowed leaves nothing behind", async ({ page, open, seed }) => {
    const name = `ui-logged-${seed.mark}`;
    await open(`#/experiments/${seed.models.experiment}/models/${seed.models.logged}`);
    await page.getByRole("button", { name: "Register", exact: true }).click();
    await page.getByRole("textbox", { name: "Model" }).fill("a/b");
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.getByRole("alert").filter({ hasText: /invalid|cannot|contain/i }).waitFor();
    // What was wrong was another name.
    await page.getByRole("textbox", { name: "Model" }).fill(seed.prompts.greeting);
    await eventually(() => page.locator("#register-error").textContent(), "");
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.getByRole("alert").filter({ hasText: "is a prompt" }).waitFor();
    await page.getByRole("textbox", { name: "Model" }).fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    await page.getByRole("link", { name, exact: true }).waitFor();
    await open(at(name, "/versions/1"));
    await page.getByRole("link", { name: seed.models.logged }).waitFor();
  }, { expected: ["status of 400"] }),
  test("names of any form have links; files elsewhere are said to be there", async ({ page, open, seed, url }) => {
    const name = `it's "100%" #${seed.mark}?`;
    await post(page, url, "registered-models/create", { name });
    await post(page, url, "model-versions/create", { name, source: "s3://bucket/a/model" });
    await open(at(name));
    await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    await page.locator("tr.item").getByRole("link", { name: "Version 1" }).click();
    await page.getByRole("heading", { level: 1, name: `${name} version 1` }).waitFor();
    await page.getByText("It has no run to take them from.").waitFor();
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("heading", { name: "These files are outside of this server" }).waitFor();
  }, { expected: ["status of 4", "status of 5"] }),
  test("a tag of the model leaves its versions as they were scrolled", async ({ page, open, seed, url }) => {
    const name = `ui-versions-${seed.mark}`;
    await post(page, url, "registered-models/create", { name });
    for (let n = 1; n <= 120; n++) await post(page, url, "model-versions/create", { name, source: "s3://bucket/a/model" });
    await open(at(name));
    await page.getByText(/so far; the rest comes/).waitFor();
    await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
    await page.getByText("120 versions").waitFor();
    await page.getByRole("button", { name: "Add tag" }).click();
    await page.getByLabel("Key of the tag").fill("owner");
    await page.getByLabel("Value of the tag").fill("grace");
    await page.keyboard.press("Enter");
    await page.getByText("owner: grace").waitFor();
    await page.waitForTimeout(300);
    assert.equal(await page.getByText("120 versions").count(), 1);
    await page.request.delete(`${url}api/2.0/mlflow/registered-models/delete`, { data: { name } });
  }),
  test("what is not there is said so, and leads on", async ({ page, open, seed }) => {
    await open(at(seed.models.name, "/versions/99"));
    await page.getByRole("heading", { name: "There is no such version" }).waitFor();
    await page.getByRole("link", { name: "To the model" }).click();
    await page.getByRole("heading", { level: 1, name: seed.models.name }).waitFor();
    await open(at(seed.models.empty));
    await page.getByText("mlflow.register_model(").waitFor();
  }, { expected: ["status of 404"] }),
  test("the palette and the keyboard lead there", async ({ page, open, seed }) => {
    await open("#/experiments");
    await page.keyboard.press("g");
    await page.keyboard.press("m");
    await page.getByRole("heading", { level: 1, name: "Models" }).waitFor();
    await page.keyboard.press("/");
    await eventually(() => page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Filter the models");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Experiment, run/ }).waitFor();
    await page.keyboard.type(seed.models.name);
    await page.getByRole("option", { name: new RegExp(`${seed.models.name}\\s*model`) }).click();
    await page.getByRole("heading", { level: 1, name: seed.models.name }).waitFor();
  }),
  test("forms have nothing serious either", async ({ page, open, seed }) => {
    await open(at(seed.models.name));
    await page.getByRole("button", { name: "Set an alias" }).click();
    assert.deepEqual(await serious(page), []);
    await page.keyboard.press("Escape");
    await open(`#/experiments/${seed.sweep.experiment}/runs/${seed.sweep.trials[0]}/artifacts/classifier`);
    await page.getByRole("button", { name: "Register this model" }).click();
    await page.getByRole("list", { name: "Models that are there" }).waitFor();
    assert.deepEqual(await serious(page), []);
  }),
];
