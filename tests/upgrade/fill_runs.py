"""Experiments, and runs with all that can be logged to them."""

from __future__ import annotations

import json
import math
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient
from mlflow.utils import validation

Plain = dict

START = 1_600_000_000_000
"""Milliseconds since the epoch at which the first run begins."""

# SQL stores keep infinities as the largest and the smallest number.
LARGEST = 1.7976931348623157e308

POINTS = {
    "loss": [(1.0 / (n + 1), START + n, n) for n in range(60)],
    "nan": [(1.0, START, 0), (math.nan, START + 1, 1)],
    "nan first": [(math.nan, START, 0), (0.25, START + 1, 1)],
    "inf": [(math.inf, START, 0)],
    "-inf": [(3.5, START, 0), (-math.inf, START, 1)],
    "largest": [(LARGEST, START, 0)],
    "smallest": [(5e-324, START, 0)],
    "precise": [(0.1 + 0.2, START, 0), (1 / 3, START, 1), (-1e-17, START, 2)],
    "zero": [(0.0, START, 0)],
    # The latest is the one with the highest step, then time, then value; the order of writing is not asked.
    "late": [(7.0, START + 5, 3), (6.0, START + 9, 1), (8.0, START + 5, 3), (1.0, START + 6, 3)],
    "negative step": [(1.0, START, -5), (2.0, START, -7)],
    "far": [(2.0, 4_102_444_800_000, 2**53)],
    "acc/val top-1.x_y": [(0.5, START, 0)],
}
"""Metric histories: value, milliseconds since the epoch, step."""


def experiments(client: MlflowClient, artifacts: str) -> Plain:
    """Makes experiments with runs; what must be found, by experiment id."""
    record = {
        "0": {"name": "Default", "lifecycle_stage": "active", "tags": {}, "runs": {}},
    }
    tags = {"team": "blue", "long": "é" * validation.MAX_EXPERIMENT_TAG_VAL_LENGTH, "empty": ""}
    main = _experiment(client, record, "Größen & more, 実験", f"{artifacts}/main", tags)
    _values(client, main)
    _long(client, main)
    _statuses(client, main)
    _nested(main)
    if hasattr(client, "log_inputs"):
        _datasets(main)

    second = _experiment(client, record, "n" * 250, f"{artifacts}/second", {})
    _many(client, second)

    gone = _experiment(client, record, "gone", f"{artifacts}/gone", {"why": "old"})
    run = _run(client, gone, "in a deleted experiment")
    _metric(client, run, "m", [(1.0, START, 0)])
    client.delete_experiment(gone["id"])
    gone["lifecycle_stage"] = "deleted"
    # Runs go with their experiment.
    for lost in gone["runs"].values():
        lost["lifecycle_stage"] = "deleted"
    return {experiment.pop("id", "0"): experiment for experiment in record.values()}


def _experiment(
    client: MlflowClient, record: Plain, name: str, location: str, tags: dict[str, str]
) -> Plain:
    known = client.create_experiment(name, artifact_location=location, tags=tags)
    record[known] = {
        "id": known,
        "name": name,
        "artifact_location": location,
        "lifecycle_stage": "active",
        "tags": dict(tags),
        "runs": {},
    }
    return record[known]


def _run(client: MlflowClient, experiment: Plain, name: str, **more: Any) -> Plain:
    """Makes a run; its part of the record."""
    start = START + 1000 * len(experiment["runs"])
    made = client.create_run(
        experiment["id"], start_time=start, run_name=name, tags=more.get("tags")
    )
    run = {
        "id": made.info.run_id,
        "run_name": name,
        "status": "RUNNING",
        "lifecycle_stage": "active",
        "start_time": start,
        "end_time": None,
        "artifact_uri": f"{experiment['artifact_location']}/{made.info.run_id}/artifacts",
        "params": {},
        "tags": {"mlflow.runName": name, **(more.get("tags") or {})},
        "history": {},
        "datasets": [],
    }
    experiment["runs"][run["id"]] = run
    return run


def _end(client: MlflowClient, run: Plain, status: str) -> None:
    run["status"] = status
    run["end_time"] = run["start_time"] + 500
    client.set_terminated(run["id"], status, end_time=run["end_time"])


def _metric(client: MlflowClient, run: Plain, key: str, points: list[tuple]) -> None:
    for value, timestamp, step in points:
        client.log_metric(run["id"], key, value, timestamp=timestamp, step=step)
        point = [timestamp, step, repr(_stored(value))]
        run["history"].setdefault(key, []).append(point)


def _stored(value: float) -> float:
    return math.copysign(LARGEST, value) if math.isinf(value) else value


def _values(client: MlflowClient, experiment: Plain) -> None:
    run = _run(client, experiment, "values")
    for key, points in POINTS.items():
        _metric(client, run, key, points)
    _end(client, run, "FINISHED")


