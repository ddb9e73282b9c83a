// Filters of registered models.

import { expect, test } from "vitest";
import { checkRegistry, completeRegistry, toRegistryFilter } from "./registry";

const at = (text: string) => {
  const found = checkRegistry(text);
  return found && text.slice(found.start, found.end);
};
const tags = new Map([["team", new Set(["vision", "it's"])], ["a/b", new Set(["1"])]]);
const labels = (text: string) => completeRegistry(text, text.length, tags)?.options.map((option) => option.label) ?? [];

test("good filters have no error", () => {
  for (const text of ["", "name = 'a'", "name ILIKE '%x%' AND tags.team != 'b'", "attribute.name NOT IN ('a', 'b')", "tag.`a/b` LIKE 'x'", 'name IN ("a")']) expect(checkRegistry(text), text).toBeUndefined();
});

test("the place is that of the mistake", () => {
  expect(at("nam = 'a'")).toBe("nam");
  expect(at("params.a = 'b'")).toBe("params.a");
  expect(at("name > 'a'")).toBe(">");
  expect(at("tags.team IN ('a')")).toBe("IN");
  expect(at("tags.team NOT IN ('a')")).toBe("NOT IN");
  expect(at("name = 'a' OR name = 'b'")).toBe("OR");
  expect(at("name = 'a")).toBe("'a");
  expect(at("name IN 'a'")).toBe("'a'");
  expect(at("tags.team = vision")).toBe("vision");
  expect(at("tags. = 'x'")).toBe("tags.");
  expect(checkRegistry("name =")?.message).toBe("A value is expected here.");
  expect(checkRegistry("name")?.message).toBe("A comparison is expected after name.");
});

test("names, comparisons and values are completed", () => {
  expect(labels("te")).toEqual(["tags.team"]);
  expect(labels("")).toEqual(["name", "tags.a/b", "tags.team"]);
  expect(labels("tags.team ")).toEqual(["=", "!=", "LIKE", "ILIKE"]);
  expect(labels("tags.team = ")).toEqual(["it's", "vision"]);
  expect(labels("tags.team = 'vision' ")).toEqual(["AND"]);
  expect(completeRegistry("tags.a", 6, tags)?.options.map((option) => option.insert)).toEqual(["tags.`a/b` ", "tags.team "]);
});

test("words without a comparison are a part of a name", () => {
  expect(toRegistryFilter(" it's ")).toBe("name ILIKE '%it_s%'");
  expect(toRegistryFilter("name = 'x'")).toBe("name = 'x'");
  expect(toRegistryFilter("")).toBe("");
});
