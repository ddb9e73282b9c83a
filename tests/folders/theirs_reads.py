"""What our server wrote into a folder is what MLflow reads and goes on writing to.

    python theirs_reads.py --runledger target/release/runledger --folder /tmp/x --newest python3.17

Whatever MLflow 2.17.2 or 3.17.2 then writes, our server shows at once. MLflow 3 leaves out a field
that MLflow 2 needs; where our server changes such a run, it is there again.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import pathlib
import subprocess
from typing import Any

from mlflow.tracking import MlflowClient

import filling
import reading
from server import Server


def body(checks: setting.Checks, arguments: Any) -> None:
    """Fills a folder through our server, and then has everybody write to it."""
    root = arguments.folder / "mlruns"
    files = setting.uri_of(root)

    def newest() -> reading.Plain:
        return reading.everything_by(arguments.newest, files, arguments.folder)

    with Server(arguments.runledger, root, arguments.folder) as server:
        filling.fill(server.url, setting.uri_of(arguments.folder / "artifacts"))
        expected = reading.everything(server.url)
        with checks.check(f"{len(expected['rows'])} runs in files, read by 2.17.2"):
            reading.same(reading.everything(files), expected)
        with checks.check("read by 3.17.2"):
            reading.same(newest(), expected)
        with checks.check("what 2.17.2 then writes shows at once"):
            filling.amend(files, "second")
            found = reading.everything(server.url)
            reading.same(found, reading.everything(files))
        with checks.check("what 3.17.2 then writes shows at once"):
            _amend_by(arguments.newest, files)
            found = reading.everything(server.url)
            reading.same(found, newest())
        with checks.check("2.17.2 reads a run of 3.17.2 that our server changed"):
            _touch(MlflowClient(tracking_uri=server.url), root)
            reading.same(reading.everything(server.url), reading.everything(files))


def _amend_by(python: pathlib.Path, uri: str) -> None:
    program = [python, filling.__file__, "--uri", uri, "--amend", "third"]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=setting.LIMIT)
    assert ended.returncode == 0, f"it cannot write: {ended.stderr.strip()[-1000:]}"


def _touch(client: MlflowClient, root: pathlib.Path) -> None:
    """Changes, through our server, each run that lacks the field, whatever it is then."""
    for meta in sorted(root.rglob("meta.yaml")):
        # An experiment that was restored took its runs along.
        if not meta.exists():
            continue
        text = meta.read_text(encoding="utf-8")
        if "run_id: " not in text or "run_uuid: " in text or "artifact_uri: " not in text:
            continue
        run = client.get_run(meta.parent.name)
        if run.info.lifecycle_stage == "deleted":
            experiment = client.get_experiment(run.info.experiment_id)
            if experiment.lifecycle_stage == "deleted":
                client.restore_experiment(experiment.experiment_id)
            client.restore_run(run.info.run_id)
            client.delete_run(run.info.run_id)
        else:
            client.update_run(run.info.run_id, status=run.info.status, name=f"{run.info.run_name}!")


if __name__ == "__main__":
    setting.program(__doc__, "theirs reads ours", body)
