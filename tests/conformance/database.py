"""Python MLflow opens the database file that a server left behind, with no server in between.

    python database.py --database mlflow.db --records 2.17.json 3.17.json --added added.json \
        --artifacts folder

It must read everything that the recorded sessions were told is there. Then it adds to it with its
own code, and writes a new snapshot of everything, for `served.py`.
"""

from __future__ import annotations

import argparse
import json
import pathlib

import session as sessions

sessions.environment()

import mlflow  # noqa: E402 - reads its environment when imported
import mlflow.sklearn  # noqa: E402
from mlflow.entities import Metric, ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402
from sklearn.datasets import load_diabetes  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402

import snapshot  # noqa: E402
from checks import Checks, equal  # noqa: E402

ADDED_EXPERIMENT = "added by Python"


def main() -> None:
    """Reads, compares, adds, and records."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--database", type=pathlib.Path, required=True, help="file of the database")
    parser.add_argument("--records", type=pathlib.Path, nargs="+", required=True, help="snapshots")
    parser.add_argument(
        "--added", type=pathlib.Path, required=True, help="file for the new snapshot"
    )
    parser.add_argument(
        "--artifacts", type=pathlib.Path, required=True, help="folder for new files"
    )
    arguments = parser.parse_args()

    mlflow.set_tracking_uri(f"sqlite:///{arguments.database.resolve()}")
    checks = Checks(f"database in Python {mlflow.__version__}")
    records = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.records]
    client = MlflowClient()

    with checks.check("the file opens at this release's revision and lists the experiments"):
        listed = {
            found.experiment_id for found in client.search_experiments(view_type=ViewType.ALL)
        }
        equal(listed, {"0"}.union(*records), "experiments")
    for path, record in zip(arguments.records, records, strict=True):
        with checks.check(f"the runs of {path.stem} are as that client was told"):
            snapshot.differences(
                {known: snapshot.experiment(client, known) for known in record}, record
            )
    with checks.check("Python adds to a run, an experiment and a history that we wrote"):
        _add_to_ours(client, records)
    with checks.check("Python adds an experiment, runs, data and a model"):
        _add_new(client, arguments.artifacts)
    with checks.check("everything is recorded for the restarted server"):
        everything = {
            found.experiment_id: snapshot.experiment(client, found.experiment_id)
            for found in client.search_experiments(view_type=ViewType.ALL)
        }
        arguments.added.write_text(json.dumps(everything, indent=1), encoding="utf-8")
    checks.finish()


def _add_to_ours(client: MlflowClient, records: list[dict]) -> None:
    for record in records:
        experiment_id, run_id = _named(record, "one by one")
        client.set_experiment_tag(experiment_id, "python", "was here")
        client.log_metric(run_id, "loss", -1.0, timestamp=1_900_000_000_000, step=5_000)
        client.log_batch(run_id, [Metric(f"python {n}", n / 3, 1, n) for n in range(100)])
        client.log_param(run_id, "python", "yes")
        client.set_tag(run_id, "python", "yes")
        _, gone = _named(record, "atomic")
        client.delete_run(gone)


def _named(record: dict, name: str) -> tuple[str, str]:
    """The ids of the experiment and of the run with this name in a recorded session."""
    return next(
        (experiment_id, run_id)
        for experiment_id, experiment in record.items()
        for run_id, run in experiment["runs"].items()
        if run["info"]["run_name"] == name
    )


def _add_new(client: MlflowClient, artifacts: pathlib.Path) -> None:
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    experiment_id = client.create_experiment(
        ADDED_EXPERIMENT, artifact_location=artifacts.resolve().as_uri(), tags={"by": "Python"}
    )
    mlflow.set_experiment(experiment_id=experiment_id)
    model = LinearRegression().fit(features, target)
    with mlflow.start_run(run_name="added"):
        mlflow.log_params({"a": 1, "b": "ü"})
        mlflow.log_metrics({"nan": float("nan"), "r2": model.score(features, target)})
        mlflow.set_tag("kind", "added")
        mlflow.log_input(mlflow.data.from_pandas(features, name="features"), context="training")
        mlflow.log_text("from Python", "hello.txt")
        # For `served.py` to compare the loaded model with.
        mlflow.log_dict([float(value) for value in model.predict(features)], "predictions.json")
        info = mlflow.sklearn.log_model(
            model, name="linear", params={"fit": "all"}, pip_requirements=["scikit-learn"]
        )
        mlflow.log_metric("error", 0.5, model_id=info.model_id)
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("m", 1.0)


if __name__ == "__main__":
    main()
