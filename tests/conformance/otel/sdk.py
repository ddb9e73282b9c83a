"""OpenTelemetry's own SDK for Python sends spans to `/v1/traces`, and they are read back by MLflow's API.

Needs `opentelemetry-sdk` and its exporter by HTTP; not MLflow. Prints a line per check.
"""

from __future__ import annotations

import argparse
import base64
import json
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from opentelemetry import trace  # noqa: E402
from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: E402
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import (  # noqa: E402
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExportResult,
)

from checks import Checks, equal  # noqa: E402

API = "/api/2.0/mlflow"


class Server:
    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def experiment(self, name: str) -> str:
        return self.ask(f"{API}/experiments/create", {"name": name})["experiment_id"]

    def run(self, experiment: str) -> str:
        body = {"experiment_id": experiment}
        return self.ask(f"{API}/runs/create", body)["run"]["info"]["run_id"]

    def trace(self, trace_id: int) -> dict:
        return self.ask(f"/api/3.0/mlflow/traces/get?trace_id={mlflow_id(trace_id)}")["trace"]

    def exporter(self, experiment: str | None, **more) -> OTLPSpanExporter:
        headers = {} if experiment is None else {"x-mlflow-experiment-id": experiment}
        headers |= more.pop("headers", {})
        return OTLPSpanExporter(f"{self.url}/v1/traces", headers=headers, timeout=20, **more)


def mlflow_id(trace_id: int) -> str:
    return f"tr-{trace_id:032x}"


def tracer(processor) -> tuple[TracerProvider, trace.Tracer]:
    provider = TracerProvider(resource=Resource.create({"service.name": "session"}))
    provider.add_span_processor(processor)
    return provider, provider.get_tracer("runledger.session", "1.0")


def span_id(encoded: str) -> str:
    """An id of a span as hexadecimal: MLflow writes the bytes of OTLP in Base64."""
    return base64.b64decode(encoded).hex() if encoded else ""


def attributes(span: dict) -> dict:
    """The attributes as MLflow keeps them: each a value of OTLP."""

    def plain(value: dict):
        ((kind, inner),) = value.items()
        if kind == "array_value":
            return [plain(item) for item in inner.get("values", [])]
        if kind == "kvlist_value":
            return {item["key"]: plain(item["value"]) for item in inner.get("values", [])}
        return int(inner) if kind == "int_value" else inner

    return {item["key"]: plain(item["value"]) for item in span.get("attributes", [])}


