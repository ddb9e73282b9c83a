// Prompts: the list, versions, variables, differences, writing.

import assert from "node:assert/strict";
import { serious } from "./axe.mjs";
import { eventually, test } from "./harness.mjs";

const at = (name, query = "") => `#/prompts/${name}${query}`;

export default [
  test("are listed apart from models, and found by name and tag", async ({ page, open, seed, shot }) => {
    await open("#/prompts");
    await page.getByRole("link", { name: seed.prompts.greeting }).waitFor();
    assert.equal(await page.getByRole("link", { name: seed.models.name }).count(), 0);
    await shot("prompts");
    await page.getByRole("combobox", { name: "Filter the prompts" }).fill(`tags.task = 'greeting' AND name LIKE '%${seed.mark}'`);
    await page.keyboard.press("Enter");
    await eventually(() => page.$$eval("tr.item td.name a", (links) => links.map((link) => link.textContent)), [seed.prompts.greeting]);
    await page.getByRole("link", { name: "@production" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 1", exact: true }).waitFor();
    await open(`#/models?searchFilter=${seed.prompts.greeting}`);
    await page.getByText("No model matches").waitFor();
    // MLflow keeps prompts among models; a link to one of them leads here.
    await open(`#/models/${seed.prompts.greeting}/versions/2`);
    await page.getByRole("heading", { level: 2, name: "Version 2", exact: true }).waitFor();
    assert.match(page.url(), /#\/prompts\/.*promptVersion=2/);
  }),
  test("a version shows its text with variables marked, and how to load it", async ({ page, open, seed, shot }) => {
    await open(at(seed.prompts.greeting));
    await eventually(() => page.locator("mark").allTextContents(), ["{{ name }}", "{{place}}"]);
    await page.getByText("a warm welcome to").waitFor();
    await page.getByText(`prompts:/${seed.prompts.greeting}/2`, { exact: true }).waitFor();
    await page.getByText('prompt.format(name="…", place="…")').waitFor();
    await shot("prompt");
    await page.keyboard.press("[");
    await page.getByRole("heading", { level: 2, name: "Version 1", exact: true }).waitFor();
    await page.getByText(`prompts:/${seed.prompts.greeting}@production`, { exact: true }).waitFor();
    assert.match(page.url(), /promptVersion=1/);
    await page.reload();
    await page.getByRole("heading", { level: 2, name: "Version 1", exact: true }).waitFor();
  }),
  test("two versions are compared line by line, in the link", async ({ page, open, seed, shot }) => {
    await open(at(seed.prompts.greeting));
    await page.getByRole("button", { name: "Compare with version 1" }).click();
    await page.locator("tr.removed", { hasText: "welcome to {{place}}." }).waitFor();
    await page.locator("tr.added", { hasText: "a warm welcome to {{place}}!" }).waitFor();
    assert.equal(await page.locator("tr.same").count(), 2);
    await shot("prompt-diff");
    await page.reload();
    await page.locator("tr.added").waitFor();
    await page.getByRole("button", { name: "Stop comparing" }).click();
    await page.locator("mark").first().waitFor();
    await page.keyboard.press("c");
    await page.locator("tr.added").waitFor();
  }),
  test("chats have messages, a format and a configuration", async ({ page, open, seed, shot }) => {
    await open(at(seed.prompts.chat));
    await eventually(() => page.locator(".role").allTextContents(), ["system", "user"]);
    await eventually(() => page.locator("mark").allTextContents(), ["{{style}}", "{{question}}"]);
    await page.getByRole("heading", { name: "Response format" }).waitFor();
    await page.getByText('"model_name": "gpt-5"').waitFor();
    await shot("prompt-chat");
    await page.getByRole("button", { name: "Compare with version 1" }).click();
    await page.locator("tr.added", { hasText: "Answer briefly" }).waitFor();
  }),
  test("a prompt is written, gets a version, an alias, and is deleted", async ({ page, open, seed, url }) => {
    const name = `ui-written-${seed.mark}`;
    await open("#/prompts");
    await page.locator("tr.item").first().waitFor();
    await page.keyboard.press("n");
    await page.getByRole("textbox", { name: "Name" }).fill("not a name");
    await page.getByRole("textbox", { name: "Text" }).fill("Say {{word}}.");
    await page.getByText("Variables: word").waitFor();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("alert").filter({ hasText: "letters, digits" }).waitFor();
    await page.getByRole("textbox", { name: "Name" }).fill(name);
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByRole("button", { name: "New version" }).click();
    await page.getByRole("textbox", { name: "Text" }).fill("Say {{word}} twice.");
    await page.getByRole("textbox", { name: "What changed" }).fill("twice");
    await page.getByRole("button", { name: "Save the version" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 2", exact: true }).waitFor();
    await page.locator(".markdown", { hasText: "twice" }).waitFor();
    await page.getByRole("button", { name: "Set an alias" }).click();
    await page.getByRole("combobox", { name: "Alias" }).fill("live");
    await page.getByRole("dialog").getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText(`prompts:/${name}@live`, { exact: true }).waitFor();
    // As MLflow's clients read it.
    const found = await (await page.request.get(`${url}api/2.0/mlflow/registered-models/alias?name=${name}&alias=live`)).json();
    const tags = Object.fromEntries(found.model_version.tags.map((tag) => [tag.key, tag.value]));
    assert.equal(tags["mlflow.prompt.text"], "Say {{word}} twice.");
    assert.equal(tags["mlflow.prompt.is_prompt"], "true");
    assert.equal(tags._mlflow_prompt_type, "text");
    await page.getByRole("button", { name: "More about this prompt" }).click();
    await page.getByRole("button", { name: "Delete version 2" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 1", exact: true }).waitFor();
    await page.getByRole("button", { name: "More about this prompt" }).click();
    await page.getByRole("button", { name: "Delete the prompt" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { level: 1, name: "Prompts" }).waitFor();
    await open(at(name));
    await page.getByRole("heading", { name: "There is no such prompt" }).waitFor();
  }, { expected: ["status of 404"] }),
  test("a chat gets another message", async ({ page, open, seed, url }) => {
    await open(at(seed.prompts.chat));
    await page.getByRole("button", { name: "New version" }).click();
    await page.getByRole("button", { name: "Add a message" }).click();
    assert.equal(await page.getByLabel("Role of message 3").inputValue(), "assistant");
    await page.getByRole("textbox", { name: "Message 3" }).fill("{{answer}}");
    assert.deepEqual(await serious(page), []);
    await page.getByRole("button", { name: "Save the version" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 3", exact: true }).waitFor();
    const found = await (await page.request.get(`${url}api/2.0/mlflow/model-versions/get?name=${seed.prompts.chat}&version=3`)).json();
    const tags = Object.fromEntries(found.model_version.tags.map((tag) => [tag.key, tag.value]));
    assert.deepEqual(JSON.parse(tags["mlflow.prompt.text"]).map((message) => message.role), ["system", "user", "assistant"]);
    assert.equal(JSON.parse(tags._mlflow_prompt_model_config).model_name, "gpt-5");
  }),
  test("who left is not led back by a late answer", async ({ page, open, seed }) => {
    let asked;
    const late = new Promise((resolve) => (asked = resolve));
    await page.route(/registered-models\/get\?/, async (route) => {
      const response = await route.fetch();
      asked();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await route.fulfill({ response }).catch(() => {});
    });
    // A link to a prompt as if it were a model would lead to the prompt.
    await open(`#/models/${seed.prompts.greeting}`);
    await late;
    await page.evaluate(() => (location.hash = "#/experiments"));
    await page.waitForTimeout(900);
    assert.match(page.url(), /#\/experiments$/);
  }),
  test("an edit changes what was edited, and the list of versions stays as long as it was", async ({ page, open, seed, url }) => {
    const name = `ui-long-${seed.mark}`;
    const post = async (path, data) => {
      const answer = await page.request.post(`${url}api/2.0/mlflow/${path}`, { data });
      assert.ok(answer.ok(), await answer.text());
    };
    const tags = [{ key: "mlflow.prompt.is_prompt", value: "true" }];
    await post("registered-models/create", { name, tags });
    for (let n = 1; n <= 120; n++) await post("model-versions/create", { name, source: "dummy-source", tags: [...tags, { key: "mlflow.prompt.text", value: `text ${n}` }] });
    await open(at(name));
    await page.getByRole("button", { name: "Older versions" }).click();
    const listed = () => page.locator("nav[aria-label=Versions] li").count();
    await eventually(listed, 120);
    await page.getByRole("button", { name: /^Version 1 / }).click();
    await page.locator("pre", { hasText: /^text 1$/ }).waitFor();
    await page.evaluate(() => {
      window.emptied = false;
      new MutationObserver(() => (window.emptied ||= !document.querySelector(".columns > .main"))).observe(document.querySelector("main"), { childList: true, subtree: true });
    });
    await page.getByRole("button", { name: "Add tag" }).last().click();
    await page.getByLabel("Key of the tag").fill("checked");
    await page.getByLabel("Value of the tag").fill("yes");
    await page.keyboard.press("Enter");
    await page.getByText("checked: yes").waitFor();
    await page.getByRole("button", { name: "Say what changed" }).click();
    await page.getByRole("textbox", { name: "What changed" }).fill("the first");
    await page.keyboard.press("Control+Enter");
    await page.locator(".markdown", { hasText: "the first" }).waitFor();
    await page.getByRole("button", { name: "New version" }).click();
    await page.getByRole("textbox", { name: "Text" }).fill("text 121");
    await page.getByRole("button", { name: "Save the version" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 121", exact: true }).waitFor();
    assert.equal(await listed(), 121);
    assert.equal(await page.evaluate(() => window.emptied), false);
    // Another version may be refused without a word on this one.
    await open(at(name, "?promptVersion=3&compareTo=999"));
    await page.getByText("Version 999 cannot be compared with it.").waitFor();
    await page.locator("pre", { hasText: /^text 3$/ }).waitFor();
    await page.request.delete(`${url}api/2.0/mlflow/registered-models/delete`, { data: { name } });
  }, { expected: ["status of 404"] }),
  test("a version that is not there is said so", async ({ page, open, seed }) => {
    await open(at(seed.prompts.greeting, "?promptVersion=99"));
    await page.getByRole("heading", { name: "There is no such version" }).waitFor();
    await page.getByRole("link", { name: "The newest version" }).click();
    await page.getByRole("heading", { level: 2, name: "Version 2", exact: true }).waitFor();
  }, { expected: ["status of 404"] }),
];
