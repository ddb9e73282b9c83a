// One run: details, metrics, parameters, tags, inputs and outputs, artifacts.

import { artifacts } from "./api.js";
import { failure, h, icon, moment, skeleton, status } from "./dom.js";
import { bytes, dateTime, duration, link, pairs } from "./format.js";

const FIRST_ROWS = 50;

/** A titled table that shows its first rows until asked for all; long ones can be searched by their first cell. */
function section(title, heads, rows, none) {
  const body = h("tbody");
  const more = h("button", { type: "button", onclick: () => draw(true) }, `Show all ${rows.length.toLocaleString("en")}`);
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search ${title.toLowerCase()}`, oninput: () => draw(false) });
  function draw(all) {
    const text = search.value.toLowerCase();
    const hits = text ? rows.filter(([key]) => key.toLowerCase().includes(text)) : rows;
    const shown = all ? hits : hits.slice(0, FIRST_ROWS);
    body.replaceChildren(...shown.map(([key, ...cells]) => h("tr", null, h("th", { scope: "row" }, key), cells.map((cell) => h("td", null, cell)))));
    more.hidden = shown.length === hits.length;
  }
  draw(false);
  return h("section", { class: "card" },
    h("h2", null, title, " ", h("span", { class: "dim" }, rows.length.toLocaleString("en"))),
    rows.length > FIRST_ROWS && search,
    rows.length
      ? h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": title },
        h("table", null, h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col" }, head)))), body))
      : h("p", { class: "dim" }, none),
    more);
}

/** The files below `path`; folders load when they are opened. */
function folder(runId, path, signal) {
  const box = h("div", { class: "files" });
  async function load() {
    box.replaceChildren(skeleton(2));
    try {
      const { files = [] } = await artifacts(runId, path, signal);
      box.replaceChildren(files.length
        ? h("ul", null, files.map((file) => entry(runId, file, signal)))
        : h("p", { class: "dim" }, path ? "Empty folder." : "No artifacts were logged."));
    } catch (error) {
      if (!signal.aborted) box.replaceChildren(failure("Artifacts could not be listed", error, load));
    }
  }
  load();
  return box;
}

function entry(runId, file, signal) {
  const name = file.path.split("/").pop();
  if (!file.is_dir) {
    return h("li", null, h("a", { href: link.artifact(runId, file.path), download: name }, icon("file"), h("span", null, name)),
      h("span", { class: "dim" }, bytes(file.file_size)));
  }
  const details = h("details", { ontoggle: () => {
    if (details.open && details.childElementCount === 1) details.append(folder(runId, file.path, signal));
  } }, h("summary", null, icon("chevron"), icon("folder"), h("span", null, name)));
  return h("li", null, details);
}

function facts(info, tags) {
  const parent = tags.get("mlflow.parentRunId");
  const source = tags.get("mlflow.source.name");
  return [
    ["Run ID", h("code", null, info.run_id), "wide"],
    ["Started", moment(info.start_time, dateTime)],
    ["Ended", moment(info.end_time, dateTime)],
    ["Duration", duration(info.start_time, info.end_time)],
    ["User", tags.get("mlflow.user") || info.user_id],
    ["Source", source],
    ["Git commit", tags.has("mlflow.source.git.commit") && h("code", null, tags.get("mlflow.source.git.commit").slice(0, 12))],
    ["Parent run", parent && h("a", { href: link.run(info.experiment_id, parent) }, h("code", null, parent)), "wide"],
    ["Artifacts at", info.artifact_uri && h("code", null, info.artifact_uri), "wide"],
  ].filter(([, value]) => value);
}

/** Data sets and models that went in, and models that came out. */
function flows(run) {
  const data = (run.inputs?.dataset_inputs ?? []).map(({ dataset, tags }) => [
    dataset.name, "Dataset", pairs(tags).get("mlflow.data.context") ?? "", h("code", null, dataset.digest), dataset.source_type ?? ""]);
  const models = (list, word) => (list ?? []).map(({ model_id }) => [model_id, word, "", "", ""]);
  return [...data, ...models(run.inputs?.model_inputs, "Model in"), ...models(run.outputs?.model_outputs, "Model out")];
}

const byKey = (a, b) => (a.key < b.key ? -1 : 1);

/** The whole view of `run`, a `Run` message; `experimentName` is for the way back. */
export function runView(run, experimentName, signal) {
  const { info, data = {} } = run;
  const tags = pairs(data.tags);
  const metrics = (data.metrics ?? []).toSorted(byKey).map((m) => [m.key, String(m.value), String(m.step ?? 0), moment(m.timestamp, dateTime)]);
  const params = (data.params ?? []).toSorted(byKey).map((p) => [p.key, p.value ?? ""]);
  const own = (key) => !key.startsWith("mlflow.");
  const tagRows = [...tags].sort(([a], [b]) => own(b) - own(a) || (a < b ? -1 : 1)).filter(([key]) => key !== "mlflow.note.content");
  const inputs = flows(run);
  return [
    h("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, h("a", { href: "#/" }, "Experiments"), icon("chevron"),
      h("a", { href: link.experiment(info.experiment_id) }, experimentName)),
    h("header", { class: "title" }, h("h1", { tabindex: "-1" }, info.run_name || info.run_id), status(info.status),
      info.lifecycle_stage === "deleted" && h("span", { class: "badge" }, "Deleted")),
    tags.get("mlflow.note.content") && h("p", { class: "note" }, tags.get("mlflow.note.content")),
    h("dl", { class: "facts" }, facts(info, tags).map(([term, value, width]) => h("div", { class: width }, h("dt", null, term), h("dd", null, value)))),
    h("div", { class: "cards" },
      section("Metrics", ["Name", "Latest", "Step", "Time"], metrics, "No metrics were logged."),
      section("Parameters", ["Name", "Value"], params, "No parameters were logged."),
      h("section", { class: "card" }, h("h2", null, "Artifacts"), folder(info.run_id, "", signal)),
      section("Tags", ["Name", "Value"], tagRows, "No tags were set."),
      inputs.length > 0 && section("Inputs and outputs", ["Name", "Kind", "Context", "Digest", "Source"], inputs, "")),
  ];
}
