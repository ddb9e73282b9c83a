"""Autologging of XGBoost, LightGBM, PyTorch Lightning and Keras: a tiny model of each is trained,
and everything that was recorded is read back.

    python frameworks.py --url http://127.0.0.1:5000 [--only NAME] [--without NAME]

Run it with the Python of an environment that has these frameworks and MLflow 3. `clients.py` does
so when it is told where that Python is.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(FOLDER.parent))

import session as sessions  # noqa: E402

sessions.environment()
os.environ.update(
    {
        # PyTorch is much larger: an environment without it can still do all but Lightning.
        "KERAS_BACKEND": "jax",
        # The client would find the requirements of each model by loading it in another process.
        "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",
        "OMP_NUM_THREADS": "1",
    }
)

import mlflow  # noqa: E402 - reads its environment when imported
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks  # noqa: E402

NAMES = ("boosting", "lightning_training", "keras_training")


def main() -> None:
    """Trains with each framework in an experiment of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", required=True, help="address of the server")
    parser.add_argument("--only", choices=NAMES, help="run this part only")
    parser.add_argument("--without", choices=NAMES, help="leave this part out")
    arguments = parser.parse_args()
    mlflow.set_tracking_uri(arguments.url)
    checks = Checks(f"frameworks {mlflow.__version__}")
    for name in NAMES:
        if arguments.only in (None, name) and arguments.without != name:
            part(name, arguments.url.rstrip("/"), checks)
    checks.finish()


def part(name: str, url: str, checks: Checks) -> None:
    """Runs one part in a fresh experiment and folder: frameworks leave files where they are."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as workspace:
        before = os.getcwd()
        os.chdir(workspace)
        try:
            experiment = mlflow.set_experiment(f"{name} {mlflow.__version__} {time.time_ns()}")
            session = sessions.Session(
                url,
                checks,
                MlflowClient(),
                experiment.experiment_id,
                experiment.name,
                pathlib.Path(workspace),
            )
            __import__(name).run(session)
        except Exception as error:
            with checks.check(f"the part {name} runs to its end"):
                raise error
        finally:
            while mlflow.active_run():
                mlflow.end_run("FAILED")
            os.chdir(before)
    print(f"    {name}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
