// One visit of a page in a browser that has never seen it: when it was drawn, and what it had fetched by then.

import { inSight } from "./pages.mjs";

const VIEWPORT = { width: 1440, height: 900 };
/** MLflow's charts may take long on a busy machine. */
const DRAWN_MS = 60_000;
const QUIET_MS = 15_000;

/** Notes in `window.drawnAt` the milliseconds from the navigation to the frame in which the page was drawn. */
function watch(drawn) {
  const look = () => {
    if (!drawn()) return void requestAnimationFrame(look);
    // This runs before the frame is painted; a message arrives after it.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (window.drawnAt = performance.now());
    port2.postMessage(undefined);
  };
  requestAnimationFrame(look);
}

/** Opens the page in a context of its own, and leaves it to `act` once it is drawn. */
export async function visit(browser, url, { hash, drawn }, act) {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    await context.addInitScript(`(() => { const inSight = ${inSight}; (${watch})(${drawn}); })()`);
    const page = await context.newPage();
    await page.goto(`${url}/${hash}`, { waitUntil: "commit" });
    await page.waitForFunction(() => window.drawnAt !== undefined, undefined, { timeout: DRAWN_MS, polling: 50 });
    return await act(page);
  } finally {
    await context.close();
  }
}

/** How long it took, the requests of the API that began before, and the bytes of scripts and styles of the whole page. */
export async function opened(page) {
  // What is asked for after the first rows belongs to the page, too. MLflow asks again and again.
  await page.waitForLoadState("networkidle", { timeout: QUIET_MS }).catch(() => {});
  return page.evaluate(() => {
    const fetched = performance.getEntriesByType("resource");
    const path = (entry) => new URL(entry.name).pathname;
    const api = fetched.filter((entry) => ["fetch", "xmlhttprequest"].includes(entry.initiatorType) && !path(entry).includes("static-files") && entry.startTime < window.drawnAt);
    const code = fetched.filter((entry) => /\.(js|css)$/.test(path(entry)));
    return { ms: window.drawnAt, requests: api.length, kB: code.reduce((sum, entry) => sum + entry.encodedBodySize, 0) / 1000 };
  });
}
