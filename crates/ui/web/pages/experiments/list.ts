// Searching and ordering the experiments that were loaded.

import { ownTags, type Experiment } from "../../lib/api/experiments";

export type ExperimentSort = "name" | "created" | "updated";

/** Every word must be somewhere in the name, the id or a tag. */
export function found(experiments: readonly Experiment[], text: string): Experiment[] {
  const needles = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!needles.length) return [...experiments];
  return experiments.filter((experiment) => {
    const hay = [experiment.name, experiment.experiment_id, ...ownTags(experiment.tags).map((tag) => `${tag.key}: ${tag.value}`)].join("\n").toLowerCase();
    return needles.every((needle) => hay.includes(needle));
  });
}

export function ordered(experiments: readonly Experiment[], by: ExperimentSort, ascending: boolean): Experiment[] {
  const sign = ascending ? 1 : -1;
  const time = (experiment: Experiment): number => (by === "created" ? experiment.creation_time : experiment.last_update_time) ?? 0;
  return [...experiments].sort((a, b) => sign * (by === "name" ? a.name.localeCompare(b.name, "en", { numeric: true }) : time(a) - time(b)));
}
