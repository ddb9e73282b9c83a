// A table of runs with its filter, sort order and pages. Filter and order live in the address, in MLflow's names
// (`searchFilter`, `orderByKey`, `orderByAsc`), so that a link keeps them.

import { searchRuns } from "./api.js";
import { announce, failure, h, icon, moment, notice, skeleton, status } from "./dom.js";
import { dateTime, duration, link, metric, pairs, plural } from "./format.js";

const PAGE = 100;
// Of metrics and of parameters; a run may have thousands, which no page can draw.
const FIRST_COLUMNS = 5;
const MOST_COLUMNS = 60;
const NEWEST = "attributes.start_time";
const EXAMPLES = [
  "metrics.accuracy > 0.9",
  "params.model = 'tree' AND attributes.status = 'FINISHED'",
  "tags.stage LIKE 'prod%'",
  "attributes.run_name ILIKE '%baseline%'",
];

const FIXED = [
  { title: "Run", key: "attributes.run_name" },
  { title: "Status", key: "attributes.status" },
  { title: "Started", key: NEWEST },
  { title: "Duration" },
  { title: "User", key: "tags.`mlflow.user`" },
];

const quoted = (entity, key) => `${entity}.\`${key}\``;

/** Keys of all `maps`, most common first; the machine's own metrics (`system/…`) last. */
function commonKeys(maps) {
  const counts = new Map();
  for (const map of maps) for (const key of map.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const system = (key) => key.startsWith("system/");
  return [...counts.keys()].sort((a, b) => system(a) - system(b) || counts.get(b) - counts.get(a));
}

/**
 * The panel. `names` maps experiment ids to names and is given where runs of several experiments meet;
 * `navigate(query)` puts a new filter or order into the address, which comes back through `show(query)`.
 */
export function runsPanel({ experimentIds, names, navigate, signal }) {
  let query = new URLSearchParams();
  let rows = [];
  let token, pending;
  let wide = false;

  const filter = h("input", { type: "search", "aria-label": "Filter runs", "aria-describedby": "filter-error", placeholder: "metrics.accuracy > 0.9 AND params.model = 'tree'", autocomplete: "off", spellcheck: "false" });
  const filterError = h("p", { class: "field-error", id: "filter-error", role: "alert" });
  const columns = h("button", { type: "button", class: "plain", onclick: () => { wide = !wide; draw(); } });
  const count = h("span", { class: "dim" });
  const body = h("div", { class: "rows" });
  const foot = h("div", { class: "foot" });
  const form = h("form", { class: "filter", role: "search", onsubmit: (event) => { event.preventDefault(); apply(filter.value); } },
    filter, h("button", { type: "submit" }, "Filter"), h("button", { type: "button", onclick: () => load() }, "Refresh"));
  const help = h("details", { class: "help" }, h("summary", null, "Filter examples"),
    h("ul", null, EXAMPLES.map((text) =>
      h("li", null, h("button", { type: "button", class: "plain", onclick: () => { filter.value = text; filter.focus(); } }, h("code", null, text))))));
  const element = h("section", { class: "runs", "aria-label": "Runs" },
    form, filterError, h("div", { class: "tools" }, count, columns, help), body, foot);
  // The little cross in the box empties it: that is a wish to see everything again.
  filter.addEventListener("input", () => filter.value === "" && apply(""));

  function apply(text) {
    const next = new URLSearchParams(query);
    if (text.trim()) next.set("searchFilter", text.trim());
    else next.delete("searchFilter");
    if (String(next) === String(query)) load();
    else navigate(next);
  }

  function order() {
    return { key: query.get("orderByKey") || NEWEST, ascending: query.get("orderByAsc") === "true" };
  }

  function sortBy(key) {
    const now = order();
    const next = new URLSearchParams(query);
    next.set("orderByKey", key);
    next.set("orderByAsc", String(now.key === key ? !now.ascending : false));
    navigate(next);
  }

  async function load(more = false) {
    pending?.abort();
    const { signal: latest } = (pending = new AbortController());
    const { key, ascending } = order();
    const request = { experiment_ids: experimentIds, max_results: PAGE, order_by: [`${key} ${ascending ? "ASC" : "DESC"}`] };
    if (query.get("searchFilter")) request.filter = query.get("searchFilter");
    if (more) request.page_token = token;
    filterError.textContent = "";
    filter.removeAttribute("aria-invalid");
    if (rows.length) body.classList.add("stale");
    else body.replaceChildren(skeleton(8));
    foot.replaceChildren(more ? skeleton(1) : "");
    try {
      const page = await searchRuns(request, AbortSignal.any([signal, latest]));
      token = page.next_page_token;
      const fresh = (page.runs ?? []).map(({ info, data }) =>
        ({ info, metrics: pairs(data?.metrics), params: pairs(data?.params), tags: pairs(data?.tags) }));
      rows = more ? rows.concat(fresh) : fresh;
      draw();
      announce(`${plural(rows.length, "run")} shown`);
      if (more && fresh.length) body.querySelectorAll("tbody a.run")[rows.length - fresh.length]?.focus();
    } catch (error) {
      if (signal.aborted || latest.aborted) return;
      body.classList.remove("stale");
      foot.replaceChildren();
      if (more) foot.replaceChildren(failure("More runs could not be loaded", error, () => load(true)));
      else if (error.code === "INVALID_PARAMETER_VALUE" && request.filter) refuse(error);
      else clear(failure("Runs could not be loaded", error, () => load()));
    }
  }

  function clear(message) {
    rows = [];
    count.textContent = "";
    columns.hidden = true;
    body.replaceChildren(message);
  }

  function refuse(error) {
    filter.setAttribute("aria-invalid", "true");
    filterError.textContent = error.message;
    clear(h("div", { class: "notice" }, h("p", null, "No runs are shown until the filter is corrected.")));
  }

  function empty() {
    if (query.get("searchFilter"))
      return notice("No run matches this filter", h("button", { type: "button", onclick: () => apply("") }, "Show all runs"));
    const here = new URL(".", document.baseURI).href.replace(/\/$/, "");
    return notice("No runs yet", h("p", null, "Point a client here and log something:"),
      h("pre", { tabindex: "0", "aria-label": "Example" }, `import mlflow\n\nmlflow.set_tracking_uri("${here}")\nwith mlflow.start_run():\n    mlflow.log_metric("accuracy", 0.93)`));
  }

  function heading({ title, key, group, sort = order() }) {
    const sorted = key && key === sort.key;
    const direction = sort.ascending ? "ascending" : "descending";
    return h("th", { scope: "col", class: group === "metrics" ? "num" : null, "aria-sort": sorted ? direction : null },
      key ? h("button", { type: "button", class: "plain", onclick: () => sortBy(key) },
        title, sorted ? icon(sort.ascending ? "up" : "down") : "") : title);
  }

  function row({ info, metrics, params, tags }, metricKeys, paramKeys) {
    const id = info.run_id;
    return h("tr", null,
      h("th", { scope: "row" }, h("a", { class: "run", href: link.run(info.experiment_id, id) }, info.run_name?.trim() || id)),
      names && h("td", null, h("a", { href: link.experiment(info.experiment_id) }, names.get(info.experiment_id) ?? info.experiment_id)),
      h("td", null, status(info.status)),
      h("td", null, moment(info.start_time, dateTime)),
      h("td", null, duration(info.start_time, info.end_time)),
      h("td", null, tags.get("mlflow.user") || info.user_id || ""),
      metricKeys.map((key) => h("td", { class: "num" }, metric(metrics.get(key)))),
      paramKeys.map((key) => h("td", null, params.get(key) ?? "")));
  }

  function draw() {
    body.classList.remove("stale");
    if (!rows.length) return clear(empty());
    const allMetrics = commonKeys(rows.map((r) => r.metrics));
    const allParams = commonKeys(rows.map((r) => r.params));
    const metricKeys = allMetrics.slice(0, wide ? MOST_COLUMNS : FIRST_COLUMNS);
    const paramKeys = allParams.slice(0, wide ? MOST_COLUMNS : FIRST_COLUMNS);
    columns.hidden = Math.max(allMetrics.length, allParams.length) <= FIRST_COLUMNS;
    columns.textContent = `${wide ? "Fewer" : "More"} columns (${metricKeys.length + paramKeys.length} of ${allMetrics.length + allParams.length})`;
    columns.setAttribute("aria-expanded", String(wide));
    count.textContent = `${plural(rows.length, "run")}${token ? ", more on the server" : ""}`;

    const fixed = names ? FIXED.toSpliced(1, 0, { title: "Experiment" }) : FIXED;
    const group = (title, keys) => keys.length > 0 && h("th", { scope: "colgroup", colspan: keys.length }, title);
    const table = h("table", null,
      h("thead", null,
        h("tr", { class: "groups" }, h("td", null), h("td", { colspan: fixed.length - 1 }), group("Metrics", metricKeys), group("Parameters", paramKeys)),
        h("tr", null, fixed.map(heading),
          metricKeys.map((key) => heading({ title: key, key: quoted("metrics", key), group: "metrics" })),
          paramKeys.map((key) => heading({ title: key, key: quoted("params", key) })))),
      h("tbody", null, rows.map((r) => row(r, metricKeys, paramKeys))));
    const focused = body.contains(document.activeElement) ? document.activeElement.textContent : null;
    const old = body.querySelector(".scroll");
    const scroll = h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Table of runs" }, table);
    body.replaceChildren(scroll);
    if (old) scroll.scrollTo(old.scrollLeft, old.scrollTop);
    // A new table must not throw a keyboard user back to the top of the page.
    if (focused !== null) ([...scroll.querySelectorAll("thead button")].find((b) => b.textContent === focused) ?? scroll).focus();
    foot.replaceChildren(token ? h("button", { type: "button", onclick: () => load(true) }, `Load ${PAGE} more`) : "");
  }

  return {
    element,
    show(next) {
      query = next;
      filter.value = query.get("searchFilter") ?? "";
      load();
    },
  };
}
