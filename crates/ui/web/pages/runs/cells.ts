// What stands in a cell of the runs table, and in its tooltip.

import { number } from "../../lib/format/numbers";
import { ago, dateTime, duration, fullTime } from "../../lib/format/times";
import type { ColumnId } from "../../lib/runs/columns";
import type { RunTable } from "../../lib/runs/table";

export interface Cell {
  text: string;
  numeric: boolean;
}

const EMPTY: Cell = { text: "", numeric: false };

function ms(table: RunTable, row: number, now: number): number | undefined {
  const start = table.number("attributes.start_time", row);
  const end = table.number("attributes.end_time", row);
  if (start === undefined || (end === undefined && table.text("attributes.status", row) !== "RUNNING")) return undefined;
  return (end ?? Math.max(now, start)) - start;
}

export function cell(table: RunTable, row: number, id: ColumnId, now: number): Cell {
  if (id === "attributes.duration") {
    const lasted = ms(table, row, now);
    return lasted === undefined ? EMPTY : { text: duration(lasted), numeric: true };
  }
  const value = table.number(id, row);
  if (value !== undefined) {
    if (id === "attributes.start_time") return { text: ago(value, now), numeric: false };
    if (id === "attributes.end_time") return { text: dateTime(value), numeric: false };
    return { text: number(value), numeric: true };
  }
  const text = table.text(id, row);
  if (text === undefined) return EMPTY;
  if (id === "tags.mlflow.source.git.commit") return { text: text.slice(0, 7), numeric: false };
  if (id === "tags.mlflow.source.name") return { text: text.slice(text.lastIndexOf("/") + 1), numeric: false };
  if (id === "attributes.models") {
    const n = text.split("\n").length;
    return { text: n === 1 ? "1 model" : `${n} models`, numeric: false };
  }
  const numeric = !id.startsWith("attributes.") && text.length < 24 && text.trim() !== "" && !Number.isNaN(Number(text));
  return { text: text.length > 200 ? text.slice(0, 200) : text.replace(/\s+/g, " "), numeric };
}

/** All of what a cell may have shortened. It is asked for when the pointer is there. */
export function tooltip(table: RunTable, row: number, id: ColumnId, now: number): string {
  if (id === "attributes.duration") {
    const lasted = ms(table, row, now);
    return lasted === undefined ? "" : `${lasted} ms`;
  }
  const value = table.number(id, row);
  if (value === undefined) return table.text(id, row) ?? "";
  return id === "attributes.start_time" || id === "attributes.end_time" ? fullTime(value) : String(value);
}
