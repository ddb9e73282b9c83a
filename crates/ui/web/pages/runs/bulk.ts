// One change to many runs: a few at a time, and what failed is told once.

import { notices } from "../../lib/state/notices.svelte";
import { words } from "../../lib/api/call";

const AT_ONCE = 6;

/** Returns those that it worked for. */
export async function each(ids: readonly string[], act: (id: string) => Promise<unknown>, done: string): Promise<string[]> {
  const ok: string[] = [];
  let failed = 0;
  let why = "";
  const queue = [...ids];
  const work = async (): Promise<void> => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      try {
        await act(id);
        ok.push(id);
      } catch (error) {
        failed++;
        why = words(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  if (failed) notices.say(`${failed} of ${ids.length} runs were not ${done}: ${why}`, { bad: true });
  return ok;
}
