// Traces: the list of an experiment and of a run, and one trace.

import assert from "node:assert/strict";
import { serious } from "./axe.mjs";
import { eventually, test } from "./harness.mjs";

const list = (seed, rest = "") => `#/experiments/${seed.traces.experiment}/traces${rest}`;
const filter = (page) => page.getByRole("combobox", { name: "Filter the traces" });
const rows = (page) => page.$$eval("tr.item td.name a", (links) => links.map((link) => link.textContent));
const requests = (page) => page.$$eval("tr.item td.request", (cells) => cells.map((cell) => cell.textContent));
const spans = (page) => page.$$eval("[role=treeitem]", (items) => items.map((item) => `${item.getAttribute("aria-level")} ${item.querySelector(".name .cut").textContent}`));
const chosen = (page) => page.$eval("[role=treeitem][aria-selected=true] .name .cut", (name) => name.textContent);

/** An experiment of its own: three traces in its first half hour, one at noon, and one that goes on. */
const BEGIN = Date.UTC(2026, 0, 1);
const TOLD = [
  { minute: 0, seconds: 0.1, input: 1200, output: 30 },
  { minute: 10, seconds: 0.3, state: "ERROR" },
  { minute: 20, seconds: 0.5, input: 34, output: 7 },
  { minute: 720, seconds: 1 },
  { minute: 1379, state: "IN_PROGRESS" },
];
const utc = { context: { timezoneId: "UTC" } };

async function charted({ page, url }) {
  const send = async (path, data) => {
    const answer = await page.request.post(`${url}api/${path}`, { data });
    assert.ok(answer.ok(), await answer.text());
    return answer.json();
  };
  const mark = Math.random().toString(16).slice(2);
  const { experiment_id } = await send("2.0/mlflow/experiments/create", { name: `ui/charted-${mark}` });
  for (const [i, { minute, seconds, input, output, state = "OK" }] of TOLD.entries()) {
    const usage = input === undefined ? {} : { "mlflow.trace.tokenUsage": JSON.stringify({ input_tokens: input, output_tokens: output, total_tokens: input + output }) };
    await send("3.0/mlflow/traces", { trace: { trace_info: { trace_id: `tr-${mark}-${i}`, trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id } }, request_time: new Date(BEGIN + minute * 60_000).toISOString(), execution_duration: seconds && `${seconds}s`, state, request_preview: `minute ${minute}`, trace_metadata: usage, tags: { "mlflow.traceName": "told", part: i < 3 ? "first" : "rest" } } } });
  }
  return `#/experiments/${experiment_id}/traces`;
}

const card = (page, name) => page.getByRole("article", { name, exact: true });
const headline = async (page, name) => (await card(page, name).locator(".head p").innerText()).replace(/\s+/g, " ");
/** What is said of each interval of a chart. */
const said = (page, name) => card(page, name).locator("button").evaluateAll((all) => all.map((each) => each.getAttribute("aria-label").replace(". Show these only", "")));

