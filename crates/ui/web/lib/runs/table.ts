// All runs that were loaded, as columns. Rows are only ever added; a run that comes again replaces its values.

import { NumberColumn, TextColumn, type Column, type ColumnId } from "./columns";
import type { Chunk } from "./decode";

export class RunTable {
  readonly ids: string[] = [];
  readonly columns = new Map<ColumnId, Column>();
  /** Metrics with a history. */
  readonly stepped = new Set<string>();
  #rows = new Map<string, number>();

  get length(): number {
    return this.ids.length;
  }

  /** The row of a run, if it was loaded. */
  rowOf(runId: string): number | undefined {
    return this.#rows.get(runId);
  }

  column(id: ColumnId): Column | undefined {
    return this.columns.get(id);
  }

  number(id: ColumnId, row: number): number | undefined {
    const column = this.columns.get(id);
    return column?.kind === "number" ? column.get(row) : undefined;
  }

  text(id: ColumnId, row: number): string | undefined {
    const column = this.columns.get(id);
    return column?.kind === "text" ? column.get(row) : undefined;
  }

  name(row: number): string {
    return this.text("attributes.run_name", row) ?? this.ids[row]!.slice(0, 8);
  }

  /** Adds a page; returns the rows that are new. */
  append(chunk: Chunk): number[] {
    const added: number[] = [];
    const target = new Uint32Array(chunk.ids.length);
    const seen: number[] = [];
    chunk.ids.forEach((id, i) => {
      let row = this.#rows.get(id);
      if (row === undefined) {
        row = this.ids.push(id) - 1;
        this.#rows.set(id, row);
        added.push(row);
      } else {
        seen.push(row);
      }
      target[i] = row;
    });
    for (const key of chunk.stepped) this.stepped.add(key);
    for (const row of seen) for (const column of this.columns.values()) column.clear(row);
    for (const part of chunk.parts) {
      const column = this.#ensure(part.id, part.kind);
      column.reserve(this.ids.length);
      if (part.kind === "number" && column.kind === "number") {
        for (let i = 0; i < part.rows.length; i++) column.set(target[part.rows[i]!]!, part.values[i]!);
      } else if (part.kind === "text" && column.kind === "text") {
        const codes = part.words.map((word) => column.code(word));
        for (let i = 0; i < part.rows.length; i++) column.setCode(target[part.rows[i]!]!, codes[part.codes[i]! - 1]!);
      }
    }
    for (const column of this.columns.values()) column.reserve(this.ids.length);
    return added;
  }

  /** Changes one text here, ahead of the server. */
  setText(id: ColumnId, row: number, value: string | undefined): void {
    const column = this.#ensure(id, "text");
    if (column.kind !== "text") return;
    if (value) column.set(row, value);
    else column.clear(row);
  }

  #ensure(id: ColumnId, kind: "number" | "text"): Column {
    let column = this.columns.get(id);
    if (!column) this.columns.set(id, (column = kind === "number" ? new NumberColumn() : new TextColumn()));
    return column;
  }
}
