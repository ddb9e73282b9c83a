// Links keep the view of who sent them.

import { expect, test } from "vitest";
import { facetsOf, filterOf, listOf, listText, orderOf, orderQuery } from "./query";

test("MLflow's links and ours order alike", () => {
  expect(orderOf(new URLSearchParams("orderByKey=metrics.`val/loss`&orderByAsc=true"))).toEqual({ id: "metrics.val/loss", ascending: true });
  expect(orderOf(new URLSearchParams("orderByKey=tags.`mlflow.user`"))).toEqual({ id: "attributes.user_id", ascending: false });
  const order = { id: "params.a.b`c", ascending: true };
  expect(orderOf(new URLSearchParams(orderQuery(order) as Record<string, string>))).toEqual(order);
});

test("lists survive commas and per cents", () => {
  const items = ["metrics.a,b", "params.100%", "tags.ü"];
  expect(listOf(listText(items)!)).toEqual(items);
});

test("facets are clauses", () => {
  const facets = facetsOf(new URLSearchParams("searchFilter=metrics.a > 1&startTime=LAST_HOUR&status=FAILED&dataset=it's"));
  expect(filterOf(facets, 3_600_005)).toBe("metrics.a > 1 AND attributes.start_time >= 5 AND attributes.status = 'FAILED' AND datasets.name = \"it's\"");
});
