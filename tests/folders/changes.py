"""Each kind of change that can be made to files, and that the next search through a server shows it."""

from __future__ import annotations

import multiprocessing
import pathlib
import shutil
import time
from typing import Any, Callable

from checks import equal
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

import setting
from rest import Connection
from server import ends_with_this_program

ROUNDS = 20
REWRITING = 3
"""Seconds."""


class Changes:
    """An experiment of its own, changed in the files and searched through the server."""

    def __init__(self, root: pathlib.Path, files: MlflowClient, served: MlflowClient) -> None:
        self.root, self.files, self.served = root, files, served
        self.experiment = files.create_experiment("changes")
        self.run = files.create_run(self.experiment, run_name="changed").info.run_id
        files.set_terminated(self.run)

    def found(self, text: str = "", view: int = ViewType.ACTIVE_ONLY) -> list[str]:
        """The ids of the runs that the server finds."""
        runs = self.served.search_runs([self.experiment], text, run_view_type=view)
        return [run.info.run_id for run in runs]

    def data(self) -> dict:
        """Everything of the run by a search."""
        runs = self.served.search_runs([self.experiment])
        run = next(run for run in runs if run.info.run_id == self.run)
        return {
            "metrics": run.data.metrics,
            "params": run.data.params,
            "tags": run.data.tags,
            "status": run.info.status,
            "name": run.info.run_name,
        }

    def a_finished_run_gets_a_point(self, n: int) -> None:
        self.files.log_metric(self.run, "m", n, step=n)
        equal(self.data()["metrics"]["m"], n)

    def a_metric_is_new(self, n: int) -> None:
        self.files.log_metric(self.run, f"deep/{n}/{n}", n)
        equal(self.data()["metrics"].get(f"deep/{n}/{n}"), n)

    def a_param_is_new(self, n: int) -> None:
        self.files.log_param(self.run, f"deep/{n}", n)
        equal(self.found(f"params.`deep/{n}` = '{n}'"), [self.run])

    def a_tag_gets_a_value_of_the_same_length(self, n: int) -> None:
        self.files.set_tag(self.run, "t", f"{n:04}")
        equal(self.data()["tags"]["t"], f"{n:04}")

    def a_tag_is_removed(self, n: int) -> None:
        self.files.set_tag(self.run, f"gone {n}", "x")
        equal(self.found(f"tags.`gone {n}` = 'x'"), [self.run])
        self.files.delete_tag(self.run, f"gone {n}")
        equal(self.data()["tags"].get(f"gone {n}"), None)

    def a_run_gets_another_status(self, n: int) -> None:
        status = ("RUNNING", "FAILED")[n % 2]
        self.files.update_run(self.run, status=status)
        equal(self.data()["status"], status)

    def a_run_gets_another_name(self, n: int) -> None:
        self.files.update_run(self.run, name=f"name {n:04}")
        equal(self.data()["name"], f"name {n:04}")

    def a_run_is_new(self, n: int) -> None:
        run = self.files.create_run(self.experiment).info.run_id
        assert run in self.found(), "a search does not find it"
        equal(self.served.get_run(run).info.run_id, run)

    def a_run_is_deleted_and_restored(self, n: int) -> None:
        run = self.files.create_run(self.experiment).info.run_id
        self.files.delete_run(run)
        assert run not in self.found(), "it is still active"
        assert run in self.found(view=ViewType.DELETED_ONLY), "it is not among the deleted"
        self.files.restore_run(run)
        assert run in self.found(), "it is not back"

    def the_folder_of_a_run_is_removed(self, n: int) -> None:
        run = self.files.create_run(self.experiment).info.run_id
        self.files.log_metric(run, "m", 1.0)
        assert run in self.found(), "it was not there before"
        shutil.rmtree(self.root / self.experiment / run)
        assert run not in self.found(view=ViewType.ALL), "a search still finds it"
        try:
            self.served.get_run(run)
        except MlflowException as error:
            equal(error.error_code, "RESOURCE_DOES_NOT_EXIST", "code")
        else:
            raise AssertionError("the server still has it")

    def an_experiment_is_new(self, n: int) -> None:
        made = self.files.create_experiment(f"new {n}")
        run = self.files.create_run(made).info.run_id
        equal([r.info.run_id for r in self.served.search_runs([made])], [run])
        equal(self.served.get_experiment_by_name(f"new {n}").experiment_id, made)

    def an_experiment_gets_another_name(self, n: int) -> None:
        self.files.rename_experiment(self.experiment, f"changes {n:04}")
        found = self.served.search_experiments(filter_string=f"name = 'changes {n:04}'")
        equal([experiment.experiment_id for experiment in found], [self.experiment])

    def an_experiment_gets_a_tag(self, n: int) -> None:
        self.files.set_experiment_tag(self.experiment, "t", f"{n:04}")
        found = self.served.search_experiments(filter_string=f"tags.t = '{n:04}'")
        equal([experiment.experiment_id for experiment in found], [self.experiment])

    def an_experiment_is_deleted_and_restored(self, n: int) -> None:
        self.files.delete_experiment(self.experiment)
        equal(self.served.get_experiment(self.experiment).lifecycle_stage, "deleted")
        equal(self.found(), [], "active runs")
        self.files.restore_experiment(self.experiment)
        equal(self.served.get_experiment(self.experiment).lifecycle_stage, "active")
        assert self.run in self.found(), "its run is not back"

    def the_folder_of_an_experiment_is_removed(self, n: int) -> None:
        made = self.files.create_experiment(f"removed {n}")
        run = self.files.create_run(made).info.run_id
        equal(len(self.served.search_runs([made])), 1, "runs before")
        shutil.rmtree(self.root / made)
        names = [experiment.name for experiment in self.served.search_experiments()]
        assert f"removed {n}" not in names, "it is still listed"
        equal(self.served.search_runs([self.experiment], f"run_id IN ('{run}')"), [], "its run")


