// The element of one line of the runs table, which shows another run whenever it is told to.
//
// It is made by hand and not by a component: as the wheel turns, some twenty lines of fifteen cells change in each frame,
// and then the least that can be done is to compare with what is there and to write what differs.

import { links } from "../../lib/router/links";
import type { ColumnId } from "../../lib/runs/columns";
import { ICONS, type IconName } from "../../lib/ui/icons";
import { isGoing, statusName, statusSign } from "../../lib/ui/status";

export interface Column {
  id: ColumnId;
  width: number;
}

/** What the first cell of a line says about its run. */
export interface Shown {
  id: string;
  experiment: string;
  name: string;
  status: string | undefined;
  depth: number;
  children: number;
  closed: boolean;
  drawn: boolean;
  hidden: boolean;
  pinned: boolean;
  selected: boolean;
  /** Of its lines in charts. */
  color: string;
  cursor: boolean;
  hovered: boolean;
}

const SVG = "http://www.w3.org/2000/svg";

function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, attributes: Record<string, string> = {}): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function drawing(size: number, box: number, path: string): { svg: SVGSVGElement; path: SVGPathElement } {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ width: size, height: size, viewBox: `0 0 ${box} ${box}`, "aria-hidden": "true" })) svg.setAttribute(name, String(value));
  line.setAttribute("d", path);
  svg.append(line);
  return { svg, path: line };
}

const icon = (name: IconName, size: number) => drawing(size, 16, ICONS[name]);

/**
 * Whether a text may be wider than its cell. To cut it there costs the browser a region of its own, which twenty lines of
 * fifteen cells would feel; most texts are short beyond doubt, with the widest of common fonts.
 */
function mayOverflow(text: string, width: number): boolean {
  return text.length * (/[^ -~−]|[A-Zmw@%]/.test(text) ? 13 : 9) > width - 16;
}

class CellView {
  readonly element: HTMLElement;
  readonly #text = document.createTextNode("");
  #shown = "";
  #long = false;
  #look = "cell";

