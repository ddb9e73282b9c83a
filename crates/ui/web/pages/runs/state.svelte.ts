// The state of an experiment's page: what the link says, what was loaded, what is chosen.

import { untrack } from "svelte";
import { SvelteMap, SvelteSet } from "svelte/reactivity";
import type { Experiment } from "../../lib/api/experiments";
import { Looks, safeColor } from "../../lib/charts/colors";
import { router } from "../../lib/router/router.svelte";
import { available, defaults, widthOf } from "../../lib/runs/choose";
import type { ColumnId } from "../../lib/runs/columns";
import { RunsLoader } from "../../lib/runs/loader.svelte";
import { aggregateOf, facetsOf, filterOf, groupsOf, listOf, listText, orderOf, orderQuery, viewOf } from "../../lib/runs/query";
import { DEFAULT_ORDER } from "../../lib/runs/sort";
import { hasChildren } from "../../lib/runs/tree";
import { view, type View } from "../../lib/runs/view";
import { load, store } from "../../lib/state/stored";

/** Links longer than this are cut by mail programs; a selection beyond is not kept in them. */
const MOST_IN_LINK = 60;
export const DRAWN_CHOICES = [10, 20, 50, 100] as const;

export class RunsState {
  readonly loader = new RunsLoader();
  readonly selected = new SvelteSet<string>();
  readonly widths = new SvelteMap<ColumnId, number>();
  readonly looks = new Looks();
  experiments: Experiment[] = $state.raw([]);
  /** The line with the cursor of the keyboard. */
  cursor = $state(0);
  /** The run under the pointer, in the table or in any chart. */
  hovered = $state<string>();
  #now = Math.floor(Date.now() / 60_000) * 60_000;
  #lastSelected: string | undefined;
  #saved: ColumnId[] | undefined = $state.raw();

  constructor(readonly ids: readonly string[]) {
    for (const id of listOf(router.query.get("selected"))) this.selected.add(id);
    for (const [id, width] of Object.entries(load<Record<string, number>>(`widths.${this.key}`) ?? {})) this.widths.set(id, width);
    this.#saved = load<ColumnId[]>(`columns.${this.key}`);
  }

  get key(): string {
    return this.ids.join(",");
  }

