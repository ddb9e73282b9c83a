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

    with session.check("a search for traces answers or is refused, never a server error"):
        try:
            session.client.search_traces(experiment_ids=[session.experiment_id])
        except MlflowException as refusal:
            status = refusal.get_http_status_code()
            if status >= 500 and refusal.error_code != "NOT_IMPLEMENTED":
                raise

    with session.check("registry reads answer"):
        session.client.search_registered_models()
        session.client.search_model_versions()
