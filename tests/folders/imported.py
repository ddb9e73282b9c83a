"""`runledger db import` brings a folder into a database, also when it is killed half way.

    python imported.py --runledger target/release/runledger --folder /tmp/x --newest python3.17

The same reads through a server then find the same; a database keeps infinities as its largest
number, equal points once, and may have shorter ids for experiments.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import json
import os
import pathlib
import sqlite3
import subprocess
import time
from typing import Any

import databases
import filling
import reading
import trace_filling
import traced
from checks import equal
from fill_runs import LARGEST
from rest import Connection
from server import Server, ends_with_this_program

RUNS = 800
START = filling.START


def body(checks: setting.Checks, arguments: Any) -> None:
    """Imports a small folder and reads it, and a large one with interruptions."""
    work = arguments.folder
    root = work / "mlruns"
    filling.fill(setting.uri_of(root), setting.uri_of(work / "artifacts"))
    trace_filling.fill(setting.uri_of(root), "traced", "a")
    newest = traced.Newest(arguments.newest)
    with Server(arguments.runledger, root, work) as server:
        newest.fill(server.url, "traced too", "a")
        expected = _as_in_databases(reading.everything(server.url))
        traces = _traces(newest, server)
    importer = Importer(arguments)
    uris = {"SQLite": f"sqlite:///{work / 'imported.db'}"}
    if arguments.database:
        uris["PostgreSQL"] = arguments.database
    for name, uri in uris.items():
        with checks.check(f"{name}: all of it is read as from the folder"):
            importer.succeeds(root, uri)
            with Server(arguments.runledger, uri, work / name) as server:
                reading.same(_as_in_databases(reading.everything(server.url)), expected)
        with checks.check(f"{name}: traces too, with their spans and assessments"):
            with Server(arguments.runledger, uri, work / name) as server:
                equal(_traces(newest, server), traces, "traces")
        with checks.check(f"{name}: a second import is refused, and changes nothing"):
            before = databases.rows(uri)
            ended = importer.run(root, uri)
            equal(ended.returncode, 1, f"exit code, with {ended.stderr!r}")
            assert "--resume" in ended.stderr, f"it does not tell the way out: {ended.stderr!r}"
            equal(databases.rows(uri) == before, True, "rows as before")
        with checks.check(f"{name}: --resume on one that is whole changes nothing"):
            importer.succeeds(root, uri, "--resume")
            equal(databases.rows(uri) == before, True, "rows as before")
    _killed(checks, importer, work)


def _traces(newest: traced.Newest, server: Server) -> dict[str, Any]:
    """What a client sees of all traces, and their spans."""
    names = ("traced", "traced too")
    found = dict(zip(names, newest.read(*((server.url, name) for name in names))))
    connection = Connection(server.port)
    for name, seen in found.items():
        for trace in seen["traces"]:
            # The databases of servers have shorter ids for experiments.
            trace["trace_location"]["mlflow_experiment"]["experiment_id"] = name
            path = "/api/3.0/mlflow/traces/get"
            answer = connection.get(path, trace_id=trace["trace_id"], allow_partial="true")
            trace["spans"] = answer.json().get("trace", {}).get("spans", answer.status)
    assert all(len(trace["spans"]) > 0 for trace in found["traced too"]["traces"])
    return found


class Importer:
    """Runs `runledger db import`."""

    def __init__(self, arguments: Any) -> None:
        self.binary = arguments.runledger
        cache = str(arguments.folder / "import-cache")
        self.environment = {**os.environ, "RUNLEDGER_CACHE_DIR": cache}

    def start(self, root: pathlib.Path, uri: str, *flags: str) -> subprocess.Popen:
        """Starts it."""
        return subprocess.Popen(
            [str(self.binary), "db", "import", str(root), uri, *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
            preexec_fn=ends_with_this_program,
        )

    def run(self, root: pathlib.Path, uri: str, *flags: str) -> subprocess.CompletedProcess:
        """Runs it to its end."""
        process = self.start(root, uri, *flags)
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def succeeds(self, root: pathlib.Path, uri: str, *flags: str) -> str:
        """Runs it, and returns what it says."""
        ended = self.run(root, uri, *flags)
        equal(ended.returncode, 0, f"exit code, with {ended.stderr.strip()!r}")
        return ended.stdout


def _killed(checks: setting.Checks, importer: Importer, work: pathlib.Path) -> None:
    root = work / "many"
    _many(root)
    straight, cut = work / "straight.db", work / "cut.db"
    with checks.check(f"{RUNS} runs in one go"):
        importer.succeeds(root, f"sqlite:///{straight}")
        equal(_count(straight), RUNS, "runs")
    with checks.check("killed at a quarter, a half and three quarters, it goes on to the same end"):
        reached = []
        for part in (1, 2, 3):
            flags = ["--resume"] if part > 1 else []
            process = importer.start(root, f"sqlite:///{cut}", *flags)
            _wait_for(process, cut, part * RUNS // 4)
            process.kill()
            process.communicate()
            reached.append(_count(cut))
        assert 0 < reached[0] < reached[-1] < RUNS, f"it was not half way: {reached}"
        refused = importer.run(root, f"sqlite:///{cut}")
        equal(refused.returncode, 1, "exit code without --resume")
        importer.succeeds(root, f"sqlite:///{cut}", "--resume")
        found, expected = (databases.rows(f"sqlite:///{path}") for path in (cut, straight))
        equal(sorted(found), sorted(expected), "tables")
        for table, rows in expected.items():
            lost, more = set(rows) - set(found[table]), set(found[table]) - set(rows)
            equal((sorted(lost)[:2], sorted(more)[:2]), ([], []), f"rows of {table} lost and more")
            equal(len(found[table]), len(rows), f"rows of {table}")


def _wait_for(process: subprocess.Popen, path: pathlib.Path, count: int) -> None:
    began = time.monotonic()
    while process.poll() is None and _count(path) < count:
        assert time.monotonic() - began < 60, f"there are only {_count(path)} runs"
        time.sleep(0.005)


def _count(path: pathlib.Path) -> int:
    if not path.exists():
        return 0
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)
        try:
            return connection.execute("select count(*) from runs").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


def _many(root: pathlib.Path) -> None:
    """A folder with many runs, in the form in which MLflow writes them, some deleted."""
    (root / ".trash").mkdir(parents=True)
    experiment = root / "123456789012345678"
    # The database makes the default one with times of its own, unless it comes along.
    for folder, name in ((root / "0", "Default"), (experiment, "many")):
        folder.mkdir()
        (folder / "meta.yaml").write_text(
            f"artifact_location: file:///x/{folder.name}\ncreation_time: {START}\n"
            f"experiment_id: '{folder.name}'\nlast_update_time: {START}\n"
            f"lifecycle_stage: active\nname: {name}\n"
        )
    for number in range(RUNS):
        run = experiment / f"a{number:031}"
        for folder in ("metrics", "params", "tags", "artifacts"):
            (run / folder).mkdir(parents=True)
        stage = "deleted" if number % 10 == 0 else "active"
        (run / "meta.yaml").write_text(
            f"artifact_uri: file:///x/{run.name}/artifacts\nend_time: {START + number}\n"
            f"entry_point_name: ''\nexperiment_id: '{experiment.name}'\n"
            f"lifecycle_stage: {stage}\nrun_id: {run.name}\nrun_name: run {number}\n"
            f"run_uuid: {run.name}\nsource_name: ''\nsource_type: 4\nsource_version: ''\n"
            f"start_time: {START + number}\nstatus: 3\ntags: []\nuser_id: root\n"
            + (f"deleted_time: {START + number}\n" if stage == "deleted" else "")
        )
        (run / "tags" / "mlflow.runName").write_text(f"run {number}")
        (run / "params" / "p").write_text(str(number))
        for key in range(3):
            lines = "".join(f"{START + n} {n / 3!r} {n}\n" for n in range(10))
            (run / "metrics" / f"m{key}").write_text(lines)


def _as_in_databases(found: reading.Plain) -> reading.Plain:
    """A reading with what databases keep otherwise: infinities, equal points, ids."""
    names = {known: e["name"] for known, e in found["experiments"].items()}
    text = json.dumps(found)
    text = text.replace('"inf"', f'"{LARGEST!r}"').replace('"-inf"', f'"{-LARGEST!r}"')
    reread = json.loads(text)
    for part in ("experiments", "listed"):
        reread[part] = {names[known]: e for known, e in reread[part].items()}
    for what, listed in reread["searches"].items():
        if what.startswith("experiments"):
            reread["searches"][what] = [names[known] for known in listed]
    for experiment in reread["experiments"].values():
        for run in experiment["runs"].values():
            run["info"]["experiment_id"] = names[run["info"]["experiment_id"]]
            run["history"] = {
                key: sorted({tuple(point) for point in points}, key=repr)
                for key, points in run["history"].items()
            }
    return reread


if __name__ == "__main__":
    setting.program(__doc__, "import", body)
