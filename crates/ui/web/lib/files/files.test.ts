// Kinds of files, tables, archives.

import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { rows } from "./csv";
import { kindOf, looksBinary } from "./kinds";
import { crc32, zip } from "./zip";

test("kinds by name", () => {
  expect(kindOf("a/b.PNG")).toBe("image");
  expect(kindOf("model/MLmodel")).toBe("text");
  expect(kindOf("model.pkl")).toBe("binary");
  expect(looksBinary("plain ü text\n")).toBe(false);
  expect(looksBinary("PK\u0003\u0004\u0000")).toBe(true);
});

test("tables with quotes and both ends of lines", () => {
  expect(rows('a,b\r\n"x,""y""",\n1', ",")).toEqual([["a", "b"], ['x,"y"', ""], ["1"]]);
  expect(rows("a\tb\n", "\t")).toEqual([["a", "b"]]);
  expect(rows("1\n2\n3", ",", 2).length).toBe(2);
});

test("an archive that others can read", async () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  expect(crc32(bytes("123456789"))).toBe(0xcbf43926);
  const archive = zip([{ name: "a/ü.txt", bytes: bytes("hello") }, { name: "b.bin", bytes: new Uint8Array([0, 255]) }]);
  const path = join(mkdtempSync(join(tmpdir(), "zip-")), "x.zip");
  writeFileSync(path, new Uint8Array(await archive.arrayBuffer()));
  const script = "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), z.namelist(), z.read('a/ü.txt'))";
  expect(execFileSync("python3", ["-c", script, path], { encoding: "utf8", env: { ...process.env, PYTHONIOENCODING: "utf-8" } }).trim()).toBe("None ['a/ü.txt', 'b.bin'] b'hello'");
});