  readonly facets = $derived(facetsOf(router.query));
  readonly filter = $derived(filterOf(this.facets, this.#now));
  readonly order = $derived(orderOf(router.query));
  readonly groupBy = $derived(groupsOf(router.query));
  readonly aggregate = $derived(aggregateOf(router.query));
  readonly pinned: ReadonlySet<string> = $derived(new Set(listOf(router.query.get("pinned"))));
  readonly hidden: ReadonlySet<string> = $derived(new Set(listOf(router.query.get("hidden"))));
  readonly closed: ReadonlySet<string> = $derived(new Set(listOf(router.query.get("closed"))));
  readonly drawnLimit = $derived(Number(router.query.get("drawn")) || 20);

  /** All that is loaded; a new object whenever something came, so that what depends on it is looked at again. */
  readonly loaded = $derived.by(() => ({ version: this.loader.version, table: this.loader.table }));
  readonly rows = $derived.by(() => (void this.loaded, this.loader.rows(this.order)));
  readonly nestable = $derived(hasChildren(this.loaded.table));
  /** A tree in the order of time; a list of its own where runs are ranked, unless a link or a person says otherwise. */
  readonly nest = $derived.by(() => {
    const asked = router.query.get("nest");
    return this.nestable && (asked === null ? this.order.id === DEFAULT_ORDER.id : asked === "1");
  });
  readonly view: View = $derived(
    view(this.loaded.table, this.rows, {
      order: this.order,
      nest: this.nest,
      isClosed: (key) => this.closed.has(key),
      groupBy: this.groupBy,
      aggregate: this.aggregate,
      pinned: this.pinned,
    }),
  );
  readonly available = $derived(available(this.loaded.table));
  readonly columns: readonly ColumnId[] = $derived.by(() => {
    const asked = router.query.get("columns");
    if (asked !== null) return listOf(asked);
    return this.#saved ?? defaults(this.loaded.table, this.ids.length > 1);
  });
  readonly chosenColumns = $derived(router.query.get("columns") !== null || this.#saved !== undefined);

  /** The runs that charts draw: the first of the list that have any metric and are not hidden. */
  readonly drawn: readonly string[] = $derived.by(() => {
    const { table } = this.loaded;
    const metrics = [...table.columns].filter(([id]) => id.startsWith("metrics.")).map(([, column]) => column);
    const out: string[] = [];
    const add = (row: number): void => {
      const id = table.ids[row]!;
      if (out.length < this.drawnLimit && !this.hidden.has(id) && metrics.some((column) => column.has(row))) out.push(id);
    };
    for (const line of this.view.lines) {
      if (out.length >= this.drawnLimit) break;
      if (line >= 0) add(line);
      else if (this.closed.has(this.view.groups[-1 - line]!.key)) for (const row of this.view.groups[-1 - line]!.rows) add(row);
    }
    untrack(() => this.looks.assign(out));
    return out;
  });
  readonly drawnSet = $derived(new Set(this.drawn));

  /** Follows the link: loads when it asks for other runs. Call it in an effect. */
  sync(): void {
    const wanted = { experimentIds: this.ids, filter: this.filter, view: viewOf(this.facets), order: this.order };
    untrack(() => this.loader.load(wanted));
  }

  look(id: string) {
    void this.drawn;
    const row = this.loaded.table.rowOf(id);
    return this.looks.of(id, row === undefined ? undefined : safeColor(this.loaded.table.text("tags.mlflow.runColor", row)));
  }

  width(id: ColumnId): number {
    return this.widths.get(id) ?? widthOf(id);
  }

  setWidth(id: ColumnId, width: number): void {
    this.widths.set(id, Math.round(Math.max(56, Math.min(600, width))));
    store(`widths.${this.key}`, Object.fromEntries(this.widths));
  }

  setColumns(columns: readonly ColumnId[] | undefined): void {
    this.#saved = columns ? [...columns] : undefined;
    store(`columns.${this.key}`, this.#saved);
    router.setQuery({ columns: columns ? (listText(columns) ?? "attributes.status") : undefined });
  }

  sortBy(id: ColumnId): void {
    const { order } = this;
    const down = !id.startsWith("attributes.run_name");
    router.setQuery(orderQuery(order.id === id ? { id, ascending: !order.ascending } : { id, ascending: !down }));
    this.cursor = 0;
  }

  /** Orders by what only this page knows need all runs first. */
  canSort(id: ColumnId): boolean {
    return !["attributes.duration", "attributes.datasets", "attributes.models", "attributes.experiment_id"].includes(id) || (this.loader.complete && !this.loader.cut);
  }

  toggle(name: "pinned" | "hidden" | "closed", key: string): void {
    const set = new Set(this[name]);
    if (!set.delete(key)) set.add(key);
    router.setQuery({ [name]: listText(set) });
  }

  select(id: string, options: { range?: boolean } = {}): void {
    const { table } = this.loaded;
    if (options.range && this.#lastSelected) {
      const at = (run: string): number => this.view.lines.indexOf(table.rowOf(run) ?? -1e9);
      const [a, b] = [at(this.#lastSelected), at(id)].sort((x, y) => x - y) as [number, number];
      if (a >= 0) for (const line of this.view.lines.slice(a, b + 1)) if (line >= 0) this.selected.add(table.ids[line]!);
    } else if (!this.selected.delete(id)) {
      this.selected.add(id);
    }
    this.#lastSelected = id;
    this.#linkSelection();
  }

  selectAll(): void {
    const { table } = this.loaded;
    if (this.selected.size >= this.rows.length) this.selected.clear();
    else for (const row of this.rows) this.selected.add(table.ids[row]!);
    this.#linkSelection();
  }

  clearSelection(): void {
    this.selected.clear();
    this.#linkSelection();
  }

  #linkSelection(): void {
    router.setQuery({ selected: this.selected.size <= MOST_IN_LINK ? listText(this.selected) : undefined });
  }

  experimentName(id: string): string {
    return this.experiments.find((experiment) => experiment.experiment_id === id)?.name ?? id;
  }

  experimentOf(runId: string): string {
    const row = this.loaded.table.rowOf(runId);
    return (row === undefined ? undefined : this.loaded.table.text("attributes.experiment_id", row)) ?? this.ids[0]!;
  }
}
