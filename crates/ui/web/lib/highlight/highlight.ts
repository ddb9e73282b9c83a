// Colours for code: comments, texts, numbers, words of the language. Enough to read by, in a few hundred bytes.

export type Style = "plain" | "comment" | "string" | "number" | "keyword" | "key" | "builtin";

export interface Span {
  style: Style;
  text: string;
}

interface Language {
  line?: string;
  block?: [string, string];
  keywords: string;
  triple?: boolean;
}

const C = { line: "//", block: ["/*", "*/"] as [string, string] };
const LANGUAGES: Record<string, Language> = {
  python: { line: "#", triple: true, keywords: "and as assert async await break class continue def del elif else except finally for from global if import in is lambda match None nonlocal not or pass raise return True False try while with yield self" },
  javascript: { ...C, keywords: "async await break case catch class const continue default delete do else export extends false finally for from function if import in instanceof let new null of return static super switch this throw true try type typeof undefined var void while yield interface" },
  rust: { ...C, keywords: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while" },
  c: { ...C, keywords: "auto bool break case char class const continue default delete do double else enum extern false float for if include int long namespace new nullptr public private return short signed sizeof static struct switch template this true typedef union unsigned using virtual void while func package import range go defer chan map interface var final" },
  sql: { line: "--", block: ["/*", "*/"], keywords: "select from where join left right inner outer on and or not in is null insert into values update set delete create table index drop alter as group by order having limit offset union all distinct case when then else end primary key" },
  shell: { line: "#", keywords: "if then else elif fi for while do done case esac in function return export local echo cd set" },
  yaml: { line: "#", keywords: "true false null yes no" },
  ini: { line: "#", keywords: "true false" },
  json: { keywords: "true false null" },
};

const BY_EXTENSION: Record<string, string> = {
  py: "python", pyi: "python", ipynb: "json", js: "javascript", mjs: "javascript", cjs: "javascript", jsx: "javascript", ts: "javascript", tsx: "javascript",
  rs: "rust", c: "c", h: "c", cpp: "c", hpp: "c", cc: "c", java: "c", go: "c", cs: "c", kt: "c", scala: "c", swift: "c", proto: "c", sql: "sql",
  sh: "shell", bash: "shell", zsh: "shell", dockerfile: "shell", makefile: "shell", yaml: "yaml", yml: "yaml", mlmodel: "yaml", mlproject: "yaml",
  toml: "ini", ini: "ini", cfg: "ini", conf: "ini", env: "ini", json: "json", jsonl: "json", geojson: "json",
};

/** The language of a file, by its name. */
export function languageOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return BY_EXTENSION[name.includes(".") ? name.slice(name.lastIndexOf(".") + 1) : name];
}

export function highlight(text: string, language: string | undefined): Span[] {
  const rules = LANGUAGES[BY_EXTENSION[language ?? ""] ?? language ?? ""];
  if (!rules) return [{ style: "plain", text }];
  const escape = (part: string): string => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const comments = [rules.line && `${escape(rules.line)}[^\\n]*`, rules.block && `${escape(rules.block[0])}[\\s\\S]*?(?:${escape(rules.block[1])}|$)`].filter(Boolean);
  const strings = [rules.triple && `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)`, `"(?:\\\\.|[^"\\\\\\n])*"?`, rules === LANGUAGES.rust ? "" : `'(?:\\\\.|[^'\\\\\\n])*'?`].filter(Boolean);
  const pattern = new RegExp(
    [comments.length ? `(?<comment>${comments.join("|")})` : "", `(?<string>${strings.join("|")})`, "(?<number>\\b\\d[\\d_]*(?:\\.\\d+)?(?:[eE][+-]?\\d+)?\\b)", "(?<word>[A-Za-z_][\\w-]*)"].filter(Boolean).join("|"),
    "g",
  );
  const keywords = new Set(rules.keywords.split(" "));
  const keyed = rules === LANGUAGES.json || rules === LANGUAGES.yaml || rules === LANGUAGES.ini;
  const out: Span[] = [];
  let at = 0;
  const push = (style: Style, part: string): void => {
    const last = out.at(-1);
    if (last?.style === style) last.text += part;
    else if (part) out.push({ style, text: part });
  };
  for (const match of text.matchAll(pattern)) {
    push("plain", text.slice(at, match.index));
    at = match.index + match[0].length;
    const { comment, string, number, word } = match.groups as Record<string, string | undefined>;
    const isKey = keyed && /^\s*[:=]/.test(text.slice(at, at + 4));
    if (comment !== undefined) push("comment", comment);
    else if (string !== undefined) push(isKey ? "key" : "string", string);
    else if (number !== undefined) push("number", number);
    else if (word !== undefined) push(isKey ? "key" : keywords.has(rules === LANGUAGES.sql ? word.toLowerCase() : word) ? "keyword" : /^\s?\(/.test(text.slice(at, at + 2)) ? "builtin" : "plain", word);
  }
  push("plain", text.slice(at));
  return out;
}

/** Spans cut at the ends of lines. */
export function lines(spans: readonly Span[]): Span[][] {
  const out: Span[][] = [[]];
  for (const span of spans) {
    span.text.split("\n").forEach((text, i) => {
      if (i) out.push([]);
      if (text) out.at(-1)!.push({ style: span.style, text });
    });
  }
  return out;
}
