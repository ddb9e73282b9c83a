// OpenTelemetry's own SDK for Node sends spans to `/v1/traces`, as protobuf and as JSON, and they are read back by
// MLflow's API. `node sdk.mjs URL`; prints a line per check.

import assert from "node:assert/strict";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as AsJson } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as AsProtobuf } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const url = process.argv[2];
const SUBJECT = "opentelemetry-sdk, Node";
let passed = 0;
let failed = 0;

async function check(name, work) {
  try {
    await work();
    passed += 1;
    console.log(`ok  ${SUBJECT}: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${SUBJECT}: ${name}\n      ${String(error.stack).replaceAll("\n", "\n      ")}`);
  }
}

async function ask(path, body) {
  const answer = await fetch(url + path, {
    method: body ? "POST" : "GET",
    headers: { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/** Sends a small trace; what the server then says of it. */
async function sent(Exporter, options) {
  const { experiment_id } = await ask("/api/2.0/mlflow/experiments/create", { name: `node ${Math.random()}` });
  const exporter = new Exporter({ url: `${url}/v1/traces`, headers: { "x-mlflow-experiment-id": experiment_id }, ...options });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "session" }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("runledger.session");
  const root = tracer.startSpan("root", { attributes: { text: "é", count: 3, ratio: 0.5, yes: true, list: ["a", "b"] } });
  const inRoot = trace.setSpan(context.active(), root);
  const child = tracer.startSpan("child", {}, inRoot);
  child.addEvent("half-way", { at: 1 });
  child.setStatus({ code: SpanStatusCode.ERROR, message: "out of luck" });
  child.end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  const answer = await ask(`/api/3.0/mlflow/traces/get?trace_id=tr-${root.spanContext().traceId}`);
  return { found: answer.trace, root: root.spanContext(), child: child.spanContext() };
}

function assertWhole({ found, root, child }) {
  const spans = Object.fromEntries(found.spans.map((span) => [span.name, span]));
  assert.deepEqual(Object.keys(spans).sort(), ["child", "root"]);
  const hex = (id) => Buffer.from(id, "base64").toString("hex");
  assert.equal(hex(spans.root.span_id), root.spanId);
  assert.equal(hex(spans.child.span_id), child.spanId);
  assert.equal(hex(spans.child.parent_span_id), root.spanId);
  const value = (key) => spans.root.attributes.find((item) => item.key === key)?.value;
  assert.equal(value("text").string_value, "é");
  assert.equal(Number(value("count").int_value), 3);
  assert.equal(value("ratio").double_value, 0.5);
  assert.equal(value("yes").bool_value, true);
  assert.deepEqual(value("list").array_value.values.map((item) => item.string_value), ["a", "b"]);
  assert.deepEqual(spans.child.events.map((event) => event.name), ["half-way"]);
  assert.equal(spans.child.status.message, "out of luck");
}

for (const [what, Exporter] of [["protobuf", AsProtobuf], ["JSON", AsJson]]) {
  await check(`a trace as ${what} is whole`, async () => assertWhole(await sent(Exporter, {})));
  await check(`a trace as ${what}, packed, is whole`, async () => assertWhole(await sent(Exporter, { compression: "gzip" })));
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
