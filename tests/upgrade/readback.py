"""MLflow 3.17.2 reads back what an old release wrote, and compares it with the record.

    python readback.py --uri http://127.0.0.1:5000 --record record.json --subject "2.0.1 on sqlite"

`uri` is a database, which Python opens itself, or our server. A server is asked for what it serves:
experiments, runs, and logged models.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
from typing import Any

os.environ.update(
    {
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

import mlflow  # noqa: E402 - reads its environment when imported
from mlflow.entities import ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks, equal, same_entries  # noqa: E402

Plain = dict[str, Any]


def main() -> None:
    """Reads and compares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--uri", required=True, help="a database or a server")
    parser.add_argument("--record", type=pathlib.Path, required=True, help="what `fill.py` wrote")
    parser.add_argument("--subject", required=True, help="begins the lines of this program")
    arguments = parser.parse_args()
    checks = Checks(arguments.subject)
    readback(checks, arguments.uri, json.loads(arguments.record.read_text(encoding="utf-8")))
    checks.finish()


def readback(checks: Checks, uri: str, record: Plain) -> None:
    """Compares everything that the record has with what is found at `uri`."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri)
    with checks.check("all experiments are listed, the deleted ones too"):
        found = client.search_experiments(view_type=ViewType.ALL)
        equal({e.experiment_id for e in found}, set(record["experiments"]), "ids")
    for known, expected in record["experiments"].items():
        with checks.check(f"experiment {known} and its {len(expected['runs'])} runs"):
            _experiment(client, known, expected)
    if record["logged_models"]:
        with checks.check("logged models"):
            _logged_models(client, record)
    if uri.startswith("http"):
        return
    with checks.check("registered models, their versions, aliases and tags"):
        _registered_models(client, record["registered_models"])
    if record["prompts"]:
        with checks.check("prompts"):
            _prompts(client, record["prompts"])
    if record["traces"]:
        with checks.check("traces and their spans"):
            _traces(client, record["traces"])


def _experiment(client: MlflowClient, known: str, expected: Plain) -> None:
    found = client.get_experiment(known)
    equal(found.name, expected["name"], "name")
    equal(found.lifecycle_stage, expected["lifecycle_stage"], "lifecycle stage")
    same_entries(dict(found.tags), expected["tags"], "tags")
    if "artifact_location" in expected:
        equal(found.artifact_location, expected["artifact_location"], "artifact location")
    runs = client.search_runs([known], run_view_type=ViewType.ALL)
    listed = {run.info.run_id: run for run in runs}
    equal(set(listed), set(expected["runs"]), "runs")
    for run_id, wanted in expected["runs"].items():
        _run(client.get_run(run_id), wanted)
        _run(listed[run_id], wanted)
        for key, points in wanted["history"].items():
            history = client.get_metric_history(run_id, key)
            equal(
                sorted([p.timestamp, p.step, repr(float(p.value))] for p in history),
                sorted(points),
                f"history of {key} in run {wanted['run_name']}",
            )


def _run(found: Any, expected: Plain) -> None:
    name = f"run {expected['run_name']}"
    for field, value in expected.items():
        if hasattr(found.info, field):
            equal(getattr(found.info, field), value, f"{name}, {field}")
    same_entries(dict(found.data.params), expected["params"], f"{name}, params")
    tags = dict(found.data.tags)
    if "tags" in expected:
        same_entries(tags, expected["tags"], f"{name}, tags")
    else:
        some = expected["some_tags"]
        same_entries({key: tags.get(key) for key in some}, some, f"{name}, tags")
    latest = {key: _latest(points) for key, points in expected["history"].items()}
    metrics = {key: repr(float(value)) for key, value in found.data.metrics.items()}
    same_entries(metrics, latest, f"{name}, latest metrics")
    datasets = [_dataset(entry) for entry in found.inputs.dataset_inputs]
    equal(sorted(datasets, key=lambda e: e["name"]), expected["datasets"], f"{name}, datasets")


def _latest(points: list[list]) -> str:
    """The value of the point with the highest step, then time, then value; NaN counts as 0."""

    def rank(point: list) -> tuple:
        timestamp, step, value = point
        return step, timestamp, 0.0 if value == "nan" else float(value)

    return max(points, key=rank)[2]


def _dataset(entry: Any) -> Plain:
    dataset = entry.dataset
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source,
        # A server leaves out what is not there, a database has NULL.
        "schema": dataset.schema or None,
        "profile": dataset.profile or None,
        "tags": {tag.key: tag.value for tag in entry.tags},
    }


def _logged_models(client: MlflowClient, record: Plain) -> None:
    expected = record["logged_models"]
    found = {
        model.model_id: {
            "name": model.name,
            "experiment_id": model.experiment_id,
            "source_run_id": model.source_run_id,
            "model_type": model.model_type,
            "status": str(model.status),
            "tags": dict(model.tags),
            "params": dict(model.params),
            "metrics": sorted(
                [metric.key, metric.timestamp, metric.step, repr(float(metric.value))]
                for metric in model.metrics or []
            ),
        }
        for model in client.search_logged_models(list(record["experiments"]), max_results=50)
    }
    equal(set(found), set(expected), "ids")
    for known, model in expected.items():
        same_entries(found[known], model, f"logged model {model['name']}")


def _registered_models(client: MlflowClient, expected: Plain) -> None:
    found = {model.name: model for model in client.search_registered_models()}
    equal(set(found), set(expected), "names")
    for name, model in expected.items():
        equal(found[name].description, model["description"], f"description of {name}")
        same_entries(dict(found[name].tags), model["tags"], f"tags of {name}")
        aliases = {alias: str(version) for alias, version in found[name].aliases.items()}
        same_entries(aliases, model["aliases"], f"aliases of {name}")
        versions = {
            str(version.version): {
                "source": version.source,
                "run_id": version.run_id,
                "description": version.description,
                "tags": dict(version.tags),
                "current_stage": version.current_stage,
                "status": str(version.status),
            }
            for version in client.search_model_versions(f"name = '{name}'")
        }
        same_entries(versions, model["versions"], f"versions of {name}")


def _prompts(client: MlflowClient, expected: Plain) -> None:
    for name, versions in expected.items():
        for version, wanted in versions.items():
            found = client.get_prompt_version(name, version)
            equal(found.template, wanted["template"], f"template of {name} {version}")
            equal(found.commit_message, wanted["commit_message"], f"message of {name} {version}")


def _traces(client: MlflowClient, expected: Plain) -> None:
    experiments = sorted({trace["experiment_id"] for trace in expected.values()})
    listed = client.search_traces(locations=experiments)
    equal({trace.info.trace_id for trace in listed}, set(expected), "ids")
    for known, wanted in expected.items():
        found = client.get_trace(known, display=False)
        equal(found.info.experiment_id, wanted["experiment_id"], f"experiment of {known}")
        equal(str(found.info.state.value), wanted["state"], f"state of {known}")
        tags = {key: found.info.tags.get(key) for key in wanted["tags"]}
        same_entries(tags, wanted["tags"], f"tags of {known}")
        spans = {
            span.name: {"inputs": span.inputs, "outputs": span.outputs}
            for span in found.data.spans
        }
        same_entries(spans, wanted["spans"], f"spans of {known}")


if __name__ == "__main__":
    main()
