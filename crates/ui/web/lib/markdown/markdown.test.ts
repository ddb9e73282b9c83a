// What notes are written in, and what a hostile one tries.

import { expect, test } from "vitest";
import { parse, safeLink, type Block } from "./parse";

test("the parts of a note", () => {
  expect(parse("# Run 1\n\nA **vision** model.\n\n- data: `x`\n- *warm*\n").map((block) => block.kind)).toEqual(["heading", "paragraph", "list"]);
  const [list] = parse("1. a\n   - b\n2. c") as [Extract<Block, { kind: "list" }>];
  expect(list.ordered).toBe(true);
  expect(list.items.length).toBe(2);
  expect(list.items[0]!.map((block) => block.kind)).toEqual(["paragraph", "list"]);
});

test("tables and code", () => {
  expect(parse("a | b\n--|--:\n1 | 2")).toMatchObject([{ kind: "table", align: ["left", "right"] }]);
  expect(parse("```py\nx = 1\n# no heading\n```")).toEqual([{ kind: "code", language: "py", text: "x = 1\n# no heading" }]);
});

test("names with underscores are not emphasised", () => {
  expect(parse("train_loss and val_loss")).toEqual([{ kind: "paragraph", children: [{ kind: "text", text: "train_loss and val_loss" }] }]);
});

test("HTML is text, and only web addresses are links", () => {
  expect(parse("<script>alert(1)</script>")).toEqual([{ kind: "paragraph", children: [{ kind: "text", text: "<script>alert(1)</script>" }] }]);
  expect(safeLink("javascript:alert(1)")).toBeUndefined();
  expect(safeLink("data:text/html,x")).toBeUndefined();
  expect(safeLink("https://example.com")).toBe("https://example.com");
});

test("deep and long input ends", () => {
  parse(">".repeat(5000));
  parse(`${"- ".repeat(2000)}x`);
  parse("*".repeat(20_000));
  parse("[".repeat(20_000));
});
