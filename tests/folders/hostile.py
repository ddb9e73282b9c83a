"""A folder full of traps is served: nothing leaks, nothing outside changes, nobody waits.

    python hostile.py --runledger target/release/runledger --folder /tmp/x
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import hashlib
import pathlib
import shutil
import threading
import time
from typing import Any

from checks import equal
from mlflow.tracking import MlflowClient

from rest import Answer, Connection
from server import Server
from traps import CANARY, Traps

SLOWEST = 5.0
"""Seconds that an answer may take, the first ones too, which read a file of 50 MiB."""
IDS = [
    "../x",
    "..",
    ".",
    "../../etc",
    "/etc/passwd",
    "a/../b",
    "a/b",
    "..\\x",
    ".trash",
    "%2e%2e%2fetc",
    "x" * 5000,
    "a\0b",
    "ä",
]


class Asked:
    """All requests go through here: none may leak, fail inside, or take long."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.faults: list[str] = []

    def get(self, path: str, /, **query: Any) -> Answer:
        """A GET that is looked at."""
        return self._looked_at(self.connection.get(path, **query), f"{path} {query}")

    def post(self, path: str, /, **body: Any) -> Answer:
        """A POST that is looked at."""
        return self._looked_at(self.connection.post(path, **body), f"{path} {body}")

    def _looked_at(self, answer: Answer, what: str) -> Answer:
        if CANARY.encode() in answer.body or b"7391.25" in answer.body:
            self.faults.append(f"{what:.120} shows the canary: {answer.body[:200]!r}")
        if answer.seconds > SLOWEST:
            self.faults.append(f"{what:.120} took {answer.seconds:.1f} s")
        return answer

    def check(self) -> None:
        """Raises with what was wrong since the last time."""
        faults, self.faults = self.faults, []
        equal(faults[:5], [], f"{len(faults)} answers that must not be")


def body(checks: setting.Checks, arguments: Any) -> None:
    """Sets the traps, and walks into each."""
    traps = Traps(arguments.folder / "mlruns", arguments.folder / "outside")
    before = _fingerprint(traps.outside)
    with Server(arguments.runledger, traps.root, arguments.folder) as server:
        asked = Asked(Connection(server.port))
        with checks.check("good runs are found beside every trap, again and again"):
            for _ in range(5):
                _neighbours(asked, traps)
            asked.check()
        with checks.check("runs come and go while others are found"):
            _come_and_go(asked, traps)
            asked.check()
        with checks.check("the log names each broken run and experiment once"):
            said = server.said()
            counts = {
                name: sum(known in line and "WARN" in line for line in said.splitlines())
                for name, known in (traps.broken | traps.experiments).items()
            }
            equal({n: c for n, c in counts.items() if c != 1}, {}, "times")
            assert CANARY not in said, "and shows the canary"
        with checks.check("no request for a trap shows anything of outside"):
            _ask_for_runs(asked, traps)
            _ask_for_experiments(asked, traps)
            asked.check()
        with checks.check("ids that are paths are refused"):
            _ask_for_paths(asked)
            asked.check()
        with checks.check("outside, nothing has changed"):
            equal(_fingerprint(traps.outside), before, "files")
        with checks.check("good runs are still found"):
            _neighbours(asked, traps)
            asked.check()
        with checks.check("the server is still the same process, and ends well"):
            assert server.runs(), server.last_words()
            assert "panicked" not in server.said(), server.last_words()
            server.stop()


def _neighbours(asked: Asked, traps: Traps) -> None:
    answer = asked.post("runs/search", experiment_ids=[traps.experiment], max_results=1000)
    equal(answer.status, 200, f"status of {answer.body[:300]!r}")
    found = {run["info"]["run_id"] for run in answer.json().get("runs", [])}
    equal(sorted(set(traps.good) - found), [], "good runs that are not found")
    listed = asked.post("experiments/search", max_results=1000, view_type="ALL")
    equal(listed.status, 200, f"status of {listed.body[:300]!r}")
    names = {experiment["name"] for experiment in listed.json()["experiments"]}
    assert "neighbours" in names, f"experiments: {sorted(names)}"


