// What a link says about a table of runs. Names are MLflow's where it has one, so that its links open the same view.

import type { ViewType } from "../api/experiments";
import type { RunStatus } from "../api/runs";
import { toFilter } from "../search/lexer";
import type { ColumnId } from "./columns";
import type { Aggregate } from "./group";
import { DEFAULT_ORDER, type Order } from "./sort";

export const TIMES: Record<string, { label: string; ms: number }> = {
  LAST_HOUR: { label: "last hour", ms: 3_600_000 },
  LAST_24_HOURS: { label: "last 24 hours", ms: 86_400_000 },
  LAST_7_DAYS: { label: "last 7 days", ms: 7 * 86_400_000 },
  LAST_30_DAYS: { label: "last 30 days", ms: 30 * 86_400_000 },
  LAST_YEAR: { label: "last year", ms: 365 * 86_400_000 },
};

export function orderOf(query: URLSearchParams): Order {
  const key = query.get("orderByKey");
  if (!key) return DEFAULT_ORDER;
  const match = /^(\w+)\.[`"]?(.*?)[`"]?$/.exec(key);
  const id = match ? `${match[1]}.${match[2]}` : `attributes.${key}`;
  return { id: id === "tags.mlflow.user" ? "attributes.user_id" : id === "tags.mlflow.runName" ? "attributes.run_name" : id, ascending: query.get("orderByAsc") === "true" };
}

export function orderQuery(order: Order): { orderByKey: string | undefined; orderByAsc: string | undefined } {
  const usual = order.id === DEFAULT_ORDER.id && order.ascending === DEFAULT_ORDER.ascending;
  return { orderByKey: usual ? undefined : order.id, orderByAsc: order.ascending ? "true" : undefined };
}

/** Lists in links: commas between, each item encoded. */
export const listOf = (text: string | null): string[] => (text ? text.split(",").map(decode).filter(Boolean) : []);
export const listText = (items: Iterable<string>): string | undefined => [...items].map((item) => item.replace(/[%,]/g, encodeURIComponent)).join(",") || undefined;

function decode(item: string): string {
  try {
    return decodeURIComponent(item);
  } catch {
    return item;
  }
}

export interface Facets {
  text: string;
  deleted: boolean;
  time: string;
  status: RunStatus | "";
  dataset: string;
}

export function facetsOf(query: URLSearchParams): Facets {
  const time = query.get("startTime") ?? "";
  return {
    text: query.get("searchFilter") ?? "",
    deleted: query.get("lifecycleFilter")?.toUpperCase() === "DELETED",
    time: time in TIMES ? time : "",
    status: (query.get("status") ?? "") as RunStatus | "",
    dataset: query.get("dataset") ?? "",
  };
}

/** The filter that goes to the server. `now` is rounded by the caller, lest every moment be another search. */
export function filterOf(facets: Facets, now: number): string {
  const quoted = (value: string): string => (value.includes("'") ? `"${value}"` : `'${value}'`);
  return [
    toFilter(facets.text),
    facets.time && `attributes.start_time >= ${now - TIMES[facets.time]!.ms}`,
    facets.status && `attributes.status = '${facets.status}'`,
    facets.dataset && `datasets.name = ${quoted(facets.dataset)}`,
  ]
    .filter(Boolean)
    .join(" AND ");
}

export const viewOf = (facets: Facets): ViewType => (facets.deleted ? "DELETED_ONLY" : "ACTIVE_ONLY");

export const groupsOf = (query: URLSearchParams): ColumnId[] => listOf(query.get("groupBy"));

export function aggregateOf(query: URLSearchParams): Aggregate {
  const how = query.get("aggregate");
  return how === "min" || how === "max" ? how : "mean";
}
