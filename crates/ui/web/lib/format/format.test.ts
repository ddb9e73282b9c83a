// Numbers and times as people read them.

import { expect, test } from "vitest";
import { bytes, number, plural } from "./numbers";
import { ago, duration, fine } from "./times";

test("whole numbers stay whole and long ones are cut to what can be told apart", () => {
  expect(number(50)).toBe("50");
  expect(number(0.123456)).toBe("0.1235");
  expect(number(-0.5)).toBe("−0.5");
  expect(number(0.00001234)).toBe("1.234e-5");
  expect(number(12345.678)).toBe("12345.7");
  expect(number(2e12)).toBe("2.000e12");
  expect(number(NaN)).toBe("NaN");
  expect(number(Infinity)).toBe("∞");
});

test("what SQL stores for an infinity is one", () => {
  expect(number(1.7976931348623157e308)).toBe("∞");
});

test("durations keep two units", () => {
  expect(duration(340)).toBe("340 ms");
  expect(duration(59_990)).toBe("1 min 0 s");
  expect(duration(3_600_000 * 25)).toBe("1 d 1 h");
  expect(duration(NaN)).toBe("–");
});

test("ages become dates when they are old", () => {
  expect(ago(1000, 4000)).toBe("just now");
  expect(ago(0, 3_600_000 * 5)).toBe("5 h ago");
  expect(ago(0, 86_400_000 * 300)).toMatch(/^19(69|70)-/);
});

test("sizes and counts", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(1_234_567)).toBe("1.2 MB");
  expect(plural(1, "run")).toBe("1 run");
  expect(plural(10_000, "run")).toBe("10,000 runs");
});

test("short times have more digits", () => {
  expect(fine(0.0425)).toBe("0.043 ms");
  expect(fine(0.425)).toBe("0.42 ms");
  expect(fine(9.5)).toBe("9.5 ms");
  expect(fine(26.4)).toBe("26 ms");
  expect(fine(NaN)).toBe("–");
});
