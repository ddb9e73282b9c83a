// What an address means. The part after `#` has MLflow's form, because MLflow's clients print such links.

export type ExperimentTab = "runs" | "charts" | "traces" | "models" | "datasets";
export type RunTab = "overview" | "model-metrics" | "system-metrics" | "traces" | "artifacts";

export type VersionTab = "overview" | "artifacts";

export type Route =
  | { page: "experiments" }
  | { page: "experiment"; ids: string[]; tab: ExperimentTab }
  | { page: "run"; experiment: string; run: string; tab: RunTab; artifact: string }
  | { page: "find-run"; run: string }
  | { page: "trace"; experiment: string; trace: string }
  | { page: "model"; experiment: string; model: string; artifact: string }
  | { page: "compare"; runs: string[] }
  | { page: "registry" }
  | { page: "registered"; name: string }
  | { page: "version"; name: string; version: string; tab: VersionTab; artifact: string }
  | { page: "compare-versions"; name: string; versions: string[] }
  | { page: "prompts" }
  | { page: "prompt"; name: string }
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
    // MLflow opens a trace above its list, and says which in the query.
    const trace = tab === "traces" && item ? item : tab === "traces" || rest[0] === "traces" || query.get("compareRunsMode") === "TRACES" ? selectedTrace(query) : "";
    if (trace) return { page: "trace", experiment: id, trace };
    if (tab === "runs" && item) return run(id, item, rest);
    if (tab === "prompts") return item ? { page: "prompt", name: item } : { page: "prompts" };
    if (tab === "models" && item) return { page: "model", experiment: id, model: item, artifact: rest[0] === "artifacts" ? rest.slice(1).join("/") : "" };
    return { page: "experiment", ids: [id], tab: experimentTab(tab, query) };
  }
  if (kind === "compare-experiments") {
    const ids = list(query.get("experiments"));
    if (ids.length) return { page: "experiment", ids, tab: experimentTab(query.get("tab") ?? undefined, query) };
  }
  if (kind === "compare-runs") return { page: "compare", runs: list(query.get("runs")) };
  if (kind === "models") return registry(id, parts.slice(2));
  if (kind === "compare-model-versions") return { page: "compare-versions", name: text(query.get("name")), versions: query.has("versions") ? list(query.get("versions")) : values(query.get("runs")) };
  if (kind === "prompts") return id ? { page: "prompt", name: id } : { page: "prompts" };
  if (kind === "runs" && id) return { page: "find-run", run: id };
  return { page: "unknown", path };
}

function run(experiment: string, id: string, rest: string[]): Route {
  const [tab, ...path] = rest;
  const base = { page: "run", experiment, run: id } as const;
  if (tab === "artifacts" || tab === "artifactPath") return { ...base, tab: "artifacts", artifact: path.join("/") };
  if (tab === "model-metrics" || tab === "system-metrics" || tab === "traces") return { ...base, tab, artifact: "" };
  return { ...base, tab: "overview", artifact: "" };
}

function registry(name: string | undefined, [part, version, tab, ...path]: string[]): Route {
  if (!name) return { page: "registry" };
  // MLflow 1 called them so.
  if ((part === "versions" || part === "version") && version) return { page: "version", name, version, tab: tab === "artifacts" ? "artifacts" : "overview", artifact: tab === "artifacts" ? path.join("/") : "" };
  return { page: "registered", name };
}

function experimentTab(tab: string | undefined, query: URLSearchParams): ExperimentTab {
  if (tab === "charts" || tab === "traces" || tab === "models" || tab === "datasets") return tab;
  // MLflow 2 keeps the tab in the query.
  const mode = query.get("compareRunsMode");
  return mode === "CHART" ? "charts" : mode === "TRACES" ? "traces" : "runs";
}

/** The trace that MLflow's links name, by whichever of their names. */
function selectedTrace(query: URLSearchParams): string {
  return query.get("selectedTraceId") ?? query.get("selectedEvaluationId") ?? query.get("traceId") ?? "";
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

/** A name as MLflow writes it, a JSON text, or as it is. */
function text(value: string | null): string {
  try {
    const parsed: unknown = JSON.parse(value ?? "");
    if (typeof parsed === "string") return parsed;
  } catch {
    // Not JSON: the name itself.
  }
  return value ?? "";
}

/** The versions in MLflow's `{"<run id>":"<version>"}`. */
function values(value: string | null): string[] {
  try {
    const parsed: unknown = JSON.parse(value ?? "");
    return parsed && typeof parsed === "object" ? Object.values(parsed).map(String) : [];
  } catch {
    return [];
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
