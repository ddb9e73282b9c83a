// Lists that come in pages: what moved meanwhile is there once, and what was closed stays so.

import { expect, test } from "vitest";
import { Pages, type Page } from "./pages.svelte";

/** Answers one page after the other, and counts how often it was asked. */
function served(...answers: (Page<string> | Error)[]) {
  const asked: (string | undefined)[] = [];
  const pages = new Pages<string>(async (_, token) => {
    const answer = answers[asked.push(token) - 1];
    if (!answer || answer instanceof Error) throw answer ?? new Error("asked too often");
    return answer;
  }, (item) => item);
  return { pages, asked };
}

test("an item that a later page repeats is there once", async () => {
  const { pages } = served({ items: ["c", "b", "c"], next: "1" }, { items: ["b", "a", "a"] });
  await pages.restart();
  expect(pages.items).toEqual(["c", "b"]);
  await pages.next();
  expect(pages.items).toEqual(["c", "b", "a"]);
  expect(pages.more).toBe(false);
});

test("a page that failed can be asked for again", async () => {
  const { pages, asked } = served({ items: ["a"], next: "1" }, new Error("not now"), { items: ["b"] });
  await pages.restart();
  await pages.next();
  expect([pages.error, pages.more, pages.loading]).toEqual(["not now", true, false]);
  await pages.next();
  expect([pages.error, pages.items, asked]).toEqual(["", ["a", "b"], [undefined, "1", "1"]]);
});

test("an item is replaced in its place, and a new one comes first", async () => {
  const pages = new Pages<{ id: string; text: string }>(async () => ({ items: [{ id: "b", text: "1" }, { id: "a", text: "1" }], next: "1" }), (item) => item.id);
  await pages.restart();
  pages.replace({ id: "a", text: "2" });
  pages.replace({ id: "far", text: "2" });
  pages.add({ id: "c", text: "1" });
  expect(pages.items.map((item) => item.id + item.text)).toEqual(["c1", "b1", "a2"]);
  expect(pages.more).toBe(true);
});

test("nothing is asked for after the page was left", async () => {
  const { pages, asked } = served({ items: ["a"] });
  pages.close();
  await pages.restart();
  expect(asked).toEqual([]);
});