def _long(client: MlflowClient, experiment: Plain) -> None:
    """Params and tags of any length and kind that the release allows."""
    run = _run(client, experiment, "long", tags={"mlflow.note.content": "# Title\n\n*text* 🙂"})
    longest = validation.MAX_PARAM_VAL_LENGTH
    key = "k" * validation.MAX_ENTITY_KEY_LENGTH
    params = {
        "longest": "p" * longest,
        "unicode": "ß" * (longest // 2),
        "lines": "a\nb\tc 'd' \"e\" \\f",
        "number": "0.1",
        key: "key",
    }
    for name, value in params.items():
        client.log_param(run["id"], name, value)
    run["params"] = params
    tags = {
        "longest": "t" * validation.MAX_TAG_VAL_LENGTH,
        "unicode": "日本語, emoji 🚀",
        "empty": "",
        "changed": "second",
        key: "key",
    }
    client.set_tag(run["id"], "changed", "first")
    client.set_tag(run["id"], "removed", "x")
    client.delete_tag(run["id"], "removed")
    for name, value in tags.items():
        client.set_tag(run["id"], name, value)
    run["tags"].update(tags)
    _end(client, run, "FINISHED")


def _statuses(client: MlflowClient, experiment: Plain) -> None:
    for status in ("FAILED", "KILLED", "FINISHED"):
        _end(client, _run(client, experiment, f"run {status}"), status)
    _run(client, experiment, "still running")
    scheduled = _run(client, experiment, "scheduled")
    client.update_run(scheduled["id"], status="SCHEDULED")
    scheduled["status"] = "SCHEDULED"

    deleted = _run(client, experiment, "deleted", tags={"kept": "yes"})
    _metric(client, deleted, "m", [(math.nan, START, 0), (1.0, START, 1)])
    client.delete_run(deleted["id"])
    deleted["lifecycle_stage"] = "deleted"
    restored = _run(client, experiment, "restored")
    client.delete_run(restored["id"])
    client.restore_run(restored["id"])


def _nested(experiment: Plain) -> None:
    """Runs within runs, as the fluent functions make them."""
    mlflow.set_experiment(experiment_id=experiment["id"])
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_param("depth", 0)
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_param("depth", 1)
            with mlflow.start_run(run_name="grandchild", nested=True) as grandchild:
                mlflow.log_param("depth", 2)
    above = None
    for depth, run in enumerate([parent, child, grandchild]):
        # Times and who ran it come from the machine: only what was said is looked at.
        tags = {"mlflow.runName": run.info.run_name}
        if above:
            tags["mlflow.parentRunId"] = above
        above = run.info.run_id
        experiment["runs"][above] = {
            "id": above,
            "run_name": run.info.run_name,
            "status": "FINISHED",
            "lifecycle_stage": "active",
            "start_time": run.info.start_time,
            "artifact_uri": run.info.artifact_uri,
            "params": {"depth": str(depth)},
            "some_tags": tags,
            "history": {},
            "datasets": [],
        }


def _datasets(experiment: Plain) -> None:
    """Data that runs used, one of them twice."""
    import numpy
    import pandas

    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [0.5, math.nan, 1.5], "c": ["x", "ü", ""]})
    table = mlflow.data.from_pandas(frame, source="https://example.org/table.csv", name="table")
    array = mlflow.data.from_numpy(numpy.arange(12.0).reshape(3, 4), name="array")
    mlflow.set_experiment(experiment_id=experiment["id"])
    for name, uses in {
        "data": [(table, "training"), (array, None)],
        "data again": [(table, "evaluation")],
    }.items():
        with mlflow.start_run(run_name=name) as run:
            for dataset, context in uses:
                mlflow.log_input(dataset, context=context)
        experiment["runs"][run.info.run_id] = {
            "id": run.info.run_id,
            "run_name": name,
            "status": "FINISHED",
            "lifecycle_stage": "active",
            "start_time": run.info.start_time,
            "artifact_uri": run.info.artifact_uri,
            "params": {},
            "some_tags": {"mlflow.runName": name},
            "history": {},
            "datasets": sorted(
                (_used(dataset, context) for dataset, context in uses),
                key=lambda entry: entry["name"],
            ),
        }


def _used(dataset: Any, context: str | None) -> Plain:
    described = json.loads(dataset.to_json())
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": described["source_type"],
        "source": described["source"],
        "schema": described["schema"],
        "profile": described["profile"],
        "tags": {"mlflow.data.context": context} if context else {},
    }


def _many(client: MlflowClient, experiment: Plain) -> None:
    """Many keys in one batch, and many runs."""
    run = _run(client, experiment, "many keys")
    metrics = [Metric(f"m{n}", n / 7, START + n, n % 3) for n in range(300)]
    params = [Param(f"p{n}", str(n)) for n in range(100)]
    tags = [RunTag(f"t{n}", str(n)) for n in range(100)]
    client.log_batch(run["id"], metrics=metrics)
    client.log_batch(run["id"], params=params)
    client.log_batch(run["id"], tags=tags)
    run["history"] = {m.key: [[m.timestamp, m.step, repr(m.value)]] for m in metrics}
    run["params"] = {param.key: param.value for param in params}
    run["tags"].update({tag.key: tag.value for tag in tags})
    for n in range(25):
        run = _run(client, experiment, f"run {n}")
        _metric(client, run, "n", [(float(n), START, 0)])
        _end(client, run, "FINISHED")
