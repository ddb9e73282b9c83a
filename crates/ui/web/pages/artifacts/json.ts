// JSON files: laid out, or as the tables that they are.

export function laidOut(text: string, path: string): string {
  try {
    return path.endsWith("l") ? text : JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not JSON after all, such as with bare NaN: shown as it is.
    return text;
  }
}

/** What `mlflow.log_table` and pandas write: `{"columns": […], "data": [[…]]}`. */
export function tableOf(text: string): string[][] | undefined {
  try {
    const parsed = JSON.parse(text) as { columns?: unknown; data?: unknown };
    if (!Array.isArray(parsed.columns) || !Array.isArray(parsed.data) || !parsed.data.every(Array.isArray)) return undefined;
    const cell = (value: unknown): string => (typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value));
    return [parsed.columns.map(cell), ...(parsed.data as unknown[][]).map((row) => row.map(cell))];
  } catch {
    return undefined;
  }
}
