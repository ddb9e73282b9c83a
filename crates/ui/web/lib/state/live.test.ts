// Loading again: never twice at once by itself, and the newest answer stays.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Live } from "./live";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { hidden: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server whose answers come when the test says so; `shown` is what a page would show. */
function served() {
  const answers: ((what: string) => void)[] = [];
  const shown: string[] = [];
  const live = new Live(async (signal) => {
    const answer = await new Promise<string>((resolve) => answers.push(resolve));
    if (!signal.aborted) shown.push(answer);
  }, () => shown.at(-1) !== "done");
  return { live, answers, shown };
}

test("the timer waits for the answer that is on its way", async () => {
  const { live, answers, shown } = served();
  const stop = live.start();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(answers.length).toBe(1);
  answers[0]!("first");
  await vi.advanceTimersByTimeAsync(5_000);
  expect([answers.length, shown]).toEqual([2, ["first"]]);
  answers[1]!("done");
  await vi.advanceTimersByTimeAsync(20_000);
  expect([answers.length, shown]).toEqual([2, ["first", "done"]]);
  stop();
});

test("an older answer does not take the place of a newer one", async () => {
  const { live, answers, shown } = served();
  const stop = live.start();
  void live.reload();
  answers[1]!("newer");
  answers[0]!("older");
  await vi.advanceTimersByTimeAsync(0);
  expect(shown).toEqual(["newer"]);
  stop();
});

test("nothing is loaded after the page was left, or while nobody looks", async () => {
  const { live, answers, shown } = served();
  const stop = live.start();
  answers[0]!("first");
  vi.stubGlobal("document", { hidden: true });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(answers.length).toBe(1);
  void live.reload();
  stop();
  answers[1]!("late");
  await live.reload();
  expect([answers.length, shown]).toEqual([2, ["first"]]);
});
