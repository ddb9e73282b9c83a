"""Writes traces into an experiment, and reads all that is in it, with either version of MLflow.

    python trace_filling.py --uri file:///x/mlruns --experiment old --fill a
    python trace_filling.py --read http://127.0.0.1:5000 old --read file:///x/mlruns old

`--read` prints JSON for each place: each trace as the client sees it, and which traces each filter
finds.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import argparse
import json
from typing import Any

import mlflow
from mlflow.tracking import MlflowClient

MLFLOW_3 = not mlflow.__version__.startswith("2.")
FILTERS = (
    "status = 'OK'",
    "status = 'ERROR'",
    "name = 'second'",
    "tags.side = 'a'",
    "tags.side != 'a'",
    "request_metadata.`made by` = '2'",
    "timestamp_ms > 0 AND execution_time_ms >= 0",
)
# MLflow's file store cannot order by a time that a trace does not have.
ORDERS = ("timestamp_ms ASC", "request_id DESC", "status ASC")
# Where spans are kept, our server tells its clients alone.
PLACE = "mlflow.trace.spansLocation"


def fill(uri: str, experiment: str, side: str) -> list[str]:
    """Makes three traces: one that ends well, one that fails, one that has no end."""
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(experiment)
    if MLFLOW_3:
        return _fill_by_3(side)
    client = MlflowClient(tracking_uri=uri)
    number = client.get_experiment_by_name(experiment).experiment_id
    made = []
    for name, status in (("first", "OK"), ("second", "ERROR"), ("third", None)):
        root = client.start_trace(name, {"q": "é: '1'"}, experiment_id=number, tags={"side": side})
        made.append(root.request_id)
        span = client.start_span("step", root.request_id, root.span_id, inputs=[1])
        if status is not None:
            client.end_span(root.request_id, span.span_id, outputs={"n": None})
            client.end_trace(root.request_id, outputs="done\n", status=status)
    client.set_trace_tag(made[0], "k", "v\nw ")
    client.set_trace_tag(made[0], "gone", "1")
    client.delete_trace_tag(made[0], "gone")
    return made


def _fill_by_3(side: str) -> list[str]:
    made = []

    @mlflow.trace(name="first")
    def first(question: str) -> str:
        mlflow.update_current_trace(tags={"side": side}, client_request_id=f"c-{side}")
        with mlflow.start_span("step") as span:
            span.set_outputs({"n": None})
        return question.upper()

    @mlflow.trace(name="second")
    def second() -> None:
        mlflow.update_current_trace(tags={"side": side}, metadata={"made by": "2"})
        raise ValueError("no")

    first("é: '1'")
    made.append(mlflow.get_last_active_trace_id())
    try:
        second()
    except ValueError:
        made.append(mlflow.get_last_active_trace_id())
    mlflow.flush_trace_async_logging()
    _assess(made[0])
    client = MlflowClient()
    client.set_trace_tag(made[0], "k", "v\nw ")
    client.set_trace_tag(made[0], "gone", "1")
    client.delete_trace_tag(made[0], "gone")
    return made


def _assess(trace: str) -> None:
    from mlflow.entities import AssessmentSource

    source = AssessmentSource("HUMAN", "ada")
    values = {"number": 5, "text": "5", "list": ["a", 1.5], "map": {"z": 1, "a": None}, "yes": True}
    for name, value in values.items():
        mlflow.log_feedback(trace_id=trace, name=name, value=value, source=source, rationale="wh\ny")
        mlflow.log_expectation(trace_id=trace, name=f"expected {name}", value=value)
    mlflow.log_feedback(trace_id=trace, name="failed", error=ValueError("no"), metadata={"k": "1"})
    first = mlflow.log_feedback(trace_id=trace, name="judged", value="bad")
    better = mlflow.override_feedback(trace_id=trace, assessment_id=first.assessment_id, value="good")
    mlflow.log_feedback(trace_id=trace, name="gone", value=1)
    (gone,) = [it for it in mlflow.get_trace(trace).info.assessments if it.name == "gone"]
    mlflow.delete_assessment(trace_id=trace, assessment_id=gone.assessment_id)
    changed = mlflow.entities.Feedback(name="judged", value="best")
    mlflow.update_assessment(trace_id=trace, assessment_id=better.assessment_id, assessment=changed)


def read(uri: str, experiment: str) -> dict[str, Any]:
    """All that the client sees of the traces of an experiment."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri)
    number = client.get_experiment_by_name(experiment).experiment_id

    def search(**how: Any) -> list:
        where = {"locations": [number], "include_spans": False} if MLFLOW_3 else {}
        if MLFLOW_3:
            return client.search_traces(**where, **how)
        # Spans are read apart: not every trace has any.
        infos, _ = client._tracking_client._search_traces([number], **_named(how))
        return infos

    infos = [getattr(trace, "info", trace) for trace in search(max_results=100)]
    found = {"traces": [_plain(info) for info in infos]}
    for text in FILTERS:
        traces = search(filter_string=text, max_results=100)
        found[text] = [getattr(trace, "info", trace).request_id for trace in traces]
    for order in ORDERS:
        traces = search(order_by=[order], max_results=100)
        found[order] = [getattr(trace, "info", trace).request_id for trace in traces]
    return found


def _named(how: dict[str, Any]) -> dict[str, Any]:
    return {"filter_string": None, "order_by": None, **how}


def _plain(info: Any) -> dict[str, Any]:
    plain = info.to_dict()
    plain.get("tags", {}).pop(PLACE, None)
    if not MLFLOW_3:
        # A server of 2.x says 0 of a trace that goes on.
        plain["execution_time_ms"] = plain["execution_time_ms"] or 0
    plain["tags"] = dict(sorted(plain.get("tags", {}).items()))
    if "assessments" in plain:
        listed = plain["assessments"]
        listed = [it if isinstance(it, dict) else it.to_dictionary() for it in listed]
        plain["assessments"] = sorted(listed, key=lambda it: it["assessment_id"])
    return json.loads(json.dumps(plain, sort_keys=True, default=str))


def main() -> None:
    """Does what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uri")
    parser.add_argument("--experiment")
    parser.add_argument("--fill", metavar="SIDE")
    parser.add_argument("--read", nargs=2, action="append", metavar=("URI", "EXPERIMENT"))
    arguments = parser.parse_args()
    if arguments.fill:
        print(json.dumps(fill(arguments.uri, arguments.experiment, arguments.fill)))
    if arguments.read:
        print(json.dumps([read(*place) for place in arguments.read]))


if __name__ == "__main__":
    main()
