// Fetches pages of runs and decodes them, away from the thread that draws. One page at a time, each when it is asked for.

import { refusal, words } from "../api/call";
import type { RunSearch, RunsPage } from "../api/runs";
import { decode, transferables, type Chunk } from "./decode";

export interface PageRequest {
  /** The address of `runs/search`: a worker's own address is another one. */
  url: string;
  search: RunSearch;
  /** Tells the answers to different searches apart. */
  job: number;
}

export interface PageAnswer {
  job: number;
  chunk?: Chunk;
  next?: string | undefined;
  error?: string;
}

let current: AbortController | undefined;

addEventListener("message", async (event: MessageEvent<PageRequest>) => {
  const { url, search, job } = event.data;
  current?.abort();
  const controller = (current = new AbortController());
  const answer = (message: PageAnswer, transfer: ArrayBuffer[] = []): void => postMessage(message, { transfer });
  try {
    const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(search), signal: controller.signal };
    const response = await fetch(url, init);
    if (!response.ok) throw refusal(response.status, await response.text());
    const page = (await response.json()) as RunsPage;
    const chunk = decode(page.runs ?? []);
    answer({ job, chunk, next: page.next_page_token }, transferables(chunk));
  } catch (error) {
    if (!controller.signal.aborted) answer({ job, error: words(error) });
  }
});
