// Runs in groups by what some of their columns say, with aggregates of their metrics.

import type { ColumnId } from "./columns";
import type { RunTable } from "./table";

export type Aggregate = "mean" | "min" | "max";

export class Group {
  readonly rows: number[] = [];
  #cache = new Map<string, number | undefined>();

  constructor(
    readonly key: string,
    readonly values: readonly (string | undefined)[],
  ) {}

  /** Over the runs that have the metric; NaN is left out. */
  aggregate(table: RunTable, id: ColumnId, how: Aggregate): number | undefined {
    const name = `${how} ${id}`;
    if (!this.#cache.has(name)) this.#cache.set(name, compute(table, id, how, this.rows));
    return this.#cache.get(name);
  }

  /** The one text that all runs of the group share. */
  shared(table: RunTable, id: ColumnId): string | undefined {
    const column = table.column(id);
    if (column?.kind !== "text") return undefined;
    const code = column.codes[this.rows[0]!];
    return code && this.rows.every((row) => column.codes[row] === code) ? column.words[code - 1] : undefined;
  }
}

function compute(table: RunTable, id: ColumnId, how: Aggregate, rows: readonly number[]): number | undefined {
  const column = table.column(id);
  if (column?.kind !== "number") return undefined;
  let [n, sum, min, max] = [0, 0, Infinity, -Infinity];
  for (const row of rows) {
    const value = column.get(row);
    if (value === undefined || Number.isNaN(value)) continue;
    n++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (!n) return undefined;
  return how === "mean" ? sum / n : how === "min" ? min : max;
}

/** Groups in the order in which their first runs come; runs without any of the values are a group too. */
export function grouped(table: RunTable, order: Int32Array, by: readonly ColumnId[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of order) {
    const values = by.map((id) => table.text(id, row) ?? table.number(id, row)?.toString());
    const key = JSON.stringify(values.map((value) => value ?? null));
    let group = groups.get(key);
    if (!group) groups.set(key, (group = new Group(key, values)));
    group.rows.push(row);
  }
  return [...groups.values()];
}
