// Markdown into a tree: the usual parts of CommonMark and tables of GitHub. Markup of HTML stays text.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em" | "del"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] }
  | { kind: "image"; src: string; alt: string }
  | { kind: "break" };

export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "code"; language: string; text: string }
  | { kind: "quote"; children: Block[] }
  | { kind: "list"; ordered: boolean; start: number; items: Block[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][]; align: string[] }
  | { kind: "rule" };

/** Deeper nesting is shown as text: nobody writes it, and a hostile file must not end the stack. */
const DEEPEST = 12;

export function parse(source: string): Block[] {
  return blocks(source.replace(/\r\n?/g, "\n").split("\n"), 0);
}

const ITEM = /^(\s{0,3})([-*+]|\d{1,9}[.)])(\s+|$)/;
const RULE = /^\s{0,3}([-*_])\s*(\1\s*){2,}$/;
const FENCE = /^\s{0,3}(```+|~~~+)\s*([^\s`]*).*$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function blocks(lines: string[], depth: number): Block[] {
  const out: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    if (!line.trim()) {
      at++;
      continue;
    }
    const fence = FENCE.exec(line);
    if (fence) {
      const end = lines.findIndex((l, i) => i > at && l.trimStart().startsWith(fence[1]!) && !l.trim().replace(/^[`~]+/, ""));
      const last = end < 0 ? lines.length : end;
      out.push({ kind: "code", language: fence[2]!, text: lines.slice(at + 1, last).join("\n") });
      at = last + 1;
      continue;
    }
    const heading = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/.exec(line);
    if (heading) {
      out.push({ kind: "heading", level: heading[1]!.length, children: inlines(heading[2]!) });
      at++;
      continue;
    }
    if (RULE.test(line)) {
      out.push({ kind: "rule" });
      at++;
      continue;
    }
    if (depth < DEEPEST && /^\s{0,3}>/.test(line)) {
      const from = at;
      while (at < lines.length && /^\s{0,3}>/.test(lines[at]!)) at++;
      out.push({ kind: "quote", children: blocks(lines.slice(from, at).map((l) => l.replace(/^\s{0,3}> ?/, "")), depth + 1) });
      continue;
    }
    if (depth < DEEPEST && ITEM.test(line)) {
      const [list, next] = listAt(lines, at, depth);
      out.push(list);
      at = next;
      continue;
    }
    if (line.includes("|") && at + 1 < lines.length && DIVIDER.test(lines[at + 1]!)) {
      const head = cells(line);
      const align = cells(lines[at + 1]!).map((c) => (c.endsWith(":") ? (c.startsWith(":") ? "center" : "right") : "left"));
      at += 2;
      const rows: Inline[][][] = [];
      while (at < lines.length && lines[at]!.includes("|") && lines[at]!.trim()) rows.push(cells(lines[at++]!).map(inlines));
      out.push({ kind: "table", head: head.map(inlines), rows, align });
      continue;
    }
    const from = at++;
    while (at < lines.length && lines[at]!.trim() && !FENCE.test(lines[at]!) && !/^\s{0,3}(#{1,6}\s|>)/.test(lines[at]!) && !ITEM.test(lines[at]!) && !RULE.test(lines[at]!)) at++;
    out.push({ kind: "paragraph", children: inlines(lines.slice(from, at).map((l) => l.replace(/^\s+/, "")).join("\n")) });
  }
  return out;
}

function listAt(lines: string[], from: number, depth: number): [Block, number] {
  const first = ITEM.exec(lines[from]!)!;
  const ordered = /\d/.test(first[2]!);
  const items: string[][] = [];
  let at = from;
  let indent = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    const item = ITEM.exec(line);
    if (item && /\d/.test(item[2]!) === ordered && (items.length === 0 || item[1]!.length < indent)) {
      indent = item[1]!.length + item[2]!.length + Math.min(4, Math.max(1, item[3]!.length));
      items.push([line.slice(item[0].length)]);
    } else if (!line.trim()) {
      // A blank line ends the list unless what follows is still in it.
      const next = lines[at + 1] ?? "";
      if (!ITEM.test(next) && !/^\s{2,}\S/.test(next)) break;
      items.at(-1)?.push("");
    } else if (/^\s/.test(line) && line.length - line.trimStart().length >= Math.min(indent, 2)) {
      items.at(-1)!.push(line.slice(Math.min(indent, line.length - line.trimStart().length)));
    } else if (item || RULE.test(line) || /^\s{0,3}(#{1,6}\s|>|```)/.test(line)) {
      break;
    } else {
      items.at(-1)!.push(line);
    }
    at++;
  }
  return [{ kind: "list", ordered, start: ordered ? Number.parseInt(first[2]!, 10) : 1, items: items.map((item) => blocks(item, depth + 1)) }, Math.max(at, from + 1)];
}

function cells(line: string): string[] {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

const INLINE =
  /(?<code>(?<tick>`+)(?<body>[^`]|[^`][\s\S]*?[^`])\k<tick>(?!`))|!\[(?<alt>[^\]]*)\]\((?<src>[^)\s]+)[^)]*\)|\[(?<label>[^\]]+)\]\((?<href>[^)\s]+)[^)]*\)|<(?<auto>https?:\/\/[^>\s]+)>|(?<bare>https?:\/\/[^\s<>)\]]+[^\s<>)\].,;:!?'"])|(?:\*\*(?<strong>(?=\S)[\s\S]*?\S)\*\*)|(?:__(?<strong2>(?=\S)[\s\S]*?\S)__)|(?:~~(?<del>(?=\S)[\s\S]*?\S)~~)|(?:\*(?<em>(?=[^\s*])[\s\S]*?[^\s*])\*)|(?<![A-Za-z0-9])(?:_(?<em2>(?=[^\s_])[\s\S]*?[^\s_])_)(?![A-Za-z0-9])|(?<br> {2,}\n|\\\n)|\\(?<escaped>[!-/:-@[-`{-~])/;

function inlines(source: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  const text = (value: string): void => {
    if (!value) return;
    const last = out.at(-1);
    if (last?.kind === "text") last.text += value;
    else out.push({ kind: "text", text: value });
  };
  let rest = source;
  while (rest) {
    const match = depth < DEEPEST ? INLINE.exec(rest) : null;
    if (!match?.groups) {
      text(rest);
      break;
    }
    const g = match.groups;
    text(rest.slice(0, match.index));
    rest = rest.slice(match.index + match[0].length);
    const strong = g.strong ?? g.strong2;
    const em = g.em ?? g.em2;
    const bare = g.auto ?? g.bare;
    if (g.body !== undefined) out.push({ kind: "code", text: g.body.trim() });
    else if (g.src !== undefined) out.push({ kind: "image", src: g.src, alt: g.alt ?? "" });
    else if (g.href !== undefined) out.push({ kind: "link", href: g.href, children: inlines(g.label ?? "", depth + 1) });
    else if (bare !== undefined) out.push({ kind: "link", href: bare, children: [{ kind: "text", text: bare }] });
    else if (strong !== undefined) out.push({ kind: "strong", children: inlines(strong, depth + 1) });
    else if (g.del !== undefined) out.push({ kind: "del", children: inlines(g.del, depth + 1) });
    else if (em !== undefined) out.push({ kind: "em", children: inlines(em, depth + 1) });
    else if (g.br !== undefined) out.push({ kind: "break" });
    else if (g.escaped !== undefined) text(g.escaped);
  }
  return out;
}

/** Addresses that may be opened; anything else, `javascript:` above all, is shown as text. */
export function safeLink(href: string): string | undefined {
  return /^(https?:|mailto:|#)/i.test(href) ? href : undefined;
}
