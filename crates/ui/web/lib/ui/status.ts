// The statuses of runs, traces and spans: their names, and the signs that stand for them.

const NAMES: Record<string, string> = { RUNNING: "Running", SCHEDULED: "Scheduled", FINISHED: "Finished", FAILED: "Failed", KILLED: "Killed", OK: "OK", ERROR: "Error", IN_PROGRESS: "In progress", UNSET: "No status", STATE_UNSPECIFIED: "No status" };

export const statusName = (status: string | undefined): string => NAMES[status ?? ""] ?? status ?? "Unknown";

const TICK = "M2.5 6.5 5 9l4.5-6";
const CROSS = "M3 3l6 6M9 3 3 9";
const CIRCLE = "M2.5 6a3.5 3.5 0 1 1 7 0a3.5 3.5 0 1 1-7 0";

/** Paths on a grid of 12. */
const SIGNS: Record<string, string> = { FINISHED: TICK, OK: TICK, FAILED: CROSS, ERROR: CROSS, KILLED: "M3 3h6v6H3z" };

export const statusSign = (status: string | undefined): string => SIGNS[status ?? ""] ?? CIRCLE;

/** What is going on is a disk, which pulses. */
export const isGoing = (status: string | undefined): boolean => status === "RUNNING" || status === "IN_PROGRESS";
