// Runs tests, each in a browser context of its own, and checks of every one that nothing broke on the side: no error on
// the console, no refused script, no request to another origin.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

const TIMEOUT_MS = 12_000;

export class Suite {
  #number = 0;
  #failed = 0;

  constructor({ browser, url, seed, shots }) {
    Object.assign(this, { browser, url, seed, shots });
    if (shots) mkdirSync(shots, { recursive: true });
  }

  async run(area, tests) {
    console.log(`# ${area}`);
    for (const { name, act, options = {} } of tests) {
      this.#number++;
      const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, acceptDownloads: true, ...options.context });
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT_MS);
      const trouble = [];
      const api = [];
      const origin = new URL(this.url).origin;
      page.on("pageerror", (error) => trouble.push(`error in the page: ${error.message}`));
      page.on("console", (message) => {
        if (message.type() === "error" && !(options.expected ?? []).some((part) => message.text().includes(part))) trouble.push(`console: ${message.text()}`);
      });
      page.on("request", (request) => {
        const address = new URL(request.url());
        if (/^https?:$/.test(address.protocol) && address.origin !== origin) trouble.push(`request to ${address.origin}`);
        if (address.pathname.includes("/ajax-api/")) api.push(address.pathname.split("/mlflow/")[1]);
      });
      const open = async (hash) => {
        await page.goto(`${this.url}${hash}`);
        await page.waitForSelector("main > *");
      };
      try {
        await act({ page, context, open, api, url: this.url, seed: this.seed, shot: (label) => (this.shots ? page.screenshot({ path: join(this.shots, `${label}.png`) }) : undefined) });
        if (trouble.length) throw new Error(trouble.slice(0, 5).join("\n"));
        console.log(`ok ${this.#number} - ${area}: ${name}`);
      } catch (error) {
        this.#failed++;
        console.log(`not ok ${this.#number} - ${area}: ${name}`);
        console.log(String(error.message ?? error).split("\n").slice(0, 12).map((line) => `  # ${line}`).join("\n"));
        if (trouble.length) console.log(trouble.slice(0, 3).map((line) => `  # on the side: ${line}`).join("\n"));
        if (this.shots) await page.screenshot({ path: join(this.shots, `failed-${area}-${this.#number}.png`) }).catch(() => {});
      }
      await context.close();
    }
  }

  /** Prints the plan; whether all passed. */
  finish() {
    console.log(`1..${this.#number}`);
    console.log(`${this.#number - this.#failed} passed, ${this.#failed} failed`);
    return this.#failed === 0;
  }
}

export const test = (name, act, options) => ({ name, act, options });

/** Waits until what `read` gives is what is expected. */
export async function eventually(read, expected, what = "") {
  const same = typeof expected === "function" ? expected : (value) => JSON.stringify(value) === JSON.stringify(expected);
  const end = Date.now() + TIMEOUT_MS;
  let value;
  for (;;) {
    try {
      value = await read();
      if (same(value)) return value;
    } catch (error) {
      // What is looked for may not be drawn yet.
      value = String(error);
    }
    if (Date.now() > end) throw new Error(`${what || "expected"}: ${typeof expected === "function" ? expected : JSON.stringify(expected)}\ngot: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

/** Names of the runs in the table, from top to bottom as they are drawn. */
export const names = (page) =>
  page.$$eval(".grid .line", (lines) =>
    lines
      .map((line) => ({ top: new DOMMatrix(getComputedStyle(line).transform).f, name: line.querySelector(".stay a, .stay .cut")?.textContent ?? "" }))
      .sort((a, b) => a.top - b.top)
      .map((line) => line.name),
  );

/** Heads of the columns. */
export const heads = (page) => page.$$eval(".head .cell .cut", (cells) => cells.map((cell) => cell.textContent));

/** Texts of one column, from top to bottom. */
export const column = (page, id) =>
  page.$$eval(
    ".grid .line",
    (lines, id) =>
      lines
        .map((line) => ({ top: new DOMMatrix(getComputedStyle(line).transform).f, text: line.querySelector(`[data-column="${id}"]`)?.textContent }))
        .sort((a, b) => a.top - b.top)
        .map((line) => line.text),
    id,
  );

export const footer = (page) => page.textContent("footer span");
