"""Traces: functions under observation, what is read back of them, assessments, searches."""

from __future__ import annotations

import time

import mlflow
from mlflow.entities import AssessmentSource, SpanType

from checks import equal
from session import Session


@mlflow.trace(name="inner", span_type=SpanType.TOOL)
def _inner(number: int) -> dict:
    """A step of the work."""
    return {"square": number * number, "é": [1, 2.5, None, True]}


@mlflow.trace(name="outer", attributes={"whole": 1, "part": 1.5, "list": [1, "x"]})
def _outer(number: int) -> dict:
    """The work."""
    span = mlflow.get_current_active_span()
    tokens = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    span.set_attribute("mlflow.chat.tokenUsage", tokens)
    mlflow.update_current_trace(
        tags={"kind": "good"}, metadata={"mlflow.trace.session": "s1"}, client_request_id="c1"
    )
    return _inner(number)


@mlflow.trace(name="broken")
def _broken() -> None:
    """What fails."""
    raise ValueError("no")


def run(session: Session) -> None:
    """Traces functions, and asks for what is known of them."""
    client = session.client
    places = {"locations": [session.experiment_id]}

    with session.check("traced functions answer, and raise, as without"):
        equal(_outer(3)["square"], 9, "answer")
        # The order of traces that begin in the same millisecond is that of their ids.
        time.sleep(0.002)
        try:
            _broken()
        except ValueError as error:
            equal(str(error), "no", "error")
        mlflow.flush_trace_async_logging()

    with session.check("a trace comes back with its spans, tags, tokens and previews"):
        (trace,) = client.search_traces(**places, filter_string="name = 'outer'")
        found = client.get_trace(trace.info.trace_id)
        outer, inner = found.data.spans
        equal((outer.name, inner.name), ("outer", "inner"), "names")
        equal(inner.parent_id, outer.span_id, "parent")
        equal(inner.span_type, SpanType.TOOL, "type")
        equal(inner.outputs, {"square": 9, "é": [1, 2.5, None, True]}, "outputs")
        attributes = {key: outer.attributes[key] for key in ("whole", "part", "list")}
        equal(attributes, {"whole": 1, "part": 1.5, "list": [1, "x"]}, "attributes")
        equal(found.info.state.value, "OK", "state")
        equal(found.info.client_request_id, "c1", "request id of the client")
        equal(found.info.tags["kind"], "good", "tag")
        equal(found.info.token_usage["total_tokens"], 7, "tokens")
        equal(found.info.request_preview, '{"number": 3}', "preview")

    with session.check("what failed says so"):
        (trace,) = client.search_traces(**places, filter_string="status = 'ERROR'")
        (span,) = trace.data.spans
        equal((span.name, span.status.status_code.value), ("broken", "ERROR"), "span")
        equal(span.events[0].name, "exception", "event")

    with session.check("searches find by tag, session, span and time"):
        for filter_string, count in (
            ("tags.kind = 'good'", 1),
            ("tags.kind = 'bad'", 0),
            ("metadata.`mlflow.trace.session` = 's1'", 1),
            ("span.name = 'inner'", 1),
            ("span.name LIKE '%e%'", 2),
            ("timestamp > 0", 2),
            ("timestamp < 1", 0),
        ):
            traces = client.search_traces(**places, filter_string=filter_string)
            equal(len(traces), count, filter_string)
        pages = []
        token = None
        while True:
            page = client.search_traces(**places, max_results=1, page_token=token)
            pages.extend(trace.data.spans[0].name for trace in page)
            token = page.token
            if not token:
                break
        equal(pages, ["broken", "outer"], "pages")

    trace_id = found.info.trace_id
    with session.check("assessments are logged, changed and deleted"):
        source = AssessmentSource("HUMAN", "me")
        feedback = mlflow.log_feedback(
            trace_id=trace_id, name="good", value={"a": [True, None]}, rationale="r", source=source
        )
        mlflow.log_expectation(trace_id=trace_id, name="right", value={"b": 1}, source=source)
        kept = mlflow.get_assessment(trace_id, feedback.assessment_id)
        equal((kept.value, kept.rationale), ({"a": [True, None]}, "r"), "feedback")
        names = {one.name for one in client.get_trace(trace_id).info.assessments}
        equal(names, {"good", "right"}, "names")
        mlflow.delete_assessment(trace_id, feedback.assessment_id)
        (rest,) = client.get_trace(trace_id).info.assessments
        equal(rest.value, {"b": 1}, "expectation")

    with session.check("tags of a trace are set and deleted"):
        client.set_trace_tag(trace_id, "later", "on")
        equal(client.get_trace(trace_id).info.tags["later"], "on", "tag")
        client.delete_trace_tag(trace_id, "later")
        equal("later" in client.get_trace(trace_id).info.tags, False, "there")

    with session.check("a trace in a run is found by it"):
        with mlflow.start_run() as active:
            _outer(4)
            mlflow.flush_trace_async_logging()
        run_id = active.info.run_id
        (trace,) = client.search_traces(**places, run_id=run_id)
        equal(trace.data.spans[0].inputs, {"number": 4}, "inputs")

    with session.check("traces are deleted by id and by time"):
        equal(client.delete_traces(session.experiment_id, trace_ids=[trace_id]), 1, "deleted")
        equal(len(client.search_traces(**places)), 2, "left")
        later = 10**13
        count = client.delete_traces(session.experiment_id, max_timestamp_millis=later)
        equal(count, 2, "deleted")
        equal(len(client.search_traces(**places)), 0, "left")
