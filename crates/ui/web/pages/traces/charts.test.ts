// Charts in words, and why there are none.

import { expect, test } from "vitest";
import { ApiError } from "../../lib/api/call";
import { cardsOf } from "./cards";
import { troubleOf, type Drawn } from "./charts.svelte";

const none = [undefined, undefined];
const drawn: Drawn = { intervals: [{ from: 0, to: 60_000 }, { from: 60_000, to: 120_000 }], start: 0, end: 90_000, counts: [4, undefined], failed: [1, undefined], latency: [[20, undefined], [2500, undefined], [4000, undefined]], overall: [20, 2500, 4000], input: none, output: none };

test("each chart says what it comes to, over all and in each interval", () => {
  const [traces, latency, errors, tokens] = cardsOf(drawn);
  expect(traces!.label).toBe("Traces in intervals of 1 min: 4 together");
  expect(latency!.label).toBe("Latency in intervals of 1 min: p50 20 ms, p90 2.5 s, p99 4.0 s over all");
  expect(latency!.words(0)).toEqual(["p50 20 ms", "p90 2.5 s", "p99 4.0 s"]);
  expect([latency!.measure.unit, latency!.measure.tick(2)]).toEqual([1000, "2 s"]);
  expect(errors!.words(0)).toEqual(["25 % failed, 1 of 4"]);
  // Where nothing was there is no share.
  expect(errors!.series[0]!.values).toEqual([0.25, undefined]);
  expect(tokens!.none).toBe("None of the traces says how many tokens it used.");
  expect(cardsOf({ ...drawn, latency: [none, none, none], overall: [] })[1]!.none).toBe("None of the traces has ended.");
  expect(cardsOf({ ...drawn, input: [1200, undefined] })[3]!.legend.map((each) => each.text)).toEqual(["1,200 in", "0 out"]);
});

test("a server that does not measure is not asked again", () => {
  expect(troubleOf(new ApiError("The server answered with status 404.", 404))).toEqual({ text: "This server does not measure traces, so there are no charts: The server answered with status 404.", again: false });
  expect(troubleOf(new ApiError("Not here", 501)).again).toBe(false);
  expect(troubleOf(new ApiError("busy", 503))).toEqual({ text: "The charts could not be loaded: busy.", again: true });
});
