// Orders of rows, as the server orders them: values, then NaN, then runs without a value, in both directions; equals
// by start time, the younger first, and by id.

import { keyOf, type ColumnId } from "./columns";
import type { RunTable } from "./table";

export interface Order {
  id: ColumnId;
  ascending: boolean;
}

export const DEFAULT_ORDER: Order = { id: "attributes.start_time", ascending: false };

/** The clause for the server; none for what only this page knows. */
export function orderClause(order: Order): string | undefined {
  if (order.id === "attributes.user_id") return clause("tags.`mlflow.user`", order);
  if (["attributes.duration", "attributes.datasets", "attributes.models", "attributes.experiment_id"].includes(order.id)) return undefined;
  if (order.id.startsWith("attributes.")) return clause(order.id, order);
  const quote = keyOf(order.id).includes("`") ? '"' : "`";
  return clause(`${order.id.slice(0, order.id.indexOf("."))}.${quote}${keyOf(order.id)}${quote}`, order);
}

const clause = (name: string, order: Order): string => `${name} ${order.ascending ? "ASC" : "DESC"}`;

/** A comparison of two rows. */
export function comparator(table: RunTable, order: Order): (a: number, b: number) => number {
  const start = table.column("attributes.start_time");
  const ties = (a: number, b: number): number => {
    if (start?.kind === "number") {
      const d = (start.get(b) ?? 0) - (start.get(a) ?? 0);
      if (d) return d;
    }
    return table.ids[a]! < table.ids[b]! ? -1 : 1;
  };
  const column = table.column(order.id);
  const sign = order.ascending ? 1 : -1;
  if (!column) return ties;
  if (column.kind === "number") {
    const { values, there } = column;
    // 0 a number, 1 NaN, 2 nothing.
    const rank = (row: number): number => (there[row] ? (Number.isNaN(values[row]) ? 1 : 0) : 2);
    return (a, b) => rank(a) - rank(b) || (rank(a) === 0 ? sign * (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0) : 0) || ties(a, b);
  }
  // Words are compared once, then rows by the places of their words.
  const places = new Uint32Array(column.words.length + 1);
  column.words
    .map((word, i) => ({ word, code: i + 1 }))
    .sort((x, y) => (x.word < y.word ? -1 : 1))
    .forEach(({ code }, place) => (places[code] = place));
  const { codes } = column;
  return (a, b) => {
    const [x, y] = [codes[a]!, codes[b]!];
    if (!x || !y) return (x ? 0 : 1) - (y ? 0 : 1) || ties(a, b);
    return sign * (places[x]! - places[y]!) || ties(a, b);
  };
}

/** All rows as they came. This is done for every page that arrives, and `Int32Array.from` takes ten times as long. */
export function allRows(table: RunTable): Int32Array {
  const rows = new Int32Array(table.length);
  for (let row = 0; row < rows.length; row++) rows[row] = row;
  return rows;
}

/** All rows in order. */
export function sorted(table: RunTable, order: Order): Int32Array {
  return allRows(table).sort(comparator(table, order));
}
