// Elements, icons and the shared states (loading, empty, failed) of every view.
// Strings always become text nodes or plain attributes: a run name or tag can never turn into markup.

/** An element. `on…` properties are listeners; null and false are left out. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child != null && child !== false));
  return element;
}

const ICONS = {
  FINISHED: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM5.3 8.2l1.9 1.9 3.5-3.9",
  FAILED: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM5.9 5.9l4.2 4.2m0-4.2-4.2 4.2",
  RUNNING: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM6.7 5.5v5L10.7 8Z",
  SCHEDULED: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM8 4.8V8l2.2 1.4",
  KILLED: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM6 6h4v4H6Z",
  folder: "M2 4.5h4l1.5 1.7H14v6.3H2Z",
  file: "M4 2h5l3 3v9H4ZM9 2v3h3",
  chevron: "m6 3.5 4.5 4.5L6 12.5",
  back: "M10 3.5 5.5 8l4.5 4.5",
  up: "m4 10 4-4 4 4",
  down: "m4 6 4 4 4-4",
};

/** A decorative 16 px icon; the words beside it carry the meaning. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.SCHEDULED);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

/** A run's status as icon and word. */
export function status(value = "RUNNING") {
  const word = value.charAt(0) + value.slice(1).toLowerCase();
  return h("span", { class: `status ${value.toLowerCase()}` }, icon(value), word);
}

/** A point in time, in the reader's zone, or a dash. */
export function moment(ms, format) {
  return ms ? h("time", { datetime: new Date(ms).toISOString() }, format(ms)) : "–";
}

/** Grey bars in the place of `rows` rows that are on their way. */
export function skeleton(rows) {
  const bars = Array.from({ length: rows }, () => h("div", { class: "bar" }));
  return h("div", { class: "skeleton", "aria-busy": "true", role: "img", "aria-label": "Loading" }, bars);
}

/** A framed message with a title, details and buttons. */
export function notice(title, ...rest) {
  return h("div", { class: "notice" }, h("h2", null, title), rest);
}

/** What went wrong, in the server's words, with a way to try again. */
export function failure(title, error, retry) {
  return h("div", { class: "notice failed", role: "alert" },
    h("h2", null, title),
    h("p", null, error.message),
    error.code && h("p", { class: "dim" }, h("code", null, error.code)),
    retry && h("button", { type: "button", onclick: retry }, "Try again"));
}

/** Says `text` to screen readers without moving the focus. */
export function announce(text) {
  document.getElementById("live").textContent = text;
}
