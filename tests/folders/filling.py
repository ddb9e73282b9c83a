"""What a client writes into a folder, straight or through a server, and changes later.

    python filling.py --uri file:///folder/mlruns --amend third

`tests/upgrade/fill_runs.py` makes most of it; here is what only files or searches need.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import argparse
import math
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

import fill_runs

START = fill_runs.START


def fill(uri: str, artifacts: str) -> None:
    """Fills a store that is new."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri)
    fill_runs.experiments(client, artifacts)
    _searched(client)
    _renamed(client)
    restored = client.create_experiment("came back", tags={"a/b": "nested", "empty": ""})
    client.create_run(restored, run_name="with its experiment")
    client.delete_experiment(restored)
    client.restore_experiment(restored)


def _searched(client: MlflowClient) -> None:
    """Runs that are alike in what they are sorted by, or lack it."""
    experiment = client.create_experiment("searched")
    values = [0.5, math.nan, None, -math.inf, 0.5, math.inf, 1e300, None, -2.5, 5e-324, 0.0, 2.5]
    colors = ["Blue", "blue", "BLUE", "bläu", None, "red"]
    for number, value in enumerate(values):
        run = client.create_run(experiment, start_time=START + number // 4, run_name=f"s{number}")
        color = colors[number % len(colors)]
        client.log_batch(
            run.info.run_id,
            metrics=[] if value is None else [Metric("score", value, START, 0)],
            params=[Param("rank", str(number * 7 % 12))] + ([Param("color", color)] if color else []),
            tags=[RunTag("parity", "even" if number % 2 == 0 else "odd")] if number % 3 else [],
        )
        client.set_terminated(run.info.run_id, end_time=START + 100 + number)
    run = client.create_run(experiment, start_time=START + 50, run_name="deep").info.run_id
    for key in ("a/b", "a/c/d", "b", "Größe/実 験"):
        for step in range(5):
            # Equal points are kept, each a line.
            client.log_metric(run, key, step // 2, timestamp=START, step=step // 2)
        client.set_tag(run, key, "tag\nof two lines\n")
        client.log_param(run, key, "{'a': [1, 2]}")


def _renamed(client: MlflowClient) -> None:
    experiment = client.create_experiment("first name: #1 [x]")
    client.rename_experiment(experiment, "second name: {a: b} - 0123")
    client.set_experiment_tag(experiment, "team", "blue")
    run = client.create_run(experiment, start_time=START, run_name="first").info.run_id
    client.update_run(run, name="0123")
    # A name is also a tag.
    client.set_tag(run, "mlflow.runName", "null")


def amend(uri: str, mark: str) -> None:
    """Changes what `fill` made, other runs for each mark."""
    client = MlflowClient(tracking_uri=uri)
    known = {e.name: e for e in client.search_experiments(view_type=ViewType.ALL)}
    many = known["n" * 250].experiment_id
    runs = {r.info.run_name: r.info.run_id for r in client.search_runs([many])}
    first = 8 * ["second", "third"].index(mark)
    written, tagged, ended, deleted, twice = (runs[f"run {first + n}"] for n in range(5))
    for step in range(1, 40):
        client.log_metric(written, "n", step / 8, timestamp=START + step, step=step)
    metrics = [Metric(f"new/{n}", n / 3, START, 0) for n in range(10)]
    client.log_batch(written, metrics=metrics, params=[Param("new", mark)], tags=[RunTag("n", mark)])
    client.set_tag(tagged, "state", "aaaa")
    client.set_tag(tagged, "state", "bbbb")
    client.set_tag(tagged, "gone", "x")
    client.delete_tag(tagged, "gone")
    client.set_terminated(ended, "FAILED", end_time=START + 5)
    client.delete_run(deleted)
    client.delete_run(twice)
    client.restore_run(twice)
    made = client.create_experiment(f"made by {mark}")
    run = client.create_run(made, start_time=START, run_name=f"made by {mark}", tags={"t": mark})
    client.log_metric(run.info.run_id, "m", math.inf, timestamp=START)
    client.set_experiment_tag(made, "by", mark)
    gone = client.create_experiment(f"removed by {mark}")
    client.create_run(gone, start_time=START, run_name="in it")
    client.delete_experiment(gone)
    _rename(client, known)


def _rename(client: MlflowClient, known: dict[str, Any]) -> None:
    name = next(name for name in known if name.startswith("searched"))
    client.rename_experiment(known[name].experiment_id, name + "+")


def main() -> None:
    """Amends."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--uri", required=True, help="a folder or a server")
    parser.add_argument("--amend", required=True, help="which part is changed: second, third")
    arguments = parser.parse_args()
    with setting.in_time(setting.LIMIT):
        amend(arguments.uri, arguments.amend)


if __name__ == "__main__":
    main()
