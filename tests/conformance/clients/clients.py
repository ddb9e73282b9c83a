"""Everything that the tracking pages of MLflow's documentation promise of its Python packages,
asked of a running server: one suite per subject, each with an experiment of its own.

    python clients.py --url http://127.0.0.1:5000 [--only NAME]
        [--autolog-python PYTHON] [--autolog-without NAME]

Run it with the Python of an environment that has `mlflow`, scikit-learn, matplotlib and psutil. The
sessions one folder up follow one person through a day of work; these suites go through the
interface function by function. MLflow's own server of the same version must pass them too.

Frameworks that are too large for that environment are trained by the Python of another one, see
`frameworks.py`; without `--autolog-python` they are left out, and nothing else is. PyTorch is the
largest by far: `--autolog-without lightning_training` is for an environment that lacks it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
# `checks` and `session` are shared with the sessions one folder up.
sys.path.insert(1, str(FOLDER.parent))

import session as sessions  # noqa: E402

sessions.environment()
# The client would find the requirements of each model by loading it in another process.
os.environ["MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT"] = "1"

import mlflow  # noqa: E402 - reads its environment when imported
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks  # noqa: E402

SUITES = (
    "fluent_experiments",
    "fluent_runs",
    "fluent_values",
    "fluent_files",
    "fluent_images_and_tables",
    "fluent_search",
    "client_experiments",
    "client_runs",
    "client_batches",
    "client_files",
    "background",
    "system_usage",
    "dataset_inputs",
    "at_once",
    "command_line",
    "autologging",
    "traced",
    "registry",
)

MLFLOW_3_SUITES = ("metric_links", "logged_models", "logged_model_search", "tracing")

FRAMEWORKS = "frameworks"


def main() -> None:
    """Runs the suites that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--url", required=True, help="address of the server")
    names = SUITES + (MLFLOW_3_SUITES if sessions.MLFLOW_3 else ())
    parser.add_argument("--only", choices=(*names, FRAMEWORKS), help="run this suite only")
    parser.add_argument(
        "--autolog-python", type=pathlib.Path, help="Python with the frameworks to train"
    )
    parser.add_argument("--autolog-without", help="a part of the frameworks to leave out")
    arguments = parser.parse_args()
    if arguments.only == FRAMEWORKS and arguments.autolog_python is None:
        parser.error(f"`--only {FRAMEWORKS}` needs `--autolog-python`")

    mlflow.set_tracking_uri(arguments.url)
    checks = Checks(f"clients {mlflow.__version__}")
    for name in names:
        if arguments.only in (None, name):
            suite(name, arguments.url.rstrip("/"), checks)
    if arguments.autolog_python and arguments.only in (None, FRAMEWORKS):
        frameworks(arguments, checks)
    checks.finish()


def suite(name: str, url: str, checks: Checks) -> None:
    """Runs one suite in a fresh experiment; whatever it raises outside of a check fails it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as workspace:
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
            importlib.import_module(name).run(session)
        except Exception as error:
            with checks.check(f"the suite {name} runs to its end"):
                raise error
        finally:
            while mlflow.active_run():
                mlflow.end_run("FAILED")
    print(f"    {name}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def frameworks(arguments: argparse.Namespace, checks: Checks) -> None:
    """Has another Python train with each framework; its lines are counted with ours."""
    program = [str(arguments.autolog_python), str(FOLDER / "frameworks.py")]
    program += ["--url", arguments.url]
    if arguments.autolog_without:
        program += ["--without", arguments.autolog_without]
    with subprocess.Popen(
        program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as child:
        counts = {"ok": 0, "FAIL": 0}
        for line in child.stdout:
            word = line.split(" ", 1)[0]
            if word in counts:
                counts[word] += 1
            if word in counts or line.startswith(" "):
                print(line, end="", flush=True)
    checks.passed += counts["ok"]
    checks.failed += counts["FAIL"]
    if counts["FAIL"] == 0:
        with checks.check("the frameworks' program ends well"):
            if child.returncode != 0 or counts["ok"] == 0:
                raise AssertionError(f"code {child.returncode} after {counts['ok']} checks")


if __name__ == "__main__":
    main()
