// Which charts an experiment shows, in which sections. Plain data, so that it can be kept in a tag and read by anybody.

import { isSystem } from "../../lib/runs/choose";
import type { ColumnId } from "../../lib/runs/columns";
import { keyOf } from "../../lib/runs/columns";
import type { RunTable } from "../../lib/runs/table";

export type Kind = "line" | "bar" | "scatter" | "contour" | "box" | "parallel" | "difference" | "images";

export interface ChartSpec {
  id: string;
  kind: Kind;
  /** Columns: metrics of lines and bars; x and y, then z; axes. */
  columns: ColumnId[];
  /** What boxes are grouped by, or the folder of images. */
  by?: string;
  logY?: boolean;
  /** Takes the whole width. */
  wide?: boolean;
}

export interface SectionSpec {
  name: string;
  closed?: boolean;
  charts: ChartSpec[];
}

export interface Layout {
  sections: SectionSpec[];
}

export const KINDS: Record<Kind, { label: string; help: string; least: number; most: number }> = {
  line: { label: "Line", help: "One or more metrics over steps or time", least: 1, most: 6 },
  bar: { label: "Bar", help: "The latest value of a metric in each run", least: 1, most: 1 },
  scatter: { label: "Scatter", help: "Two values against each other; a third one as colour", least: 2, most: 3 },
  contour: { label: "Contour", help: "A third value as a field between the runs", least: 3, most: 3 },
  box: { label: "Box", help: "How a metric is spread, by a param or tag", least: 1, most: 1 },
  parallel: { label: "Parallel coordinates", help: "Runs as lines over params and metrics", least: 2, most: 12 },
  difference: { label: "Difference", help: "What differs from a baseline run", least: 0, most: 0 },
  images: { label: "Images", help: "Logged images side by side, by step", least: 0, most: 0 },
};

const MOST_AXES = 8;
const MOST_BARS = 8;

/** One section for each prefix of metrics, lines for what has a history; and the sweep as a whole first, if it is one. */
export function automatic(table: RunTable): Layout {
  const metrics = [...table.columns.keys()].filter((id) => id.startsWith("metrics.")).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  const params = [...table.columns.keys()].filter((id) => id.startsWith("params.") && table.column(id)!.varies && table.column(id)!.count * 2 > table.length);
  const sections: SectionSpec[] = [];
  const own = metrics.filter((id) => !isSystem(id));
  const results = own.filter((id) => table.column(id)!.varies && table.column(id)!.count > 2);
  if (params.length && results.length && table.length > 3) {
    const best = [...results].sort((a, b) => score(b) - score(a) || table.column(b)!.count - table.column(a)!.count)[0]!;
    const axes = params.filter((id) => axis(table, id)).slice(0, MOST_AXES - 1);
    if (axes.length) sections.push({ name: "Overview", charts: [{ id: "auto-parallel", kind: "parallel", columns: [...axes, best], wide: true }] });
  }
  const lines = new Map<string, ChartSpec[]>();
  const bars: ChartSpec[] = [];
  for (const id of metrics) {
    if (!table.stepped.has(keyOf(id))) {
      bars.push({ id: `auto-${id}`, kind: "bar", columns: [id] });
      continue;
    }
    const key = keyOf(id);
    const slash = key.indexOf("/");
    const name = isSystem(id) ? "System metrics" : slash > 0 ? key.slice(0, slash) : "Metrics";
    const list = lines.get(name);
    const spec: ChartSpec = { id: `auto-${id}`, kind: "line", columns: [id] };
    if (list) list.push(spec);
    else lines.set(name, [spec]);
  }
  const system = lines.get("System metrics");
  lines.delete("System metrics");
  // A section for a single chart is a waste of a line.
  const alone = [...lines].filter(([name, charts]) => charts.length === 1 && name !== "Metrics");
  for (const [name] of alone) lines.delete(name);
  const rest = [...(lines.get("Metrics") ?? []), ...alone.flatMap(([, charts]) => charts)];
  lines.delete("Metrics");
  if (rest.length) sections.push({ name: "Metrics", charts: rest });
  for (const [name, charts] of lines) sections.push({ name, charts });
  if (bars.length) sections.push({ name: "Logged once", charts: bars.slice(0, MOST_BARS) });
  if (system) sections.push({ name: "System metrics", charts: system, closed: lines.size > 0 || rest.length > 0 });
  return { sections };
}

/** A param with hundreds of different words is no axis. */
function axis(table: RunTable, id: ColumnId): boolean {
  const column = table.column(id)!;
  return column.kind === "number" || column.words.every((word) => word.trim() !== "" && !Number.isNaN(Number(word))) || column.words.length <= 20;
}

const score = (id: ColumnId): number => (/^metrics\.(val|valid|validation|eval|test)/i.test(id) ? 2 : 0) + (/(acc|auc|f1|loss|score)/i.test(id) ? 1 : 0);

/** A layout from outside, if it is one: a tag may hold anything. */
export function readLayout(text: string | undefined): Layout | undefined {
  if (!text) return undefined;
  try {
    const parsed = JSON.parse(text) as Partial<Layout>;
    if (!Array.isArray(parsed.sections)) return undefined;
    const sections = parsed.sections
      .filter((section): section is SectionSpec => typeof section?.name === "string" && Array.isArray(section.charts))
      .map((section) => ({ ...section, charts: section.charts.filter((chart) => typeof chart?.id === "string" && chart.kind in KINDS && Array.isArray(chart.columns) && chart.columns.every((id) => typeof id === "string")) }));
    return { sections };
  } catch {
    return undefined;
  }
}

/** Moves a chart to a place in a section. */
export function moved(layout: Layout, id: string, section: number, place: number): Layout {
  const chart = layout.sections.flatMap((each) => each.charts).find((each) => each.id === id);
  if (!chart) return layout;
  const before = layout.sections[section]?.charts.findIndex((each) => each.id === id) ?? -1;
  const at = before >= 0 && before < place ? place - 1 : place;
  const sections = layout.sections.map((each, i) => {
    const rest = each.charts.filter((other) => other.id !== id);
    return { ...each, charts: i === section ? [...rest.slice(0, at), chart, ...rest.slice(at)] : rest };
  });
  return { sections };
}

/** Adds a chart or replaces the one with its id. */
export function withChart(layout: Layout, chart: ChartSpec, section: number): Layout {
  if (layout.sections.some((each) => each.charts.some((other) => other.id === chart.id))) {
    return { sections: layout.sections.map((each) => ({ ...each, charts: each.charts.map((other) => (other.id === chart.id ? chart : other)) })) };
  }
  if (!layout.sections.length) return { sections: [{ name: "Charts", charts: [chart] }] };
  return { sections: layout.sections.map((each, i) => (i === section ? { ...each, closed: false, charts: [chart, ...each.charts] } : each)) };
}

export function titleOf(chart: ChartSpec): string {
  const names = chart.columns.map(keyOf);
  switch (chart.kind) {
    case "line":
    case "bar":
      return names.join(", ");
    case "scatter":
    case "contour":
      return `${names[1]} by ${names[0]}${names[2] ? `, ${names[2]}` : ""}`;
    case "box":
      return chart.by ? `${names[0]} by ${keyOf(chart.by)}` : names[0]!;
    case "parallel":
      return "Parallel coordinates";
    case "difference":
      return "Difference from a baseline";
    case "images":
      return "Images";
  }
}
