"""Traces and the model registry as neighbours: whether a server has them or not, a session that
touches them must carry on."""

from __future__ import annotations

import mlflow
from mlflow.exceptions import MlflowException

from checks import equal
from session import MLFLOW_3, Session


@mlflow.trace
def square(number: int) -> int:
    """A function under observation."""
    return number * number


def run(session: Session) -> None:
    """Traces a function, reads the registry, and goes on logging."""
    with session.check("a traced function returns its result, and logging goes on"):
        with mlflow.start_run(run_name="traced") as active:
            equal([square(number) for number in range(3)], [0, 1, 4], "results")
            if MLFLOW_3:
                mlflow.flush_trace_async_logging()
            mlflow.log_metric("after trace", 1.0)
        equal(session.client.get_run(active.info.run_id).data.metrics["after trace"], 1.0, "metric")

    client = session.client
    reads = {
        "traces": lambda: client.search_traces(experiment_ids=[session.experiment_id]),
        "registered models": client.search_registered_models,
        "model versions": client.search_model_versions,
    }
    for name, read in reads.items():
        with session.check(f"a search for {name} answers, or is refused as not being here"):
            try:
                read()
            except MlflowException as refusal:
                if refusal.error_code not in ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"):
                    raise

    with session.check("logging goes on after them"):
        with mlflow.start_run(run_name="after neighbours") as active:
            mlflow.log_param("carries", "on")
        equal(client.get_run(active.info.run_id).data.params, {"carries": "on"}, "parameters")
