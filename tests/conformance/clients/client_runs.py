"""`MlflowClient` on runs: given times, updated, ended, deleted, and searched page by page."""

from __future__ import annotations

from mlflow.entities import ViewType

from asking import each_refused, pages, refused
from checks import equal
from session import Session

START = 1_700_000_000_000


def run(session: Session) -> None:
    """Takes runs through their lives, and pages through many of them."""
    _created(session)
    _updated(session)
    _deleted(session)
    _missing(session)
    _pages(session)


def _created(session: Session) -> None:
    client = session.client
    with session.check("create_run keeps its start, tags and name, and is not ended"):
        made = client.create_run(
            session.experiment_id,
            start_time=START + 123,
            tags={"a": "1", "mlflow.user": "ada", "mlflow.parentRunId": "f" * 32},
            run_name="made",
        )
        found = client.get_run(made.info.run_id)
        equal(found.info.start_time, START + 123, "start")
        equal((found.info.status, found.info.end_time), ("RUNNING", None), "status and end")
        equal((found.info.run_name, found.info.experiment_id), ("made", session.experiment_id))
        tags = {"a": "1", "mlflow.user": "ada", "mlflow.runName": "made"}
        equal({key: found.data.tags.get(key) for key in tags}, tags, "tags")
        equal((found.data.params, found.data.metrics), ({}, {}), "parameters and metrics")
        equal(made.info.run_id, found.info.run_id, "id")
        equal(len(found.info.run_id), 32, "length of the id")

    with session.check("create_run takes the name of a tag, and names of any script"):
        for name in ("aus dem Tag", "模型 🚀", "a/b:c%d"):
            made = client.create_run(session.experiment_id, tags={"mlflow.runName": name})
            equal(client.get_run(made.info.run_id).info.run_name, name, "name")
        other = client.create_run(
            session.experiment_id, run_name="same", tags={"mlflow.runName": "same"}
        )
        equal(client.get_run(other.info.run_id).info.run_name, "same", "name given twice")

    with session.check("get_parent_run follows the tag of the parent"):
        parent = client.create_run(session.experiment_id).info.run_id
        child = client.create_run(session.experiment_id, tags={"mlflow.parentRunId": parent})
        equal(client.get_parent_run(child.info.run_id).info.run_id, parent, "parent")
        equal(client.get_parent_run(parent), None, "parent of the parent")


def _updated(session: Session) -> None:
    client = session.client
    with session.check("set_terminated keeps its end and status; without them it is FINISHED, now"):
        run_id = client.create_run(session.experiment_id, START).info.run_id
        client.set_terminated(run_id, "FAILED", START + 5_000)
        info = client.get_run(run_id).info
        equal((info.status, info.end_time), ("FAILED", START + 5_000), "status and end")
        client.set_terminated(run_id)
        info = client.get_run(run_id).info
        equal((info.status, info.end_time > START + 5_000), ("FINISHED", True), "status and end")

    with session.check("update_run changes the status or the name and leaves the rest"):
        run_id = client.create_run(session.experiment_id, START, run_name="old").info.run_id
        client.update_run(run_id, status="SCHEDULED")
        info = client.get_run(run_id).info
        equal((info.status, info.run_name, info.start_time), ("SCHEDULED", "old", START), "status")
        client.update_run(run_id, name="new")
        found = client.get_run(run_id)
        equal((found.info.run_name, found.info.status), ("new", "SCHEDULED"), "name")
        equal(found.data.tags["mlflow.runName"], "new", "tag of the name")
        client.update_run(run_id, status="KILLED", name="newest")
        info = client.get_run(run_id).info
        equal((info.run_name, info.status), ("newest", "KILLED"), "both")

    with session.check("set_tag and delete_tag of the client"):
        client.set_tag(run_id, "k", 1.5)
        client.set_tag(run_id, "mlflow.note.content", "**note**")
        tags = client.get_run(run_id).data.tags
        equal((tags["k"], tags["mlflow.note.content"]), ("1.5", "**note**"), "tags")
        client.delete_tag(run_id, "k")
        equal("k" in client.get_run(run_id).data.tags, False, "tag is there")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.delete_tag(run_id, "k")


