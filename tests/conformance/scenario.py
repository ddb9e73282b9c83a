"""One data scientist's session with one official MLflow client, against a running server.

    python scenario.py --url http://127.0.0.1:5000 --record session.json

Run it with the Python of an environment that has `mlflow`, scikit-learn and matplotlib. It knows
nothing of the server but its address, so MLflow's own server must pass too. The record is a
snapshot of everything that the session left behind, for `database.py` and `served.py`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import tempfile
import time

import session as sessions

sessions.environment()

import mlflow  # noqa: E402 - reads its environment when imported
from mlflow.tracking import MlflowClient  # noqa: E402

import files  # noqa: E402
import lifecycle  # noqa: E402
import models  # noqa: E402
import neighbours  # noqa: E402
import searching  # noqa: E402
import snapshot  # noqa: E402
import training  # noqa: E402
import values  # noqa: E402
import webhooks  # noqa: E402
from checks import Checks  # noqa: E402


def main() -> None:
    """Runs every part, then writes the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", required=True, help="address of the server")
    parser.add_argument("--record", type=pathlib.Path, help="file for the snapshot")
    arguments = parser.parse_args()

    mlflow.set_tracking_uri(arguments.url)
    checks = Checks(f"client {mlflow.__version__}")
    client = MlflowClient()
    name = f"conformance {mlflow.__version__} {time.time_ns()}"
    with tempfile.TemporaryDirectory() as workspace:
        experiment = mlflow.set_experiment(name)
        session = sessions.Session(
            arguments.url.rstrip("/"),
            checks,
            client,
            experiment.experiment_id,
            name,
            pathlib.Path(workspace),
        )
        parts = [values, files, training, lifecycle, searching, neighbours]
        if sessions.MLFLOW_3:
            parts += [models, webhooks]
        for part in parts:
            try:
                part.run(session)
            except Exception as error:
                with checks.check(f"{part.__name__} runs to its end"):
                    raise error
            finally:
                while mlflow.active_run():
                    mlflow.end_run("FAILED")

    with checks.check("everything is read back as one snapshot"):
        ours = [
            found.experiment_id
            for found in client.search_experiments(
                view_type=mlflow.entities.ViewType.ALL, filter_string=f"name LIKE '{name}%'"
            )
        ]
        record = {found: snapshot.experiment(client, found) for found in ours}
        if arguments.record:
            arguments.record.write_text(json.dumps(record, indent=1), encoding="utf-8")
    checks.finish()


if __name__ == "__main__":
    main()
