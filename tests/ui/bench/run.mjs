// Measures the web UI beside MLflow's in Chromium: what `cargo xtask bench-ui` calls once the servers are there.
//
//   node run.mjs --ours URL --mlflow URL --large URL [--rounds 5] [--only charts] [--md FILE] [--json FILE] [--machine TEXT]
//
// `--ours` and `--mlflow` serve copies of one database with the experiments of `EXPERIMENTS`, `--large` one with many more
// runs. Each visit is by a browser that has never seen the page, on a server that has; the two servers take turns. The
// exit code is 1 if something could not be measured, whatever the figures are.

import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { mlflow, runledger } from "./pages.mjs";
import { Report } from "./report.mjs";
import { scrolled } from "./scroll.mjs";
import { opened, visit } from "./visit.mjs";

/** What the task seeds. */
const EXPERIMENTS = { runs: "bench-runs", series: "bench-series", short: "bench-trace-100", long: "bench-trace-10000" };

const { values } = parseArgs({
  options: {
    ours: { type: "string" },
    mlflow: { type: "string" },
    large: { type: "string" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
    machine: { type: "string", default: "" },
    md: { type: "string" },
    json: { type: "string" },
  },
});
const rounds = Number(values.rounds);
if (!values.ours || !values.mlflow || !values.large || !Number.isInteger(rounds) || rounds < 1) {
  console.error("usage: node run.mjs --ours URL --mlflow URL --large URL [--rounds N] [--only runs|scroll|charts|traces] [--md FILE] [--json FILE]");
  process.exit(2);
}

// No name but this machine's is found: MLflow's pages ask for telemetry and pictures elsewhere. As root there is no sandbox.
const browser = await chromium.launch({ executablePath: values.chromium, args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] });
const report = new Report({ rounds, machine: values.machine });

async function ask(url, path, body) {
  const answer = await fetch(`${url}/api/${path}`, body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const experiment = async (url, name) => (await ask(url, `2.0/mlflow/experiments/get-by-name?experiment_name=${name}`)).experiment.experiment_id;

async function onlyTrace(url, id) {
  const locations = [{ type: "MLFLOW_EXPERIMENT", mlflow_experiment: { experiment_id: id } }];
  return (await ask(url, "3.0/mlflow/traces/search", { locations, max_results: 1 })).traces[0].trace_id;
}

/** Visits each of these pages in turns, once to warm the server and then once a round; what one visit gives goes to `note`. */
async function turns(places, act, note) {
  for (let round = 0; round <= rounds; round++) {
    for (const { ui, url, page } of round % 2 ? places : places.toReversed()) {
      try {
        const result = await visit(browser, url, page, act);
        if (round) note(ui, result);
      } catch (error) {
        report.failed(`${ui}, ${page.hash}: ${String(error.message ?? error).split("\n")[0]}`);
      }
    }
    console.error(`  round ${round} of ${rounds}`);
  }
}

/** A page of both UIs; both databases are copies of one, and so have the same ids. */
const both = async (page, name) => {
  const id = await experiment(values.ours, name);
  return [
    { ui: mlflow.name, url: values.mlflow, page: mlflow[page](id) },
    { ui: runledger.name, url: values.ours, page: runledger[page](id) },
  ];
};

const parts = {
  async runs() {
    await turns(await both("runs", EXPERIMENTS.runs), opened, (ui, { ms, requests, kB }) => {
      report.add("runs", ui, ms);
      report.add("runs-requests", ui, requests);
      report.add("runs-code", ui, kB);
    });
  },
  async charts() {
    await turns(await both("chart", EXPERIMENTS.series), opened, (ui, { ms, requests, kB }) => {
      report.add("chart", ui, ms);
      report.add("chart-requests", ui, requests);
      report.add("chart-code", ui, kB);
    });
  },
  async traces() {
    const places = [];
    for (const name of [EXPERIMENTS.short, EXPERIMENTS.long]) {
      const id = await experiment(values.ours, name);
      places.push({ ui: name, url: values.ours, page: runledger.trace(id, await onlyTrace(values.ours, id)) });
    }
    await turns(places, opened, (name, { ms }) => report.add(name === EXPERIMENTS.long ? "trace-long" : "trace-short", runledger.name, ms));
  },
  async scroll() {
    const id = await experiment(values.large, EXPERIMENTS.runs);
    const place = { ui: runledger.name, url: values.large, page: runledger.runs(id) };
    await turns([place], opened, (ui, { ms }) => report.add("large", ui, ms));
    await turns([place], scrolled, (ui, figures) => {
      for (const [key, value] of Object.entries(figures)) report.add(`scroll-${key}`, ui, value);
    });
  },
};

for (const [name, measure] of Object.entries(parts)) {
  if (values.only && name !== values.only) continue;
  console.error(`${name} …`);
  try {
    await measure();
  } catch (error) {
    report.failed(`${name}: ${error.message ?? error}`);
  }
}
await browser.close();
report.print();
report.save(values);
process.exit(report.complete ? 0 : 1);
