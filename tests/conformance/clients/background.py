"""Logging in the background: `synchronous=False`, what it returns, and waiting for it."""

from __future__ import annotations

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from asking import eventually, history
from checks import equal, same_entries
from session import Session

COUNT = 300


def run(session: Session) -> None:
    """Logs without waiting, then waits in each of the ways there are."""
    _operations(session)
    _many(session)
    _refusals(session)
    _by_setting(session)


def _operations(session: Session) -> None:
    with session.check("every kind of value is there after its operation was waited for"):
        with mlflow.start_run() as active:
            run_id = active.info.run_id
            operations = [
                mlflow.log_metric("m", 1.0, step=1, synchronous=False),
                mlflow.log_metrics({"n": 2.0, "o": 3.0}, step=2, synchronous=False),
                mlflow.log_param("p", "v", synchronous=False),
                mlflow.log_params({"q": 1, "r": 2}, synchronous=False),
                mlflow.set_tag("t", "w", synchronous=False),
                mlflow.set_tags({"u": 1}, synchronous=False),
            ]
            for operation in operations:
                operation.wait()
            found = mlflow.get_run(run_id)
            equal(found.info.status, "RUNNING", "status while it runs")
        equal(found.data.metrics, {"m": 1.0, "n": 2.0, "o": 3.0}, "metrics")
        equal(found.data.params, {"p": "v", "q": "1", "r": "2"}, "parameters")
        equal((found.data.tags["t"], found.data.tags["u"]), ("w", "1"), "tags")

    with session.check("the client's operations are waited for in the same way"):
        run_id = session.client.create_run(session.experiment_id).info.run_id
        for operation in (
            session.client.log_metric(run_id, "m", 1.0, step=4, synchronous=False),
            session.client.log_param(run_id, "p", "v", synchronous=False),
            session.client.set_tag(run_id, "t", "w", synchronous=False),
            session.client.log_batch(
                run_id,
                [Metric("n", float(step), 1_000 + step, step) for step in range(1_500)],
                [Param(f"p{number}", "v") for number in range(150)],
                [RunTag(f"t{number}", "w") for number in range(150)],
                synchronous=False,
            ),
        ):
            operation.wait()
        data = session.client.get_run(run_id).data
        equal((data.metrics["m"], data.params["p"], data.tags["t"]), (1.0, "v", "w"), "one by one")
        equal(len(data.params), 151, "parameters")
        equal(len([key for key in data.tags if key.startswith("t")]), 151, "tags")
        equal(
            history(session, run_id, "n"), [(step, float(step)) for step in range(1_500)], "points"
        )


def _many(session: Session) -> None:
    with session.check(f"{COUNT} metrics are there after flush_async_logging, each once"):
        with mlflow.start_run() as active:
            for step in range(COUNT):
                mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False)
            mlflow.flush_async_logging()
            expected = [(step, 1 / (step + 1)) for step in range(COUNT)]
            equal(history(session, active.info.run_id, "loss"), expected, "points")

    with session.check("the end of a run waits for what is still on its way"):
        with mlflow.start_run() as active:
            for step in range(COUNT):
                mlflow.log_metrics({"a": step, "b": -step}, step=step, synchronous=False)
        for key, sign in (("a", 1), ("b", -1)):
            expected = [(step, float(sign * step)) for step in range(COUNT)]
            equal(history(session, active.info.run_id, key), expected, f"points of {key}")
        equal(mlflow.get_run(active.info.run_id).info.status, "FINISHED", "status")

    with session.check("metrics of several runs in one queue do not mix"):
        runs = [session.client.create_run(session.experiment_id).info.run_id for _ in range(4)]
        for step in range(100):
            for number, run_id in enumerate(runs):
                session.client.log_metric(run_id, "m", float(number), step=step, synchronous=False)
        mlflow.flush_async_logging()
        for number, run_id in enumerate(runs):
            expected = [(step, float(number)) for step in range(100)]
            equal(
                eventually(
                    lambda run_id=run_id: (
                        len(found := history(session, run_id, "m")) >= 100 and found
                    ),
                    f"100 points of run {number}",
                ),
                expected,
                f"points of run {number}",
            )


def _refusals(session: Session) -> None:
    with session.check("a refusal is raised by the wait, and what comes after it goes on"):
        with mlflow.start_run() as active:
            mlflow.log_param("p", "first", synchronous=False).wait()
            refused = mlflow.log_param("p", "second", synchronous=False)
            try:
                refused.wait()
            except MlflowException as refusal:
                equal("failures occurred" in refusal.message, True, f"in `{refusal.message}`")
            else:
                raise AssertionError("a second value of a parameter was accepted")
            mlflow.log_param("q", "fine", synchronous=False).wait()
        params = mlflow.get_run(active.info.run_id).data.params
        equal(params, {"p": "first", "q": "fine"}, "parameters")


def _by_setting(session: Session) -> None:
    with session.check("enable_async_logging makes all logging return at once"):
        mlflow.config.enable_async_logging(True)
        try:
            with mlflow.start_run() as active:
                operation = mlflow.log_metric("m", 1.0)
                mlflow.log_params({f"p{number}": number for number in range(120)})
                mlflow.set_tag("t", "w")
                equal(hasattr(operation, "wait"), True, f"{operation!r} can be waited for")
                mlflow.flush_async_logging()
        finally:
            mlflow.config.enable_async_logging(False)
        data = mlflow.get_run(active.info.run_id).data
        equal((data.metrics, data.tags["t"]), ({"m": 1.0}, "w"), "metric and tag")
        same_entries(data.params, {f"p{number}": str(number) for number in range(120)}, "params")
