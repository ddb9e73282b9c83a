// The list that a run was opened from, so that its page can lead to the next and the previous one.

export interface Step {
  experiment: string;
  run: string;
}

let list: readonly Step[] = [];

/** Remembers a list as it is when its page is left. */
export function remember(steps: readonly Step[]): void {
  list = steps;
}

/** The neighbours of a run in that list. */
export function around(run: string): { previous?: Step | undefined; next?: Step | undefined; place?: string } {
  const at = list.findIndex((step) => step.run === run);
  return at < 0 ? {} : { previous: list[at - 1], next: list[at + 1], place: `${at + 1} of ${list.length}` };
}
