"""`mlflow.*` on experiments: chosen by name and id, tagged, given a place, deleted."""

from __future__ import annotations

import mlflow
from mlflow.entities import ViewType

from asking import refused
from checks import equal
from session import MLFLOW_3, Session


def run(session: Session) -> None:
    """Chooses experiments in every way, then hides and describes them."""
    _chosen(session)
    _described(session)
    _placed(session)
    _deleted(session)
    _searched(session)


def _chosen(session: Session) -> None:
    with session.check("set_experiment makes an experiment once, and finds it by name and by id"):
        name = f"{session.experiment_name} chosen"
        made = mlflow.set_experiment(name)
        equal((made.name, made.lifecycle_stage), (name, "active"), "name and stage")
        equal(mlflow.set_experiment(name).experiment_id, made.experiment_id, "id the second time")
        equal(mlflow.set_experiment(experiment_id=made.experiment_id).name, name, "name by id")
        equal(mlflow.get_experiment_by_name(name).experiment_id, made.experiment_id, "id by name")
        equal(mlflow.get_experiment(made.experiment_id).name, name, "name of get_experiment")
        equal(made.creation_time <= made.last_update_time, True, "created before it was changed")

    with session.check("a run goes to the experiment that is set, or to the one that it names"):
        with mlflow.start_run() as here:
            pass
        with mlflow.start_run(experiment_id=session.experiment_id) as there:
            pass
        equal(here.info.experiment_id, made.experiment_id, "experiment that is set")
        equal(there.info.experiment_id, session.experiment_id, "experiment that was named")

    with session.check("an experiment that does not exist cannot be set"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            mlflow.set_experiment(experiment_id="987654321")
    mlflow.set_experiment(experiment_id=session.experiment_id)


def _described(session: Session) -> None:
    with session.check("set_experiment_tag and set_experiment_tags write to the active experiment"):
        mlflow.set_experiment_tag("stage", "draft")
        mlflow.set_experiment_tags({"stage": "final", "number": 7, "note": "ä\nß"})
        tags = mlflow.get_experiment(session.experiment_id).tags
        equal(
            {key: tags.get(key) for key in ("stage", "number", "note")},
            {"stage": "final", "number": "7", "note": "ä\nß"},
            "tags",
        )
    if MLFLOW_3:
        with session.check("delete_experiment_tag takes a tag away, and only that"):
            mlflow.delete_experiment_tag("note")
            tags = mlflow.get_experiment(session.experiment_id).tags
            equal(("note" in tags, tags["stage"]), (False, "final"), "tags")
            with refused("RESOURCE_DOES_NOT_EXIST"):
                mlflow.delete_experiment_tag("note")


def _placed(session: Session) -> None:
    with session.check("runs of an experiment with an artifact location of its own write there"):
        place = session.folder("place")
        experiment_id = mlflow.create_experiment(
            f"{session.experiment_name} placed", artifact_location=place.as_uri(), tags={"a": "b"}
        )
        found = mlflow.get_experiment(experiment_id)
        expected = (place.as_uri(), "b")
        equal((found.artifact_location, found.tags.get("a")), expected, "place and tag")
        with mlflow.start_run(experiment_id=experiment_id) as active:
            mlflow.log_text("here", "notes/where.txt")
        equal(
            active.info.artifact_uri,
            f"{place.as_uri()}/{active.info.run_id}/artifacts",
            "place of the run",
        )
        written = place / active.info.run_id / "artifacts" / "notes" / "where.txt"
        equal(written.read_text(), "here", "file in that place")

    with session.check("an experiment without one gets a place that the server passes on"):
        place = mlflow.get_experiment(session.experiment_id).artifact_location
        equal(place, f"mlflow-artifacts:/{session.experiment_id}", "place")

    with session.check("a taken name, an empty name and one that is too long are refused"):
        with refused("RESOURCE_ALREADY_EXISTS"):
            mlflow.create_experiment(session.experiment_name)
        with refused("INVALID_PARAMETER_VALUE"):
            mlflow.create_experiment("")
        status, answer = session.post("/api/2.0/mlflow/experiments/create", {"name": "x" * 501})
        equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), "long name")


def _deleted(session: Session) -> None:
    with session.check("a deleted experiment cannot be set, and takes no run"):
        name = f"{session.experiment_name} deleted"
        experiment_id = mlflow.create_experiment(name)
        mlflow.delete_experiment(experiment_id)
        equal(mlflow.get_experiment(experiment_id).lifecycle_stage, "deleted", "stage")
        for chosen in ({"experiment_name": name}, {"experiment_id": experiment_id}):
            with refused("INVALID_PARAMETER_VALUE"):
                mlflow.set_experiment(**chosen)
        with refused("INVALID_PARAMETER_VALUE"):
            mlflow.start_run(experiment_id=experiment_id)
    if MLFLOW_3:
        with session.check("restore_experiment brings it back"):
            mlflow.restore_experiment(experiment_id)
            equal(mlflow.set_experiment(name).experiment_id, experiment_id, "id")
    mlflow.set_experiment(experiment_id=session.experiment_id)


def _searched(session: Session) -> None:
    base = f"{session.experiment_name} searched"
    names = [f"{base} {letter}" for letter in "abcde"]
    ids = {
        name: mlflow.create_experiment(name, tags={"family": base, "vowel": str(name[-1] in "ae")})
        for name in names
    }
    mlflow.delete_experiment(ids[names[2]])

    def search(filter_string: str, **options) -> list[str]:
        found = mlflow.search_experiments(
            filter_string=f"tags.family = '{base}'{filter_string}", **options
        )
        return [experiment.name for experiment in found]

    with session.check("search_experiments shows the active, the deleted or all"):
        active = [name for name in names if name != names[2]]
        equal(search("", order_by=["name ASC"]), active, "active")
        equal(search("", view_type=ViewType.DELETED_ONLY), [names[2]], "deleted")
        equal(search("", view_type=ViewType.ALL, order_by=["name DESC"]), names[::-1], "all")

    with session.check("search_experiments filters by tag, name and time"):
        equal(search(" AND tags.vowel = 'True'", order_by=["name"]), [names[0], names[4]], "by tag")
        equal(search(f" AND name LIKE '%{base} b'"), [names[1]], "by name")
        equal(search(f" AND name != '{names[0]}'", order_by=["name"]), names[1:2] + names[3:])
        made = mlflow.get_experiment(ids[names[3]]).creation_time
        since = search(f" AND creation_time >= {made}", order_by=["name"])
        equal(since[-2:], names[3:], "by time")
        equal(search(" AND creation_time < 1"), [], "before all times")

    with session.check("search_experiments keeps to max_results, and newest come first"):
        equal(search("", max_results=2, order_by=["name"]), names[:2], "two")
        equal(search("", order_by=["experiment_id DESC"])[0], names[4], "highest id first")
        newest = search("", order_by=["creation_time DESC", "experiment_id DESC"])
        equal(newest, [names[4], names[3], names[1], names[0]], "newest first")

    with session.check("search_experiments refuses a filter that it does not know"):
        for bad in (" AND metrics.m > 1", " AND owner = 'me'", " OR name = 'x'"):
            with refused("INVALID_PARAMETER_VALUE"):
                search(bad)
