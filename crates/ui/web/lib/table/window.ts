// Which rows and columns of a large table are in sight.

export interface Range {
  first: number;
  /** Behind the last. */
  end: number;
}

export function rowsInSight(scrollTop: number, height: number, rowHeight: number, total: number, over = 6): Range {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - over);
  return { first: Math.min(first, total), end: Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + over) };
}

/** The left edges of columns, and behind them the right edge of the last. */
export function edges(widths: readonly number[]): number[] {
  const out = [0];
  for (const width of widths) out.push(out.at(-1)! + width);
  return out;
}

export function columnsInSight(scrollLeft: number, width: number, at: readonly number[], over = 120): Range {
  const count = at.length - 1;
  let first = 0;
  while (first < count && at[first + 1]! < scrollLeft - over) first++;
  let end = first;
  while (end < count && at[end]! < scrollLeft + width + over) end++;
  return { first, end };
}

/**
 * Rows for lines that are used again: row `n` has the line `n % slots` while it is in sight, so that scrolling by one row
 * changes one line. There are as many lines wherever the table is, or else every row would change its line. Few are
 * beyond what is in sight: each takes its share of every frame.
 */
export function slotsInSight(scrollTop: number, height: number, rowHeight: number, total: number, over = 3): Range & { slots: number } {
  const slots = Math.ceil(height / rowHeight) + 1 + 2 * over;
  const first = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight) - over, total - slots));
  return { first, end: Math.min(total, first + slots), slots };
}
