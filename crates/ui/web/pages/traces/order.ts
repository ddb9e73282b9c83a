// How a list of traces is ordered, as the address says it.

export type TraceOrder = "started" | "duration";

const KEYS: Record<TraceOrder, string> = { started: "timestamp_ms", duration: "execution_time_ms" };

export interface Ordering {
  by: TraceOrder;
  ascending: boolean;
  /** For the server. */
  clause: string;
  /** What changes in the address when the head of a column is clicked. */
  toggled: (by: TraceOrder) => Record<string, string | undefined>;
}

export function orderOf(query: URLSearchParams): Ordering {
  const by: TraceOrder = query.get("tracesBy") === "duration" ? "duration" : "started";
  const ascending = query.get("tracesAsc") === "true";
  return {
    by,
    ascending,
    clause: `${KEYS[by]} ${ascending ? "ASC" : "DESC"}`,
    // The newest and the longest first.
    toggled: (next) => ({ tracesBy: next === "started" ? undefined : next, tracesAsc: next === by && !ascending ? "true" : undefined }),
  };
}
