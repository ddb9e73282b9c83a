"""`mlflow experiments`, `mlflow runs` and `mlflow artifacts`: what they print, and what they do.

Most commands run in this process, where they need no seconds to start; a few run as users run
them, to show that the address in the environment is enough.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pathlib
import subprocess
import sys

import mlflow
from click.testing import CliRunner
from mlflow.cli import cli

from asking import listing
from checks import equal
from session import MLFLOW_3, Session


def run(session: Session) -> None:
    """Goes through the groups of commands."""
    _experiments(session)
    _csv(session)
    _runs(session)
    _artifacts(session)
    _processes(session)


def _printed(*arguments: str) -> str:
    """What a command prints; it must end well."""
    result = CliRunner().invoke(cli, list(arguments))
    if result.exit_code != 0:
        raise AssertionError(
            f"`mlflow {' '.join(arguments)}`: code {result.exit_code}, {result.exception!r}, "
            f"{result.output}"
        )
    return result.stdout


def _refused(*arguments: str) -> None:
    """Raises if a command ends well."""
    result = CliRunner().invoke(cli, list(arguments))
    if result.exit_code == 0:
        raise AssertionError(f"`mlflow {' '.join(arguments)}` ended well: {result.output}")


def _row(table: str, first: str) -> list[str] | None:
    """The cells of the row that holds a word; columns are two spaces apart."""
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if first in cells:
            return cells
    return None


def _experiments(session: Session) -> None:
    client = session.client
    name = f"{session.experiment_name} made"
    with session.check("mlflow experiments create prints the id, and refuses a taken name"):
        printed = _printed("experiments", "create", "-n", name)
        experiment_id = client.get_experiment_by_name(name).experiment_id
        equal(printed, f"Created experiment '{name}' with id {experiment_id}\n", "printed")
        _refused("experiments", "create", "-n", name)
        place = session.folder("place").as_uri()
        _printed("experiments", "create", "-n", f"{name} placed", "-l", place)
        found = client.get_experiment_by_name(f"{name} placed")
        equal(found.artifact_location, place, "place of artifacts")

    with session.check("mlflow experiments search prints a table of the active, deleted or all"):
        row = [experiment_id, name, client.get_experiment(experiment_id).artifact_location]
        table = _printed("experiments", "search")
        equal(table.split("\n")[0].split("  ")[0].strip(), "Experiment Id", "head")
        equal(_row(table, experiment_id), row, "row")
        table = _printed("experiments", "search", "--view", "deleted_only")
        equal(_row(table, experiment_id), None, "row among the deleted")

    with session.check("mlflow experiments rename, delete and restore say what they did"):
        printed = _printed("experiments", "rename", "-x", experiment_id, "--new-name", f"{name} 2")
        expected = f"Experiment with id {experiment_id} has been renamed to '{name} 2'.\n"
        equal(printed, expected, "rename")
        equal(client.get_experiment(experiment_id).name, f"{name} 2", "name")
        printed = _printed("experiments", "delete", "-x", experiment_id)
        equal(printed, f"Experiment with ID {experiment_id} has been deleted.\n", "delete")
        deleted = _row(_printed("experiments", "search", "--view", "deleted_only"), experiment_id)
        equal(deleted[:2] if deleted else None, [experiment_id, f"{name} 2"], "row of the deleted")
        equal(_row(_printed("experiments", "search"), experiment_id), None, "row of the active")
        _refused("experiments", "delete", "-x", experiment_id)
        printed = _printed("experiments", "restore", "-x", experiment_id)
        equal(printed, f"Experiment with id {experiment_id} has been restored.\n", "restore")
        equal(client.get_experiment(experiment_id).lifecycle_stage, "active", "stage")
        _refused("experiments", "restore", "-x", experiment_id)
        _refused("experiments", "rename", "-x", "987654321", "--new-name", "x")
    if MLFLOW_3:
        _experiments_of_3(session, experiment_id)


def _experiments_of_3(session: Session, experiment_id: str) -> None:
    with session.check("mlflow experiments get prints one experiment, by id or name, also as JSON"):
        session.client.set_experiment_tag(experiment_id, "team", "red")
        found = session.client.get_experiment(experiment_id)
        for chosen in (("-x", experiment_id), ("-n", found.name)):
            printed = json.loads(_printed("experiments", "get", *chosen, "--output", "json"))
            equal(printed, json.loads(json.dumps(dict(found))), f"JSON by {chosen[0]}")
        table = _printed("experiments", "get", "-x", experiment_id)
        lines = dict(line.split(": ", 1) for line in table.splitlines() if ": " in line)
        values = {key.strip(): value for key, value in lines.items()}
        equal((values["Name"], values["Lifecycle Stage"]), (found.name, "active"), "table")
        _refused("experiments", "get", "-n", "no such experiment")

    with session.check("mlflow experiments search keeps to --max-results"):
        table = _printed("experiments", "search", "--max-results", "2")
        equal(len(table.strip().splitlines()), 4, "lines with two of the head")


def _csv(session: Session) -> None:
    client = session.client
    with session.check("mlflow experiments csv prints a line per run, or writes them to a file"):
        experiment_id = client.create_experiment(f"{session.experiment_name} csv")
        for number in range(3):
            created = client.create_run(
                experiment_id, start_time=1_700_000_000_000 + number, run_name=f'run "{number}", ü'
            )
            client.log_metric(created.info.run_id, "m", number / 3)
            client.log_param(created.info.run_id, "p", f"line\n{number}")
            client.set_terminated(created.info.run_id, "FINISHED", 1_700_000_001_000)
        printed = _printed("experiments", "csv", "-x", experiment_id)
        rows = list(csv.DictReader(io.StringIO(printed)))
        names = [row["tags.mlflow.runName"] for row in rows]
        equal(names, [f'run "{number}", ü' for number in (2, 1, 0)], "names, newest first")
        equal([row["params.p"] for row in rows], [f"line\n{number}" for number in (2, 1, 0)])
        equal([float(row["metrics.m"]) for row in rows], [2 / 3, 1 / 3, 0.0], "metrics")
        equal({row["status"] for row in rows}, {"FINISHED"}, "statuses")
        path = session.workspace / "runs.csv"
        said = _printed("experiments", "csv", "-x", experiment_id, "-o", str(path))
        what = f"Experiment with ID {experiment_id}"
        equal(said, f"{what} has been exported as a CSV to file: {path}.\n", "said")
        equal(path.read_text(), printed.removesuffix("\n"), "file")


def _runs(session: Session) -> None:
    client = session.client
    experiment_id = client.create_experiment(f"{session.experiment_name} runs")
    runs = {}
    for number in range(3):
        created = client.create_run(
            experiment_id, 1_700_000_000_000 + 60_000 * number, run_name=f"run {number}"
        )
        runs[f"run {number}"] = created.info.run_id
    kept, gone = runs["run 0"], runs["run 2"]
    client.log_metric(kept, "m", 0.5, timestamp=1, step=2)
    client.log_param(kept, "p", "v")
    client.log_inputs(kept, [])

    with session.check("mlflow runs list prints date, name and id, newest first"):
        table = _printed("runs", "list", "--experiment-id", experiment_id)
        rows = [line.split("  ") for line in table.splitlines()[2:]]
        rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
        equal([row[1:] for row in rows], [[name, runs[name]] for name in reversed(runs)], "rows")

    with session.check("mlflow runs describe prints the whole run as JSON"):
        described = json.loads(_printed("runs", "describe", "--run-id", kept))
        equal(described, json.loads(json.dumps(client.get_run(kept).to_dictionary())), "JSON")
        equal(described["data"]["metrics"], {"m": 0.5}, "metrics")
        equal(described["info"]["run_id"], kept, "id")
        _refused("runs", "describe", "--run-id", "0" * 32)

    with session.check("mlflow runs delete and restore say what they did"):
        printed = _printed("runs", "delete", "--run-id", gone)
        equal(printed, f"Run with ID {gone} has been deleted.\n", "delete")
        equal(client.get_run(gone).info.lifecycle_stage, "deleted", "stage")
        command = ("runs", "list", "--experiment-id", experiment_id)
        equal(_row(_printed(*command), gone), None, "row among the active")
        deleted = _row(_printed(*command, "--view", "deleted_only"), gone)
        equal(deleted is not None, True, "row among the deleted")
        printed = _printed("runs", "restore", "--run-id", gone)
        equal(printed, f"Run with id {gone} has been restored.\n", "restore")
        equal(client.get_run(gone).info.lifecycle_stage, "active", "stage")
        _refused("runs", "delete", "--run-id", "0" * 32)
    if MLFLOW_3:
        _runs_of_3(session, experiment_id, kept)


def _runs_of_3(session: Session, experiment_id: str, parent: str) -> None:
    with session.check("mlflow runs create makes a run that is over, with tags and a parent"):
        command = ("runs", "create", "--experiment-id", experiment_id, "--run-name", "by command")
        options = ("-t", "a=1", "-t", "b=x=y", "--description", "words", "--status", "FAILED")
        mlflow.set_experiment(experiment_id=experiment_id)
        try:
            printed = json.loads(_printed(*command, *options, "--parent-run-id", parent))
        finally:
            mlflow.set_experiment(experiment_id=session.experiment_id)
        found = session.client.get_run(printed["run_id"])
        equal((printed["experiment_id"], printed["run_name"]), (experiment_id, "by command"))
        equal((found.info.status, found.info.run_name), ("FAILED", "by command"), "status and name")
        expected = {"a": "1", "b": "x=y", "mlflow.note.content": "words"}
        expected["mlflow.parentRunId"] = parent
        equal({key: found.data.tags.get(key) for key in expected}, expected, "tags")


def _artifacts(session: Session) -> None:
    client = session.client
    run_id = client.create_run(session.experiment_id).info.run_id
    source = session.folder("source")
    (source / "sub").mkdir()
    (source / "one.txt").write_text("eins")
    (source / "sub" / "zwei drei.txt").write_text("zwei, drei")
    with session.check("mlflow artifacts log-artifact and log-artifacts write files"):
        _printed("artifacts", "log-artifact", "-l", str(source / "one.txt"), "-r", run_id)
        _printed(
            "artifacts", "log-artifact", "-l", str(source / "one.txt"), "-r", run_id, "-a", "a/b"
        )
        _printed("artifacts", "log-artifacts", "-l", str(source), "-r", run_id, "-a", "all")
        equal(listing(session, run_id), ["a/", "all/", "one.txt"], "root")
        equal(listing(session, run_id, "all"), ["all/one.txt", "all/sub/"], "folder")

    with session.check("mlflow artifacts list prints one level as JSON"):
        folders = [{"path": path, "is_dir": True} for path in ("a", "all")]
        file = {"path": "one.txt", "is_dir": False, "file_size": 4}
        equal(_listed("-r", run_id), [*folders, file], "root")
        file = {"path": "all/sub/zwei drei.txt", "is_dir": False, "file_size": 10}
        equal(_listed("-r", run_id, "-a", "all/sub"), [file], "folder")
        equal(_listed("-r", run_id, "-a", "none"), [], "folder that is not there")

    with session.check("mlflow artifacts download prints where it put a file or a folder"):
        target = session.workspace / "target"
        command = ("artifacts", "download", "-d", str(target))
        path = pathlib.Path(_printed(*command, "-r", run_id, "-a", "a/b/one.txt").split("\n")[-2])
        equal((path.read_text(), target in path.parents), ("eins", True), "file")
        uri = client.get_run(run_id).info.artifact_uri
        path = pathlib.Path(_printed(*command, "-u", f"{uri}/all").split("\n")[-2])
        equal((path / "sub" / "zwei drei.txt").read_text(), "zwei, drei", "folder")
        uri = f"runs:/{run_id}/one.txt"
        path = pathlib.Path(_printed("artifacts", "download", "-u", uri).split("\n")[-2])
        equal(path.read_text(), "eins", "file to a place of its choice")
        _refused(*command, "-r", run_id, "-a", "none.txt")
        _refused("artifacts", "list", "-r", "0" * 32)


def _listed(*arguments: str) -> list[dict]:
    entries = json.loads(_printed("artifacts", "list", *arguments))
    for entry in entries:
        if "file_size" in entry:
            entry["file_size"] = int(entry["file_size"])
    return entries


def _processes(session: Session) -> None:
    client = session.client
    run_id = client.create_run(session.experiment_id, run_name="of a process").info.run_id
    client.log_text(run_id, "text", "text.txt")
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": session.url,
        "MLFLOW_EXPERIMENT_ID": session.experiment_id,
    }
    commands = (
        ("experiments", "create", "-n", f"{session.experiment_name} by process"),
        ("runs", "list"),
        ("artifacts", "list", "-r", run_id),
        ("runs", "describe", "--run-id", "0" * 32),
    )
    with session.check("commands as processes need no more than the address in their environment"):
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "mlflow", *command],
                env=environment,
                cwd=session.workspace,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for command in commands
        ]
        answers = [(*child.communicate(timeout=120), child.returncode) for child in children]
        codes = [code for *_, code in answers]
        equal(codes[:3], [0, 0, 0], f"codes of {[error[-300:] for _, error, _ in answers[:3]]}")
        equal(codes[3] != 0, True, "code of a refused command is not 0")
        equal("RESOURCE_DOES_NOT_EXIST" in answers[3][1], True, f"reason in {answers[3][1][-300:]}")
        made = client.get_experiment_by_name(f"{session.experiment_name} by process")
        expected = f"Created experiment '{made.name}' with id {made.experiment_id}\n"
        equal(answers[0][0], expected, "experiments create")
        equal((_row(answers[1][0], run_id) or [])[1:], ["of a process", run_id], "runs list")
        paths = [entry["path"] for entry in json.loads(answers[2][0])]
        equal(paths, ["text.txt"], "artifacts list")
