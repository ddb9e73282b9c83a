// How a list of registered models is ordered, as the address says it.

export type ModelOrder = "name" | "created" | "updated";

const KEYS: Record<ModelOrder, string> = { name: "name", created: "creation_timestamp", updated: "last_updated_timestamp" };

export interface Ordering {
  by: ModelOrder;
  ascending: boolean;
  /** For the server. */
  clause: string;
  /** What changes in the address when the head of a column is clicked. */
  toggled: (by: ModelOrder) => Record<string, string | undefined>;
}

export function orderOf(query: URLSearchParams): Ordering {
  const given = query.get("orderBy") ?? "updated";
  const by = given in KEYS ? (given as ModelOrder) : "updated";
  const ascending = query.get("orderByAsc") === "true";
  return {
    by,
    ascending,
    clause: `${KEYS[by]} ${ascending ? "ASC" : "DESC"}`,
    // Names go up first, times go back first.
    toggled: (next) => ({ orderBy: next === "updated" ? undefined : next, orderByAsc: (next === by ? !ascending : next === "name") ? "true" : undefined }),
  };
}
