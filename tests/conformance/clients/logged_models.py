"""Logged models of MLflow 3 through `MlflowClient` and `mlflow.*`: their lives, tags and files."""

from __future__ import annotations

import pathlib

import mlflow
from mlflow.entities import LoggedModelStatus
from mlflow.entities.logged_model_output import LoggedModelOutput

from asking import each_refused, refused
from checks import equal, same_entries
from client_files import digests
from session import Session


def run(session: Session) -> None:
    """Makes models, describes them, gives them files, and deletes them."""
    _life(session)
    _described(session)
    _files(session)
    _fluent(session)
    _deleted(session)


def _life(session: Session) -> None:
    client = session.client
    with session.check("create_logged_model keeps what it is given, and is pending"):
        run_id = client.create_run(session.experiment_id).info.run_id
        made = client.create_logged_model(
            session.experiment_id,
            name="first",
            source_run_id=run_id,
            tags={"stage": "draft", "odd key/1": "ü"},
            params={"depth": "3", "long": "x" * 1_000},
            model_type="Classifier",
        )
        found = client.get_logged_model(made.model_id)
        equal(found.to_dictionary(), made.to_dictionary(), "model that is read back")
        equal((found.name, found.model_type), ("first", "Classifier"), "name and type")
        equal((found.experiment_id, found.source_run_id), (session.experiment_id, run_id))
        equal(found.status, LoggedModelStatus.PENDING, "status")
        equal(found.params, {"depth": "3", "long": "x" * 1_000}, "parameters")
        tags = {"stage": "draft", "odd key/1": "ü"}
        equal({key: found.tags.get(key) for key in tags}, tags, "tags")
        equal(found.creation_timestamp, found.last_updated_timestamp, "times")
        equal(found.model_uri, f"models:/{made.model_id}", "URI")
        place = client.get_experiment(session.experiment_id).artifact_location
        expected = f"{place}/models/{made.model_id}/artifacts"
        equal(found.artifact_location, expected, "place of its files")

    with session.check("finalize_logged_model settles its status, and the time of its change"):
        ready = client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
        equal(ready.status, LoggedModelStatus.READY, "status")
        equal(ready.last_updated_timestamp >= made.last_updated_timestamp, True, "time of change")
        other = client.create_logged_model(session.experiment_id)
        client.finalize_logged_model(other.model_id, "FAILED")
        found = client.get_logged_model(other.model_id)
        equal((str(found.status), found.source_run_id or None), ("FAILED", None), "status and run")
        equal(bool(found.name), True, "a name is given")

    with session.check("names with forbidden characters are refused"):
        for name in ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"):
            with refused("INVALID_PARAMETER_VALUE"):
                client.create_logged_model(session.experiment_id, name=name)

    with session.check("models of experiments that do not exist or are deleted are refused"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.create_logged_model("987654321", name="x")
        gone = client.create_experiment(f"{session.experiment_name} gone")
        client.delete_experiment(gone)
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_logged_model(gone, name="x")


def _described(session: Session) -> None:
    client = session.client
    with session.check("log_model_params adds parameters, more than one request holds"):
        model = client.create_logged_model(session.experiment_id, "described", params={"a": "1"})
        more = {f"p{number:03}": str(number) for number in range(150)}
        client.log_model_params(model.model_id, more)
        found = client.get_logged_model(model.model_id).params
        same_entries(found, {"a": "1"} | more, "parameters")

    with session.check("set_logged_model_tags sets and replaces, delete_logged_model_tag deletes"):
        client.set_logged_model_tags(model.model_id, {"a": 1, "b": "x"})
        client.set_logged_model_tags(model.model_id, {"b": "y", "c": ""})
        client.delete_logged_model_tag(model.model_id, "a")
        tags = client.get_logged_model(model.model_id).tags
        equal({key: tags.get(key) for key in "abc"}, {"a": None, "b": "y", "c": ""}, "tags")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.delete_logged_model_tag(model.model_id, "a")

    with session.check("models that do not exist are refused everywhere"):
        missing = "m-" + "0" * 32
        each_refused(
            "RESOURCE_DOES_NOT_EXIST",
            {
                "get": lambda: client.get_logged_model(missing),
                "finalize": lambda: client.finalize_logged_model(missing, "READY"),
                "delete a tag": lambda: client.delete_logged_model_tag(missing, "a"),
                "delete": lambda: client.delete_logged_model(missing),
                "list artifacts": lambda: client.list_logged_model_artifacts(missing),
            },
        )
        # The client asks for the model first, and explains in its own words.
        for change in (client.set_logged_model_tags, client.log_model_params):
            with refused("INVALID_PARAMETER_VALUE"):
                change(missing, {"a": "b"})


def _files(session: Session) -> None:
    client = session.client
    source = session.folder("model")
    (source / "data").mkdir()
    (source / "weights.bin").write_bytes(bytes(range(256)) * 400)
    (source / "data" / "größe 1.txt").write_text("ü")
    (source / "README").write_text("read me")
    with session.check("log_model_artifacts and log_model_artifact write files, which are listed"):
        model = client.create_logged_model(session.experiment_id, name="files")
        client.log_model_artifacts(model.model_id, str(source))
        client.log_model_artifact(model.model_id, str(source / "README"), "docs")

        def listed(path: str | None = None) -> list[tuple]:
            entries = client.list_logged_model_artifacts(model.model_id, path)
            return sorted((entry.path, entry.is_dir, entry.file_size) for entry in entries)

        expected = [
            ("README", False, 7),
            ("data", True, None),
            ("docs", True, None),
            ("weights.bin", False, 102_400),
        ]
        equal(listed(), expected, "root")
        equal(listed("data"), [("data/größe 1.txt", False, 2)], "folder")
        equal(listed("none"), [], "folder that is not there")

    with session.check("its files come back by models:/ and by their own URI"):
        for number, uri in enumerate((model.model_uri, model.artifact_location)):
            target = session.folder(f"model back {number}")
            path = mlflow.artifacts.download_artifacts(uri, dst_path=str(target))
            found = digests(pathlib.Path(path))
            expected = digests(source) | {"docs/README": digests(source)["README"]}
            equal(found, expected, f"files of {uri}")
        path = mlflow.artifacts.download_artifacts(f"{model.artifact_location}/docs/README")
        equal(pathlib.Path(path).read_text(), "read me", "one file")


def _fluent(session: Session) -> None:
    with session.check("initialize_logged_model belongs to the active run, and is finalized"):
        with mlflow.start_run() as active:
            model = mlflow.initialize_logged_model(
                name="fluent", params={"a": "1"}, tags={"b": "2"}, model_type="Agent"
            )
            mlflow.log_model_params({"c": "3"}, model_id=model.model_id)
            mlflow.set_logged_model_tags(model.model_id, {"d": "4"})
            mlflow.delete_logged_model_tag(model.model_id, "b")
            mlflow.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
            mlflow.log_outputs([LoggedModelOutput(model.model_id, 0)])
        found = mlflow.get_logged_model(model.model_id)
        equal(found.source_run_id, active.info.run_id, "run")
        equal((found.params, found.model_type), ({"a": "1", "c": "3"}, "Agent"), "parameters, type")
        equal((found.tags.get("b"), found.tags.get("d")), (None, "4"), "tags")
        equal(found.status, LoggedModelStatus.READY, "status")
        equal(mlflow.last_logged_model().model_id, model.model_id, "last model")
        outputs = mlflow.get_run(active.info.run_id).outputs.model_outputs
        equal([output.model_id for output in outputs], [model.model_id], "outputs of the run")

    with session.check("create_external_model is ready at once, and described by a file"):
        model = mlflow.create_external_model(name="external", model_type="Agent", params={"k": "v"})
        found = mlflow.get_logged_model(model.model_id)
        equal((found.status, found.params), (LoggedModelStatus.READY, {"k": "v"}), "model")
        names = [entry.path for entry in session.client.list_logged_model_artifacts(model.model_id)]
        equal("MLmodel" in names, True, f"MLmodel among {names}")


def _deleted(session: Session) -> None:
    client = session.client
    with session.check("a deleted model is not found, by id or by search"):
        model = client.create_logged_model(session.experiment_id, name="gone")
        client.delete_logged_model(model.model_id)
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.get_logged_model(model.model_id)
        found = client.search_logged_models([session.experiment_id], "name = 'gone'")
        equal(list(found), [], "models of that name")
