// Reads CSV and TSV, quoted fields included.

export function rows(text: string, separator: string, most = Infinity): string[][] {
  const out: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  const endField = (): void => {
    row.push(field);
    field = "";
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') {
        field += '"';
        i++;
      } else quoted = false;
    } else if (c === '"' && field === "") quoted = true;
    else if (c === separator) endField();
    else if (c === "\n" || c === "\r") {
      if (c === "\r" && text[i + 1] === "\n") i++;
      endField();
      out.push(row);
      row = [];
      if (out.length >= most) return out;
    } else field += c;
  }
  if (field !== "" || row.length) {
    endField();
    out.push(row);
  }
  return out;
}