export default [
  test("are listed, the newest first, with what matters of each", async ({ page, open, seed, shot }) => {
    await open(`#/experiments/${seed.traces.experiment}`);
    await page.getByRole("link", { name: "Traces", exact: true }).click();
    await page.getByRole("table", { name: "Traces" }).waitFor();
    await eventually(async () => (await requests(page)).slice(1), ["question: How many petals has a triffid?, plant: triffid", "question: How many petals has a rose?, plant: rose"]);
    const row = page.locator("tr.item", { hasText: "has a rose" });
    for (const text of ["A rose has five petals (2 pages read).", "154", "correct: yes", `session-${seed.mark}`, "topic: plants", "OK"]) await row.getByText(text, { exact: true }).first().waitFor();
    await page.locator("tr.item", { hasText: "triffid" }).getByText("Error", { exact: true }).waitFor({ state: "attached" });
    await shot("traces");
  }),
  test("are found by words, by conditions and by errors, in the link", async ({ page, open, seed }) => {
    await open(list(seed));
    await page.locator("tr.item").first().waitFor();
    await filter(page).fill("no such plant");
    await page.keyboard.press("Enter");
    await eventually(() => requests(page), ["question: How many petals has a triffid?, plant: triffid"]);
    assert.match(page.url(), /tracesFilter=no/);
    await page.reload();
    await eventually(() => requests(page), ["question: How many petals has a triffid?, plant: triffid"]);
    for (const condition of ["tags.topic = 'plants' AND status = 'OK'", "span.type = 'TOOL' AND feedback.correct = 'true'", "expectation.petals > 4", "name LIKE 'assist%' AND status IN ('OK')"]) {
      await filter(page).fill(condition);
      await page.keyboard.press("Enter");
      await eventually(() => requests(page), ["question: How many petals has a rose?, plant: rose"], condition);
    }
    await filter(page).fill("");
    await page.keyboard.press("Enter");
    await eventually(async () => (await rows(page)).length, 3);
    await page.getByRole("button", { name: "Errors" }).click();
    await eventually(async () => (await rows(page)).length, 2);
    await page.getByRole("button", { name: "Errors" }).click();
    await page.getByRole("link", { name: `session-${seed.mark}` }).first().click();
    await eventually(() => rows(page), ["assistant", "assistant"]);
  }),
  test("the filter completes, says where an error is, and keeps the rows", async ({ page, open, seed }) => {
    await open(list(seed));
    await page.locator("tr.item").first().waitFor();
    await filter(page).fill("status > 'OK'");
    await page.keyboard.press("Enter");
    await page.getByText("status is a text: use").waitFor();
    assert.equal(await page.textContent(".mirror .wrong"), ">");
    assert.equal((await rows(page)).length, 3);
    await filter(page).fill("");
    await filter(page).click();
    await page.keyboard.type("topi");
    await page.getByRole("option", { name: /tags\.topic/ }).waitFor();
    await page.keyboard.press("Tab");
    await eventually(() => filter(page).inputValue(), "tags.topic ");
    await page.keyboard.type("= ");
    await page.getByRole("option", { name: /plants/ }).waitFor();
    await filter(page).fill("name = 'nothing is called so'");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Show all traces" }).click();
    await eventually(async () => (await rows(page)).length, 3);
  }),
  test("charts above the list have the server's numbers, in equal intervals", async ({ page, open, url, shot }) => {
    await open(await charted({ page, url }));
    await eventually(() => said(page, "Traces"), ["2026-01-01 00:00 to 00:30: 3 traces", "2026-01-01 12:00 to 12:30: 1 trace", "2026-01-01 22:30 to 23:00: 1 trace"]);
    assert.deepEqual(await said(page, "Latency"), ["2026-01-01 00:00 to 00:30: p50 300 ms, p90 460 ms, p99 496 ms", "2026-01-01 12:00 to 12:30: p50 1.0 s, p90 1.0 s, p99 1.0 s"]);
    assert.deepEqual(await said(page, "Errors"), ["2026-01-01 00:00 to 00:30: 33.3 % failed, 1 of 3", "2026-01-01 12:00 to 12:30: 0 % failed, 0 of 1", "2026-01-01 22:30 to 23:00: 0 % failed, 0 of 1"]);
    assert.deepEqual(await said(page, "Tokens"), ["2026-01-01 00:00 to 00:30: 1,234 in, 37 out"]);
    assert.deepEqual(await Promise.all(["Traces", "Latency", "Errors", "Tokens"].map((name) => headline(page, name))), ["5", "p50 400 ms p90 850 ms p99 985 ms", "20 %, 1 of 5", "1,234 in 37 out"]);
    await page.getByRole("group", { name: "Latency in intervals of 30 min: p50 400 ms, p90 850 ms, p99 985 ms over all" }).waitFor();
    await card(page, "Latency").locator("button").first().hover();
    await card(page, "Latency").locator(".tip").getByText("p90 460 ms").waitFor();
    await shot("traces-charts");
    await page.emulateMedia({ colorScheme: "dark" });
    await shot("traces-charts-dark");
    assert.deepEqual(await serious(page), []);
    await page.setViewportSize({ width: 400, height: 900 });
    await eventually(async () => (await said(page, "Traces")).map((each) => each.split(": ")[1]), ["3 traces", "1 trace", "1 trace"]);
    assert.equal(await page.$eval("main", (main) => main.scrollWidth <= innerWidth), true);
    await shot("traces-charts-narrow");
  }, utc),
  test("an interval narrows the list by a click and by its keys; the filter says so", async ({ page, open, url }) => {
    await open(`${await charted({ page, url })}?tracesFilter=${encodeURIComponent("tags.part = 'first'")}`);
    await eventually(() => said(page, "Traces"), (all) => all.length === 3 && all.every((each) => each.endsWith(": 1 trace")));
    await filter(page).fill("");
    await page.keyboard.press("Enter");
    await eventually(async () => (await said(page, "Traces"))[0], "2026-01-01 00:00 to 00:30: 3 traces");
    await card(page, "Errors").locator("button").first().click();
    await eventually(() => requests(page), ["minute 20", "minute 10", "minute 0"]);
    assert.equal(await filter(page).inputValue(), `timestamp_ms >= ${BEGIN} AND timestamp_ms < ${BEGIN + 1_800_000}`);
    await eventually(() => headline(page, "Traces"), "3");
    await eventually(() => page.evaluate(() => document.activeElement.textContent), "Any time");
    await page.keyboard.press("Enter");
    await eventually(() => headline(page, "Traces"), "5");
    assert.equal(await filter(page).inputValue(), "");
    // The keys come to the newest, and go from there.
    await card(page, "Traces").locator("button[tabindex='0']").focus();
    await page.keyboard.press("ArrowLeft");
    await card(page, "Traces").locator(".tip").getByText("12:00 to 12:30").waitFor();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await eventually(() => requests(page), ["minute 720"]);
    await eventually(() => said(page, "Traces"), ["2026-01-01 12:00:00 to 12:00:01: 1 trace"]);
  }, utc),
  test("charts have a time of their own, and say which conditions they do not follow", async ({ page, open, url }) => {
    const there = await charted({ page, url });
    await open(there);
    await page.getByRole("group", { name: "Time of the charts" }).getByRole("button", { name: "24 h" }).click();
    await page.getByText("There are no traces of the last 24 hours.").waitFor();
    assert.match(page.url(), /tracesRange=24h/);
    assert.equal((await rows(page)).length, 5);
    await page.reload();
    await page.getByText("There are no traces of the last 24 hours.").waitFor();
    await filter(page).fill(`timestamp_ms < ${BEGIN + 1000}`);
    await page.keyboard.press("Enter");
    await eventually(() => headline(page, "Traces"), "1");
    await open(`${there}?tracesFilter=${encodeURIComponent("status = 'OK' AND execution_time >= 500")}`);
    await page.getByText("Drawn without execution_time >= 500:").waitFor();
    await eventually(() => headline(page, "Traces"), "2");
    await eventually(() => requests(page), ["minute 720", "minute 20"]);
    await filter(page).fill("status = 'OK' AND tags.part = 'nothing'");
    await page.keyboard.press("Enter");
    await page.getByText("There are no traces to draw in this time.").waitFor();
  }, utc),
  test("charts fold, and stay so; folded, nothing is asked for them", async ({ page, open, url, api }) => {
    await open(await charted({ page, url }));
    await card(page, "Traces").waitFor();
    const fold = page.getByRole("button", { name: "Charts", exact: true });
    await fold.click();
    await eventually(() => card(page, "Traces").count(), 0);
    const asked = () => api.filter((path) => path === "traces/metrics").length;
    const before = asked();
    await page.reload();
    await eventually(async () => (await rows(page)).length, 5);
    assert.equal(await fold.getAttribute("aria-expanded"), "false");
    assert.equal(asked(), before);
    await fold.click();
    await eventually(() => headline(page, "Traces"), "5");
    // Another order of the list is no other question.
    const unfolded = asked();
    await page.getByRole("button", { name: "Duration" }).click();
    await eventually(async () => (await requests(page))[0], "minute 720");
    assert.equal(asked(), unfolded);
  }),
  test("where traces are not measured there is the reason, and the list", async ({ page, open, url }) => {
    const there = await charted({ page, url });
    const answers = [{ status: 404, body: "<h1>Not Found</h1>" }, { status: 501, json: { error_code: "NOT_IMPLEMENTED", message: "Folders do not measure." } }, { status: 503, json: { message: "Not now." } }];
    let answer;
    await page.route(/traces\/metrics/, (route) => route.fulfill(answer));
    for (const [i, words] of ["This server does not measure traces, so there are no charts: The server answered with status 404.", "This server does not measure traces, so there are no charts: Folders do not measure.", "The charts could not be loaded: Not now."].entries()) {
      answer = answers[i];
      await open(there);
      await page.reload();
      await page.getByText(words).waitFor();
      await eventually(async () => (await rows(page)).length, 5);
      assert.equal(await page.getByRole("button", { name: "Try again" }).count(), i === 2 ? 1 : 0);
    }
    await page.unroute(/traces\/metrics/);
    await page.getByRole("button", { name: "Try again" }).click();
    await eventually(() => headline(page, "Traces"), "5");
  }, { expected: ["status of 404", "status of 501", "status of 503"] }),
  test("a long list loads as it is scrolled, ordered, with a bounded page", async ({ page, open, seed, api }) => {
    await open(`#/experiments/${seed.traces.many_experiment}/traces`);
    await eventually(async () => (await rows(page)).slice(0, 3), ["long", "score", "rank"]);
    assert.ok((await page.$$("tr.item")).length < 70);
    await eventually(async () => {
      await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
      return (await requests(page)).at(-1);
    }, "0");
    await page.getByText(`${seed.traces.many + 1} traces`).waitFor();
    assert.ok((await page.$$("tr.item")).length < 70);
    // Two more say where the charts begin and end.
    assert.ok(api.filter((path) => path === "traces/search").length <= 5, api.join());
    await page.$eval("main", (main) => (main.scrollTop = 0));
    await page.getByRole("button", { name: "Duration" }).click();
    await eventually(async () => (await rows(page))[0], "long");
    assert.match(page.url(), /tracesBy=duration/);
    await page.getByRole("button", { name: "Started" }).click();
    await page.getByRole("button", { name: "Started" }).click();
    await eventually(async () => (await requests(page))[0], "0");
    assert.match(page.url(), /tracesAsc=true/);
  }),
  test("the keys go on from their row, wherever the list was scrolled to", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.traces.many_experiment}/traces`);
    await page.locator("tr.item").first().waitFor();
    for (let i = 0; i < 3; i++) await page.keyboard.press("j");
    await eventually(() => page.getAttribute("tr.selected", "aria-rowindex"), "4");
    await page.$eval("main", (main) => (main.scrollTop = main.scrollHeight));
    await eventually(() => page.locator("tr.selected").count(), 0);
    await page.keyboard.press("j");
    await eventually(() => page.getAttribute("tr.selected", "aria-rowindex"), "5");
    const clear = () => page.evaluate(() => {
      const row = document.querySelector("tr.selected").getBoundingClientRect();
      const head = document.querySelector("thead").getBoundingClientRect();
      const main = document.querySelector("main").getBoundingClientRect();
      return row.top >= head.bottom - 1 && row.bottom <= main.bottom + 1;
    });
    await eventually(clear, true);
    for (let i = 0; i < 40; i++) await page.keyboard.press("j");
    await eventually(() => page.getAttribute("tr.selected", "aria-rowindex"), "45");
    await eventually(clear, true);
  }),
  test("those of a run, and back to it", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.traces.experiment}/runs/${seed.traces.run}`);
    await page.getByRole("link", { name: "Traces", exact: true }).click();
    await eventually(() => requests(page), ["question: How many petals has a rose?, plant: rose"]);
    await page.getByRole("link", { name: "assistant" }).click();
    await page.getByRole("heading", { level: 1, name: "assistant" }).waitFor();
    await page.getByRole("link", { name: seed.traces.run.slice(0, 8), exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "traced" }).waitFor();
  }),
  test("where there are none, the code that makes one", async ({ page, open, seed }) => {
    await open(`#/experiments/${seed.empty}/traces`);
    await page.getByRole("heading", { name: "No traces yet" }).waitFor();
    await page.getByText("mlflow.start_span(").waitFor();
    await page.getByText(`mlflow.set_experiment("ui/empty-${seed.mark}")`).waitFor();
  }),
  test("a trace shows its spans on a time line, and what is in them", async ({ page, open, seed, shot }) => {
    await open(list(seed, `/${seed.traces.good}`));
    await eventually(() => spans(page), ["1 assistant", "2 retrieve", "2 answer", "3 lookup"]);
    await page.getByText("154 tokens: 120 in, 34 out").waitFor();
    await page.getByLabel("Outputs", { exact: true }).getByText("A rose has five petals (2 pages read).").waitFor();
    await page.getByRole("treeitem", { name: "retrieve" }).click();
    await page.getByLabel("Outputs", { exact: true }).getByText('"Page 1 on How many petals has a rose?"').waitFor();
    await page.getByRole("row", { name: "index plants" }).waitFor();
    assert.match(page.url(), /\?span=[0-9a-f]{16}$/);
    await page.getByRole("treeitem", { name: "answer" }).click();
    await page.locator(".message", { hasText: "user" }).getByText("How many petals has a rose?").waitFor();
    await page.locator(".message strong", { hasText: "five" }).waitFor();
    await page.getByText("calls lookup").waitFor();
    await page.getByRole("row", { name: /first token .* after_ms: 12/ }).waitFor();
    await shot("trace");
    await page.getByRole("button", { name: "As JSON" }).first().click();
    await page.getByLabel("Inputs", { exact: true }).getByText('"tool_call_id"').waitFor();
    // The bars are where the times are.
    const bars = await page.$$eval(".bar", (all) => all.map((bar) => [parseFloat(bar.style.left), parseFloat(bar.style.width)]));
    assert.ok(bars[0][0] === 0 && bars[0][1] > 99, String(bars[0]));
    assert.ok(bars[2][0] >= bars[1][0] + bars[1][1] - 0.5 && bars[2][1] > bars[3][1], JSON.stringify(bars));
    await page.reload();
    await eventually(() => chosen(page), "answer");
  }),
  test("the keyboard walks the spans, folds them, and finds errors", async ({ page, open, seed }) => {
    await open(list(seed, `/${seed.traces.failed}`));
    await eventually(() => spans(page), ["1 assistant", "2 retrieve", "2 answer", "3 lookup"]);
    await eventually(() => page.evaluate(() => document.activeElement.getAttribute("role")), "tree");
    const steps = [["ArrowDown", "retrieve"], ["ArrowDown", "answer"], ["ArrowRight", "lookup"], ["ArrowLeft", "answer"], ["ArrowLeft", "answer"], ["ArrowLeft", "assistant"], ["End", "answer"], ["ArrowRight", "answer"], ["End", "lookup"], ["Home", "assistant"], ["j", "retrieve"], ["k", "assistant"]];
    for (const [key, name] of steps) {
      await page.keyboard.press(key);
      await eventually(() => chosen(page), name, key);
    }
    await page.getByRole("button", { name: "Fold all" }).click();
    await eventually(() => spans(page), ["1 assistant", "2 retrieve", "2 answer"]);
    // The next one after the chosen may be folded away: it is shown.
    await page.keyboard.press("e");
    await page.keyboard.press("e");
    await eventually(() => chosen(page), "lookup");
    assert.equal(await page.getAttribute("[role=tree]", "aria-activedescendant"), await page.getAttribute("[role=treeitem][aria-selected=true]", "id"));
    const exception = page.getByRole("region", { name: "Exception" });
    await exception.getByRole("heading", { name: "ValueError" }).waitFor();
    await exception.getByText("no such plant: triffid", { exact: true }).waitFor();
    await exception.getByText("Traceback (most recent call last)").waitFor();
    await page.keyboard.press("u");
    await page.getByRole("table", { name: "Traces" }).waitFor();
  }),
  test("assessments, tags and the run are beside it; tags are set and removed", async ({ page, open, seed, shot }) => {
    await open(list(seed, `/${seed.traces.good}`));
    await page.getByRole("link", { name: "petals: 5" }).click();
    const about = page.getByRole("region", { name: "About the trace" });
    for (const text of ["Five it is.", "a judge: gpt-5", "friendly"]) await about.getByText(text).first().waitFor();
    await about.getByRole("link", { name: seed.traces.run }).waitFor();
    await about.getByText(seed.traces.good).waitFor();
    await shot("trace-about");
    await about.getByRole("button", { name: "Add tag" }).click();
    await page.getByLabel("Key of the tag").fill("review");
    await page.getByLabel("Value of the tag").fill("done");
    await page.keyboard.press("Enter");
    await about.getByText("review: done").waitFor();
    await page.reload();
    await about.getByText("review: done").waitFor();
    await about.getByRole("button", { name: "Remove the tag review" }).click();
    await eventually(() => about.getByText("review: done").count(), 0);
  }),
  test("prompts whose names and versions look alike when written together are two", async ({ page, open, seed, url }) => {
    const prompts = JSON.stringify([{ name: "tone", version: "11" }, { name: "tone1", version: "1" }]);
    const answer = await page.request.patch(`${url}api/3.0/mlflow/traces/${seed.traces.good}/tags`, { data: { key: "mlflow.linkedPrompts", value: prompts } });
    assert.ok(answer.ok(), await answer.text());
    await open(list(seed, `/${seed.traces.good}?view=about`));
    for (const name of ["tone, version 11", "tone1, version 1"]) await page.getByRole("link", { name, exact: true }).waitFor();
  }),
  test("feedback and expectations are given and deleted", async ({ page, open, seed }) => {
    await open(list(seed, `/${seed.traces.failed}?view=about`));
    const about = page.getByRole("region", { name: "About the trace" });
    await about.getByText("None yet.").waitFor();
    await about.getByRole("button", { name: "Assess" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.getByRole("alert").filter({ hasText: "It needs a name" }).waitFor();
    assert.deepEqual(await serious(page), []);
    await dialog.getByRole("combobox", { name: "Name", exact: true }).fill("helpful");
    await dialog.getByLabel("Answer").selectOption("no");
    await dialog.getByLabel("Why").fill("It <b>failed</b>.");
    await dialog.getByLabel("Your name").fill("lin");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "helpful: no" }).waitFor();
    await about.getByText("It <b>failed</b>.").waitFor();
    await about.getByText("a person: lin").waitFor();
    await about.getByRole("button", { name: "Assess" }).click();
    await dialog.getByLabel("Kind").selectOption("expectation");
    await dialog.getByRole("combobox", { name: "Name", exact: true }).fill("petals");
    await dialog.getByLabel("Answer").selectOption("other");
    await dialog.getByLabel("Value").fill("0");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "petals: 0" }).waitFor();
    await open(list(seed, `?tracesFilter=${encodeURIComponent("feedback.helpful = 'false' AND expectation.petals < 1")}`));
    await eventually(() => rows(page), ["assistant"]);
    await open(list(seed, `/${seed.traces.failed}?view=about`));
    for (const name of ["helpful", "petals"]) {
      await about.getByRole("button", { name: `Delete ${name}` }).click();
      await dialog.getByRole("button", { name: "Delete" }).click();
    }
    await about.getByText("None yet.").waitFor();
  }),
  test("a span is assessed by itself", async ({ page, open, seed }) => {
    await open(list(seed, `/${seed.traces.failed}`));
    await page.getByRole("treeitem", { name: "retrieve" }).click();
    const pane = page.getByRole("region", { name: "The chosen span" });
    await pane.getByRole("button", { name: "Assess" }).click();
    const dialog = page.getByRole("dialog", { name: "Assess “retrieve”" });
    await dialog.getByRole("combobox", { name: "Name", exact: true }).fill("relevant");
    await dialog.getByRole("button", { name: "Save" }).click();
    await pane.getByText("relevant", { exact: true }).waitFor();
    await page.getByRole("treeitem", { name: "assistant" }).click();
    await page.getByRole("heading", { level: 2, name: "assistant" }).waitFor();
    assert.equal(await pane.getByText("relevant", { exact: true }).count(), 0);
    await page.getByRole("treeitem", { name: "retrieve" }).click();
    await pane.getByRole("button", { name: "Delete relevant" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await eventually(() => pane.getByText("relevant", { exact: true }).count(), 0);
  }),
  test("2,000 spans: few are on the page, and the keys stay quick", async ({ page, open, seed, shot }) => {
    await open(`#/experiments/${seed.traces.many_experiment}/traces/${seed.traces.long}`);
    await page.getByText("2,041 spans").waitFor();
    await page.locator("[role=treeitem]").first().waitFor();
    assert.ok((await page.$$("[role=treeitem]")).length < 60);
    await page.keyboard.press("End");
    await eventually(() => chosen(page), "step 39.49");
    await shot("trace-long");
    await page.getByRole("button", { name: "Fold all" }).click();
    await eventually(async () => (await spans(page)).slice(-2), ["2 batch 38", "2 batch 39"]);
    await eventually(() => chosen(page), "batch 39");
    await page.getByRole("button", { name: "Unfold all" }).click();
    await page.keyboard.press("k");
    const slowest = await page.evaluate(async () => {
      const tree = document.querySelector("[role=tree]");
      const times = [];
      for (let i = 0; i < 60; i++) {
        const from = performance.now();
        tree.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true, cancelable: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        times.push(performance.now() - from);
      }
      return times.sort((a, b) => a - b)[54];
    });
    console.log(`  # ${slowest.toFixed(1)} ms for a step, 9 of 10`);
    assert.ok(slowest < 100, `${slowest} ms`);
  }),
  test("long conversations, lists and texts begin, and are shown whole when asked for", async ({ page, open, seed }) => {
    const messages = Array.from({ length: 60 }, (_, i) => ({ role: i % 2 ? "assistant" : "user", content: i ? `Word ${i}.` : "long ".repeat(5000) }));
    const events = Array.from({ length: 150 }, (_, i) => ({ name: `event ${i}`, time_unix_nano: 1.6e18 + i, attributes: { note: i ? "short" : "x".repeat(3000) } }));
    const raised = { name: "exception", time_unix_nano: 1.6e18, attributes: { "exception.type": "ValueError", "exception.stacktrace": `first call\n${"call\n".repeat(10_000)}last call` } };
    const span = (id, attributes, events) => ({ span_id: id, name: `step ${id.at(-1)}`, start_time_unix_nano: 1.6e18, end_time_unix_nano: 1.7e18, attributes, events });
    const spans = [span("0000000000000001", { "mlflow.spanInputs": JSON.stringify({ messages }) }, [raised, ...events]), span("0000000000000002", { note: "z".repeat(3000) }, events)];
    await page.route(/traces\/get\?|get-trace-artifact/, (route) => route.fulfill({ json: { trace: { spans }, spans } }));
    await open(list(seed, `/${seed.traces.good}`));
    await page.locator(".message").first().waitFor();
    assert.equal(await page.locator(".message").count(), 40);
    assert.equal((await page.locator(".message").first().textContent()).includes("long ".repeat(3000)), false);
    await page.locator(".message").first().getByRole("button", { name: "Show all 25.0 kB" }).click();
    await eventually(async () => (await page.locator(".message").first().textContent()).includes("long ".repeat(4999)), true);
    await page.getByRole("button", { name: "Show all 60 messages" }).click();
    await eventually(() => page.locator(".message").count(), 60);
    const rows = page.getByRole("row", { name: /^event / });
    assert.equal(await rows.count(), 100);
    await page.getByRole("button", { name: "Show all 150 events" }).click();
    await eventually(() => rows.count(), 150);
    await rows.first().getByRole("button", { name: "Show all 3.0 kB" }).click();
    await rows.first().getByText("x".repeat(3000)).waitFor();
    // Of a stack trace the end is what failed.
    const stack = page.getByLabel("Stack trace", { exact: true });
    assert.match(await stack.textContent(), /last call$/);
    assert.doesNotMatch(await stack.textContent(), /^first call/);
    await page.getByRole("button", { name: "Show all 50.0 kB" }).click();
    await eventually(async () => (await stack.textContent()).startsWith("first call"), true);
    // Another span begins anew.
    await page.getByRole("treeitem", { name: "step 2" }).click();
    await eventually(() => rows.count(), 100);
  }),
  test("one that goes on is loaded again, and says so when its spans are not", async ({ page, open, seed, url }) => {
    const id = `tr-live-${seed.mark}`;
    const made = await page.request.post(`${url}api/3.0/mlflow/traces`, { data: { trace: { trace_info: { trace_id: id, trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: seed.traces.many_experiment } }, request_time: "2020-01-01T00:00:00Z", state: "IN_PROGRESS", tags: { "mlflow.trace.spansLocation": "TRACKING_STORE" } } } } });
    assert.ok(made.ok(), await made.text());
    const span = (n) => ({ span_id: `000000000000000${n}`, parent_span_id: n > 1 ? "0000000000000001" : "", name: `step ${n}`, start_time_unix_nano: 1.6e18 + n, attributes: [] });
    const answers = [{ json: { trace: { spans: [span(1)] } } }, { json: { trace: { spans: [span(1), span(2)] } } }, { status: 500, json: { message: "not now" } }];
    await page.route(/traces\/get\?/, (route) => route.fulfill(answers.length > 1 ? answers.shift() : answers[0]));
    await open(`#/experiments/${seed.traces.many_experiment}/traces/${id}`);
    await eventually(() => spans(page), ["1 step 1"]);
    await eventually(() => spans(page), ["1 step 1", "2 step 2"]);
    await page.getByText("The spans may be out of date. not now").waitFor();
    assert.deepEqual(await spans(page), ["1 step 1", "2 step 2"]);
    const gone = await page.request.post(`${url}api/3.0/mlflow/traces/delete-traces`, { data: { experiment_id: seed.traces.many_experiment, request_ids: [id] } });
    assert.ok(gone.ok(), await gone.text());
  }, { expected: ["status of 500"] }),
  test("links of MLflow's pages open the trace; the list leads from one to the next", async ({ page, open, seed }) => {
    for (const link of [`/traces?selectedEvaluationId=${seed.traces.good}`, `/traces?selectedTraceId=${seed.traces.good}`, `?compareRunsMode=TRACES&selectedTraceId=${seed.traces.good}`]) {
      await open(`#/experiments/${seed.traces.experiment}${link}`);
      await page.getByText("154 tokens: 120 in, 34 out").waitFor();
    }
    await open(list(seed));
    await page.locator("tr.item").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("o");
    await page.getByText("2 of 3").waitFor();
    await page.keyboard.press("]");
    await page.getByText("3 of 3").waitFor();
    await page.getByText("154 tokens: 120 in, 34 out").waitFor();
    await page.goBack();
    await page.getByText("2 of 3").waitFor();
  }),
  test("is deleted; what is not there is said so, and leads on", async ({ page, open, seed, url }) => {
    const id = `tr-ui-${seed.mark}`;
    const made = await page.request.post(`${url}api/3.0/mlflow/traces`, { data: { trace: { trace_info: { trace_id: id, trace_location: { type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: seed.traces.many_experiment } }, request_time: "2020-01-01T00:00:00Z", state: "OK", tags: { "mlflow.trace.spansLocation": "TRACKING_STORE" } } } } });
    assert.ok(made.ok(), await made.text());
    await open(`#/experiments/${seed.traces.many_experiment}/traces/${id}`);
    await page.getByText("This trace has no spans.").waitFor();
    await page.getByRole("button", { name: "More about this trace" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("table", { name: "Traces" }).waitFor();
    await open(`#/experiments/${seed.traces.many_experiment}/traces/${id}`);
    await page.getByRole("heading", { name: "There is no such trace" }).waitFor();
    await page.getByRole("link", { name: "To the traces" }).click();
    await page.getByRole("table", { name: "Traces" }).waitFor();
  }, { expected: ["status of 404"] }),
];
