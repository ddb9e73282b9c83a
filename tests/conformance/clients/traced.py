"""Traces with either generation of clients: 2.x keeps spans as an artifact, 3.x on the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import mlflow

from checks import equal
from session import MLFLOW_3, Session


@mlflow.trace(name="whole")
def _whole(number: int) -> int:
    """Work with a step."""
    with mlflow.start_span(name="step", span_type="TOOL") as span:
        span.set_inputs({"number": number})
        span.set_attribute("parity", number % 2)
        span.set_outputs(number * number)
    return number * number


@mlflow.trace(name="failing")
def _failing() -> None:
    raise ValueError("no")


def run(session: Session) -> None:
    """Traces functions in threads, and reads, tags and deletes the traces."""
    client = session.client
    places = {"locations" if MLFLOW_3 else "experiment_ids": [session.experiment_id]}

    with session.check("functions are traced in several threads"):
        with ThreadPoolExecutor(4) as pool:
            equal(list(pool.map(_whole, range(8))), [n * n for n in range(8)], "results")
        try:
            _failing()
        except ValueError as error:
            equal(str(error), "no", "error")
        if MLFLOW_3:
            mlflow.flush_trace_async_logging()

    with session.check("each trace is found with its spans"):
        traces = client.search_traces(**places, filter_string="name = 'whole'")
        inputs = sorted(trace.data.spans[1].inputs["number"] for trace in traces)
        equal(inputs, list(range(8)), "inputs")
        for trace in traces:
            whole, step = trace.data.spans
            equal((whole.name, step.name, step.span_type), ("whole", "step", "TOOL"), "spans")
            equal(step.parent_id, whole.span_id, "parent")
        (failed,) = client.search_traces(**places, filter_string="status = 'ERROR'")
        equal(failed.data.spans[0].name, "failing", "what failed")

    with session.check("pages of traces hold each of them once"):
        ids: list[str] = []
        token = None
        while True:
            page = client.search_traces(**places, max_results=4, page_token=token)
            ids.extend(trace.info.request_id for trace in page)
            token = page.token
            if not token:
                break
        equal((len(ids), len(set(ids))), (9, 9), "ids")

    with session.check("a tag finds its trace, until it is deleted"):
        client.set_trace_tag(ids[3], "chosen", "yes")
        (found,) = client.search_traces(**places, filter_string="tags.chosen = 'yes'")
        equal(found.info.request_id, ids[3], "trace")
        equal(client.get_trace(ids[3]).info.tags["chosen"], "yes", "tag")
        client.delete_trace_tag(ids[3], "chosen")
        found = client.search_traces(**places, filter_string="tags.chosen = 'yes'")
        equal(len(found), 0, "traces")

    with session.check("deleted traces are gone"):
        count = client.delete_traces(session.experiment_id, max_timestamp_millis=10**13)
        equal(count, 9, "deleted")
        equal(len(client.search_traces(**places)), 0, "left")
