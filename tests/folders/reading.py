"""Everything that a client finds at a URI, as plain data to compare.

    python reading.py --uri http://127.0.0.1:5000 --output found.json

Runs, params, tags, metrics, histories and inputs, and the order of what searches find. The same
program reads with each client, through a server and from the files.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import argparse
import json
import pathlib
import subprocess
from typing import Any

from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

import snapshot
from checks import equal, same_entries

Plain = dict[str, Any]

RUN_SEARCHES = [
    ("", []),
    ("metrics.n > 20", ["metrics.n DESC"]),
    ("metrics.n <= 3 and attributes.status = 'FINISHED'", ["metrics.n ASC"]),
    ("metrics.score != 0.5", []),
    ("metrics.score >= 0.5", ["metrics.score DESC"]),
    ("metrics.`acc/val top-1.x_y` = 0.5", []),
    ("", ["metrics.score ASC"]),
    ("", ["metrics.score DESC", "attributes.start_time ASC"]),
    ("", ["params.rank ASC", "attributes.start_time DESC"]),
    ("params.color = 'Blue'", []),
    ("params.color != 'Blue'", ["params.rank DESC"]),
    ("params.color LIKE 'bl%'", []),
    ("params.color ILIKE 'bl%' and tags.parity = 'even'", []),
    ("tags.parity != 'even'", ["tags.parity DESC", "metrics.score ASC"]),
    ("tags.`mlflow.runName` = 'parent'", []),
    ("tags.unicode LIKE '日%'", []),
    ("attributes.run_name LIKE 'run %'", ["attributes.run_name DESC"]),
    ("attributes.start_time >= 1600000005000", ["attributes.start_time ASC"]),
    ("attributes.status != 'FINISHED'", ["attributes.status ASC"]),
    ("datasets.name = 'table'", []),
    ("datasets.context = 'training'", []),
    ("datasets.digest LIKE '%'", []),
]
"""Filters and orders. What an order leaves open is by time and id in every store."""

EXPERIMENT_SEARCHES = [
    ("", []),
    ("name LIKE 'n%'", ["name DESC"]),
    ("tags.team = 'blue'", []),
    ("", ["last_update_time ASC"]),
    ("name ILIKE '%GONE%'", ["creation_time ASC"]),
]


def everything(uri: str) -> Plain:
    """All experiments with all that is in them, and what searches find."""
    client = MlflowClient(tracking_uri=uri)
    found = client.search_experiments(view_type=ViewType.ALL)
    ids = sorted(experiment.experiment_id for experiment in found)
    return searched(uri) | {
        "experiments": {known: snapshot.experiment(client, known) for known in ids},
    }


def searched(uri: str) -> Plain:
    """What searches find alone, which is read in a third of the time."""
    client = MlflowClient(tracking_uri=uri)
    found = client.search_experiments(view_type=ViewType.ALL)
    ids = sorted(experiment.experiment_id for experiment in found)
    experiments = {e.experiment_id: _experiment(e) for e in found}
    return {
        "experiments": {},
        "listed": experiments,
        "rows": _rows(client, ids),
        "searches": _searches(client, ids),
    }


def _experiment(found: Any) -> Plain:
    return {
        "name": found.name,
        "stage": found.lifecycle_stage,
        "times": [found.creation_time, found.last_update_time],
        "tags": dict(found.tags),
    }


def _rows(client: MlflowClient, ids: list[str]) -> Plain:
    """The runs as a search shows them, with the points that are the latest."""
    rows = {}
    for run in client.search_runs(ids, run_view_type=ViewType.ALL, max_results=1000):
        rows[run.info.run_id] = {
            "stage": run.info.lifecycle_stage,
            "status": run.info.status,
            "name": run.info.run_name,
            "times": [run.info.start_time, run.info.end_time],
            "params": dict(run.data.params),
            "tags": dict(run.data.tags),
            "metrics": {
                metric.key: [repr(float(metric.value)), metric.timestamp, metric.step]
                for metric in run.data._metric_objs
            },
            "datasets": sorted(entry.dataset.digest for entry in run.inputs.dataset_inputs),
        }
    return rows


def _searches(client: MlflowClient, ids: list[str]) -> dict[str, list[str]]:
    found = {}
    for text, order in RUN_SEARCHES:
        runs = client.search_runs(ids, text, order_by=order, max_results=1000)
        found[f"runs where {text!r} by {order}"] = [run.info.run_id for run in runs]
    for name in ("ALL", "DELETED_ONLY"):
        runs = client.search_runs(ids, run_view_type=getattr(ViewType, name), max_results=1000)
        found[f"runs, {name}"] = [run.info.run_id for run in runs]
        listed = client.search_experiments(view_type=getattr(ViewType, name))
        found[f"experiments, {name}"] = [experiment.experiment_id for experiment in listed]
    for text, order in EXPERIMENT_SEARCHES:
        listed = client.search_experiments(filter_string=text, order_by=order)
        known = [experiment.experiment_id for experiment in listed]
        found[f"experiments where {text!r} by {order}"] = known
    return found


def everything_by(python: pathlib.Path, uri: str, work: pathlib.Path) -> Plain:
    """`everything` that another release of the client finds."""
    output = work / "reading.json"
    program = [python, __file__, "--uri", uri, "--output", output]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=setting.LIMIT)
    assert ended.returncode == 0, f"it cannot read: {ended.stderr.strip()[-1000:]}"
    return json.loads(output.read_text(encoding="utf-8"))


def same(found: Plain, expected: Plain) -> None:
    """Raises at the first difference of two readings, and says where it is."""
    snapshot.differences(found["experiments"], expected["experiments"])
    equal(sorted(found["listed"]), sorted(expected["listed"]), "experiments that a search finds")
    same_entries(found["listed"], expected["listed"], "experiments in a search")
    equal(sorted(found["rows"]), sorted(expected["rows"]), "runs that a search finds")
    for run_id, row in expected["rows"].items():
        same_entries(found["rows"][run_id], row, f"run {run_id} in a search")
    same_entries(found["searches"], expected["searches"], "searches")


def main() -> None:
    """Reads, and writes down what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--uri", required=True, help="a server, folder or database")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="file to write")
    arguments = parser.parse_args()
    with setting.in_time(setting.LIMIT):
        found = everything(arguments.uri)
    arguments.output.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
