// What the first page costs.

import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "./harness.mjs";

const BUDGET = 150_000;

export default [
  test("scripts and styles of the first page are below 150 kB compressed", async ({ page, open, seed }) => {
    let total = 0;
    const bodies = [];
    page.on("response", (response) => {
      if (/\.(js|css)$/.test(new URL(response.url()).pathname)) bodies.push(response.body().then((body) => (total += gzipSync(body, { level: 9 }).length)));
    });
    await open(`#/experiments/${seed.sweep.experiment}`);
    await page.locator(".line .cell").first().waitFor();
    await page.waitForLoadState("networkidle");
    await Promise.all(bodies);
    console.log(`  # ${total} bytes`);
    assert.ok(total > 10_000 && total < BUDGET, `${total} bytes`);
  }),
];
