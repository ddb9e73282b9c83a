"""Life cycles of runs and experiments: names, tags, ends, deletion and restoration."""

from __future__ import annotations

import mlflow
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

from checks import equal
from session import Session


def run(session: Session) -> None:
    """Takes runs and experiments through every state that the client can put them in."""
    client = session.client
    name = f"{session.experiment_name} life"
    with session.check("an experiment is created with tags, found by name and id, and renamed"):
        experiment_id = client.create_experiment(name, tags={"owner": "Ada", "empty": ""})
        equal(client.get_experiment_by_name(name).experiment_id, experiment_id, "id")
        client.set_experiment_tag(experiment_id, "owner", "Grace")
        client.set_experiment_tag(experiment_id, "mlflow.note.content", "Über **alles**")
        client.rename_experiment(experiment_id, f"{name} renamed")
        found = client.get_experiment(experiment_id)
        equal(found.name, f"{name} renamed", "name")
        equal((found.tags["owner"], found.tags["empty"]), ("Grace", ""), "tags")
        equal(client.get_experiment_by_name(name), None, "old name")

    with session.check("a taken name is refused"):
        try:
            client.create_experiment(f"{name} renamed")
        except MlflowException as refusal:
            equal(refusal.error_code, "RESOURCE_ALREADY_EXISTS", "error code")
        else:
            raise AssertionError("a second experiment got the same name")

    with session.check("experiments are found by name, by tag, and in order"):
        for number in range(3):
            client.create_experiment(
                f"{name} #{number}", tags={"family": name, "number": str(number)}
            )

        def search(filter_string: str, **options) -> list[str]:
            found = client.search_experiments(filter_string=filter_string, **options)
            return [entry.name for entry in found]

        family = [f"{name} #{number}" for number in range(3)]
        equal(search(f"tags.family = '{name}'", order_by=["name ASC"]), family, "by tag")
        equal(search(f"name LIKE '{name} #%'", order_by=["name DESC"]), family[::-1], "by name")
        equal(search(f"tags.family = '{name}' and tags.number = '1'"), family[1:2], "by two tags")
        equal(set(search(f"name ILIKE '{name.upper()} #%'")), set(family), "in any case")

    with session.check("a deleted experiment is hidden, takes no runs, and comes back"):
        run_id = client.create_run(experiment_id, run_name="inside").info.run_id
        client.delete_experiment(experiment_id)
        equal(client.get_experiment(experiment_id).lifecycle_stage, "deleted", "stage")
        equal(client.get_run(run_id).info.lifecycle_stage, "deleted", "stage of its run")
        shown = {entry.experiment_id for entry in client.search_experiments()}
        equal(experiment_id in shown, False, "deleted experiment among the active ones")
        deleted = client.search_experiments(view_type=ViewType.DELETED_ONLY)
        equal(
            experiment_id in {entry.experiment_id for entry in deleted}, True, "among the deleted"
        )
        try:
            client.create_run(experiment_id)
        except MlflowException as refusal:
            equal(refusal.error_code, "INVALID_PARAMETER_VALUE", "error code")
        else:
            raise AssertionError("a deleted experiment took a run")
        client.restore_experiment(experiment_id)
        equal(client.get_experiment(experiment_id).lifecycle_stage, "active", "stage")
        equal(client.get_run(run_id).info.lifecycle_stage, "active", "stage of its run")

    with session.check("a run is renamed, fails, is resumed and ends"):
        try:
            with mlflow.start_run(run_name="falls") as active:
                run_id = active.info.run_id
                raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        equal(client.get_run(run_id).info.status, "FAILED", "status")
        with mlflow.start_run(run_id=run_id):
            equal(client.get_run(run_id).info.status, "RUNNING", "status when resumed")
            mlflow.log_metric("after", 1.0)
        client.update_run(run_id, name="stands")
        found = client.get_run(run_id)
        equal(found.info.status, "FINISHED", "status at the end")
        equal(
            (found.info.run_name, found.data.tags["mlflow.runName"]), ("stands", "stands"), "name"
        )
        equal(found.info.end_time >= found.info.start_time, True, "end is after the start")

    with session.check("a deleted run refuses values until it is restored"):
        client.delete_run(run_id)
        try:
            client.log_metric(run_id, "late", 1.0)
        except MlflowException as refusal:
            equal(refusal.error_code, "INVALID_PARAMETER_VALUE", "error code")
        else:
            raise AssertionError("a deleted run took a metric")
        client.restore_run(run_id)
        client.log_metric(run_id, "late", 2.0)
        equal(client.get_run(run_id).data.metrics["late"], 2.0, "metric")

    with session.check("what does not exist is answered as such"):
        for ask in (
            lambda: client.get_run("0" * 32),
            lambda: client.get_experiment("987654321"),
            lambda: client.log_metric("0" * 32, "m", 1.0),
        ):
            try:
                ask()
            except MlflowException as refusal:
                equal(refusal.error_code, "RESOURCE_DOES_NOT_EXIST", "error code")
            else:
                raise AssertionError("something that does not exist was found")
        equal(client.get_experiment_by_name("no such experiment"), None, "by name")
