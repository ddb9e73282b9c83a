"""A server that is killed again and again while it is written to, and a Python writer that is too.

    python killed.py --runledger target/release/runledger --folder /tmp/x

Whatever was acknowledged must be there, once; what nobody answered may be there, once; and nothing
else. Each point, param and run is sent only once.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import http.client
import multiprocessing
import pathlib
import threading
import time
from typing import Any

from checks import equal
from mlflow.entities import Metric, Param, ViewType
from mlflow.tracking import MlflowClient

from rest import Connection
from server import Server, ends_with_this_program

THREADS = 8
KILLS = 15
PAUSE = 0.3
POINTS = 100
"""So many that a write often goes over the end of a page of the cache, where a kill cuts it."""


class Writer(threading.Thread):
    """Logs to a run of its own and to one that all share, and remembers what it was told."""

    def __init__(self, number: int, port: int, experiment: str, own: str, shared: str) -> None:
        super().__init__(daemon=True)
        self.number, self.experiment, self.runs = number, experiment, (own, shared)
        self.connection = Connection(port)
        self.sent: dict[tuple[str, str, str], bool] = {}
        """Whether each thing was acknowledged: what it is, its run or experiment, its value."""
        self.strange: list[str] = []
        self.stop = threading.Event()

    def run(self) -> None:
        """Writes until it is told to stop."""
        count = 0
        while not self.stop.is_set():
            count += 1
            run = self.runs[count % 2]
            key = f"{self.number}/{count % 3}"
            points = [count * POINTS + n for n in range(POINTS)]
            tag = f"{count:08}" * 50
            self._write(
                [("metric", run, f"{key}={point}") for point in points]
                + [("param", run, f"{self.number}.{count}={tag}")]
                + [("tag", run, f"{self.number}={tag}")],
                "runs/log-batch",
                run_id=run,
                metrics=[{"key": key, "value": p, "timestamp": p, "step": p} for p in points],
                params=[{"key": f"{self.number}.{count}", "value": tag}],
                tags=[{"key": f"{self.number}", "value": tag}],
            )
            if count % 5 == 0:
                name = f"made by {self.number} {count}"
                self._write(
                    [("run", self.experiment, name)],
                    "runs/create",
                    experiment_id=self.experiment,
                    run_name=name,
                    start_time=1,
                    tags=[{"key": f"t{n}", "value": name} for n in range(5)],
                )
            if count % 11 == 0:
                name = f"experiment {self.number} {count}"
                self._write([("experiment", "", name)], "experiments/create", name=name)

    def _write(self, things: list[tuple[str, str, str]], path: str, **body: Any) -> None:
        self.sent.update(dict.fromkeys(things, False))
        try:
            answer = self.connection.post(path, **body)
        except (OSError, http.client.HTTPException):
            time.sleep(0.02)
            return
        if answer.status == 200:
            self.sent.update(dict.fromkeys(things, True))
        else:
            self.strange.append(f"{path}: {answer.status} {answer.body[:300]!r}")


def write_files(uri: str, run: str, first: int, told: pathlib.Path) -> None:
    """The process that writes into the files until it is killed; each line of `told` is done."""
    ends_with_this_program()
    client = MlflowClient(tracking_uri=uri)
    with told.open("a", encoding="utf-8") as done:
        for n in range(first, first + 100_000):
            client.log_metric(run, "direct", n, timestamp=n, step=n)
            client.log_batch(run, metrics=[Metric("direct too", n, n, n)], params=[Param(f"d{n}", "x")])
            print(n, file=done, flush=True)


def body(checks: setting.Checks, arguments: Any) -> None:
    """Writes, kills, and compares."""
    root = arguments.folder / "mlruns"
    uri = setting.uri_of(root)
    files = MlflowClient(tracking_uri=uri)
    experiment = files.create_experiment("killed")
    shared, direct, *own = (
        files.create_run(experiment, run_name=f"r{n}").info.run_id for n in range(THREADS + 2)
    )
    told = arguments.folder / "told"
    with Server(arguments.runledger, root, arguments.folder) as server:
        writers = [
            Writer(n, server.port, experiment, own[n], shared) for n in range(THREADS)
        ]
        for writer in writers:
            writer.start()
        with checks.check(f"it starts again after each of {KILLS} kills"):
            for n in range(KILLS):
                process = multiprocessing.Process(
                    target=write_files, args=(uri, direct, n * 100_000, told), daemon=True
                )
                process.start()
                time.sleep(PAUSE)
                server.kill()
                process.kill()
                process.join()
                server.start()
        for writer in writers:
            writer.stop.set()
        for writer in writers:
            writer.join(20)
        sent = {thing: done for writer in writers for thing, done in writer.sent.items()}
        acknowledged = sum(sent.values())
        with checks.check(f"no answer but success, {acknowledged} of {len(sent)} acknowledged"):
            equal([line for writer in writers for line in writer.strange][:3], [], "answers")
            assert acknowledged > 100 * KILLS, "too few to say anything"
        for name, client in {
            "our server": MlflowClient(tracking_uri=server.url),
            "2.17.2 in the files": files,
        }.items():
            with checks.check(f"{name}: all of it is there once, and nothing else"):
                _compare(_found(client, experiment), sent, experiment)
            with checks.check(f"{name}: what Python wrote is there"):
                _compare_direct(client, direct, told)
        _torn(checks, root / experiment, experiment, MlflowClient(tracking_uri=server.url), files)


def _found(client: MlflowClient, experiment: str) -> list[tuple[str, str, str]]:
    """All that a client finds, each as often as it is there."""
    found = []
    for known in client.search_experiments(view_type=ViewType.ALL, max_results=10_000):
        found.append(("experiment", "", known.name))
    runs = client.search_runs([experiment], max_results=10_000, run_view_type=ViewType.ALL)
    for run in runs:
        known = run.info.run_id
        found.append(("run", experiment, run.info.run_name))
        tags = {key: value for key, value in run.data.tags.items() if key != "mlflow.runName"}
        if run.info.run_name.startswith("made by"):
            expected = {f"t{n}": run.info.run_name for n in range(5)}
            equal(tags, expected, f"tags of the run {run.info.run_name}")
            tags = {}
        found += [("tag", known, f"{key}={value}") for key, value in tags.items()]
        found += [("param", known, f"{key}={value}") for key, value in run.data.params.items()]
        for key in run.data.metrics:
            points = client.get_metric_history(known, key)
            for point in points:
                equal((point.timestamp, point.step), (point.value, point.value), f"point of {key}")
            found += [("metric", known, f"{key}={int(point.value)}") for point in points]
    return found


def _compare(found: list, sent: dict, experiment: str) -> None:
    ignored = {("experiment", "", "killed"), ("experiment", "", "Default")}
    ignored |= {("run", experiment, f"r{n}") for n in range(THREADS + 2)}
    found = [
        thing
        for thing in found
        if thing not in ignored and not thing[2].startswith(("direct", "d"))
    ]
    there = set(found)
    equal(len(found) - len(there), 0, "things that are there twice")
    equal(sorted(there - sent.keys())[:3], [], "things that nobody sent")
    lasting = {thing for thing, done in sent.items() if done and thing[0] != "tag"}
    equal(sorted(lasting - there)[:3], [], f"of {len(lasting)} acknowledged, lost")
    tags = [thing for thing in there if thing[0] == "tag"]
    for thing, done in sent.items():
        # A tag has its last value, or one that was sent later.
        if done and thing[0] == "tag":
            key = thing[2].partition("=")[0]
            values = [t[2] for t in tags if t[1] == thing[1] and t[2].partition("=")[0] == key]
            equal(len(values), 1, f"values of tag {key}")
            assert values[0] >= thing[2], f"tag {key} is {values[0]:.20}, not {thing[2]:.20}"


def _compare_direct(client: MlflowClient, run: str, told: pathlib.Path) -> None:
    done = {int(line) for line in told.read_text(encoding="utf-8").split()}
    assert len(done) > KILLS, f"Python wrote too little: {len(done)}"
    params = client.get_run(run).data.params
    for key in ("direct", "direct too"):
        points = [int(point.value) for point in client.get_metric_history(run, key)]
        equal(len(points), len(set(points)), f"different points of {key}")
        equal(sorted(done - set(points))[:3], [], f"of {len(done)} points of {key}, lost")
    equal(sorted(n for n in done if params.get(f"d{n}") != "x")[:3], [], "params that are lost")


def _torn(
    checks: setting.Checks,
    folder: pathlib.Path,
    experiment: str,
    ours: MlflowClient,
    files: MlflowClient,
) -> None:
    """A kill in the middle of a write leaves the beginning of a line, which may look like a point."""
    run = files.create_run(experiment, run_name="torn").info.run_id
    for number, left in enumerate(("1", "1722 ", "1722 0.2", "1722 0.25 1")):
        key = f"torn {number}"
        ours.log_metric(run, key, 1, timestamp=1, step=1)
        with (folder / run / "metrics" / key).open("a", encoding="utf-8") as file:
            file.write(left)
        ours.log_batch(run, metrics=[Metric(key, n, n, n) for n in (2, 3)])
    for name, client in {"our server": ours, "2.17.2 in the files": files}.items():
        with checks.check(f"{name}: what a kill left of a line is no point"):
            for number in range(4):
                points = client.get_metric_history(run, f"torn {number}")
                found = [(point.value, point.timestamp, point.step) for point in points]
                equal(found, [(n, n, n) for n in (1, 2, 3)], f"points of torn {number}")


if __name__ == "__main__":
    setting.program(__doc__, "killed", body)
