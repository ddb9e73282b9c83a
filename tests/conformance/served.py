"""After a restart, the server serves what Python MLflow added to its database.

python served.py --url http://127.0.0.1:5000 --added added.json
"""

from __future__ import annotations

import argparse
import json
import pathlib

import session as sessions

sessions.environment()

import mlflow  # noqa: E402 - reads its environment when imported
import mlflow.sklearn  # noqa: E402
from mlflow.entities import ViewType  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402
from sklearn.datasets import load_diabetes  # noqa: E402

import snapshot  # noqa: E402
from checks import Checks, equal  # noqa: E402
from database import ADDED_EXPERIMENT  # noqa: E402
from training import same_numbers  # noqa: E402


def main() -> None:
    """Compares every experiment with the record, then uses and extends what was added."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", required=True, help="address of the server")
    parser.add_argument(
        "--added", type=pathlib.Path, required=True, help="snapshot by `database.py`"
    )
    arguments = parser.parse_args()

    mlflow.set_tracking_uri(arguments.url)
    checks = Checks(f"restarted server, client {mlflow.__version__}")
    expected = json.loads(arguments.added.read_text(encoding="utf-8"))
    client = MlflowClient()

    with checks.check("everything is served as Python left it"):
        snapshot.differences(
            {
                found.experiment_id: snapshot.experiment(client, found.experiment_id)
                for found in client.search_experiments(view_type=ViewType.ALL)
            },
            expected,
        )
    with checks.check("what Python added is found by search"):
        experiment = client.get_experiment_by_name(ADDED_EXPERIMENT)
        page = client.search_runs(
            [experiment.experiment_id],
            "tags.kind = 'added' and params.b = 'ü' and metrics.r2 > 0.1 and dataset.name = 'features'",
        )
        equal([run.info.run_name for run in page], ["added"], "runs")
    with checks.check("the model that Python added is loaded and predicts as it did"):
        (model,) = client.search_logged_models([experiment.experiment_id], "name = 'linear'")
        features, _ = load_diabetes(return_X_y=True, as_frame=True)
        loaded = mlflow.sklearn.load_model(f"models:/{model.model_id}")
        logged = mlflow.artifacts.load_dict(f"runs:/{page[0].info.run_id}/predictions.json")
        same_numbers(loaded.predict(features), logged)
    with checks.check("the server goes on logging where Python stopped"):
        client.log_metric(page[0].info.run_id, "served", 1.0)
        mlflow.set_experiment(ADDED_EXPERIMENT)
        with mlflow.start_run(run_name="after restart") as active:
            mlflow.log_param("p", 1)
        equal(client.get_run(page[0].info.run_id).data.metrics["served"], 1.0, "metric")
        equal(client.get_run(active.info.run_id).data.params, {"p": "1"}, "parameters")
    checks.finish()


if __name__ == "__main__":
    main()
