// Traces of an experiment.

import { test } from "./harness.mjs";

export default [
  test("the list of traces, and the spans of one", async ({ page, open, see, seed, release, shot }) => {
    await open(`#/experiments/${seed.traces.experiment}${release === "3.17" ? "/traces" : "?compareRunsMode=TRACES"}`);
    await see(/What is flower number 2\?/, /What breaks\?/, "Error", "OK", /topic/);
    await shot("traces");
    if (release === "3.17") {
      await see("helpful", "expected", /4 of 4/);
      await page.getByRole("link", { name: `Open trace ${seed.traces.ids[0]} — input` }).click();
    } else {
      await page.getByText(seed.traces.ids[0], { exact: true }).click();
    }
    // In 2.17 a trace has a frame of its own.
    const trace = release === "3.17" ? page : page.frameLocator("iframe");
    await trace.getByText("An answer").first().waitFor();
    await shot("trace");
    await trace.getByText("retrieve", { exact: true }).first().click();
    await trace.getByText(/Iris has petals/).first().waitFor();
    await trace.getByText("generate", { exact: true }).first().click();
    await trace.getByText(/assistant|An answer/i).first().waitFor();
    await shot("trace-span");
  }),
  test("the overview of an experiment with traces", async ({ open, see, seed, shot }) => {
    await open(`#/experiments/${seed.traces.experiment}/overview/usage`);
    await see(/^Traces/, /Latency/, /Errors/);
    await shot("overview");
  }, { only: "3.17" }),
  ...["chat-sessions", "datasets", "evaluation-runs", "prompts", "judges", "models"].map((tab) =>
    test(`the tab ${tab}`, async ({ open, see, seed, shot }) => {
      await open(`#/experiments/${seed.traces.experiment}/${tab}`);
      await see(/traces-\d+/);
      await shot(`tab-${tab}`);
    }, { only: "3.17" }),
  ),
];
