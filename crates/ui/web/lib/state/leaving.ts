// Whether a page was left: what it asked the server for is given up then, and no late answer leads anywhere.

import { onDestroy } from "svelte";

/** For the whole life of the component that is being set up. */
export function leaving(): AbortSignal {
  const left = new AbortController();
  onDestroy(() => left.abort());
  return left.signal;
}
