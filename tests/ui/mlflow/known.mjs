// What goes wrong in MLflow's pages on MLflow's own server too. Each was seen there: `run.mjs --url` with the address of
// `mlflow server` of the same release must pass with this list.

/** Chromium's remark on a layout that takes more than a frame; the pages log it as an error. */
const RESIZED = /^console: null ResizeObserver loop completed with undelivered notifications\.$/;

/** What the pages of 2.17 say on the console of every answer that is an error. */
export const FETCH_FAILED = /^console: Fetch failed: {2}Response$/;

const EVERYWHERE = {
  "2.17": [RESIZED],
  "3.17": [
    RESIZED,
    // Users are a part of the app `basic-auth`, and the pages ask to learn whether it is there.
    /^GET \/ajax-api\/2\.0\/mlflow\/users\/current 404$/,
  ],
};

/** The patterns of a release, and those of one test. */
export const known = (release, more = {}) => [...EVERYWHERE[release], ...(more[release] ?? [])];
