// What each address shows. A page fills `main` and may return `show(query)`, called when only the query changes.

import * as api from "./api.js";
import { failure, h, icon, moment, notice, skeleton } from "./dom.js";
import { dateTime, link, plural, UNNAMED } from "./format.js";
import { runView } from "./run.js";
import { runsPanel } from "./runs.js";

const HOME_EXPERIMENTS = 50;

const back = () => h("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, icon("back"), h("a", { href: "#/" }, "Experiments"));
const titled = (text, ...more) => h("header", { class: "title" }, h("h1", { tabindex: "-1" }, text), more);

/** Loads with `fetchIt`, then fills `main` with what `draw` makes of the answer; failures offer another try. */
async function fill(page, title, fetchIt, draw) {
  const { main, signal } = page;
  main.replaceChildren(titled(title), skeleton(6));
  try {
    const answer = await fetchIt();
    if (signal.aborted) return;
    main.replaceChildren(...draw(answer).filter(Boolean));
    page.ready(main.querySelector("h1").textContent);
  } catch (error) {
    if (signal.aborted) return;
    main.replaceChildren(back(), titled(title), failure("This could not be loaded", error, () => fill(page, title, fetchIt, draw)));
    page.ready(title);
  }
}

/** The latest runs of the newest experiments. */
export function home(page) {
  let panel;
  fill(page, "Latest runs", () => api.searchExperiments({ size: HOME_EXPERIMENTS, signal: page.signal }), ({ experiments = [], next_page_token }) => {
    const names = new Map(experiments.map((e) => [e.experiment_id, e.name]));
    panel = runsPanel({ ...page, experimentIds: [...names.keys()], names });
    panel.show(page.query);
    return [titled("Latest runs"),
      h("p", { class: "dim" }, next_page_token ? `In the ${HOME_EXPERIMENTS} newest experiments.` : `In ${plural(names.size, "experiment")}.`),
      panel.element];
  });
  return (query) => { page.query = query; panel?.show(query); };
}

/** One experiment and its runs. */
export function experiment(page, id) {
  let panel;
  page.choose(id);
  fill(page, `Experiment ${id}`, () => api.experiment(id, page.signal), ({ experiment: e }) => {
    const note = (e.tags ?? []).find((tag) => tag.key === "mlflow.note.content")?.value;
    panel = runsPanel({ ...page, experimentIds: [id] });
    panel.show(page.query);
    return [back(),
      titled(e.name.trim() || UNNAMED, e.lifecycle_stage === "deleted" && h("span", { class: "badge" }, "Deleted")),
      note && h("p", { class: "note" }, note),
      h("p", { class: "dim" }, `ID ${id}`, e.creation_time && [" · created ", moment(e.creation_time, dateTime)], " · ", h("code", null, e.artifact_location)),
      panel.element];
  });
  return (query) => { page.query = query; panel?.show(query); };
}

/** One run. */
export function run(page, id) {
  fill(page, "Run", async () => {
    const answer = await api.run(id, page.signal);
    page.choose(answer.run.info.experiment_id);
    const name = await api.experiment(answer.run.info.experiment_id, page.signal)
      .then((found) => found.experiment.name, () => `Experiment ${answer.run.info.experiment_id}`);
    return { run: answer.run, name };
  }, (found) => runView(found.run, found.name, page.signal));
}

/** An address of MLflow's that has no page here. */
export function elsewhere(page, experimentId) {
  page.main.replaceChildren(back(), titled("Nothing here"), notice("This address has no page yet",
    h("p", null, "The API and the MLflow clients still reach the data."),
    h("p", null, experimentId ? h("a", { href: link.experiment(experimentId) }, "Go to the experiment") : h("a", { href: "#/" }, "Go to the experiments"))));
  page.ready("Nothing here");
}
