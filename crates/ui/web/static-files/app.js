// Entry point: reads the address (`#/experiments/<id>/runs/<run_id>`, as MLflow's clients print it) and shows its page.

import { experimentList } from "./experiments.js";
import * as pages from "./pages.js";

const main = document.getElementById("main");
const layout = document.getElementById("layout");
const experiments = experimentList(document.getElementById("side"));

let leave, shownPath, show;
let first = true;

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function open(path, page) {
  const [kind, id, tab, item] = path.split("/").filter(Boolean).map(decoded);
  if (!kind || (kind === "experiments" && !id)) return pages.home(page);
  if (kind === "runs" && id) return pages.run(page, id);
  if (kind !== "experiments") return pages.elsewhere(page);
  if (!tab || (tab === "runs" && !item)) return pages.experiment(page, id);
  return tab === "runs" ? pages.run(page, item) : pages.elsewhere(page, id);
}

function route() {
  const hash = location.hash.replace(/^#/, "");
  const cut = hash.indexOf("?");
  const path = cut < 0 ? hash : hash.slice(0, cut);
  const query = new URLSearchParams(cut < 0 ? "" : hash.slice(cut + 1));
  if (path === shownPath && show) return show(query);

  leave?.abort();
  leave = new AbortController();
  shownPath = path;
  experiments.choose();
  layout.classList.toggle("at-home", /^\/?(experiments\/?)?$/.test(path));
  const moved = !first;
  first = false;
  show = open(path, {
    main,
    query,
    signal: leave.signal,
    choose: experiments.choose,
    navigate: (next) => { location.hash = String(next) ? `${path || "/"}?${next}` : path || "/"; },
    ready(title) {
      document.title = `${title} · Runledger`;
      if (moved) main.querySelector("h1")?.focus();
    },
  });
  scrollTo(0, 0);
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", route);
route();
