"""`mlflow.start_run` in all its forms: named, described, nested, resumed, ended and deleted."""

from __future__ import annotations

import os
import re

import mlflow
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from asking import refused
from checks import equal
from session import MLFLOW_3, Session


def run(session: Session) -> None:
    """Starts and ends runs in every way that the fluent API has."""
    _described(session)
    _named_by_server(session)
    _nested(session)
    _resumed(session)
    _ended(session)
    _deleted(session)


def _described(session: Session) -> None:
    with session.check("a run has the name, tags and description that it was started with"):
        with mlflow.start_run(
            run_name="described", tags={"team": "red", "number": "3"}, description="Über *alles*"
        ) as active:
            equal(mlflow.active_run().info.run_id, active.info.run_id, "active run")
            equal(mlflow.last_active_run().info.run_id, active.info.run_id, "last active run")
            found = mlflow.get_run(active.info.run_id)
            equal((found.info.status, found.info.end_time), ("RUNNING", None), "status and end")
        equal(mlflow.active_run(), None, "active run after the end")
        found = mlflow.last_active_run()
        equal(found.info.run_id, active.info.run_id, "last active run after the end")
        equal((found.info.run_name, found.info.status), ("described", "FINISHED"), "name, status")
        equal(found.info.experiment_id, session.experiment_id, "experiment")
        equal(found.info.lifecycle_stage, "active", "stage")
        tags = {
            "team": "red",
            "number": "3",
            "mlflow.runName": "described",
            "mlflow.note.content": "Über *alles*",
            "mlflow.source.type": "LOCAL",
        }
        equal({key: found.data.tags.get(key) for key in tags}, tags, "tags")
        for key in ("mlflow.user", "mlflow.source.name"):
            if not found.data.tags.get(key):
                raise AssertionError(f"no tag {key} in {found.data.tags}")
        equal(found.info.user_id, found.data.tags["mlflow.user"], "user")

    with session.check("artifacts of a run are below its experiment's place"):
        experiment = mlflow.get_experiment(session.experiment_id)
        expected = f"{experiment.artifact_location}/{active.info.run_id}/artifacts"
        equal(active.info.artifact_uri, expected, "artifact URI")

    with session.check("times of a run are in order, and in milliseconds"):
        start, end = found.info.start_time, found.info.end_time
        if not 1_500_000_000_000 < start <= end:
            raise AssertionError(f"start {start}, end {end}")


def _named_by_server(session: Session) -> None:
    with session.check("a run without a name is given one of two words and a number"):
        names = set()
        for _ in range(3):
            with mlflow.start_run() as active:
                pass
            name = mlflow.get_run(active.info.run_id).info.run_name
            if not re.fullmatch(r"[a-z]+-[a-z]+-\d+", name):
                raise AssertionError(f"name {name!r}")
            equal(active.data.tags["mlflow.runName"], name, "tag of the name")
            names.add(name)
        equal(len(names) > 1, True, f"different names among {names}")

    with session.check("logging without a run starts one, which ends when asked"):
        mlflow.log_metric("m", 1.0)
        run_id = mlflow.active_run().info.run_id
        mlflow.end_run()
        found = mlflow.get_run(run_id)
        equal((found.info.status, found.data.metrics), ("FINISHED", {"m": 1.0}), "status, metrics")