def _deleted(session: Session) -> None:
    client = session.client
    with session.check("a deleted run refuses every change, and is whole when it is restored"):
        run_id = client.create_run(session.experiment_id, START, run_name="kept").info.run_id
        client.log_param(run_id, "p", "v")
        client.log_metric(run_id, "m", 1.0)
        client.set_tag(run_id, "t", "v")
        before = client.get_run(run_id).data
        client.delete_run(run_id)
        each_refused(
            "INVALID_PARAMETER_VALUE",
            {
                "log a parameter": lambda: client.log_param(run_id, "q", "v"),
                "log a metric": lambda: client.log_metric(run_id, "m", 2.0),
                "set a tag": lambda: client.set_tag(run_id, "t", "w"),
                "delete a tag": lambda: client.delete_tag(run_id, "t"),
                "rename": lambda: client.update_run(run_id, name="changed"),
                "end": lambda: client.set_terminated(run_id),
            },
        )
        client.restore_run(run_id)
        found = client.get_run(run_id)
        equal((found.info.lifecycle_stage, found.info.run_name), ("active", "kept"), "run")
        equal(found.data.to_dictionary(), before.to_dictionary(), "data")

    with session.check("deleting what is deleted and restoring what is active changes nothing"):
        for action, stage in (("restore", "active"), ("delete", "deleted"), ("delete", "deleted")):
            getattr(client, f"{action}_run")(run_id)
            equal(client.get_run(run_id).info.lifecycle_stage, stage, f"stage after {action}")


def _missing(session: Session) -> None:
    client = session.client
    with session.check("runs that do not exist are refused everywhere"):
        missing = "0" * 32
        each_refused(
            "RESOURCE_DOES_NOT_EXIST",
            {
                "get": lambda: client.get_run(missing),
                "get the parent": lambda: client.get_parent_run(missing),
                "log a parameter": lambda: client.log_param(missing, "p", 1),
                "set a tag": lambda: client.set_tag(missing, "t", 1),
                "delete a tag": lambda: client.delete_tag(missing, "t"),
                "update": lambda: client.update_run(missing, name="x"),
                "end": lambda: client.set_terminated(missing),
                "delete": lambda: client.delete_run(missing),
                "restore": lambda: client.restore_run(missing),
                "list artifacts": lambda: client.list_artifacts(missing),
            },
        )


def _pages(session: Session) -> None:
    client = session.client
    experiments = [
        client.create_experiment(f"{session.experiment_name} pages {number}") for number in range(2)
    ]
    made = []
    for number in range(25):
        run_id = client.create_run(experiments[number % 2], START + number // 2).info.run_id
        client.log_metric(run_id, "rank", float(number % 5))
        made.append(run_id)

    def found(order: list[str], size: int, filter_string: str = "") -> list[str]:
        entries = pages(
            lambda token: client.search_runs(
                experiments,
                filter_string,
                ViewType.ACTIVE_ONLY,
                max_results=size,
                order_by=order,
                page_token=token,
            ),
            size,
        )
        return [entry.info.run_id for entry in entries]

    with session.check("pages of search_runs over two experiments hold every run once, in order"):
        whole = found(["metrics.rank DESC", "start_time ASC"], 100)
        equal(sorted(whole), sorted(made), "runs in one page")
        ranks = [made.index(run_id) % 5 for run_id in whole]
        equal(ranks, sorted(ranks, reverse=True), "ranks")
        for size in (1, 4, 24, 25):
            paged = found(["metrics.rank DESC", "start_time ASC"], size)
            equal(paged, whole, f"runs in pages of {size}")

    with session.check("pages without an order are newest first, and equal starts keep an order"):
        whole = found([], 100)
        starts = [made.index(run_id) // 2 for run_id in whole]
        equal(starts, sorted(starts, reverse=True), "starts")
        equal(found([], 3), whole, "runs in pages of 3")

    with session.check("pages of a filter hold only what it lets through"):
        expected = {run_id for number, run_id in enumerate(made) if number % 5 > 2}
        paged = found(["start_time"], 3, "metrics.rank > 2")
        equal((len(paged), set(paged)), (len(expected), expected), "runs")

    with session.check("a page that is too large or a token that is none is refused"):
        for body in ({"max_results": 50_001}, {"page_token": "no token"}):
            status, answer = session.post(
                "/api/2.0/mlflow/runs/search", {"experiment_ids": experiments} | body
            )
            expected = (400, "INVALID_PARAMETER_VALUE")
            equal((body, status, answer.get("error_code")), (body, *expected))
