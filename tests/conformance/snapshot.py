"""Everything that a tracking store holds about some experiments, as plain data to compare.

The same functions read through a server and straight from a database file, with either client:
what was logged through one road must be found, equal, on the other.
"""

from __future__ import annotations

from typing import Any

from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

from checks import equal, same_entries

Plain = dict[str, Any]

# A run with a thousand keys has its first ones compared point by point, the rest by latest value.
HISTORIES_PER_RUN = 50


def experiment(client: MlflowClient, experiment_id: str) -> Plain:
    """The experiment with its tags, its runs of any life-cycle stage, and its logged models."""
    found = client.get_experiment(experiment_id)
    snapshot: Plain = {
        "name": found.name,
        "artifact_location": found.artifact_location,
        "lifecycle_stage": found.lifecycle_stage,
        "creation_time": found.creation_time,
        "last_update_time": found.last_update_time,
        "tags": dict(found.tags),
        "runs": {run_id: run(client, run_id) for run_id in run_ids(client, experiment_id)},
    }
    if hasattr(client, "search_logged_models"):
        snapshot["models"] = {
            model.model_id: logged_model(model)
            for model in client.search_logged_models([experiment_id], max_results=50)
        }
    return snapshot


def run_ids(client: MlflowClient, experiment_id: str) -> list[str]:
    """The ids of all runs, the deleted ones too, read page by page."""
    ids: list[str] = []
    token = None
    while True:
        page = client.search_runs(
            [experiment_id], run_view_type=ViewType.ALL, max_results=20, page_token=token
        )
        ids += [found.info.run_id for found in page]
        token = page.token
        if not token:
            return ids


def run(client: MlflowClient, run_id: str) -> Plain:
    """The run with parameters, tags, latest metrics, histories, inputs and outputs."""
    found = client.get_run(run_id)
    info = found.info
    keys = sorted(found.data.metrics)[:HISTORIES_PER_RUN]
    snapshot: Plain = {
        "info": {
            "experiment_id": info.experiment_id,
            "run_name": info.run_name,
            "user_id": info.user_id,
            "status": info.status,
            "lifecycle_stage": info.lifecycle_stage,
            "start_time": info.start_time,
            "end_time": info.end_time,
            "artifact_uri": info.artifact_uri,
        },
        "params": dict(found.data.params),
        "tags": dict(found.data.tags),
        "metrics": {key: repr(float(value)) for key, value in found.data.metrics.items()},
        "history": {key: history(client, run_id, key) for key in keys},
        "datasets": sorted(
            (dataset_input(entry) for entry in found.inputs.dataset_inputs),
            key=lambda entry: (entry["name"], entry["digest"]),
        ),
    }
    if hasattr(found.inputs, "model_inputs"):
        snapshot["model_inputs"] = sorted(entry.model_id for entry in found.inputs.model_inputs)
    if getattr(found, "outputs", None) is not None:
        snapshot["model_outputs"] = sorted(
            [entry.model_id, entry.step] for entry in found.outputs.model_outputs
        )
    return snapshot


def history(client: MlflowClient, run_id: str, key: str) -> list[list]:
    """All points of a metric as `[timestamp, step, value]`, in one order whatever the store's is."""
    points = client.get_metric_history(run_id, key)
    return sorted([point.timestamp, point.step, repr(float(point.value))] for point in points)


def dataset_input(entry: Any) -> Plain:
    """A dataset with the tags of its link to the run."""
    dataset = entry.dataset
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
        "tags": {tag.key: tag.value for tag in entry.tags},
    }


def logged_model(model: Any) -> Plain:
    """A logged model of MLflow 3 with its tags, parameters and metrics."""
    return {
        "name": model.name,
        "experiment_id": model.experiment_id,
        "artifact_location": model.artifact_location,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
        "source_run_id": model.source_run_id,
        # A server says nothing with an empty text, a database with NULL.
        "model_type": model.model_type or None,
        "status": str(model.status),
        "tags": dict(model.tags),
        "params": dict(model.params),
        "metrics": sorted(
            [metric.key, metric.timestamp, metric.step, repr(float(metric.value))]
            for metric in model.metrics or []
        ),
    }


def differences(found: Plain, expected: Plain) -> None:
    """Raises at the first experiment, run or model in which two snapshots differ.

    Fields that only one side knows, because its client is older, are left out.
    """
    equal(sorted(found), sorted(expected), "experiments")
    for experiment_id, theirs in expected.items():
        ours = found[experiment_id]
        equal(sorted(ours["runs"]), sorted(theirs["runs"]), f"runs of experiment {experiment_id}")
        for run_id, run_there in theirs["runs"].items():
            run_here = ours["runs"][run_id]
            for field in run_here.keys() & run_there.keys():
                _same(run_here[field], run_there[field], f"run {run_id}, {field}")
        for field in ours.keys() & theirs.keys() - {"runs"}:
            _same(ours[field], theirs[field], f"experiment {experiment_id}, {field}")


def _same(found: Any, expected: Any, what: str) -> None:
    if isinstance(found, dict) and isinstance(expected, dict):
        same_entries(found, expected, what)
    else:
        equal(found, expected, what)