def _nested(session: Session) -> None:
    with session.check("nested runs know their parents, three deep"):
        with mlflow.start_run(run_name="root") as root:
            with mlflow.start_run(nested=True, run_name="middle") as middle:
                with mlflow.start_run(nested=True, run_name="leaf") as leaf:
                    mlflow.log_param("depth", 3)
                equal(mlflow.active_run().info.run_id, middle.info.run_id, "active after the leaf")
            mlflow.log_param("depth", 1)
        equal(mlflow.get_parent_run(leaf.info.run_id).info.run_id, middle.info.run_id, "of leaf")
        equal(mlflow.get_parent_run(middle.info.run_id).info.run_id, root.info.run_id, "of middle")
        equal(mlflow.get_parent_run(root.info.run_id), None, "of root")
        equal(mlflow.get_run(leaf.info.run_id).data.params, {"depth": "3"}, "params of the leaf")
        equal(mlflow.get_run(root.info.run_id).data.params, {"depth": "1"}, "params of the root")

    with session.check("a child names a parent that is over, and is found by it"):
        with mlflow.start_run(parent_run_id=root.info.run_id, run_name="late") as late:
            pass
        equal(mlflow.get_parent_run(late.info.run_id).info.run_id, root.info.run_id, "parent")
        children = mlflow.search_runs(
            filter_string=f"tags.mlflow.parentRunId = '{root.info.run_id}'", output_format="list"
        )
        expected = {middle.info.run_id, late.info.run_id}
        equal({child.info.run_id for child in children}, expected, "children")

    with session.check("a parent that does not exist or is deleted is refused"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            mlflow.start_run(parent_run_id="0" * 32)
        gone = session.client.create_run(session.experiment_id).info.run_id
        mlflow.delete_run(gone)
        try:
            mlflow.start_run(parent_run_id=gone)
        except MlflowException as refusal:
            equal("deleted state" in refusal.message, True, f"reason in `{refusal.message}`")
        else:
            raise AssertionError("a child of a deleted run was started")


def _resumed(session: Session) -> None:
    with session.check("a run is resumed by id: renamed, tagged, described, and ended again"):
        with mlflow.start_run(run_name="first", tags={"a": "1", "b": "1"}) as active:
            run_id = active.info.run_id
        first = mlflow.get_run(run_id).info
        with mlflow.start_run(
            run_id=run_id, run_name="second", tags={"b": "2"}, description="again"
        ) as again:
            equal(again.info.run_id, run_id, "id")
            equal(mlflow.get_run(run_id).info.status, "RUNNING", "status")
        found = mlflow.get_run(run_id)
        # The client of MLflow 2 does not send the new name.
        name = "second" if MLFLOW_3 else "first"
        equal((found.info.run_name, found.info.status), (name, "FINISHED"), "name, status")
        equal(found.info.start_time, first.start_time, "start stays")
        equal(found.info.end_time >= first.end_time, True, "end moves on")
        tags = {"a": "1", "b": "2", "mlflow.note.content": "again", "mlflow.runName": name}
        equal({key: found.data.tags.get(key) for key in tags}, tags, "tags")

    with session.check("a run is resumed by the environment, once"):
        os.environ["MLFLOW_RUN_ID"] = run_id
        with mlflow.start_run() as active:
            equal(active.info.run_id, run_id, "id")
        with mlflow.start_run() as other:
            equal(other.info.run_id != run_id, True, "the next run is another")

    with session.check("a run that does not exist is not resumed"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            mlflow.start_run(run_id="f" * 32)
        with refused("RESOURCE_DOES_NOT_EXIST"):
            mlflow.get_run("f" * 32)


def _ended(session: Session) -> None:
    with session.check("a run ends with the status that is asked for"):
        for status in ("FINISHED", "FAILED", "KILLED", "SCHEDULED"):
            active = mlflow.start_run()
            mlflow.end_run(status)
            equal(mlflow.get_run(active.info.run_id).info.status, status, "status")

    with session.check("an exception fails the nested run, and the parent that it passes through"):
        try:
            with mlflow.start_run() as parent:
                with mlflow.start_run(nested=True) as fine:
                    pass
                with mlflow.start_run(nested=True) as child:
                    raise KeyError("x")
        except KeyError:
            pass
        statuses = [mlflow.get_run(each.info.run_id).info.status for each in (parent, fine, child)]
        equal(statuses, ["FAILED", "FINISHED", "FAILED"], "parent, first and second child")


def _deleted(session: Session) -> None:
    with session.check("a deleted run is hidden but not lost, and is not resumed"):
        with mlflow.start_run(run_name="gone") as active:
            mlflow.log_metric("m", 2.0)
        run_id = active.info.run_id
        mlflow.delete_run(run_id)
        found = mlflow.get_run(run_id)
        equal((found.info.lifecycle_stage, found.data.metrics), ("deleted", {"m": 2.0}), "run")
        name = "attributes.run_name = 'gone'"
        equal(len(mlflow.search_runs(filter_string=name)), 0, "active runs of that name")
        deleted = mlflow.search_runs(filter_string=name, run_view_type=ViewType.DELETED_ONLY)
        equal(deleted["run_id"].tolist(), [run_id], "deleted runs of that name")
        try:
            mlflow.start_run(run_id=run_id)
        except MlflowException as refusal:
            equal("deleted state" in refusal.message, True, f"reason in `{refusal.message}`")
        else:
            raise AssertionError("a deleted run was resumed")
    with session.check("a restored run is as it was"):
        (mlflow.restore_run if MLFLOW_3 else session.client.restore_run)(run_id)
        found = mlflow.get_run(run_id)
        equal((found.info.lifecycle_stage, found.info.status), ("active", "FINISHED"), "run")
        equal(mlflow.search_runs(filter_string=name)["run_id"].tolist(), [run_id], "search")
