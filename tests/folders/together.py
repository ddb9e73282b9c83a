"""Several processes write to one folder, some through our server, while it is searched.

    python together.py --runledger target/release/runledger --folder /tmp/x

Three writers use the files, two use our server; they write to the same keys of the same runs. What a
writer was done with before a search began must show in it. At the end every line is counted.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import functools
import multiprocessing
import pathlib
import re
import time
import traceback
from typing import Any, Callable

from checks import equal
from mlflow.tracking import MlflowClient

import changes
from server import Server, ends_with_this_program

DIRECT, THROUGH = 3, 2
WRITERS = DIRECT + THROUGH
RUNS = 4
SECONDS = 6
FEWEST_SEARCHES = 100
PAUSE = 0.03
"""Seconds that a writer rests, so that those who search have their turn on two cores."""
LINE = re.compile(r"-?\d+ \S+ -?\d+")

FIELDS = ("own", "own count", "shared", "shared count", "tag begun", "tag done")


class Board:
    """What each writer is done with in each run: numbers that all processes see."""

    def __init__(self) -> None:
        self.cells = multiprocessing.Array("q", WRITERS * RUNS * len(FIELDS), lock=False)

    def place(self, writer: int, run: int, field: str) -> int:
        """Where a number is."""
        return (writer * RUNS + run) * len(FIELDS) + FIELDS.index(field)

    def now(self) -> list[int]:
        """A copy of all numbers."""
        return list(self.cells)


def write(uri: str, writer: int, runs: list[str], board: Board, stop: Any, errors: Any) -> None:
    """The process of a writer: writes, and says so when it is done."""
    ends_with_this_program()
    client = MlflowClient(tracking_uri=uri)
    number = 0

    def patiently(call: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """MLflow looks for a run in all experiments, and fails if one goes meanwhile; and it fails
        to make a folder of keys that another process makes at the same time."""
        while True:
            try:
                call(*arguments, **named)
                return
            except FileExistsError:
                # Of this process's own file client: a server's answer is another error.
                continue
            except Exception as error:
                if not (str(error).startswith("Invalid parent directory") or _of_a_listing(error)):
                    raise

    def say(field: str, value: int) -> None:
        board.cells[board.place(writer, run, field)] = value

    def count(field: str) -> None:
        board.cells[board.place(writer, run, field)] += 1

    try:
        while not stop.wait(PAUSE):
            number += 1
            run = number % RUNS
            log = functools.partial(patiently, client.log_metric, runs[run])
            log(f"own/{writer}", number, timestamp=number, step=number)
            say("own", number)
            count("own count")
            step = time.monotonic_ns() // 1000
            log("shared", step, timestamp=writer, step=step)
            say("shared", step)
            count("shared count")
            say("tag begun", number)
            patiently(client.set_tag, runs[run], f"state {writer}", f"{number:08}")
            say("tag done", number)
            if number % 16 < RUNS:
                patiently(client.log_param, runs[run], f"{writer}/{number}", str(number))
    except Exception as error:
        errors.put(f"writer {writer} at {number}: {error!r}\n{traceback.format_exc()}")


def _of_a_listing(error: Exception) -> bool:
    """Whether a folder went between MLflow's look at it and its listing, which are two calls."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return isinstance(error, FileNotFoundError) and last.name == "list_all"


