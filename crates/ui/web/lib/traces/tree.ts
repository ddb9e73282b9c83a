// Spans as a tree, and its rows from top to bottom. Spans may come without their parents, twice, or as a circle; each is
// there once.

import type { Span } from "./spans";

export interface Row {
  span: Span;
  depth: number;
  parent: Row | undefined;
  children: Row[];
  /** Its place among the children of its parent, from 1. */
  place: number;
  siblings: number;
}

export interface SpanTree {
  roots: Row[];
  byId: Map<string, Row>;
  /** When the first began and the last ended, in milliseconds. */
  start: number;
  end: number;
}

export function treeOf(spans: readonly Span[]): SpanTree {
  const byId = new Map<string, Row>();
  for (const span of spans) byId.set(span.id, { span, depth: 0, parent: undefined, children: [], place: 1, siblings: 1 });
  const rows = [...byId.values()].sort((a, b) => a.span.start - b.span.start);
  const roots: Row[] = [];
  for (const row of rows) {
    const parent = byId.get(row.span.parent);
    if (parent && !isAbove(row, parent)) {
      row.parent = parent;
      parent.children.push(row);
    } else roots.push(row);
  }
  const numbered = (list: readonly Row[]): void => list.forEach((row, i) => Object.assign(row, { place: i + 1, siblings: list.length, depth: row.parent ? row.parent.depth + 1 : 0 }));
  numbered(roots);
  // By hand: a chain of calls may be deeper than the stack.
  const open = [...roots];
  for (let row = open.pop(); row; row = open.pop()) {
    numbered(row.children);
    open.push(...row.children);
  }
  let [start, end] = [Infinity, -Infinity];
  for (const { span } of rows) {
    start = Math.min(start, span.start);
    end = Math.max(end, span.end ?? span.start);
  }
  return { roots, byId, start: rows.length ? start : 0, end: rows.length ? end : 0 };
}

/** Whether `row` is `other` or one of those above it. */
function isAbove(row: Row, other: Row): boolean {
  for (let at: Row | undefined = other; at; at = at.parent) if (at === row) return true;
  return false;
}

/** What is shown, where some are folded. */
export function rowsOf(tree: SpanTree, folded: ReadonlySet<string>): Row[] {
  const out: Row[] = [];
  const open = [...tree.roots].reverse();
  for (let row = open.pop(); row; row = open.pop()) {
    out.push(row);
    if (!folded.has(row.span.id)) for (let i = row.children.length - 1; i >= 0; i--) open.push(row.children[i]!);
  }
  return out;
}
