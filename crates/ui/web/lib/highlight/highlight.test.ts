// Nothing is lost by colouring, and the parts are what they look like.

import { expect, test } from "vitest";
import { highlight, languageOf, lines } from "./highlight";

const python = 'def f(x):  # note\n    return "a#b" + str(1.5)';

test("the text stays the same", () => {
  for (const language of ["python", "rust", "sql", "json", "nothing", undefined]) expect(highlight(python, language).map((span) => span.text).join("")).toBe(python);
});

test("parts have their styles", () => {
  const styles = Object.fromEntries(highlight(python, "python").map((span) => [span.text.trim(), span.style]));
  expect(styles["def"]).toBe("keyword");
  expect(styles["# note"]).toBe("comment");
  expect(styles['"a#b"']).toBe("string");
  expect(styles["1.5"]).toBe("number");
  expect(highlight('{"a": "b"}', "json").filter((span) => span.style === "key").map((span) => span.text)).toEqual(['"a"']);
});

test("languages by name, and lines", () => {
  expect(languageOf("src/Dockerfile")).toBe("shell");
  expect(languageOf("model/MLmodel")).toBe("yaml");
  expect(languageOf("a.txt")).toBeUndefined();
  expect(lines(highlight("a\n\nb", "python")).length).toBe(3);
});
