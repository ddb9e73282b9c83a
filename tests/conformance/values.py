"""Parameters, tags and metrics: many of them, odd ones, and their whole histories."""

from __future__ import annotations

import math

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from checks import equal, same_entries
from session import Session

COUNT = 1_000


def run(session: Session) -> None:
    """Logs values in every way the client has, and reads all of them back."""
    with session.check("parameters and tags one by one and many at once"):
        with mlflow.start_run(run_name="values", description="All kinds of values") as active:
            run_id = active.info.run_id
            params = {f"p{number}": f"value {number}" for number in range(120)}
            mlflow.log_params(params)
            mlflow.log_param("empty", "")
            mlflow.log_param("unicode", "Größe 模型 🚀")
            mlflow.log_param("long", "x" * 6_000)
            tags = {f"t{number}": f"tag {number}" for number in range(120)}
            mlflow.set_tags(tags)
            mlflow.set_tag("note", "first")
            mlflow.set_tag("note", "second\nline")
            mlflow.set_tag("gone", "soon")
            mlflow.delete_tag("gone")
        found = session.client.get_run(run_id).data
        params |= {"empty": "", "unicode": "Größe 模型 🚀", "long": "x" * 6_000}
        same_entries(found.params, params, "parameters")
        equal({key: found.tags.get(key) for key in tags}, tags, "tags")
        equal(found.tags["note"], "second\nline", "overwritten tag")
        equal(found.tags["mlflow.note.content"], "All kinds of values", "description")
        equal("gone" in found.tags, False, "deleted tag is there")

    with session.check("a parameter keeps its first value, and the refusal says so"):
        session.client.log_param(run_id, "p1", "value 1")
        try:
            session.client.log_param(run_id, "p1", "other")
        except MlflowException as refusal:
            equal(refusal.error_code, "INVALID_PARAMETER_VALUE", "error code")
        else:
            raise AssertionError("the second value was accepted")
        equal(session.client.get_run(run_id).data.params["p1"], "value 1", "value")

    _thousand(session)
    _odd_numbers(session)
    _history_pages(session)
    _atomic_batch(session)


def _thousand(session: Session) -> None:
    with session.check("1,000 metrics one by one"):
        with mlflow.start_run(run_name="one by one") as active:
            for step in range(COUNT):
                mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        points = session.client.get_metric_history(active.info.run_id, "loss")
        equal(
            {point.step: point.value for point in points},
            {step: 1.0 / (step + 1) for step in range(COUNT)},
            "points",
        )
        equal(
            session.client.get_run(active.info.run_id).data.metrics["loss"], 1.0 / COUNT, "latest"
        )

    with session.check("1,000 metrics in one batch, and 1,000 keys at once"):
        created = session.client.create_run(session.experiment_id, run_name="batches")
        run_id = created.info.run_id
        session.client.log_batch(
            run_id,
            [Metric("loss", step / 7, 1_700_000_000_000 + step, step) for step in range(COUNT)],
        )
        with mlflow.start_run(run_id=run_id):
            mlflow.log_metrics({f"m{number:04}": number / 3 for number in range(COUNT)}, step=4)
        points = session.client.get_metric_history(run_id, "loss")
        equal(
            sorted((point.timestamp, point.step, point.value) for point in points),
            [(1_700_000_000_000 + step, step, step / 7) for step in range(COUNT)],
            "points",
        )
        expected = {f"m{number:04}": number / 3 for number in range(COUNT)}
        same_entries(
            session.client.get_run(run_id).data.metrics,
            expected | {"loss": (COUNT - 1) / 7},
            "latest values",
        )


