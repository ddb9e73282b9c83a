// What an address means. The part after `#` has MLflow's form, because MLflow's clients print such links.

export type ExperimentTab = "runs" | "charts" | "models" | "datasets";
export type RunTab = "overview" | "model-metrics" | "system-metrics" | "artifacts";

export type Route =
  | { page: "experiments" }
  | { page: "experiment"; ids: string[]; tab: ExperimentTab }
  | { page: "run"; experiment: string; run: string; tab: RunTab; artifact: string }
  | { page: "find-run"; run: string }
  | { page: "model"; experiment: string; model: string; artifact: string }
  | { page: "compare"; runs: string[] }
  | { page: "unknown"; path: string };

export interface Address {
  route: Route;
  query: URLSearchParams;
}

/** Reads `#/experiments/1/runs/<id>?a=b`. */
export function parse(hash: string): Address {
  const text = hash.replace(/^#/, "");
  const cut = text.indexOf("?");
  const path = cut < 0 ? text : text.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1));
  return { route: route(path, query), query };
}

function route(path: string, query: URLSearchParams): Route {
  const parts = path.split("/").filter(Boolean).map(decoded);
  const [kind, id, tab, item, ...rest] = parts;
  if (!kind) return { page: "experiments" };
  if (kind === "experiments") {
    if (!id) return { page: "experiments" };
    if (tab === "runs" && item) return run(id, item, rest);
    if (tab === "models" && item) return { page: "model", experiment: id, model: item, artifact: rest[0] === "artifacts" ? rest.slice(1).join("/") : "" };
    return { page: "experiment", ids: [id], tab: experimentTab(tab, query) };
  }
  if (kind === "compare-experiments") {
    const ids = list(query.get("experiments"));
    if (ids.length) return { page: "experiment", ids, tab: experimentTab(query.get("tab") ?? undefined, query) };
  }
  if (kind === "compare-runs") return { page: "compare", runs: list(query.get("runs")) };
  if (kind === "runs" && id) return { page: "find-run", run: id };
  return { page: "unknown", path };
}

function run(experiment: string, id: string, rest: string[]): Route {
  const [tab, ...path] = rest;
  const base = { page: "run", experiment, run: id } as const;
  if (tab === "artifacts" || tab === "artifactPath") return { ...base, tab: "artifacts", artifact: path.join("/") };
  if (tab === "model-metrics" || tab === "system-metrics") return { ...base, tab, artifact: "" };
  return { ...base, tab: "overview", artifact: "" };
}

function experimentTab(tab: string | undefined, query: URLSearchParams): ExperimentTab {
  if (tab === "charts" || tab === "models" || tab === "datasets") return tab;
  // MLflow 2 keeps the tab in the query.
  return query.get("compareRunsMode") === "CHART" ? "charts" : "runs";
}

/** Ids as MLflow writes them, a JSON list, or with commas between. */
function list(text: string | null): string[] {
  if (!text) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed)) return parsed.map(String);
    return [String(parsed)];
  } catch {
    return text.split(",").filter(Boolean);
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
