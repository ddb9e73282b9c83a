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
 * The row that a slot shows. Slots are the elements on the page; each row keeps its slot while it is in sight, so that
 * scrolling by one row changes one element.
 */
export function rowOfSlot(slot: number, slots: number, first: number): number {
  return first + ((((slot - first) % slots) + slots) % slots);
}
