// The list of experiments: search, newest first, page by page. It stays in place while the main part changes.

import { searchExperiments } from "./api.js";
import { announce, failure, h, skeleton } from "./dom.js";
import { ago, link, plural, UNNAMED } from "./format.js";

const TYPING_PAUSE_MS = 250;

/** Fills `nav` and returns how to mark the chosen experiment. */
export function experimentList(nav) {
  const list = h("ul", { class: "experiments" });
  const foot = h("div", { class: "foot" });
  const search = h("input", { type: "search", placeholder: "Search experiments", "aria-label": "Search experiments by name", autocomplete: "off", spellcheck: "false" });
  let chosen, token, pending, timer;

  const mark = () => {
    for (const a of list.querySelectorAll("a")) {
      if (a.dataset.id === chosen) a.setAttribute("aria-current", "page");
      else a.removeAttribute("aria-current");
    }
  };

  async function load(more) {
    pending?.abort();
    const { signal } = (pending = new AbortController());
    if (!more) list.replaceChildren();
    foot.replaceChildren(skeleton(more ? 1 : 6));
    try {
      const page = await searchExperiments({ text: search.value.trim(), token: more && token, signal });
      token = page.next_page_token;
      const items = (page.experiments ?? []).map((e) =>
        h("li", null, h("a", { href: link.experiment(e.experiment_id), "data-id": e.experiment_id },
          h("span", { class: "name" }, e.name.trim() || UNNAMED),
          h("span", { class: "dim" }, e.creation_time && ago(e.creation_time)))));
      list.append(...items);
      foot.replaceChildren(
        token ? h("button", { type: "button", onclick: () => load(true) }, "More experiments") : "",
        list.childElementCount ? "" : h("p", { class: "dim" }, search.value ? "No experiment has this in its name." : "No experiments yet."));
      if (more) items[0]?.querySelector("a").focus();
      if (more || search.value) announce(`${plural(list.childElementCount, "experiment")} shown`);
      mark();
    } catch (error) {
      if (!signal.aborted) foot.replaceChildren(failure("Experiments could not be loaded", error, () => load(more)));
    }
  }

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, TYPING_PAUSE_MS);
  });
  nav.append(h("h2", null, "Experiments"), search, list, foot);
  load();

  return {
    choose(id) {
      chosen = id;
      mark();
    },
  };
}
