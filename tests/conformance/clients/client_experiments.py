"""`MlflowClient` on experiments: made, renamed, tagged, deleted, restored, and paged through."""

from __future__ import annotations

from mlflow.entities import ViewType

from asking import each_refused, pages, refused
from checks import equal
from session import MLFLOW_3, Session

COUNT = 23


def run(session: Session) -> None:
    """Takes experiments through their lives, and pages through many of them."""
    _life(session)
    _tags(session)
    _pages(session)


def _life(session: Session) -> None:
    client = session.client
    name = f"{session.experiment_name} life"
    with session.check("rename_experiment changes the name and its time, and frees the old one"):
        experiment_id = client.create_experiment(name)
        before = client.get_experiment(experiment_id)
        client.rename_experiment(experiment_id, f"{name} 2")
        after = client.get_experiment(experiment_id)
        equal(after.name, f"{name} 2", "name")
        equal(after.creation_time, before.creation_time, "creation time")
        equal(after.last_update_time >= before.last_update_time, True, "changed after it was made")
        equal(after.artifact_location, before.artifact_location, "place of artifacts")
        other = client.create_experiment(name)
        with refused():
            client.rename_experiment(other, f"{name} 2")
        equal(client.get_experiment(other).name, name, "name after the refusal")

    with session.check("a deleted experiment keeps its name, and is not renamed or deleted again"):
        client.delete_experiment(other)
        equal(client.get_experiment_by_name(name).lifecycle_stage, "deleted", "stage by name")
        with refused("RESOURCE_ALREADY_EXISTS"):
            client.create_experiment(name)
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.delete_experiment(other)
        with refused():
            client.rename_experiment(other, f"{name} 3")
        equal(client.get_experiment(other).name, name, "name after the refusal")

    with session.check("restore_experiment brings it back, once"):
        client.restore_experiment(other)
        equal(client.get_experiment(other).lifecycle_stage, "active", "stage")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.restore_experiment(other)

    with session.check("deleting an experiment deletes its runs, and restoring brings them back"):
        kept, gone = (client.create_run(other).info.run_id for _ in range(2))
        client.delete_run(gone)
        client.delete_experiment(other)
        stages = [client.get_run(run_id).info.lifecycle_stage for run_id in (kept, gone)]
        equal(stages, ["deleted", "deleted"], "stages after the deletion")
        client.restore_experiment(other)
        equal(client.get_run(kept).info.lifecycle_stage, "active", "stage after the restoration")

    with session.check("experiments that do not exist are refused everywhere"):
        missing = "987654321"
        each_refused(
            "RESOURCE_DOES_NOT_EXIST",
            {
                "get": lambda: client.get_experiment(missing),
                "rename": lambda: client.rename_experiment(missing, "x"),
                "delete": lambda: client.delete_experiment(missing),
                "restore": lambda: client.restore_experiment(missing),
                "set a tag": lambda: client.set_experiment_tag(missing, "a", "b"),
                "create a run": lambda: client.create_run(missing),
            },
        )


def _tags(session: Session) -> None:
    client = session.client
    with session.check("tags are set when made and later, as text"):
        experiment_id = client.create_experiment(
            f"{session.experiment_name} tags", tags={"a": "1", "note": "x" * 5_000}
        )
        client.set_experiment_tag(experiment_id, "a", 2)
        client.set_experiment_tag(experiment_id, "b c/d", "ü")
        tags = client.get_experiment(experiment_id).tags
        equal({key: tags[key] for key in ("a", "b c/d")}, {"a": "2", "b c/d": "ü"}, "tags")
        equal(tags["note"], "x" * 5_000, "long tag")
    with session.check("tags of a deleted experiment are not changed"):
        client.delete_experiment(experiment_id)
        with refused("INVALID_PARAMETER_VALUE"):
            client.set_experiment_tag(experiment_id, "a", "3")
        client.restore_experiment(experiment_id)
        equal(client.get_experiment(experiment_id).tags["a"], "2", "tag")
    if MLFLOW_3:
        with session.check("delete_experiment_tag takes a tag away"):
            client.delete_experiment_tag(experiment_id, "a")
            equal("a" in client.get_experiment(experiment_id).tags, False, "tag is there")


def _pages(session: Session) -> None:
    client = session.client
    base = f"{session.experiment_name} page"
    names = [f"{base} {number:02}" for number in range(COUNT)]
    for name in names:
        client.create_experiment(name)

    def found(order: list[str] | None, size: int, **options) -> list[str]:
        entries = pages(
            lambda token: client.search_experiments(
                filter_string=f"name LIKE '{base} %'",
                order_by=order,
                max_results=size,
                page_token=token,
                **options,
            ),
            size,
        )
        return [entry.name for entry in entries]

    with session.check("pages of search_experiments hold every experiment once, in order"):
        for size in (1, 5, 22, 23, 100):
            equal(found(["name ASC"], size), names, f"names in pages of {size}")
        equal(found(["name DESC"], 7), names[::-1], "names from the end")
        equal(sorted(found(None, 7)), names, "names without an order")
        equal(found(["name"], 7, view_type=ViewType.DELETED_ONLY), [], "deleted ones")

    with session.check("a page of no or too many entries, and a token that is none, are refused"):
        for body in ({"max_results": 0}, {"max_results": 60_000}, {"page_token": "no token"}):
            status, answer = session.post(
                "/api/2.0/mlflow/experiments/search", {"max_results": 5} | body
            )
            expected = (400, "INVALID_PARAMETER_VALUE")
            equal((body, status, answer.get("error_code")), (body, *expected))
