// Browser tests of the web UI: `node run.mjs --url http://127.0.0.1:5000 [--python python3] [--only charts] [--shots dir]`.
//
// They drive Debian's Chromium as a person would, on a real server, with data that `seed.py` logs through the official
// client (so `--python` needs `mlflow`). Output is TAP; the exit code is 1 if anything failed.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { Suite } from "./harness.mjs";

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    python: { type: "string", default: process.env.RUNLEDGER_TEST_PYTHON ?? "python3" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    only: { type: "string" },
    shots: { type: "string" },
    seed: { type: "string" },
  },
});
if (!values.url) {
  console.error("usage: node run.mjs --url URL [--python PYTHON] [--chromium PATH] [--only AREA] [--shots DIR] [--seed JSON]");
  process.exit(2);
}
const url = values.url.replace(/\/*$/, "/");
const folder = new URL(".", import.meta.url);
const seed = JSON.parse(
  values.seed ?? execFileSync(values.python, [new URL("seed.py", folder).pathname, "--uri", url.replace(/\/$/, "")], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 24 }).trim().split("\n").at(-1),
);
// As root a sandbox cannot start; the tests open nothing but their own server.
const browser = await chromium.launch({ executablePath: values.chromium, args: ["--no-sandbox"] });
const suite = new Suite({ browser, url, seed, shots: values.shots });
const files = readdirSync(folder).filter((name) => name.endsWith(".test.mjs") && (!values.only || name.startsWith(values.only))).sort();
for (const name of files) {
  const { default: tests } = await import(new URL(name, folder).href);
  await suite.run(name.replace(".test.mjs", ""), tests);
}
await browser.close();
process.exit(suite.finish() ? 0 : 1);
