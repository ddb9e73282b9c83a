// The lines of the runs table: rows of runs and heads of groups, in the order of the screen.

import type { ColumnId } from "./columns";
import { grouped, type Aggregate, type Group } from "./group";
import type { Order } from "./sort";
import type { RunTable } from "./table";
import { nested } from "./tree";

export interface View {
  /** Rows of the table; `-1 - n` is the head of group `n`. */
  lines: Int32Array;
  depth: Uint8Array;
  groups: readonly Group[];
  /** Children of each row of the table; empty where runs are not nested. */
  children: Int32Array;
}

export interface ViewOptions {
  order: Order;
  nest: boolean;
  isClosed: (key: string) => boolean;
  groupBy: readonly ColumnId[];
  aggregate: Aggregate;
  pinned: ReadonlySet<string>;
}

const NONE = new Int32Array(0);

export function view(table: RunTable, order: Int32Array, options: ViewOptions): View {
  if (options.groupBy.length) return groups(table, order, options);
  const { pinned } = options;
  if (options.nest) {
    const tree = nested(table, order, options.isClosed);
    if (!pinned.size) return { lines: tree.rows, depth: tree.depth, groups: [], children: tree.children };
    const depth = new Map<number, number>();
    tree.rows.forEach((row, i) => depth.set(row, tree.depth[i]!));
    const lines = pinnedFirst(table, tree.rows, pinned);
    return { lines, depth: Uint8Array.from(lines, (row) => (pinned.has(table.ids[row]!) ? 0 : depth.get(row)!)), groups: [], children: tree.children };
  }
  const lines = pinned.size ? pinnedFirst(table, order, pinned) : order;
  return { lines, depth: new Uint8Array(lines.length), groups: [], children: NONE };
}

function pinnedFirst(table: RunTable, rows: Int32Array, pinned: ReadonlySet<string>): Int32Array {
  const isPinned = (row: number): boolean => pinned.has(table.ids[row]!);
  const out = new Int32Array(rows.length);
  let at = 0;
  for (const row of rows) if (isPinned(row)) out[at++] = row;
  for (const row of rows) if (!isPinned(row)) out[at++] = row;
  return out;
}

function groups(table: RunTable, order: Int32Array, options: ViewOptions): View {
  const all = grouped(table, order, options.groupBy);
  const { id, ascending } = options.order;
  if (table.column(id)?.kind === "number" && id.startsWith("metrics.")) {
    const value = (group: Group): number => group.aggregate(table, id, options.aggregate) ?? (ascending ? Infinity : -Infinity);
    all.sort((a, b) => (ascending ? value(a) - value(b) : value(b) - value(a)) || 0);
  }
  const lines: number[] = [];
  const depth: number[] = [];
  all.forEach((group, n) => {
    lines.push(-1 - n);
    depth.push(0);
    if (options.isClosed(group.key)) return;
    for (const row of group.rows) {
      lines.push(row);
      depth.push(1);
    }
  });
  return { lines: Int32Array.from(lines), depth: Uint8Array.from(depth), groups: all, children: NONE };
}
