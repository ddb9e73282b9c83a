"""`runledger gc` beside a running server: what is deleted goes, with its files, and nothing else.

Prints a line per check.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))

from session import environment  # noqa: E402

environment()

from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks, equal  # noqa: E402


class World:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self.client = MlflowClient(arguments.url)
        self.command = [
            arguments.runledger,
            "gc",
            "--backend-store-uri",
            arguments.store,
            "--artifacts-destination",
            arguments.destination,
        ]

    def run(self, experiment: str) -> str:
        run = self.client.create_run(experiment).info.run_id
        self.client.log_text(run, "text", "d/note.txt")
        self.client.log_metric(run, "m", 1.0)
        return run

    def files(self, run: str) -> list[str]:
        return [entry.path for entry in self.client.list_artifacts(run)]

    def collect(self, *flags: str, fails: bool = False) -> str:
        done = subprocess.run(
            [*self.command, *flags], capture_output=True, text=True, timeout=120, check=False
        )
        equal(done.returncode != 0, fails, f"{done.stdout}\n{done.stderr}\nfailed")
        return done.stdout if not fails else done.stderr

    def is_there(self, run: str) -> bool:
        try:
            self.client.get_run(run)
        except MlflowException as error:
            equal(error.error_code, "RESOURCE_DOES_NOT_EXIST")
            return False
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--destination", required=True)
    parser.add_argument("--runledger", required=True)
    parser.add_argument("--subject", required=True)
    arguments = parser.parse_args()
    checks = Checks(f"{arguments.subject} gc")
    world = World(arguments)
    client = world.client
    kept = client.create_experiment("gc-kept")
    gone = client.create_experiment("gc-gone")
    active, deleted, other = world.run(kept), world.run(kept), world.run(kept)
    inside = world.run(gone)
    client.delete_run(deleted)
    client.delete_run(other)

    with checks.check("a dry run removes nothing and says what it would"):
        found = json.loads(world.collect("--dry-run", "--json"))
        equal(sorted(found["runs"]), sorted([deleted, other]))
        equal([found["dry_run"], world.files(deleted)], [True, ["d"]])

    with checks.check("a dry run makes no database"):
        database = pathlib.Path(tempfile.mkdtemp()) / "typo.db"
        place = world.command.index("--backend-store-uri") + 1
        known, world.command[place] = world.command[place], f"sqlite:///{database}"
        world.collect("--dry-run", fails=True)
        world.command[place] = known
        equal(database.exists(), False)

    with checks.check("what was deleted just now is too young"):
        world.collect("--older-than", "1h")
        equal(world.is_there(deleted), True)
        text = world.collect("--older-than", "1h", "--run-ids", deleted, fails=True)
        equal("older than the required age" in text, True, text)

    with checks.check("an active run is refused"):
        world.collect("--run-ids", active, fails=True)
        equal([world.is_there(active), world.files(active)], [True, ["d"]])

    with checks.check("where the proxy's artifacts are is not guessed"):
        place = world.command.index("--artifacts-destination")
        known, world.command = world.command, world.command[:place]
        text = world.collect("--run-ids", other, fails=True)
        world.command = known
        equal("--artifacts-destination" in text, True, text)
        equal(world.files(other), ["d"])

    with checks.check("what cannot be removed stays, with its experiment, and the rest goes"):
        odd = client.create_experiment("gc-odd", artifact_location="dbfs:/x")
        stuck = client.create_run(odd).info.run_id
        free = world.run(kept)
        for run in (stuck, free):
            client.delete_run(run)
        client.delete_experiment(odd)
        text = world.collect("--experiment-ids", odd, "--run-ids", free, fails=True)
        equal(["dbfs:/x" in text, "1 of what is deleted" in text], [True, True], text)
        equal([world.is_there(stuck), world.is_there(free)], [True, False])
        # With its runs.
        client.restore_experiment(odd)

    client.delete_experiment(gone)
    with checks.check("one run goes, with its files, and nothing that was not named"):
        text = world.collect("--run-ids", other)
        equal(text, f"Run with ID {other} has been permanently deleted.\n")
        equal([world.is_there(other), world.is_there(deleted)], [False, True])

    with checks.check("everything deleted goes, and only that"):
        found = json.loads(world.collect("--json"))
        equal(sorted(found["runs"]), sorted([deleted, inside]))
        equal(found["experiments"], [gone])
        equal([world.is_there(run) for run in (active, deleted, inside)], [True, False, False])
        equal(world.files(active), ["d"])

    with checks.check("there is nothing left to collect"):
        found = json.loads(world.collect("--json"))
        equal([found["runs"], found["experiments"], found["logged_models"]], [[], [], []])

    with checks.check("an age that is none is refused"):
        world.collect("--older-than", "soon", fails=True)
    checks.finish()


if __name__ == "__main__":
    main()
