// Runs tests of MLflow's own pages. Whatever they look at, each of them fails when the page throws, logs an error, gets an
// error from the server, or shows one. What happens on MLflow's own server too is in `known.mjs`.
//
// The pages share one browser context, so that their megabytes of scripts are read once; what a page stores is cleared
// after each test.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { known } from "./known.mjs";

/** The pages are megabytes of scripts, and the machine may be busy. */
const TIMEOUT_MS = 20_000;
const QUIET_MS = 400;

/** What the pages say when something failed. */
const FAILURE = /something went wrong|an error occurred|page not found|can't load|load error|request error|error while|failed to|unable to|not be loaded|not found|unknown directive|internal server error/i;

export const test = (name, act, options = {}) => ({ name, act, options });

export class Suite {
  #number = 0;
  #failed = 0;

  constructor({ browser, url, release, seed, shots }) {
    Object.assign(this, { browser, url, release, seed, shots });
    if (shots) mkdirSync(shots, { recursive: true });
  }

  async run(area, tests) {
    console.log(`# ${area}`);
    const context = await this.browser.newContext({ viewport: { width: 2000, height: 1300 } });
    await foreign(context, this.url);
    for (const { name, act, options } of tests) {
      if (options.only && options.only !== this.release) continue;
      this.#number++;
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT_MS);
      const watch = new Watch(page, this.url, known(this.release, options.known));
      await dismiss(page);
      const shot = (label) => this.shots && page.screenshot({ path: join(this.shots, `${this.release}-${label}.png`) });
      try {
        await act({ page, url: this.url, release: this.release, seed: this.seed, shot, open: (hash) => page.goto(`${this.url}${hash}`), see: (...texts) => see(page, texts), watch });
        await watch.quiet();
        await watch.check();
        console.log(`ok ${this.#number} - ${area}: ${name}`);
      } catch (error) {
        this.#failed++;
        console.log(`not ok ${this.#number} - ${area}: ${name}`);
        const said = [String(error.message ?? error), ...watch.trouble.map((line) => `on the side: ${line}`)].join("\n");
        console.log([...new Set(said.split("\n"))].slice(0, 16).map((line) => `  # ${line}`).join("\n"));
        await shot(`failed-${area}-${this.#number}`)?.catch(() => {});
      }
      await page.evaluate(() => (localStorage.clear(), sessionStorage.clear())).catch(() => {});
      await page.close();
    }
    await context.close();
  }

  /** Prints the plan; whether all passed. */
  finish() {
    console.log(`1..${this.#number}`);
    console.log(`${this.#number - this.#failed} passed, ${this.#failed} failed`);
    return this.#number > 0 && this.#failed === 0;
  }
}

/** Telemetry, and pictures of the documentation: nothing outside this machine is a part of the test. */
const foreign = (context, url) =>
  context.route(
    (address) => /^https?:$/.test(address.protocol) && address.origin !== new URL(url).origin,
    (route) => route.abort(),
  );

/** Closes what MLflow shows everybody once. */
async function dismiss(page) {
  for (const name of ["Try it now", "Got it"]) {
    const button = page.getByRole("button", { name, exact: true });
    await page.addLocatorHandler(button, () => button.click());
  }
}

/** Waits until each of the texts is to be seen. */
async function see(page, texts) {
  for (const text of texts) await page.getByText(text, typeof text === "string" ? { exact: true } : {}).filter({ visible: true }).first().waitFor();
}

/** What goes wrong on a page. */
class Watch {
  trouble = [];
  /** Paths that were asked for, and answered with success. */
  answered = new Set();
  #open = new Set();
  #known;
  #page;

  constructor(page, url, known) {
    this.#page = page;
    this.#known = known;
    const { origin } = new URL(url);
    page.on("pageerror", (error) => this.#note(`error in the page: ${error.message}`));
    page.on("console", (message) => {
      const at = message.location().url;
      if (message.type() !== "error" || (at && new URL(at, origin).origin !== origin)) return;
      // Refused answers are noted as such, with their method.
      if (!message.text().startsWith("Failed to load resource")) this.#note(`console: ${message.text()}`);
    });
    // Scripts of workers never count as finished.
    page.on("request", (request) => ["fetch", "xhr"].includes(request.resourceType()) && this.#open.add(request));
    page.on("requestfinished", (request) => this.#open.delete(request));
    page.on("requestfailed", (request) => this.#open.delete(request));
    page.on("response", (response) => {
      const address = new URL(response.url());
      if (address.origin !== origin) return;
      if (response.status() >= 400) this.#note(`${response.request().method()} ${address.pathname} ${response.status()}`);
      else this.answered.add(address.pathname.replace(/^.*\/mlflow\//, ""));
      if (address.pathname === "/graphql") this.#graphql(response);
    });
  }

  /** Waits until the page asks for nothing more, ten seconds at most: some pages ask again and again. */
  async quiet() {
    const end = Date.now() + 10_000;
    for (let since = Date.now(); Date.now() - since < QUIET_MS && Date.now() < end; ) {
      if (this.#open.size) since = Date.now();
      await this.#page.waitForTimeout(50);
    }
  }

  async check() {
    const shown = await this.#page.evaluate(() => document.body.innerText);
    for (const line of shown.split("\n").filter((line) => FAILURE.test(line))) this.#note(`shown: ${line.trim()}`);
    if (this.trouble.length) throw new Error("something is wrong beside what is looked at");
  }

  async #graphql(response) {
    const { errors } = await response.json().catch(() => ({}));
    for (const error of errors ?? []) this.#note(`graphql: ${JSON.stringify(error)}`);
  }

  #note(line) {
    if (!this.#known.some((each) => each.test(line))) this.trouble.push(line);
  }
}

/** Waits until what `read` gives is what is expected. */
export async function eventually(read, expected) {
  const end = Date.now() + TIMEOUT_MS;
  for (;;) {
    // What is looked for may not be drawn yet.
    const value = await read().catch(String);
    if (JSON.stringify(value) === JSON.stringify(expected)) return;
    if (Date.now() > end) throw new Error(`expected: ${JSON.stringify(expected)}\ngot: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
