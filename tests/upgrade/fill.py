"""An old MLflow makes a database, fills it through its own client, and writes down what it wrote.

    python fill.py --uri sqlite:////folder/old.db --artifacts folder --record record.json

It runs with MLflow 2.0.1 and all that came after it. What a release does not know yet is left out.
The record holds what was written, not what was read back: `readback.py` compares it with what
newer programs find.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib

os.environ.update(
    {
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    }
)

import mlflow  # noqa: E402 - reads its environment when imported
from mlflow.tracking import MlflowClient  # noqa: E402

import fill_models  # noqa: E402
import fill_runs  # noqa: E402
import fill_traces  # noqa: E402


def main() -> None:
    """Fills the database and writes the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--uri", required=True, help="the database, empty or not there yet")
    parser.add_argument("--artifacts", type=pathlib.Path, required=True, help="folder for files")
    parser.add_argument("--record", type=pathlib.Path, required=True, help="file for the record")
    arguments = parser.parse_args()

    mlflow.set_tracking_uri(arguments.uri)
    client = MlflowClient(tracking_uri=arguments.uri)
    record = {
        "mlflow": mlflow.__version__,
        "experiments": fill_runs.experiments(client, arguments.artifacts.resolve().as_uri()),
    }
    record["registered_models"] = fill_models.registered(client, record["experiments"])
    record["logged_models"] = fill_models.logged(client, record["experiments"])
    record["prompts"] = fill_models.prompts(client)
    record["traces"] = fill_traces.traces(client, record["experiments"])
    arguments.record.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")


if __name__ == "__main__":
    main()
