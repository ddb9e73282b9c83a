"""Traces in a folder: MLflow 2.17.2, MLflow 3.17.2 and our server read what the others wrote.

    python traced.py --runledger target/release/runledger --folder /tmp/x --newest python3.17

MLflow 2.17 reads no trace of an experiment in which one has the form of MLflow 3, so that 2.17 and
3.17 have an experiment each; what clients of 2.17 write through our server, both read.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import json
import pathlib
import shutil
import subprocess
from typing import Any

from mlflow.tracking import MlflowClient

import trace_filling
from checks import equal
from server import Server


def body(checks: setting.Checks, arguments: Any) -> None:
    """Writes from three sides, and compares what each of them reads."""
    root = arguments.folder / "mlruns"
    files = setting.uri_of(root)
    newest = Newest(arguments.newest)
    trace_filling.fill(files, "old", "a")
    newest.fill(files, "new", "a")
    with Server(arguments.runledger, root, arguments.folder) as server:

        def same(old: int, new: int) -> None:
            """Both versions read the same from our server as from the files."""
            _same(trace_filling.read(server.url, "old"), trace_filling.read(files, "old"), old)
            places = [(uri, name) for name in ("old", "new") for uri in (server.url, files)]
            ours_old, theirs_old, ours_new, theirs_new = newest.read(*places)
            _same(ours_old, theirs_old, old)
            _same(ours_new, theirs_new, new)

        with checks.check("what 2.17.2 and 3.17.2 wrote"):
            same(3, 2)
        with checks.check("what their clients write through our server"):
            trace_filling.fill(server.url, "old", "b")
            newest.fill(server.url, "new", "b")
            same(6, 4)
        with checks.check("what both then write beside it shows at once"):
            trace_filling.fill(files, "old", "c")
            newest.fill(files, "new", "c")
            same(9, 6)
        with checks.check("each changes and deletes traces of the other"):
            _change(server.url, files)
            _change(files, server.url)
            same(7, 6)
        with checks.check("a malformed trace is passed over, and named in a warning"):
            _break_one(root)
            (found,) = newest.read((server.url, "new"))
            equal(len(found["traces"]), 6, "traces that are there")
            assert "tr-broken/trace_info.yaml" in server.said(), server.last_words()
    with Server(arguments.runledger, root, arguments.folder / "again") as server:
        with checks.check("another server, with an index of its own"):
            _same(trace_filling.read(server.url, "old"), trace_filling.read(files, "old"), 7)
            equal(newest.read((server.url, "new")), [found], "what is new")


class Newest:
    """MLflow 3.17.2, in a process of its own."""

    def __init__(self, python: pathlib.Path) -> None:
        self.python = python

    def fill(self, uri: str, experiment: str, side: str) -> None:
        """Writes traces."""
        self._run("--uri", uri, "--experiment", experiment, "--fill", side)

    def read(self, *places: tuple[str, str]) -> list[dict[str, Any]]:
        """All that it sees in these places, each a URI and an experiment."""
        return self._run(*(part for place in places for part in ("--read", *place)))

    def _run(self, *what: str) -> Any:
        program = [self.python, trace_filling.__file__, *what]
        ended = subprocess.run(program, capture_output=True, text=True, timeout=setting.LIMIT)
        assert ended.returncode == 0, f"it cannot {what}: {ended.stderr.strip()[-1500:]}"
        return json.loads(ended.stdout.strip().splitlines()[-1])


def _same(found: dict[str, Any], expected: dict[str, Any], count: int) -> None:
    equal(len(expected["traces"]), count, "traces that are there")
    for what, value in expected.items():
        equal(found[what], value, what)


def _change(by: str, seen_by: str) -> None:
    """Tags one trace, which the other sees, and deletes another."""
    one, other = MlflowClient(tracking_uri=by), MlflowClient(tracking_uri=seen_by)
    number = one.get_experiment_by_name("old").experiment_id
    # A client keeps the tags of those that have no end to itself.
    ended = [it for it in trace_filling.read(by, "old")["traces"] if it["status"] != "IN_PROGRESS"]
    first, second = (trace["request_id"] for trace in ended[:2])
    one.set_trace_tag(first, "changed by", by)
    seen = other._tracking_client.get_trace_info(first)
    equal(seen.tags["changed by"], by, "the tag")
    equal(one.delete_traces(number, request_ids=[second]), 1, "deleted")


def _break_one(root: pathlib.Path) -> None:
    whole = next(path for path in root.glob("*/traces/tr-*") if path.is_dir())
    broken = whole.with_name("tr-broken")
    shutil.copytree(whole, broken)
    (broken / "trace_info.yaml").write_text("state: [")


if __name__ == "__main__":
    setting.program(__doc__, "traces", body)
