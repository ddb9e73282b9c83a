// What stands in a cell of the runs table.

import { number } from "../../lib/format/numbers";
import { ago, dateTime, duration, fullTime } from "../../lib/format/times";
import type { ColumnId } from "../../lib/runs/columns";
import type { RunTable } from "../../lib/runs/table";

export interface Cell {
  text: string;
  title: string;
  numeric: boolean;
}

const EMPTY: Cell = { text: "", title: "", numeric: false };

export function cell(table: RunTable, row: number, id: ColumnId, now: number): Cell {
  if (id === "attributes.duration") {
    const start = table.number("attributes.start_time", row);
    const end = table.number("attributes.end_time", row);
    if (start === undefined || (end === undefined && table.text("attributes.status", row) !== "RUNNING")) return EMPTY;
    const ms = (end ?? Math.max(now, start)) - start;
    return { text: duration(ms), title: `${ms} ms`, numeric: true };
  }
  const value = table.number(id, row);
  if (value !== undefined) {
    if (id === "attributes.start_time") return { text: ago(value, now), title: fullTime(value), numeric: false };
    if (id === "attributes.end_time") return { text: dateTime(value), title: fullTime(value), numeric: false };
    return { text: number(value), title: String(value), numeric: true };
  }
  const text = table.text(id, row);
  if (text === undefined) return EMPTY;
  if (id === "tags.mlflow.source.git.commit") return { text: text.slice(0, 7), title: text, numeric: false };
  if (id === "tags.mlflow.source.name") return { text: text.slice(text.lastIndexOf("/") + 1), title: text, numeric: false };
  if (id === "attributes.models") {
    const n = text.split("\n").length;
    return { text: n === 1 ? "1 model" : `${n} models`, title: text, numeric: false };
  }
  const numeric = !id.startsWith("attributes.") && text.length < 24 && text.trim() !== "" && !Number.isNaN(Number(text));
  return { text: text.length > 200 ? text.slice(0, 200) : text.replace(/\s+/g, " "), title: text, numeric };
}
