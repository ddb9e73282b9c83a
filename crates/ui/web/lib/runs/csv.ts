// The runs table as CSV (RFC 4180).

import { groupOf, keyOf, type ColumnId } from "./columns";
import type { RunTable } from "./table";

/** A cell that a spreadsheet would take for a formula is kept a text by an apostrophe. */
function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

/** All attributes, params, metrics and tags of the rows. */
export function csv(table: RunTable, rows: Iterable<number>): string {
  const of = (group: string): ColumnId[] => [...table.columns.keys()].filter((id) => groupOf(id) === group).sort();
  const columns = [...of("params"), ...of("metrics"), ...of("tags").filter((id) => !id.startsWith("tags.mlflow."))];
  const head = ["run_id", "name", "status", "start_time", "end_time", "user", "source", ...columns.map((id) => `${groupOf(id)}.${keyOf(id)}`)];
  const lines = [head.map(cell).join(",")];
  for (const row of rows) {
    lines.push(
      [
        table.ids[row],
        table.name(row),
        table.text("attributes.status", row),
        time(table.number("attributes.start_time", row)),
        time(table.number("attributes.end_time", row)),
        table.text("attributes.user_id", row),
        table.text("tags.mlflow.source.name", row),
        ...columns.map((id) => table.number(id, row) ?? table.text(id, row)),
      ]
        .map(cell)
        .join(","),
    );
  }
  return `${lines.join("\r\n")}\r\n`;
}
