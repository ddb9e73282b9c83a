// From samples to tables: medians of both UIs with their ratio, and the goals. For the terminal, as Markdown, as JSON.

import { writeFileSync } from "node:fs";
import { mlflow, runledger } from "./pages.mjs";

/** In the order of the tables. */
const FIGURES = {
  runs: ["10,000 runs: first rows painted", "ms"],
  "runs-requests": ["10,000 runs: API requests before", ""],
  "runs-code": ["10,000 runs: scripts and styles", "kB"],
  chart: ["10 × 100,000 points: lines drawn", "ms"],
  "chart-requests": ["10 × 100,000 points: API requests", ""],
  "chart-code": ["10 × 100,000 points: scripts, styles", "kB"],
  "trace-short": ["trace of 100 spans drawn", "ms"],
  "trace-long": ["trace of 10,000 spans drawn", "ms"],
  large: ["100,000 runs: first rows painted", "ms"],
  "scroll-rows": ["100,000 runs: rows scrolled in 10 s", ""],
  "scroll-frames": ["100,000 runs: frames meanwhile", ""],
  "scroll-late": ["100,000 runs: frames above 34 ms", ""],
  "scroll-p95": ["100,000 runs: p95 of the frames", "ms"],
  "scroll-longest": ["100,000 runs: longest frame", "ms"],
};

const UIS = [mlflow.name, runledger.name];

const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const number = (value) => (value >= 100 ? Math.round(value).toLocaleString("en") : value >= 10 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(2).replace(/\.?0+$/, ""));
const times = (value) => `×${value >= 100 ? Math.round(value) : value.toFixed(value >= 10 ? 1 : 2)}`;

export class Report {
  #samples = new Map();
  #notes = [];

  constructor({ rounds, machine }) {
    Object.assign(this, { rounds, machine, date: new Date().toISOString().slice(0, 10) });
  }

  add(key, ui, value) {
    if (!FIGURES[key]) throw new Error(`no figure is called ${key}`);
    const by = this.#samples.get(key) ?? {};
    (by[ui] ??= []).push(value);
    this.#samples.set(key, by);
  }

  failed(note) {
    console.error(`  ${note}`);
    this.#notes.push(note);
  }

  get complete() {
    return this.#notes.length === 0;
  }

  #median(key, ui = runledger.name) {
    const list = this.#samples.get(key)?.[ui];
    return list ? median(list) : undefined;
  }

  /** How many times less ours is than MLflow's. */
  #ratio(key) {
    const [theirs, ours] = UIS.map((ui) => this.#median(key, ui));
    return theirs && ours ? theirs / ours : undefined;
  }

  /** Label, unit, MLflow's median, ours, ratio; texts. */
  #rows() {
    return Object.entries(FIGURES)
      .filter(([key]) => this.#samples.has(key))
      .map(([key, [label, unit]]) => {
        const ratio = this.#ratio(key);
        return [label, unit, ...UIS.map((ui) => this.#median(key, ui)).map((value) => (value === undefined ? "n/a" : number(value))), ratio ? times(ratio) : ""];
      });
  }

  /** Goal, what it takes, what was measured, whether that is enough; texts. */
  #goals() {
    const long = this.#median("trace-long");
    const short = this.#median("trace-short");
    const late = this.#median("scroll-late");
    const frames = this.#median("scroll-frames");
    const goals = [
      ["first rows of 10,000 runs", "≥ ×8 sooner", this.#ratio("runs"), times, (value) => value >= 8],
      ["API requests before them", "≤ 3", this.#median("runs-requests"), number, (value) => value <= 3],
      ["scripts and styles", "< 150 kB", this.#median("runs-code"), (value) => `${number(value)} kB`, (value) => value < 150],
      ["lines of 10 × 100,000 points", "≥ ×10 sooner", this.#ratio("chart"), times, (value) => value >= 10],
      ["trace of 10,000 spans beside 100", "≤ ×1.5", long && short && long / short, times, (value) => value <= 1.5],
      ["frames above 34 ms", "≤ 5%", frames && late / frames, (value) => `${(value * 100).toFixed(1)}%`, (value) => value <= 0.05],
    ];
    return goals.filter(([, , value]) => value !== undefined).map(([goal, wanted, value, shown, enough]) => [goal, wanted, shown(value), enough(value)]);
  }

  /** For a terminal of 80 columns. */
  print() {
    const line = (cells, widths) => cells.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ");
    const figures = [40, 4, 11, 9, 6];
    console.log(`\n${line(["web UI, medians", "unit", ...UIS, "ratio"], figures)}`);
    for (const row of this.#rows()) console.log(line(row, figures));
    const goals = [40, 13, 9, 7];
    console.log(`\n${line(["goal", "to reach", "measured", "reached"], goals)}`);
    for (const [goal, wanted, value, reached] of this.#goals()) console.log(line([goal, wanted, value, reached ? "yes" : "no"], goals));
    for (const note of this.#notes) console.log(`not measured: ${note}`);
  }

  save({ md, json }) {
    if (md) writeFileSync(md, this.#markdown());
    if (json) {
      const { date, machine, rounds } = this;
      const figures = [...this.#samples].map(([key, by]) => ({ key, label: FIGURES[key][0], unit: FIGURES[key][1], samples: by }));
      writeFileSync(json, `${JSON.stringify({ date, machine, rounds, figures, notes: this.#notes }, undefined, 1)}\n`);
    }
  }

  #markdown() {
    const table = (head, align, rows) => [head, align, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n").replace(/^\| (-.*) \|$/m, (_, cells) => `|${cells.replaceAll(" ", "")}|`);
    const rows = this.#rows().map(([label, unit, theirs, ours, ratio]) => [label, unit, theirs, ratio ? `${ours} **${ratio}**` : ours]);
    const goals = this.#goals().map(([goal, wanted, value, reached]) => [goal, wanted, value, reached ? "yes" : "**no**"]);
    const rounds = this.rounds === 1 ? "one round" : `medians of ${this.rounds} rounds`;
    return [
      `${this.date}, ${this.machine ? `${this.machine}, ` : ""}${rounds}.`,
      table(["web UI", "unit", ...UIS], ["---", "---", "---:", "---:"], rows),
      table(["goal", "to reach", "measured", "reached"], ["---", "---:", "---:", "---"], goals),
      ...this.#notes.map((note) => `- not measured: ${note}`),
    ].join("\n\n") + "\n";
  }
}
