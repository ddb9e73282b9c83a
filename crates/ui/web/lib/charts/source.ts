// What charts are drawn from: some runs of a table, with their looks.

import type { RunTable } from "../runs/table";
import type { Look } from "./colors";

export interface DrawnRun {
  id: string;
  row: number;
  name: string;
  look: Look;
  /** Where its page is. */
  experiment: string;
  running: boolean;
}

export interface Source {
  table: RunTable;
  runs: readonly DrawnRun[];
}

/** A value as a number, if it is one or looks like one. */
export function numeric(source: Source, run: DrawnRun, column: string): number | undefined {
  const value = source.table.number(column, run.row);
  if (value !== undefined) return value;
  const text = source.table.text(column, run.row);
  if (text === undefined || text.trim() === "") return undefined;
  const parsed = Number(text);
  return Number.isNaN(parsed) ? undefined : parsed;
}
