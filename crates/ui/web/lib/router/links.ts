// Addresses of pages, as `route.ts` reads them.

const e = encodeURIComponent;

export const links = {
  experiments: "#/experiments",
  experiment: (id: string, tab?: string) => `#/experiments/${e(id)}${tab && tab !== "runs" ? `/${tab}` : ""}`,
  several: (ids: readonly string[], tab?: string) =>
    ids.length === 1 ? links.experiment(ids[0]!, tab) : `#/compare-experiments?experiments=${ids.map(e).join(",")}${tab && tab !== "runs" ? `&tab=${tab}` : ""}`,
  run: (experiment: string, run: string, tab?: string) => `#/experiments/${e(experiment)}/runs/${e(run)}${tab && tab !== "overview" ? `/${tab}` : ""}`,
  artifact: (experiment: string, run: string, path: string) => `${links.run(experiment, run, "artifacts")}${path ? `/${path.split("/").map(e).join("/")}` : ""}`,
  trace: (experiment: string, trace: string, span?: string) => `#/experiments/${e(experiment)}/traces/${e(trace)}${span ? `?span=${e(span)}` : ""}`,
  model: (experiment: string, model: string) => `#/experiments/${e(experiment)}/models/${e(model)}`,
  modelArtifact: (experiment: string, model: string, path: string) => `${links.model(experiment, model)}/artifacts/${path.split("/").map(e).join("/")}`,
  findRun: (run: string) => `#/runs/${e(run)}`,
  models: "#/models",
  registered: (name: string) => `#/models/${e(name)}`,
  version: (name: string, version: string, tab?: string) => `#/models/${e(name)}/versions/${e(version)}${tab && tab !== "overview" ? `/${tab}` : ""}`,
  versionArtifact: (name: string, version: string, path: string) => `${links.version(name, version, "artifacts")}${path ? `/${path.split("/").map(e).join("/")}` : ""}`,
  compareVersions: (name: string, versions: readonly string[]) => `#/compare-model-versions?name=${e(JSON.stringify(name))}&versions=${versions.map(e).join(",")}`,
  prompts: "#/prompts",
  prompt: (name: string, version?: string) => `#/prompts/${e(name)}${version ? `?promptVersion=${e(version)}` : ""}`,
  compare: (runs: readonly string[]) => `#/compare-runs?runs=${runs.map(e).join(",")}`,
};
