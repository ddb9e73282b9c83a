"""Registered models with their versions, and the logged models of MLflow 3."""

from __future__ import annotations

from typing import Any

from mlflow.tracking import MlflowClient

Plain = dict


def _run_with(experiments: Plain, name: str) -> tuple:
    """The id of the experiment and the record of the run with this name."""
    return next(
        (known, run)
        for known, experiment in experiments.items()
        for run in experiment["runs"].values()
        if run["run_name"] == name
    )


def registered(client: MlflowClient, experiments: Plain) -> Plain:
    """Makes registered models; what must be found, by name."""
    _, run = _run_with(experiments, "values")
    source = f"{run['artifact_uri']}/model"
    name = "Modell ü 1"
    tags = {"task": "regression", "long": "x" * 4000}
    client.create_registered_model(name, tags=tags, description="What it does: näheres später")
    model = {
        "description": "What it does: näheres später",
        "tags": tags,
        "aliases": {},
        "versions": {},
    }
    for number in range(1, 5):
        made = client.create_model_version(
            name,
            source,
            run_id=run["id"] if number != 3 else None,
            tags={"number": str(number)},
            description=f"version {number}",
        )
        model["versions"][str(made.version)] = {
            "source": source,
            "run_id": run["id"] if number != 3 else None,
            "description": f"version {number}",
            "tags": {"number": str(number)},
            "current_stage": "None",
            "status": "READY",
        }
    client.transition_model_version_stage(name, "1", "Archived")
    model["versions"]["1"]["current_stage"] = "Archived"
    client.transition_model_version_stage(name, "2", "Production")
    model["versions"]["2"]["current_stage"] = "Production"
    client.set_model_version_tag(name, "2", "checked", "yes\nby ada")
    model["versions"]["2"]["tags"]["checked"] = "yes\nby ada"
    client.delete_model_version(name, "4")
    del model["versions"]["4"]
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias(name, "champion", "2")
        client.set_registered_model_alias(name, "old", "1")
        model["aliases"] = {"champion": "2", "old": "1"}
    client.create_registered_model("empty")
    client.create_registered_model("removed")
    client.delete_registered_model("removed")
    return {
        name: model,
        "empty": {"description": None, "tags": {}, "aliases": {}, "versions": {}},
    }


def logged(client: MlflowClient, experiments: Plain) -> Plain:
    """Makes logged models where the release has them; what must be found, by id."""
    if not hasattr(client, "create_logged_model"):
        return {}
    from mlflow.entities import LoggedModelStatus

    experiment, run = _run_with(experiments, "long")
    record: dict[str, Any] = {}
    for name, status in (("first", "READY"), ("second", "FAILED"), ("gone", "READY")):
        model = client.create_logged_model(
            experiment,
            name=name,
            source_run_id=run["id"],
            tags={"kind": name, "long": "y" * 4000},
            params={"depth": "3", "text": "p" * 4000},
            model_type="agent",
        )
        client.finalize_logged_model(model.model_id, LoggedModelStatus(status))
        client.set_logged_model_tags(model.model_id, {"later": "yes"})
        for step in range(3):
            client.log_metric(
                run["id"],
                f"score of {name}",
                step / 3,
                timestamp=run["start_time"] + step,
                step=step,
                model_id=model.model_id,
            )
        points = [[run["start_time"] + step, step, repr(step / 3)] for step in range(3)]
        run["history"][f"score of {name}"] = points
        record[model.model_id] = {
            "name": name,
            "experiment_id": experiment,
            "source_run_id": run["id"],
            "model_type": "agent",
            "status": status,
            "tags": {"kind": name, "long": "y" * 4000, "later": "yes"},
            "params": {"depth": "3", "text": "p" * 4000},
            "metrics": [[f"score of {name}", *point] for point in points],
        }
        if name == "gone":
            client.delete_logged_model(model.model_id)
            del record[model.model_id]
    return record


def prompts(client: MlflowClient) -> Plain:
    """Registers prompts where the release has them; what must be found, by name and version."""
    if not hasattr(client, "register_prompt"):
        return {}
    record = {"greeting": {}}
    for text in ("Hallo {{ name }}", "Grüß dich, {{ name }}\n🙂"):
        made = client.register_prompt("greeting", text, commit_message="better", tags={"by": "ada"})
        record["greeting"][str(made.version)] = {"template": text, "commit_message": "better"}
    return record