def all_kinds(
    checks: setting.Checks, root: pathlib.Path, files: MlflowClient, served: MlflowClient
) -> None:
    """Makes each kind of change many times, and searches after each."""
    changes = Changes(root, files, served)
    kinds: dict[str, Callable[[int], None]] = {
        name: getattr(changes, name)
        for name in vars(Changes)
        if name.startswith(("a_", "an_", "the_"))
    }
    for name, change in kinds.items():
        with checks.check(f"{ROUNDS} times, at once: {name.replace('_', ' ')}"):
            for n in range(ROUNDS):
                change(n)


def rewritten(checks: setting.Checks, files: MlflowClient, uri: str, port: int) -> None:
    """MLflow empties the metadata of a run before it writes it: nobody may take notice."""
    experiment = files.create_experiment("rewritten")
    run = files.create_run(experiment).info.run_id
    stop = multiprocessing.Event()
    process = multiprocessing.Process(target=_rewrite, args=(uri, run, stop), daemon=True)
    process.start()
    connection, wrong, made = Connection(port), [], 0
    with checks.check("a run whose metadata MLflow rewrites all the time is always there"):
        began = time.monotonic()
        while time.monotonic() - began < REWRITING:
            made += 1
            found = connection.post("runs/search", experiment_ids=[experiment])
            if not found.json().get("runs"):
                wrong.append(f"search {made} does not find it")
            logged = connection.post(
                "runs/log-metric", run_id=run, key="m", value=made, timestamp=made, step=made
            )
            if logged.status != 200:
                wrong.append(f"point {made}: {logged.status} {logged.body[:150]!r}")
        stop.set()
        process.join(10)
        equal(process.exitcode, 0, "exit code of the one who rewrites")
        equal(wrong[:2], [], f"{len(wrong)} failures at {made} searches and points")


def _rewrite(uri: str, run: str, stop: Any) -> None:
    ends_with_this_program()
    client = MlflowClient(tracking_uri=uri)
    # Without a rest, all looks at the file may find it empty.
    while not stop.wait(0.005):
        client.update_run(run, status="RUNNING")
        stop.wait(0.005)
        client.update_run(run, status="FINISHED")
