// Addresses of pages, as `route.ts` reads them.

const e = encodeURIComponent;

export const links = {
  experiments: "#/experiments",
  experiment: (id: string, tab?: string) => `#/experiments/${e(id)}${tab && tab !== "runs" ? `/${tab}` : ""}`,
  several: (ids: readonly string[], tab?: string) =>
    ids.length === 1 ? links.experiment(ids[0]!, tab) : `#/compare-experiments?experiments=${ids.map(e).join(",")}${tab && tab !== "runs" ? `&tab=${tab}` : ""}`,
  run: (experiment: string, run: string, tab?: string) => `#/experiments/${e(experiment)}/runs/${e(run)}${tab && tab !== "overview" ? `/${tab}` : ""}`,
  artifact: (experiment: string, run: string, path: string) => `${links.run(experiment, run, "artifacts")}${path ? `/${path.split("/").map(e).join("/")}` : ""}`,
  model: (experiment: string, model: string) => `#/experiments/${e(experiment)}/models/${e(model)}`,
  modelArtifact: (experiment: string, model: string, path: string) => `${links.model(experiment, model)}/artifacts/${path.split("/").map(e).join("/")}`,
  compare: (runs: readonly string[]) => `#/compare-runs?runs=${runs.map(e).join(",")}`,
};
