"""What changed while our server was down, and an index that is gone, broken, or has no place.

    python restarted.py --runledger target/release/runledger --folder /tmp/x
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import contextlib
import os
import pathlib
import shutil
from typing import Any, Iterator

from checks import equal
from mlflow.tracking import MlflowClient

import filling
import reading
from server import Server


def body(checks: setting.Checks, arguments: Any) -> None:
    """Stops and starts a server, with something else done in between each time."""
    root, work = arguments.folder / "mlruns", arguments.folder
    files = setting.uri_of(root)
    filling.fill(files, setting.uri_of(work / "artifacts"))
    server = Server(arguments.runledger, root, work, cache=work / "cache")

    @contextlib.contextmanager
    def started() -> Iterator[reading.Plain]:
        with server:
            yield reading.searched(server.url)
            server.stop()

    with checks.check("it is served"):
        with started() as found:
            reading.same(found, reading.searched(files))
    _change(MlflowClient(tracking_uri=files), root)
    expected = reading.searched(files)
    with checks.check("what changed while it was down"):
        with started() as found:
            reading.same(found, expected)
    with checks.check("the index is in the folder for it"):
        assert _files(server.cache), "there is none"
    for name, spoil in {
        "removed": lambda path: path.unlink(),
        "emptied": lambda path: path.write_bytes(b""),
        "garbage": lambda path: path.write_bytes(os.urandom(100_000)),
        "garbage behind its first page": _spoil_middle,
        "cut in the middle": lambda path: os.truncate(path, path.stat().st_size // 2),
    }.items():
        for which in ("search.db", "files.db", ""):
            with checks.check(f"{which or 'the whole index'} {name}"):
                for path in _files(server.cache):
                    if path.name.startswith(which):
                        spoil(path)
                with started() as found:
                    reading.same(found, expected)
    with checks.check("no folder can be made for the index: a temporary one, removed at the end"):
        (work / "a file").write_text("")
        temporary = work / "temporary"
        temporary.mkdir()
        server.cache = work / "a file" / "cache"
        server.environment = {"TMPDIR": str(temporary)}
        with started() as found:
            reading.same(found, expected)
            assert list(temporary.iterdir()), "it is somewhere else"
        equal(list(temporary.iterdir()), [], "what is left")
    _two_servers(checks, arguments, root)


def _files(cache: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in cache.rglob("*") if path.is_file())


def _spoil_middle(path: pathlib.Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(min(4096, size))
        file.write(os.urandom(max(0, size - 4096)))


def _change(client: MlflowClient, root: pathlib.Path) -> None:
    """Everything that a server must notice by the files alone."""
    filling.amend(setting.uri_of(root), "second")
    many = next(e for e in client.search_experiments() if e.name.startswith("nn"))
    runs = {r.info.run_name: r.info.run_id for r in client.search_runs([many.experiment_id])}
    shutil.rmtree(root / many.experiment_id / runs["run 20"])
    # A value of the same length, in a file that was not young when it was read.
    client.set_tag(runs["run 21"], "mlflow.runName", "run !!")
    # One line more of many.
    client.log_metric(runs["run 22"], "n", -1.0, timestamp=1, step=99)
    # A folder that comes back with other values in it.
    shutil.copytree(
        root / many.experiment_id / runs["run 23"], root / "aside", copy_function=shutil.copy2
    )
    shutil.rmtree(root / many.experiment_id / runs["run 23"])
    (root / "aside" / "metrics" / "n").write_text("1 77.0 5\n")
    (root / "aside").rename(root / many.experiment_id / runs["run 23"])


def _two_servers(checks: setting.Checks, arguments: Any, root: pathlib.Path) -> None:
    """Two servers on one folder, with one index."""
    cache = arguments.folder / "cache"
    first = Server(arguments.runledger, root, arguments.folder / "first", cache=cache)
    second = Server(arguments.runledger, root, arguments.folder / "second", cache=cache)
    with first, second:
        with checks.check("two servers with one index, each shows at once what the other wrote"):
            clients = [MlflowClient(tracking_uri=server.url) for server in (first, second)]
            made = clients[0].create_experiment("of two")
            run = clients[1].create_run(made).info.run_id
            for n in range(100):
                here, there = clients[n % 2], clients[1 - n % 2]
                here.log_metric(run, "m", n, step=n)
                here.set_tag(run, "t", f"{n:04}")
                data = there.search_runs([made])[0].data
                equal((data.metrics["m"], data.tags["t"]), (n, f"{n:04}"), f"at {n}")
        with checks.check("two servers with one index, each answers like the files"):
            expected = reading.everything(setting.uri_of(root))
            reading.same(reading.everything(first.url), expected)
            reading.same(reading.everything(second.url), expected)


if __name__ == "__main__":
    setting.program(__doc__, "restarted", body)
