"""`mlflow.log_*` and `mlflow.set_*` of parameters, metrics and tags, with all their arguments."""

from __future__ import annotations

import mlflow
import numpy

from asking import refused
from checks import equal, same_entries
from session import Session


def run(session: Session) -> None:
    """Logs values of all types, to the active run and to others."""
    _params(session)
    _metrics(session)
    _other_run(session)
    _tags(session)
    _bad_names(session)


def _params(session: Session) -> None:
    values = {
        "int": 3,
        "float": 0.1,
        "bool": True,
        "none": None,
        "list": [1, "a"],
        "dict": {"b": {"c": 2.5}},
        "text": "ein Wort",
        "numpy": numpy.float64(0.25),
        "slash/in name": "x",
        "dots.and-dashes_": "y",
    }
    with session.check("log_param returns its value, and values of every type become text"):
        with mlflow.start_run() as active:
            for key, value in values.items():
                equal(mlflow.log_param(key, value), value, key)
        expected = {key: str(value) for key, value in values.items()}
        same_entries(mlflow.get_run(active.info.run_id).data.params, expected, "log_param")

    with session.check("log_params takes the same values, and more than fit into one request"):
        many = values | {f"p{number:03}": number for number in range(250)}
        with mlflow.start_run() as active:
            mlflow.log_params(many)
        expected = {key: str(value) for key, value in many.items()}
        same_entries(mlflow.get_run(active.info.run_id).data.params, expected, "log_params")

    with session.check("a parameter that is too long is cut to 6,000 characters"):
        with mlflow.start_run() as active:
            mlflow.log_param("long", "é" * 7_000)
        equal(mlflow.get_run(active.info.run_id).data.params["long"], "é" * 6_000, "value")

    with session.check("a second value of a parameter is refused, the same value is not"):
        with mlflow.start_run() as active:
            mlflow.log_params({"a": 1, "b": 2})
            mlflow.log_params({"a": 1})
            with refused("INVALID_PARAMETER_VALUE"):
                mlflow.log_params({"b": 3})
        equal(mlflow.get_run(active.info.run_id).data.params, {"a": "1", "b": "2"}, "values")


def _metrics(session: Session) -> None:
    with session.check("log_metric and log_metrics keep step and timestamp"):
        with mlflow.start_run() as active:
            mlflow.log_metric("loss", 0.5, step=10, timestamp=1_700_000_000_123)
            mlflow.log_metric("loss", 0.25, step=20, timestamp=1_700_000_000_456)
            mlflow.log_metrics({"loss": 0.125, "acc": 1}, step=30, timestamp=1_700_000_000_789)
        points = session.client.get_metric_history(active.info.run_id, "loss")
        equal(
            [(point.key, point.value, point.step, point.timestamp) for point in points],
            [
                ("loss", 0.5, 10, 1_700_000_000_123),
                ("loss", 0.25, 20, 1_700_000_000_456),
                ("loss", 0.125, 30, 1_700_000_000_789),
            ],
            "history",
        )
        latest = mlflow.get_run(active.info.run_id).data.metrics
        equal(latest, {"loss": 0.125, "acc": 1.0}, "latest values")

    with session.check("a metric without step and time has step 0 and the time of now"):
        with mlflow.start_run() as active:
            mlflow.log_metric("m", 1)
        (point,) = session.client.get_metric_history(active.info.run_id, "m")
        info = mlflow.get_run(active.info.run_id).info
        equal((point.step, point.value), (0, 1.0), "step and value")
        equal(info.start_time <= point.timestamp <= info.end_time, True, "time is inside the run")

    with session.check("numbers of other kinds arrive as the same number"):
        numbers = {
            "f32": numpy.float32(0.1),
            "f64": numpy.float64(1e-300),
            "i64": numpy.int64(2**53),
            "array": numpy.array(2.5),
            "int": 10**15,
        }
        with mlflow.start_run() as active:
            for key, number in numbers.items():
                mlflow.log_metric(key, number)
        expected = {key: float(number) for key, number in numbers.items()}
        same_entries(mlflow.get_run(active.info.run_id).data.metrics, expected, "metrics")

    with session.check("a metric that is no number is refused"):
        with mlflow.start_run() as active:
            status, answer = session.post(
                "/api/2.0/mlflow/runs/log-metric",
                {"run_id": active.info.run_id, "key": "m", "value": "three", "timestamp": 1},
            )
            equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), "by request")
        equal(mlflow.get_run(active.info.run_id).data.metrics, {}, "metrics")