  constructor(readonly column: Column) {
    this.element = make("div", "cell", { role: "gridcell", "data-column": column.id });
    this.element.style.width = `${column.width}px`;
    this.element.append(this.#text);
  }

  show(text: string, numeric: boolean, best: boolean): void {
    if (text !== this.#shown) {
      this.#text.data = this.#shown = text;
      // The tooltip was that of the run before.
      if (this.element.hasAttribute("title")) this.element.removeAttribute("title");
      this.#long = mayOverflow(text, this.column.width);
    }
    const look = `cell${numeric ? " num" : ""}${best ? " best" : ""}${this.#long ? " long" : ""}`;
    if (look !== this.#look) this.element.className = this.#look = look;
  }
}

export class Line {
  readonly element = make("div", "line run", { role: "row", tabindex: "-1" });
  cells: readonly CellView[] = [];
  /** The row of the table of runs; -1 before the first. */
  row = -1;
  #index = -1;
  #shown: Partial<Shown> = {};
  #look = "";
  readonly #stay = make("div", "stay", { role: "gridcell", "aria-colindex": "1" });
  readonly #check = make("input", "", { type: "checkbox" });
  readonly #eye = make("button", "eye");
  readonly #dot = make("span", "dot");
  readonly #eyeShut = icon("hidden", 13).svg;
  readonly #indent = make("span", "indent");
  readonly #twist = make("button", "twist");
  readonly #twistIcon = icon("down", 12);
  readonly #status = make("span", "status", { role: "img" });
  readonly #sign = drawing(12, 12, "");
  readonly #link = make("a", "cut", { tabindex: "-1" });
  readonly #name = document.createTextNode("");
  readonly #count = make("span", "count");
  readonly #pin = make("button", "pin");
  readonly #cells = make("div", "cells", { role: "presentation" });

  constructor(compact: boolean) {
    this.#eye.append(this.#dot);
    this.#twist.append(this.#twistIcon.svg);
    this.#status.append(this.#sign.svg);
    this.#link.append(this.#name);
    this.#pin.append(icon("pin", 13).svg);
    this.#stay.append(this.#check, this.#eye, this.#indent, this.#status, this.#link);
    if (!compact) this.#stay.append(this.#pin);
    this.element.append(this.#stay, this.#cells);
  }

  get index(): number {
    return this.#index;
  }

  get id(): string {
    return this.#shown.id ?? "";
  }

  place(index: number, top: number): void {
    if (index === this.#index) return;
    this.#index = index;
    this.element.id = `line-${index}`;
    this.element.setAttribute("aria-rowindex", String(index + 2));
    this.element.style.transform = `translateY(${top}px)`;
  }

  /** Makes cells for these columns; they are empty. */
  setColumns(columns: readonly Column[]): void {
    this.cells = columns.map((column) => new CellView(column));
    this.#cells.replaceChildren(...this.cells.map((cell) => cell.element));
    this.row = -1;
  }

  /** Where the first column begins, and how wide the name is. */
  setSides(stay: number, left: number): void {
    this.#stay.style.width = `${stay}px`;
    this.#cells.style.marginLeft = `${left}px`;
  }

  show(now: Shown): void {
    const before = this.#shown;
    this.#shown = now;
    const look = `line run${now.selected ? " selected" : ""}${now.cursor ? " cursor" : ""}${now.hovered ? " hovered" : ""}`;
    if (look !== this.#look) this.element.className = this.#look = look;
    if (now.selected !== before.selected) this.element.setAttribute("aria-selected", String(now.selected));
    // A click has changed it already, so that only the element knows what it shows.
    if (this.#check.checked !== now.selected) this.#check.checked = now.selected;

    const renamed = now.name !== before.name;
    if (renamed) {
      this.#name.data = now.name;
      this.#check.setAttribute("aria-label", `Select ${now.name}`);
    }
    if (renamed || now.id !== before.id) {
      this.#link.href = links.run(now.experiment, now.id);
      this.#link.title = `${now.name}\n${now.id}`;
    }
    if (now.status !== before.status || !before.id) this.#showStatus(now.status);
    if (renamed || now.hidden !== before.hidden || now.drawn !== before.drawn || now.color !== before.color) this.#showEye(now, before);
    if (renamed || now.pinned !== before.pinned) this.#showPin(now);
    if (now.depth !== before.depth) {
      this.#indent.style.width = `${now.depth * 16}px`;
      toggle(this.element, "aria-level", now.depth ? String(now.depth + 1) : undefined);
    }
    if (renamed || now.children !== before.children || now.closed !== before.closed) this.#showChildren(now);
  }

  #showStatus(status: string | undefined): void {
    const name = statusName(status);
    this.#status.className = `status ${status?.toLowerCase() ?? ""}`;
    this.#status.setAttribute("aria-label", name);
    this.#status.title = name;
    this.#sign.path.setAttribute("d", statusSign(status));
    this.#sign.path.setAttribute("class", isGoing(status) ? "going" : "");
  }

  #showEye(now: Shown, before: Partial<Shown>): void {
    this.#eye.setAttribute("aria-label", now.hidden ? `Show ${now.name} in charts` : `Hide ${now.name} in charts`);
    if (now.hidden === before.hidden && now.drawn === before.drawn && now.color === before.color) return;
    this.#eye.setAttribute("aria-pressed", String(!now.hidden));
    this.#eye.title = now.hidden ? "Hidden in charts (h)" : now.drawn ? "Drawn in charts; hide it (h)" : "Not among the runs that charts draw";
    if (now.hidden !== before.hidden) this.#eye.replaceChildren(now.hidden ? this.#eyeShut : this.#dot);
    this.#dot.style.background = now.drawn ? now.color : "transparent";
    this.#dot.style.borderColor = now.drawn ? now.color : "var(--line-strong)";
  }

  #showPin(now: Shown): void {
    this.#pin.setAttribute("aria-label", now.pinned ? `Unpin ${now.name}` : `Pin ${now.name}`);
    this.#pin.setAttribute("aria-pressed", String(now.pinned));
    this.#pin.title = now.pinned ? "Unpin (p)" : "Pin to the top (p)";
    this.#pin.classList.toggle("on", now.pinned);
  }

  #showChildren({ name, children, closed }: Shown): void {
    toggle(this.element, "aria-expanded", children ? String(!closed) : undefined);
    if (!children) {
      this.#twist.remove();
      this.#count.remove();
      return;
    }
    if (!this.#twist.isConnected) this.#indent.after(this.#twist);
    if (!this.#count.isConnected) this.#link.after(this.#count);
    this.#twist.setAttribute("aria-label", closed ? `Show the ${children} children of ${name}` : `Hide the children of ${name}`);
    this.#twist.setAttribute("aria-expanded", String(!closed));
    this.#twistIcon.path.setAttribute("d", ICONS[closed ? "right" : "down"]);
    this.#count.textContent = String(children);
  }
}

function toggle(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else element.setAttribute(name, value);
}
