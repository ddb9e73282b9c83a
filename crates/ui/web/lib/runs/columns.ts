// Columns of many runs, by kind of value. A metric is a number, everything else a text out of a list of words.
//
// 100,000 runs as objects would be gigabytes and stop the page to collect garbage; as columns they are some megabytes.

/** `attributes.start_time`, `metrics.loss`, `params.lr`, `tags.team`. */
export type ColumnId = string;

export type ColumnGroup = "attributes" | "metrics" | "params" | "tags";

export function groupOf(id: ColumnId): ColumnGroup {
  return id.slice(0, id.indexOf(".")) as ColumnGroup;
}

export function keyOf(id: ColumnId): string {
  return id.slice(id.indexOf(".") + 1);
}

/** Numbers; `NaN` may be a value or the lack of one, so that is kept apart. */
export class NumberColumn {
  readonly kind = "number";
  values = new Float64Array(0);
  there = new Uint8Array(0);
  /** How many rows have a value. */
  count = 0;
  min = Infinity;
  max = -Infinity;

  reserve(rows: number): void {
    if (rows <= this.values.length) return;
    this.values = grown(this.values, new Float64Array(capacity(rows)));
    this.there = grown(this.there, new Uint8Array(capacity(rows)));
  }

  set(row: number, value: number): void {
    this.reserve(row + 1);
    if (!this.there[row]) this.count++;
    this.there[row] = 1;
    this.values[row] = value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  clear(row: number): void {
    if (row < this.there.length && this.there[row]) {
      this.there[row] = 0;
      this.count--;
    }
  }

  has(row: number): boolean {
    return this.there[row] === 1;
  }

  /** `undefined` where there is none. */
  get(row: number): number | undefined {
    return this.there[row] === 1 ? this.values[row] : undefined;
  }

  /** Whether not all values are the same. */
  get varies(): boolean {
    return this.count > 0 && this.min < this.max;
  }
}

/** Texts; a code is the place of a word plus one, 0 is no text. */
export class TextColumn {
  readonly kind = "text";
  codes = new Uint32Array(0);
  words: string[] = [];
  count = 0;
  #places = new Map<string, number>();

  reserve(rows: number): void {
    if (rows > this.codes.length) this.codes = grown(this.codes, new Uint32Array(capacity(rows)));
  }

  code(word: string): number {
    let code = this.#places.get(word);
    if (code === undefined) {
      code = this.words.push(word);
      this.#places.set(word, code);
    }
    return code;
  }

  set(row: number, word: string): void {
    this.setCode(row, this.code(word));
  }

  setCode(row: number, code: number): void {
    this.reserve(row + 1);
    if (!this.codes[row]) this.count++;
    this.codes[row] = code;
  }

  clear(row: number): void {
    if (row < this.codes.length && this.codes[row]) {
      this.codes[row] = 0;
      this.count--;
    }
  }

  has(row: number): boolean {
    return (this.codes[row] ?? 0) > 0;
  }

  get(row: number): string | undefined {
    const code = this.codes[row];
    return code ? this.words[code - 1] : undefined;
  }

  get varies(): boolean {
    return this.words.length > 1;
  }
}

export type Column = NumberColumn | TextColumn;

const capacity = (rows: number): number => Math.max(256, 2 ** Math.ceil(Math.log2(rows)));

function grown<T extends Float64Array | Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
