// Names, notes and files that want to run something.

import assert from "node:assert/strict";
import { test } from "./harness.mjs";

// The browser says on the console that it refused something: that is the point.
const REFUSALS = { expected: ["Content Security Policy", "Blocked script execution", "sandboxed", "ERR_BLOCKED", "violates the following", "This document requires"] };

async function untouched({ page, requests }) {
  await page.waitForTimeout(400);
  for (const frame of page.frames()) assert.equal(await frame.evaluate(() => window.pwned).catch(() => undefined), undefined, frame.url());
  assert.deepEqual(requests.filter((address) => address.startsWith("pwned") || /pwned|example\.com/.test(new URL(address).origin + new URL(address).pathname)), []);
}

function watched(act) {
  return async (given) => {
    const requests = [];
    given.page.on("request", (request) => requests.push(request.url()));
    given.page.on("dialog", (dialog) => { requests.push(`pwned by a dialog ${dialog.message()}`); void dialog.dismiss(); });
    await act(given);
    await untouched({ page: given.page, requests });
  };
}

const files = ["evil.html", "evil.svg", "evil.md", "evil.json", "evil.csv", "evil.txt", "<img src=x onerror=top.pwned=1>.txt"];

export default [
  test("names, tags and notes of experiments and runs", watched(async ({ page, open, seed }) => {
    await open("#/experiments?search=onerror");
    await page.getByRole("link", { name: /<img src=x/ }).first().waitFor();
    await open(`#/experiments/${seed.hostile.experiment}`);
    await page.locator(".line").first().waitFor();
    await page.getByRole("button", { name: /<img src=x onerror/ }).first().click();
    await open(`#/experiments/${seed.hostile.experiment}/charts`);
    await page.getByRole("article").first().waitFor();
    await open(`#/experiments/${seed.hostile.experiment}/runs/${seed.hostile.runs[0]}`);
    await page.getByRole("heading", { level: 1, name: /<img src=x/ }).waitFor();
    assert.equal(await page.locator("a[href^='javascript']").count(), 0);
    await open(`#/compare-runs?runs=${seed.hostile.runs.join(",")}&all=1`);
    await page.getByRole("rowheader").first().waitFor();
  }), REFUSALS),
  ...files.map((name) =>
    test(`the file ${name}`, watched(async ({ page, open, seed }) => {
      await open(`#/experiments/${seed.hostile.experiment}/runs/${seed.hostile.runs[0]}/artifacts/${encodeURIComponent(name)}`);
      await page.locator(".view > *").first().waitFor();
      if (name === "evil.html") await page.frameLocator("main iframe").frameLocator("iframe").locator("#here").waitFor();
      await page.waitForTimeout(600);
      assert.match(page.url(), /artifacts\//, "still on the page");
      assert.equal(await page.locator("a[href^='javascript']").count(), 0);
    }), REFUSALS),
  ),
  test("registered models, versions and prompts", watched(async ({ page, open, seed }) => {
    const model = encodeURIComponent(seed.models.hostile);
    const ready = { "#/models?searchFilter=onerror": "tr.item", [`#/models/${model}`]: "tr.item", [`#/models/${model}/versions/1`]: "tr.part", [`#/compare-model-versions?name=${model}&versions=1,2&all=1`]: "tbody th", "#/prompts": "tr.item", [`#/prompts/${seed.prompts.hostile}`]: "mark", [`#/prompts/${seed.prompts.hostile}?promptVersion=2&compareTo=1`]: "tr.added" };
    for (const [hash, selector] of Object.entries(ready)) {
      await open(hash);
      await page.locator(selector).first().waitFor();
      await page.waitForTimeout(200);
      assert.equal(await page.locator("a[href^='javascript']").count(), 0, hash);
      assert.equal(await page.locator("main img[src='x'], main script").count(), 0, hash);
    }
    await open(`#/models/${model}/versions/1/artifacts/evil.html`);
    await page.frameLocator("main iframe").frameLocator("iframe").locator("#here").waitFor();
  }), REFUSALS),
  test("traces: names, inputs, messages, exceptions, tags and feedback", watched(async ({ page, open, seed }) => {
    const list = `#/experiments/${seed.traces.experiment}/traces`;
    await open(list);
    await page.getByRole("link", { name: /<img src=x/ }).first().waitFor();
    await open(`${list}?tracesFilter=${encodeURIComponent("<script>window.pwned=1</script>")}`);
    await page.locator("tr.item, .empty").first().waitFor();
    await open(`${list}/${seed.traces.hostile}`);
    await page.getByRole("region", { name: "Exception" }).getByText("<img src=x").first().waitFor();
    await page.getByRole("treeitem", { name: "chat" }).click();
    await page.getByText("A picture at https://example.com/pwned.png").waitFor();
    for (const button of await page.getByRole("button", { name: "As JSON" }).all()) await button.click();
    await page.getByRole("link", { name: "About the trace" }).click();
    await page.getByRole("heading", { name: "Assessments" }).waitFor();
    assert.equal(await page.locator("a[href^='javascript']").count(), 0);
    assert.equal(await page.locator("main img[src='x'], main script").count(), 0);
  }), { expected: [...REFUSALS.expected, "status of 400"] }),
  test("a link into the page cannot bring markup", watched(async ({ page, open }) => {
    await open("#/<img src=x onerror=window.pwned=1>?a=<script>window.pwned=1</script>");
    await page.getByRole("heading", { name: "Nothing here" }).waitFor();
  }), REFUSALS),
  test("the policy forbids inline scripts, eval and markup from text", async ({ page, open }) => {
    await open("#/experiments");
    // From a timer: what the debugger evaluates itself is allowed everything.
    const refused = await page.evaluate(() => new Promise((resolve) => setTimeout(() => {
      const results = [];
      for (const act of [() => (document.body.innerHTML = "<b>x</b>"), () => new Function("return 1"), () => new Worker("x.js"), () => (document.createElement("script").textContent = "1")]) {
        try {
          act();
          results.push("done");
        } catch {
          results.push("refused");
        }
      }
      resolve(results);
    })));
    assert.deepEqual(refused, ["refused", "refused", "refused", "refused"]);
  }, REFUSALS),
];
