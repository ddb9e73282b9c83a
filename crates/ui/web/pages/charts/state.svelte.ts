// The layout that is shown: the reader's own, else the one saved for everyone, else the automatic one.

import { setExperimentTag, deleteExperimentTag, tagOf, type Experiment } from "../../lib/api/experiments";
import type { RunTable } from "../../lib/runs/table";
import { notices } from "../../lib/state/notices.svelte";
import { load, store } from "../../lib/state/stored";
import { automatic, readLayout, type Layout } from "./layout";

const TAG = "runledger.charts";
/** MLflow cuts or refuses longer values of tags. */
const MOST_TEXT = 5000;

export class ChartsState {
  #own: Layout | undefined = $state.raw();
  /** As it was changed here; `undefined` while the tag of the experiment holds. */
  #shared: Layout | null | undefined = $state.raw();

  constructor(
    readonly key: string,
    readonly table: () => RunTable,
    readonly experiment: () => Experiment | undefined,
  ) {
    this.#own = readLayout(JSON.stringify(load(`charts.${key}`) ?? null));
  }

  readonly automatic = $derived.by(() => automatic(this.table()));
  readonly shared = $derived.by(() => (this.#shared === undefined ? readLayout(tagOf(this.experiment()?.tags, TAG)) : (this.#shared ?? undefined)));
  readonly layout: Layout = $derived(this.#own ?? this.shared ?? this.automatic);

  get isOwn(): boolean {
    return this.#own !== undefined;
  }

  set(layout: Layout): void {
    this.#own = layout;
    store(`charts.${this.key}`, layout);
  }

  reset(): void {
    this.#own = undefined;
    store(`charts.${this.key}`, undefined);
  }

  /** Keeps the layout in a tag of the experiment, where every reader of it sees it. */
  async share(): Promise<void> {
    const experiment = this.experiment();
    if (!experiment) return;
    const text = JSON.stringify(this.layout);
    if (text.length > MOST_TEXT) {
      notices.say("The layout is too large for a tag; it stays in this browser.", { bad: true });
      return;
    }
    try {
      await setExperimentTag(experiment.experiment_id, TAG, text);
      this.#shared = this.layout;
      this.reset();
      notices.say("Everyone who opens this experiment sees these charts now");
    } catch (error) {
      notices.fail("The layout was not saved", error);
    }
  }

  async unshare(): Promise<void> {
    const experiment = this.experiment();
    if (!experiment) return;
    try {
      await deleteExperimentTag(experiment.experiment_id, TAG);
      this.#shared = null;
      this.reset();
    } catch (error) {
      notices.fail("The saved layout was not removed", error);
    }
  }
}