def _other_run(session: Session) -> None:
    with session.check("values go to a run that is not active, when it is named"):
        other = session.client.create_run(session.experiment_id).info.run_id
        with mlflow.start_run() as active:
            mlflow.log_metric("m", 1.0, run_id=other)
            mlflow.log_metrics({"n": 2.0}, step=2, run_id=other)
            mlflow.log_params({"p": "q"}, run_id=other)
        found = mlflow.get_run(other).data
        equal((found.metrics, found.params), ({"m": 1.0, "n": 2.0}, {"p": "q"}), "named run")
        untouched = mlflow.get_run(active.info.run_id).data
        equal((untouched.metrics, untouched.params), ({}, {}), "active run")


def _tags(session: Session) -> None:
    with session.check("set_tag and set_tags write text, and the last value stays"):
        with mlflow.start_run() as active:
            mlflow.set_tag("number", 1)
            mlflow.set_tags({"number": 2, "flag": False, "empty": "", "long": "ö" * 8_000})
            mlflow.set_tags({f"t{number:03}": number for number in range(150)})
        tags = mlflow.get_run(active.info.run_id).data.tags
        expected = {"number": "2", "flag": "False", "empty": "", "long": "ö" * 8_000}
        expected |= {f"t{number:03}": str(number) for number in range(150)}
        same_entries({key: tags.get(key) for key in expected}, expected, "tags")

    with session.check("delete_tag takes a tag away, and is refused for one that is not there"):
        with mlflow.start_run() as active:
            mlflow.set_tags({"stays": "1", "goes": "2"})
            mlflow.delete_tag("goes")
            with refused("RESOURCE_DOES_NOT_EXIST"):
                mlflow.delete_tag("goes")
        tags = mlflow.get_run(active.info.run_id).data.tags
        equal((tags.get("stays"), tags.get("goes")), ("1", None), "tags")

    with session.check("a tag of the run's name renames the run"):
        with mlflow.start_run(run_name="old") as active:
            mlflow.set_tag("mlflow.runName", "new")
        equal(mlflow.get_run(active.info.run_id).info.run_name, "new", "name")


def _bad_names(session: Session) -> None:
    with session.check("names with forbidden characters or beyond 250 characters are refused"):
        with mlflow.start_run() as active:
            for name in ("a*b", "q?", "../up", "/root", "double//slash", "x" * 251):
                for log in (
                    lambda key: mlflow.log_param(key, 1),
                    lambda key: mlflow.log_metric(key, 1),
                    lambda key: mlflow.set_tag(key, 1),
                ):
                    with refused("INVALID_PARAMETER_VALUE"):
                        log(name)
            run_id = active.info.run_id
            for route, body in (
                ("log-parameter", {"key": "a*b", "value": "1"}),
                ("log-metric", {"key": "a*b", "value": 1, "timestamp": 1}),
                ("set-tag", {"key": "a*b", "value": "1"}),
            ):
                status, answer = session.post(
                    f"/api/2.0/mlflow/runs/{route}", {"run_id": run_id} | body
                )
                expected = (route, 400, "INVALID_PARAMETER_VALUE")
                equal((route, status, answer.get("error_code")), expected)
        found = mlflow.get_run(run_id).data
        equal((found.params, found.metrics), ({}, {}), "parameters and metrics")

    with session.check("the longest names and all allowed characters are taken"):
        names = ["x" * 250, "a b", "a/b/c", "a-b", "a_b", "a.b", "0", "a:b"]
        with mlflow.start_run() as active:
            mlflow.log_params(dict.fromkeys(names, "v"))
            mlflow.log_metrics(dict.fromkeys(names, 1.5))
        found = mlflow.get_run(active.info.run_id).data
        same_entries(found.params, dict.fromkeys(names, "v"), "parameters")
        same_entries(found.metrics, dict.fromkeys(names, 1.5), "metrics")
