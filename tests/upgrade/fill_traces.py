"""Traces, as the releases since 2.14 make them."""

from __future__ import annotations

import mlflow
from mlflow.tracking import MlflowClient

Plain = dict

MLFLOW_3 = int(mlflow.__version__.split(".", 1)[0]) >= 3


def traces(client: MlflowClient, experiments: Plain) -> Plain:
    """Makes traces where the release has them; what must be found, by id."""
    if not hasattr(client, "start_trace"):
        return {}
    # Not the one whose artifacts are compared run by run.
    experiment = next(
        known for known, found in experiments.items() if found["name"].startswith("nn")
    )
    record = {}
    for number in range(4):
        inputs = {"question": f"wie viel? {number}", "list": [1, 2.5, None]}
        outputs = {"answer": "🙂" * (number + 1)}
        root = client.start_trace(
            f"trace {number}",
            inputs=inputs,
            attributes={"a": "b"},
            tags={"kind": "test", "number": str(number)},
            experiment_id=experiment,
        )
        # Called `request_id` before MLflow 3.
        known = root.trace_id if MLFLOW_3 else root.request_id
        span = client.start_span("inner", known, root.span_id, inputs={"x": number})
        client.end_span(known, span.span_id, outputs={"y": number + 1})
        status = "ERROR" if number == 3 else "OK"
        client.end_trace(known, outputs=outputs, status=status)
        record[known] = {
            "experiment_id": experiment,
            "state": status,
            "tags": {"kind": "test", "number": str(number), "mlflow.traceName": f"trace {number}"},
            "spans": {
                f"trace {number}": {"inputs": inputs, "outputs": outputs},
                "inner": {"inputs": {"x": number}, "outputs": {"y": number + 1}},
            },
        }
    first, second, *_ = record
    client.set_trace_tag(first, "later", "yes")
    record[first]["tags"]["later"] = "yes"
    # By id; the parameter's name changed.
    client.delete_traces(experiment, None, None, [second])
    del record[second]
    return record