def checks(subject: Checks, server: Server) -> None:
    experiment = server.experiment("opentelemetry")

    with subject.check("nested spans of several threads are one trace"):
        exporter = server.exporter(experiment, compression=Compression.Gzip)
        provider, tracing = tracer(BatchSpanProcessor(exporter))
        with tracing.start_as_current_span("root", attributes={"text": "é", "count": 3}) as root:
            context = trace.set_span_in_context(root)

            def work(number: int) -> None:
                with tracing.start_as_current_span(f"worker {number}", context=context) as span:
                    span.set_attribute("numbers", [number, number + 1])
                    span.add_event("half-way", {"at": number})

            threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        equal(provider.force_flush(), True, "flushed")
        found = server.trace(root.get_span_context().trace_id)
        names = sorted(span["name"] for span in found["spans"])
        equal(names, ["root", *(f"worker {number}" for number in range(4))])
        by_name = {span["name"]: span for span in found["spans"]}
        top = by_name["root"]
        equal(span_id(top["span_id"]), f"{root.get_span_context().span_id:016x}", "id")
        parents = {span_id(span["parent_span_id"]) for span in found["spans"] if span is not top}
        equal(parents, {span_id(top["span_id"])}, "parents")
        values = attributes(top)
        equal([values["text"], values["count"]], ["é", 3], "attributes")
        worker = by_name["worker 2"]
        equal(attributes(worker)["numbers"], [2, 3], "attributes")
        equal([event["name"] for event in worker["events"]], ["half-way"], "events")
        equal(found["trace_info"]["state"], "OK", "state")
        provider.shutdown()

    with subject.check("an exception is an event, and the state of the trace an error"):
        provider, tracing = tracer(SimpleSpanProcessor(server.exporter(experiment)))
        try:
            with tracing.start_as_current_span("fails") as span:
                raise ValueError("out of luck")
        except ValueError:
            pass
        found = server.trace(span.get_span_context().trace_id)
        equal(found["trace_info"]["state"], "ERROR", "state")
        equal([event["name"] for event in found["spans"][0]["events"]], ["exception"], "events")
        provider.shutdown()

    with subject.check("a call of a model tells its tokens"):
        provider, tracing = tracer(SimpleSpanProcessor(server.exporter(experiment)))
        usage = {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "a-model",
            "gen_ai.usage.input_tokens": 12,
            "gen_ai.usage.output_tokens": 30,
        }
        with tracing.start_as_current_span("chat a-model", attributes=usage) as span:
            pass
        found = server.trace(span.get_span_context().trace_id)
        tokens = json.loads(found["trace_info"]["trace_metadata"]["mlflow.trace.tokenUsage"])
        equal([tokens["input_tokens"], tokens["output_tokens"]], [12, 30], "tokens")
        provider.shutdown()

    with subject.check("spans name the run that they belong to"):
        run = server.run(experiment)
        exporter = server.exporter(experiment, headers={"x-mlflow-run-id": run})
        provider, tracing = tracer(SimpleSpanProcessor(exporter))
        with tracing.start_as_current_span("of a run") as span:
            pass
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
        asked = {"locations": [location], "filter": f"run_id = '{run}'"}
        found = server.ask("/api/3.0/mlflow/traces/search", asked)["traces"]
        equal([info["trace_id"] for info in found], [mlflow_id(span.get_span_context().trace_id)])
        provider.shutdown()

    with subject.check("5,000 spans of 50 traces arrive, each once"):
        many = server.experiment("opentelemetry: many")
        processor = BatchSpanProcessor(server.exporter(many), max_queue_size=8192)
        provider, tracing = tracer(processor)
        ids = []
        for number in range(50):
            with tracing.start_as_current_span(f"root {number}") as root:
                ids.append(root.get_span_context().trace_id)
                for child in range(99):
                    with tracing.start_as_current_span(f"child {child}"):
                        pass
        equal(provider.force_flush(30_000), True, "flushed")
        for trace_id in ids:
            names = [span["name"] for span in server.trace(trace_id)["spans"]]
            equal([len(names), len(set(names))], [100, 100], "spans")
        provider.shutdown()

    with subject.check("spans that are sent twice are there once"):
        exporter = server.exporter(experiment)
        sent = []

        class Twice(SimpleSpanProcessor):
            def on_end(self, span) -> None:
                sent.extend(exporter.export((span,)) for _ in range(2))

        provider, tracing = tracer(Twice(exporter))
        with tracing.start_as_current_span("twice") as span:
            pass
        equal(sent, [SpanExportResult.SUCCESS] * 2, "results")
        equal(len(server.trace(span.get_span_context().trace_id)["spans"]), 1, "spans")
        provider.shutdown()

    with subject.check("without an experiment, or with one that is not there, nothing is taken"):
        for exporter in (server.exporter(None), server.exporter("987654321")):
            provider, tracing = tracer(SimpleSpanProcessor(exporter))
            began = time.monotonic()
            with tracing.start_as_current_span("lost") as span:
                pass
            # A refusal is final: the exporter does not try again.
            equal(time.monotonic() - began < 15, True, "told at once")
            try:
                server.trace(span.get_span_context().trace_id)
            except urllib.error.HTTPError as error:
                equal(error.code, 404, "status")
            else:
                raise AssertionError("the trace is there")
            provider.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    subject = Checks("opentelemetry-sdk, Python")
    checks(subject, Server(parser.parse_args().url))
    subject.finish()


if __name__ == "__main__":
    main()