class Searches:
    """Searches through the server, each compared with the board as it was before."""

    def __init__(self, client: MlflowClient, experiment: str, runs: list[str], board: Board) -> None:
        self.client, self.experiment, self.runs, self.board = client, experiment, runs, board
        self.made = 0

    def search(self) -> None:
        """One search for everything, and one with a filter."""
        self.made += 1
        before = self.board.now()
        found = self.client.search_runs([self.experiment], max_results=100)
        after = self.board.now()
        shown = {run.info.run_id: run.data for run in found}
        for number, run in enumerate(self.runs):
            assert run in shown, f"search {self.made} does not find run {run}"
            latest = 0
            for writer in range(WRITERS):
                self._of_writer(writer, number, shown[run], before, after)
                latest = max(latest, before[self.board.place(writer, number, "shared")])
            value = shown[run].metrics.get("shared", 0)
            assert value >= latest, f"search {self.made}: shared {value} is older than {latest}"
        number = self.made % RUNS
        writer = self.made % WRITERS
        done = self.board.now()[self.board.place(writer, number, "own")]
        if done:
            text = f"metrics.`own/{writer}` >= {done}"
            found = self.client.search_runs([self.experiment], text)
            ids = [run.info.run_id for run in found]
            assert self.runs[number] in ids, f"search {self.made}: {text} does not find it"

    def _of_writer(self, writer: int, number: int, data: Any, before: list, after: list) -> None:
        def at(numbers: list, field: str) -> int:
            return numbers[self.board.place(writer, number, field)]

        value = data.metrics.get(f"own/{writer}", 0)
        done = at(before, "own")
        assert value >= done, f"search {self.made}: own/{writer} is {value}, {done} was written"
        text = data.tags.get(f"state {writer}", "")
        done, begun = at(before, "tag done"), at(after, "tag begun")
        # MLflow empties the file of a tag before it writes: only a write that goes on excuses that.
        if text == "" and (writer < DIRECT and begun > done or begun == 0 or done == 0):
            return
        assert text and int(text) >= done, f"search {self.made}: tag {text!r}, {done} was written"


def body(checks: setting.Checks, arguments: Any) -> None:
    """Starts the writers, searches, and counts."""
    root = arguments.folder / "mlruns"
    files = MlflowClient(tracking_uri=setting.uri_of(root))
    experiment = files.create_experiment("together")
    runs = [files.create_run(experiment, run_name=f"run {n}").info.run_id for n in range(RUNS)]
    board, errors, stop = Board(), multiprocessing.SimpleQueue(), multiprocessing.Event()
    with Server(arguments.runledger, root, arguments.folder) as server:
        writers = []
        for writer in range(WRITERS):
            uri = setting.uri_of(root) if writer < DIRECT else server.url
            process = multiprocessing.Process(
                target=write, args=(uri, writer, runs, board, stop, errors), daemon=True
            )
            process.start()
            writers.append(process)
        client = MlflowClient(tracking_uri=server.url)
        searches = Searches(client, experiment, runs, board)
        with checks.check("every search shows what was written before it"):
            began = time.monotonic()
            while time.monotonic() - began < SECONDS or searches.made < FEWEST_SEARCHES:
                searches.search()
        changes.all_kinds(checks, root, files, client)
        stop.set()
        for process in writers:
            process.join(30)
        changes.rewritten(checks, files, setting.uri_of(root), server.port)
        with checks.check("no writer met an error"):
            assert errors.empty(), errors.get()
            equal([process.exitcode for process in writers], [0] * WRITERS, "exit codes")
        with checks.check("the last search shows the last of everything"):
            searches.search()
        _counted(checks, root / experiment, runs, board, [files, client])


def _counted(
    checks: setting.Checks,
    folder: pathlib.Path,
    runs: list[str],
    board: Board,
    clients: list[MlflowClient],
) -> None:
    """Compares files, and what clients read, with what was written."""
    numbers = board.now()
    total = 0
    expected: dict[tuple[str, str], int] = {}
    for number, run in enumerate(runs):
        counts = [numbers[board.place(w, number, "own count")] for w in range(WRITERS)]
        shared = [numbers[board.place(w, number, "shared count")] for w in range(WRITERS)]
        expected |= {(run, f"own/{w}"): count for w, count in enumerate(counts)}
        expected[run, "shared"] = sum(shared)
        total += sum(counts) + sum(shared)
    with checks.check(f"the files have {total} points, no line is torn"):
        for (run, key), count in expected.items():
            text = (folder / run / "metrics" / key).read_text(encoding="utf-8")
            lines = text.splitlines()
            torn = [line for line in lines if not LINE.fullmatch(line)]
            equal(torn, [], f"torn lines of {key}")
            equal((len(lines), text[-1:]), (count, "\n"), f"lines and end of {key}")
    for client, name in zip(clients, ("2.17.2 in the files", "our server")):
        with checks.check(f"{name} reads all of them"):
            for (run, key), count in expected.items():
                equal(len(client.get_metric_history(run, key)), count, f"points of {key}")
            for number, run in enumerate(runs):
                tags = client.get_run(run).data.tags
                for writer in range(WRITERS):
                    done = numbers[board.place(writer, number, "tag done")]
                    equal(tags[f"state {writer}"], f"{done:08}", f"tag of writer {writer}")


if __name__ == "__main__":
    setting.program(__doc__, "together", body)