def _ask_for_runs(asked: Asked, traps: Traps) -> None:
    for run in [*traps.links.values(), *traps.broken.values()]:
        asked.get("runs/get", run_id=run)
        for key in ("m", CANARY):
            asked.get("metrics/get-history", run_id=run, metric_key=key)
        for path in ("", "leak.txt", "leaks", "canary.txt"):
            asked.get("artifacts/list", run_id=run, path=path)
            asked.get("/get-artifact", run_uuid=run, path=path)
        asked.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=1, step=1)
        asked.post("runs/log-parameter", run_id=run, key="p", value="other")
        asked.post("runs/log-parameter", run_id=run, key="q", value="new")
        asked.post("runs/set-tag", run_id=run, key="t", value="other")
        asked.post("runs/delete-tag", run_id=run, key="t")
        asked.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": CANARY[:6], "value": 1, "timestamp": 1, "step": 1}],
            tags=[{"key": "u", "value": "new"}],
        )
        asked.post(
            "runs/log-inputs",
            run_id=run,
            datasets=[
                {
                    "dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "s"},
                    "tags": [],
                }
            ],
        )
        asked.post("runs/update", run_id=run, status="FINISHED", run_name="other")
        asked.post("runs/delete", run_id=run)
        asked.post("runs/restore", run_id=run)


def _ask_for_experiments(asked: Asked, traps: Traps) -> None:
    for experiment in [traps.foreign, *traps.experiments.values()]:
        asked.get("experiments/get", experiment_id=experiment)
        asked.get("experiments/get-by-name", experiment_name="neighbours")
        asked.post("runs/search", experiment_ids=[experiment])
        asked.post("experiments/set-experiment-tag", experiment_id=experiment, key="t", value="x")
        asked.post("experiments/update", experiment_id=experiment, new_name=f"n{experiment}")
        asked.post("runs/create", experiment_id=experiment, run_name="in a trap")
        asked.post("experiments/delete", experiment_id=experiment)
        asked.post("experiments/restore", experiment_id=experiment)


def _ask_for_paths(asked: Asked) -> None:
    answers = {}
    for known in IDS:
        for path in ("runs/get", "metrics/get-history", "artifacts/list"):
            answers[path, known] = asked.get(path, run_id=known, metric_key="m")
        answers["get-artifact", known] = asked.get("/get-artifact", run_uuid=known, path="x")
        answers["experiments/get", known] = asked.get("experiments/get", experiment_id=known)
        answers["set-tag", known] = asked.post("runs/set-tag", run_id=known, key="k", value="v")
        answers["delete", known] = asked.post("runs/delete", run_id=known)
        answers["experiments/delete", known] = asked.post("experiments/delete", experiment_id=known)
        answers["runs/create", known] = asked.post("runs/create", experiment_id=known)
    good = MlflowClient(tracking_uri=f"http://127.0.0.1:{asked.connection.port}")
    run = good.create_run(good.get_experiment_by_name("neighbours").experiment_id).info.run_id
    for key in ("../../x", "/etc/x", "a/../../x", "..", "../tags/x"):
        for path in ("runs/log-parameter", "runs/set-tag"):
            answers[path, key] = asked.post(path, run_id=run, key=key, value="v")
        answers["log-metric", key] = asked.post(
            "runs/log-metric", run_id=run, key=key, value=1, timestamp=1
        )
    wrong = []
    for (path, known), answer in answers.items():
        # A history of nothing is empty, as in a database.
        empty = path == "metrics/get-history" and answer.status == 200 and answer.json() == {}
        if not empty and not 400 <= answer.status < 500:
            wrong.append(f"{path} {known[:20]!r}: {answer.status} {answer.body[:50]!r}")
    equal(wrong, [], "answers")


def _come_and_go(asked: Asked, traps: Traps) -> None:
    """Folders of runs are removed from the disk while searches go on."""
    stop = threading.Event()
    connection = Connection(asked.connection.port)

    def make_and_remove() -> None:
        while not stop.is_set():
            made = connection.post("runs/create", experiment_id=traps.experiment, start_time=1)
            run = made.json()["run"]["info"]["run_id"]
            for n in range(5):
                folder = traps.path(run) / "metrics" / "deep" / str(n)
                folder.mkdir(parents=True)
                (folder / "m").write_text("1 1.0 0\n")
            time.sleep(0.01)
            shutil.rmtree(traps.path(run))

    worker = threading.Thread(target=make_and_remove, daemon=True)
    worker.start()
    try:
        began = time.monotonic()
        while time.monotonic() - began < 4:
            _neighbours(asked, traps)
    finally:
        stop.set()
        worker.join(10)


def _fingerprint(folder: pathlib.Path) -> dict[str, tuple]:
    """Every file and folder below, with what is in it and when it was written."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        found[str(path.relative_to(folder))] = (content, path.lstat().st_mtime_ns)
    return found


if __name__ == "__main__":
    setting.program(__doc__, "hostile", body)
