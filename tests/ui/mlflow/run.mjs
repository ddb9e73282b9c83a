// Browser tests of MLflow's own web UI: `node run.mjs --url http://127.0.0.1:5000 --release 3.17 [--python python3]`.
//
// The server is one that serves the pages of that release: `runledger server --ui-dir …/mlflow/server/js/build`, or
// `mlflow server` itself, on which every test must pass too. `seed.py` logs the data through the client of `--python`,
// which should be of the same release. Output is TAP; the exit code is 1 if anything failed.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { Suite } from "./harness.mjs";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    release: { type: "string" },
    python: { type: "string", default: process.env.RUNLEDGER_TEST_PYTHON ?? "python3" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    only: { type: "string" },
    shots: { type: "string" },
    seed: { type: "string" },
  },
});
if (!values.url || !["2.17", "3.17"].includes(values.release)) {
  console.error("usage: node run.mjs --url URL --release 2.17|3.17 [--python PYTHON] [--chromium PATH] [--only AREA] [--shots DIR] [--seed JSON]");
  process.exit(2);
}
const url = values.url.replace(/\/*$/, "/");
const folder = new URL(".", import.meta.url);
const seed = JSON.parse(
  values.seed ?? execFileSync(values.python, [new URL("seed.py", folder).pathname, "--uri", url.replace(/\/$/, "")], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }),
);
// As a single process of root it has no sandbox; the tests open nothing but their own server.
const browser = await chromium.launch({ executablePath: values.chromium, args: ["--no-sandbox"] });
const suite = new Suite({ browser, url, release: values.release, seed, shots: values.shots });
const files = readdirSync(folder).filter((name) => name.endsWith(".test.mjs") && (!values.only || name.startsWith(values.only))).sort();
for (const name of files) {
  const { default: tests } = await import(new URL(name, folder).href);
  await suite.run(name.replace(".test.mjs", ""), tests);
}
await browser.close();
process.exit(suite.finish() ? 0 : 1);