def _odd_numbers(session: Session) -> None:
    with session.check("NaN, infinities, extremes and steps below zero come back as logged"):
        numbers = {
            "not a number": math.nan,
            "plus": 1.7976931348623157e308,
            "minus": -1.7976931348623157e308,
            "tiny": 5e-324,
            "third": 1 / 3,
            "whole": 9007199254740993,
            "negative zero": -0.0,
        }
        with mlflow.start_run(run_name="odd numbers") as active:
            for key, number in numbers.items():
                mlflow.log_metric(key, number)
            mlflow.log_metrics({"batch/not a number": math.nan, "batch/half": 0.5}, step=-3)
            # Stored as the largest finite numbers, as MLflow's database store does.
            mlflow.log_metric("infinite", math.inf)
            mlflow.log_metrics({"batch/infinite": -math.inf})
        found = session.client.get_run(active.info.run_id).data.metrics
        expected = numbers | {
            "batch/not a number": math.nan,
            "batch/half": 0.5,
            "infinite": 1.7976931348623157e308,
            "batch/infinite": -1.7976931348623157e308,
        }
        same_entries(
            {key: repr(float(value)) for key, value in found.items()},
            # A negative zero may lose its sign in a database.
            {
                key: repr(float(value))
                for key, value in (expected | {"negative zero": found["negative zero"]}).items()
            },
            "latest values",
        )
        equal(found["negative zero"], 0.0, "negative zero")
        (point,) = session.client.get_metric_history(active.info.run_id, "batch/half")
        equal((point.value, point.step), (0.5, -3), "point with a negative step")

    with session.check("the latest value is the one of the last step, then of the last time"):
        run_id = session.client.create_run(session.experiment_id, run_name="latest").info.run_id
        points = [(2.0, 10, 5), (3.0, 20, 5), (1.0, 30, 4), (2.5, 20, 5), (9.0, 5, 1)]
        for value, timestamp, step in points:
            session.client.log_metric(run_id, "m", value, timestamp=timestamp, step=step)
        equal(session.client.get_run(run_id).data.metrics["m"], 3.0, "latest value")
        session.client.log_metric(run_id, "m", 3.0, timestamp=20, step=5)
        equal(len(session.client.get_metric_history(run_id, "m")), 5, "points without repeats")


def _history_pages(session: Session) -> None:
    with session.check("pages of a history hold every point once"):
        run_id = session.client.create_run(session.experiment_id, run_name="pages").info.run_id
        for start in (0, COUNT):
            session.client.log_batch(
                run_id,
                [
                    Metric("m", float(step), 1_000 + step // 3, step)
                    for step in range(start, start + COUNT)
                ],
            )
        steps: list[int] = []
        query = {"run_id": run_id, "metric_key": "m", "max_results": 300}
        while True:
            status, page = session.get("/api/2.0/mlflow/metrics/get-history", **query)
            equal(status, 200, f"status of {page}")
            if len(page["metrics"]) > 300:
                raise AssertionError(f"{len(page['metrics'])} points in a page of 300")
            steps += [int(point["step"]) for point in page["metrics"]]
            if not page.get("next_page_token"):
                break
            query["page_token"] = page["next_page_token"]
        equal(sorted(steps), list(range(2 * COUNT)), "steps")


def _atomic_batch(session: Session) -> None:
    with session.check("a batch with one bad entry changes nothing"):
        run_id = session.client.create_run(session.experiment_id, run_name="atomic").info.run_id
        session.client.log_param(run_id, "fixed", "1")
        status, answer = session.post(
            "/api/2.0/mlflow/runs/log-batch",
            {
                "run_id": run_id,
                "metrics": [{"key": "m", "value": 1.0, "timestamp": 1, "step": 0}],
                "params": [{"key": "fixed", "value": "2"}],
                "tags": [{"key": "t", "value": "v"}],
            },
        )
        equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), "refusal")
        data = session.client.get_run(run_id).data
        equal((data.params, data.tags.get("t")), ({"fixed": "1"}, None), "parameters and tag")
        session.client.log_batch(
            run_id, [Metric("m", 2.0, 2, 0)], [Param("p", "1")], [RunTag("t", "w")]
        )
        data = session.client.get_run(run_id).data
        equal((data.metrics["m"], data.params["p"], data.tags["t"]), (2.0, "1", "w"), "good batch")
