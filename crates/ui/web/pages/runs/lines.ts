// The lines of the runs table that are in sight. A line is an element that is used again and again: a row of the table
// keeps its element while it is in sight, and what scrolls in takes the elements of what scrolled out.

import type { ColumnId } from "../../lib/runs/columns";
import { clock } from "../../lib/state/clock.svelte";
import { cell, tooltip } from "./cells";
import { Line, type Column } from "./line";
import type { RunsState } from "./state.svelte";

export interface Place {
  compact: boolean;
  columns: readonly Column[];
  /** The best value of columns that have one. */
  best: ReadonlyMap<ColumnId, number>;
  rowHeight: number;
  first: number;
  /** Behind the last. */
  end: number;
  /** How many lines there are at most. */
  slots: number;
}

export class Lines {
  #lines: Line[] = [];
  #compact = false;
  #columns: readonly Column[] = [];
  #best: Place["best"] = new Map();
  #loaded: unknown;
  #now = 0;
  #sides: [number, number] = [0, 0];
  readonly #of = new WeakMap<Element, Line>();

  constructor(
    readonly runs: RunsState,
    readonly box: HTMLElement,
  ) {
    box.addEventListener("click", (event) => this.#click(event));
    box.addEventListener("pointerover", (event) => this.#over(event));
    box.addEventListener("pointerleave", () => (runs.hovered = undefined));
  }

  /** The width of the names, and where the first column begins. */
  setSides(stay: number, left: number): void {
    if (this.#sides[0] === stay && this.#sides[1] === left) return;
    this.#sides = [stay, left];
    for (const line of this.#lines) line.setSides(stay, left);
  }

  /** Writes what changed. Call it in an effect: it reads the state of the runs. */
  draw(place: Place): void {
    const { runs } = this;
    const { view, loaded } = runs;
    this.#make(place);
    const anew = this.#loaded !== loaded || this.#best !== place.best || this.#now !== clock.now;
    this.#loaded = loaded;
    this.#best = place.best;
    this.#now = clock.now;
    const used = new Set<Line>();
    for (let index = place.first; index < place.end; index++) {
      const row = view.lines[index]!;
      if (row < 0) continue;
      const line = this.#lines[index % place.slots]!;
      used.add(line);
      line.place(index, index * place.rowHeight);
      this.#show(line, index, row);
      if (anew || line.row !== row) this.#write(line, row);
      if (!line.element.parentNode) this.box.append(line.element);
    }
    for (const line of this.#lines) if (!used.has(line)) line.element.remove();
  }

  #make({ slots, compact, columns }: Place): void {
    if (compact !== this.#compact) {
      for (const line of this.#lines) line.element.remove();
      this.#lines = [];
      this.#compact = compact;
    }
    if (columns !== this.#columns) for (const line of this.#lines) line.setColumns(columns);
    this.#columns = columns;
    while (this.#lines.length < slots) {
      const line = new Line(compact);
      line.setColumns(columns);
      line.setSides(...this.#sides);
      this.#of.set(line.element, line);
      this.#lines.push(line);
    }
    for (const line of this.#lines.splice(slots)) line.element.remove();
  }

  #show(line: Line, index: number, row: number): void {
    const { runs } = this;
    const { table } = runs.loaded;
    const id = table.ids[row] ?? "";
    const children = runs.view.children[row] ?? 0;
    const drawn = runs.drawnSet.has(id);
    line.show({
      id,
      experiment: table.text("attributes.experiment_id", row) ?? runs.ids[0]!,
      name: table.name(row),
      status: table.text("attributes.status", row),
      depth: runs.view.depth[index] ?? 0,
      children,
      closed: children > 0 && runs.closed.has(id),
      drawn,
      hidden: runs.hidden.has(id),
      pinned: runs.pinned.has(id),
      selected: runs.selected.has(id),
      color: drawn ? runs.look(id).color : "",
      cursor: runs.cursor === index,
      hovered: runs.hovered === id,
    });
  }

  #write(line: Line, row: number): void {
    const { runs } = this;
    const { table } = runs.loaded;
    line.row = row;
    for (const view of line.cells) {
      const { id } = view.column;
      const { text, numeric } = cell(table, row, id, clock.now);
      const best = this.#best.get(id);
      view.show(id === "attributes.experiment_id" ? runs.experimentName(text) : text, numeric, best !== undefined && best === table.number(id, row));
    }
  }

  #lineOf(target: Element): Line | undefined {
    const element = target.closest(".line");
    return element ? this.#of.get(element) : undefined;
  }

  #click(event: MouseEvent): void {
    const target = event.target as Element;
    const line = this.#lineOf(target);
    if (!line) return;
    const { runs } = this;
    if (target instanceof HTMLInputElement) runs.select(line.id, { range: event.shiftKey });
    else if (target.closest(".eye")) runs.toggle("hidden", line.id);
    else if (target.closest(".twist")) runs.toggle("closed", line.id);
    else if (target.closest(".pin")) runs.toggle("pinned", line.id);
    runs.cursor = line.index;
  }

  /** Tooltips are made when they are wanted: as attributes of every cell they would be a third of the work of scrolling. */
  #over(event: PointerEvent): void {
    const target = event.target as HTMLElement;
    const line = this.#lineOf(target);
    this.runs.hovered = line?.id;
    const { column } = target.dataset;
    if (line && column !== undefined) target.title = tooltip(this.runs.loaded.table, line.row, column, clock.now);
  }
}
