// Child runs below their parents, by the tag `mlflow.parentRunId`.

import type { RunTable } from "./table";

export const PARENT = "tags.mlflow.parentRunId";

/** Rows in the order of the screen, with how deep each is. */
export interface Nested {
  rows: Int32Array;
  depth: Uint8Array;
  /** Children of each row of the table that were loaded. */
  children: Int32Array;
}

export function hasChildren(table: RunTable): boolean {
  const column = table.column(PARENT);
  return column?.kind === "text" && column.words.some((parent) => table.rowOf(parent) !== undefined);
}

/** `order` with children after their parents; a parent that was not loaded leaves its children at the top. */
export function nested(table: RunTable, order: Int32Array, isClosed: (runId: string) => boolean): Nested {
  const column = table.column(PARENT);
  const children = new Int32Array(table.length);
  const flat = { rows: order, depth: new Uint8Array(order.length), children };
  if (column?.kind !== "text") return flat;
  const shown = new Uint8Array(table.length);
  for (const row of order) shown[row] = 1;
  const parentOf = column.words.map((word) => table.rowOf(word) ?? -1);
  const first = new Int32Array(table.length).fill(-1);
  const next = new Int32Array(table.length).fill(-1);
  const roots: number[] = [];
  for (let i = order.length - 1; i >= 0; i--) {
    const row = order[i]!;
    const code = column.codes[row]!;
    const parent = code ? parentOf[code - 1]! : -1;
    if (parent >= 0 && parent !== row && shown[parent]) {
      next[row] = first[parent]!;
      first[parent] = row;
      children[parent]!++;
    } else {
      roots.push(row);
    }
  }
  const rows: number[] = [];
  const depth: number[] = [];
  const done = new Uint8Array(table.length);
  const walk = (root: number): void => {
    const stack: [row: number, level: number][] = [[root, 0]];
    while (stack.length) {
      const [row, level] = stack.pop()!;
      if (done[row]) continue;
      done[row] = 1;
      rows.push(row);
      depth.push(Math.min(level, 255));
      if (isClosed(table.ids[row]!)) {
        hide(first[row]!);
        continue;
      }
      const below: number[] = [];
      for (let child = first[row]!; child >= 0; child = next[child]!) below.push(child);
      for (const child of below.reverse()) stack.push([child, level + 1]);
    }
  };
  const hide = (child: number): void => {
    for (; child >= 0; child = next[child]!) {
      if (done[child]) continue;
      done[child] = 1;
      hide(first[child]!);
    }
  };
  for (const root of roots.reverse()) walk(root);
  // Runs that are each other's parents have no root; they are shown all the same.
  for (const row of order) if (!done[row]) walk(row);
  return { rows: Int32Array.from(rows), depth: Uint8Array.from(depth), children };
}
