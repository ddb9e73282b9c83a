// The part of YAML that MLflow writes into `MLmodel` files: blocks by indentation, plain and quoted texts that go over
// several lines, and literal blocks. What it cannot read is `undefined`; the file itself is shown all the same.

export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  indent: number;
  text: string;
}

/** Deeper than any model; a hostile file must not exhaust the stack. */
const DEEPEST = 60;

export function parseYaml(text: string): Yaml | undefined {
  try {
    return new Reader(text).document();
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

class Unreadable extends Error {}

class Reader {
  #lines: Line[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split(/\r?\n/).map((line) => ({ indent: line.length - line.trimStart().length, text: line.trim() }));
  }

  document(): Yaml {
    this.#blank();
    if (this.#lines[this.#at]?.text === "---") this.#at++;
    const value = this.#block(0, 0);
    this.#blank();
    if (this.#at < this.#lines.length) throw new Unreadable();
    return value;
  }

  #blank(): void {
    while (this.#at < this.#lines.length && (!this.#lines[this.#at]!.text || this.#lines[this.#at]!.text.startsWith("#"))) this.#at++;
  }

  /** The value that begins on the next line, at this indentation or deeper. */
  #block(least: number, depth: number): Yaml {
    if (depth > DEEPEST) throw new Unreadable();
    this.#blank();
    const line = this.#lines[this.#at];
    if (!line || line.indent < least) return null;
    if (line.text === "-" || line.text.startsWith("- ")) return this.#list(line.indent, depth);
    if (keyOf(line.text)) return this.#map(line.indent, depth);
    this.#at++;
    return this.#scalar(line.text, least);
  }

  #list(indent: number, depth: number): Yaml[] {
    const out: Yaml[] = [];
    for (;;) {
      this.#blank();
      const line = this.#lines[this.#at];
      if (!line || line.indent !== indent || !(line.text === "-" || line.text.startsWith("- "))) return out;
      const rest = line.text.slice(1).trimStart();
      if (!rest) {
        this.#at++;
        out.push(this.#block(indent + 1, depth + 1));
      } else {
        // What follows the dash is a block of its own, further to the right.
        this.#lines[this.#at] = { indent: indent + line.text.length - rest.length, text: rest };
        out.push(this.#block(indent + 1, depth + 1));
      }
    }
  }

  #map(indent: number, depth: number): { [key: string]: Yaml } {
    const out: { [key: string]: Yaml } = Object.create(null) as { [key: string]: Yaml };
    for (;;) {
      this.#blank();
      const line = this.#lines[this.#at];
      const found = line && line.indent === indent ? keyOf(line.text) : undefined;
      if (!found) {
        if (line && line.indent > indent) throw new Unreadable();
        return out;
      }
      this.#at++;
      const next = this.#lines[this.#at];
      if (found.rest) out[found.key] = this.#scalar(found.rest, indent + 1);
      // A list may stand as far to the left as its key.
      else if (next && next.indent === indent && (next.text === "-" || next.text.startsWith("- "))) out[found.key] = this.#list(indent, depth + 1);
      else out[found.key] = this.#block(indent + 1, depth + 1);
    }
  }

  /** A text that begins here and may go on in lines that are indented as deep. */
  #scalar(first: string, least: number): Yaml {
    if (/^[|>][+-]?\d?$/.test(first)) return this.#literal(least, first[0] === ">");
    const quote = first[0] === '"' || first[0] === "'" ? first[0] : "";
    // A signature may have thousands of lines: each is looked at once, and all are joined at the end.
    const pieces = [first];
    let open = quote !== "" && !closes(first.slice(1), quote);
    // An empty line stands for a line break, every other break for a space.
    let breaks = 0;
    while (this.#at < this.#lines.length && (open || !quote)) {
      const line = this.#lines[this.#at]!;
      if (line.text && line.indent < least) break;
      if (!quote && !line.text) break;
      this.#at++;
      if (!line.text) {
        breaks++;
        continue;
      }
      const before = pieces.at(-1)!;
      if (quote === '"' && breaks === 0 && tail(before, "\\") % 2 === 1) {
        pieces[pieces.length - 1] = before.slice(0, -1);
        pieces.push(line.text.replace(/^\\ /, " "));
      } else pieces.push((breaks ? "\n".repeat(breaks) : " ") + line.text);
      open = quote !== "" && !closes(line.text, quote);
      breaks = 0;
    }
    if (open) throw new Unreadable();
    const text = pieces.join("");
    if (quote === "'") return text.slice(1, -1).replaceAll("''", "'");
    if (quote) return escaped(text.slice(1, -1));
    if (text === "null" || text === "~" || text === "") return null;
    if (text === "[]") return [];
    if (text === "{}") return {};
    return text;
  }

  #literal(least: number, folded: boolean): string {
    const out: string[] = [];
    let indent = -1;
    while (this.#at < this.#lines.length) {
      const line = this.#lines[this.#at]!;
      if (line.text && line.indent < least) break;
      if (line.text && indent < 0) indent = line.indent;
      this.#at++;
      out.push(line.text ? " ".repeat(Math.max(0, line.indent - indent)) + line.text : "");
    }
    return out.join(folded ? " " : "\n").trimEnd();
  }
}

/** `key: value` or `key:`; keys may be quoted. */
function keyOf(text: string): { key: string; rest: string } | undefined {
  const found = /^(?:'((?:[^']|'')*)'|"((?:[^"\\]|\\.)*)"|([^\s'"#&*!|>%@`[\]{},][^#]*?)):(?:\s+(.*))?$/s.exec(text);
  if (!found) return undefined;
  const key = found[1] !== undefined ? found[1].replaceAll("''", "'") : found[2] !== undefined ? escaped(found[2]) : found[3]!;
  return { key, rest: found[4] ?? "" };
}

/** Whether the last character of a line ends a quoted text. What stands before the line cannot change that. */
function closes(line: string, quote: string): boolean {
  if (!line.endsWith(quote)) return false;
  return quote === "'" ? tail(line, quote) % 2 === 1 : tail(line.slice(0, -1), "\\") % 2 === 0;
}

/** How many of these characters are at the end. */
function tail(text: string, character: string): number {
  let at = text.length;
  while (at > 0 && text[at - 1] === character) at--;
  return text.length - at;
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", "0": "\0", e: "\u001b", _: "\u00a0", N: "\u0085" };

function escaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/g, (_, x?: string, u?: string, U?: string, c?: string) => {
    const code = x ?? u ?? U;
    if (code === undefined) return ESCAPES[c!] ?? c!;
    const point = parseInt(code, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  });
}
