// The list that a run or a trace was opened from, so that its page can lead to the next and the previous one.

export interface Step {
  experiment: string;
  run: string;
}

export interface TraceStep {
  experiment: string;
  trace: string;
}

export interface Around<T> {
  previous?: T | undefined;
  next?: T | undefined;
  place?: string;
}

let list: readonly Step[] = [];
let traces: readonly TraceStep[] = [];

/** Remembers a list as it is when its page is left. */
export function remember(steps: readonly Step[]): void {
  list = steps;
}

export function rememberTraces(steps: readonly TraceStep[]): void {
  traces = steps;
}

function neighbours<T>(steps: readonly T[], at: number): Around<T> {
  return at < 0 ? {} : { previous: steps[at - 1], next: steps[at + 1], place: `${at + 1} of ${steps.length}` };
}

/** The neighbours of a run in that list. */
export function around(run: string): Around<Step> {
  return neighbours(list, list.findIndex((step) => step.run === run));
}

export function aroundTrace(trace: string): Around<TraceStep> {
  return neighbours(traces, traces.findIndex((step) => step.trace === trace));
}
