"""The model registry: a model that was trained gets a name, versions, aliases and stages, is loaded
by each of them, found, copied, renamed, and deleted."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import mlflow
import mlflow.sklearn
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge

from asking import each_refused, pages, refused
from checks import equal
from session import MLFLOW_3, Session
from training import same_numbers

# Both releases still have stages, and warn of them.
STAGED = hasattr(mlflow.MlflowClient, "transition_model_version_stage")


def run(session: Session) -> None:
    """Follows one model through the registry."""
    name = f"diabetes {time.time_ns()}"
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    models = LinearRegression().fit(features, target), Ridge(alpha=5.0).fit(features, target)
    expected = [model.predict(features) for model in models]

    def predicts(uri: str, which: int) -> None:
        """A model that is loaded from an address predicts as the first or the second one did."""
        same_numbers(mlflow.pyfunc.load_model(uri).predict(features), expected[which])

    _registered(session, name, models)
    with session.check("models are loaded by their version, and the newest by `latest`"):
        predicts(f"models:/{name}/1", 0)
        predicts(f"models:/{name}/2", 1)
        predicts(f"models:/{name}/latest", 1)
        same_numbers(mlflow.sklearn.load_model(f"models:/{name}/1").predict(features), expected[0])
        path = mlflow.artifacts.download_artifacts(f"models:/{name}/1")
        equal((pathlib.Path(path) / "MLmodel").is_file(), True, "MLmodel")
    _aliases(session, name, predicts)
    if STAGED:
        _stages(session, name, predicts)
    _described(session, name)
    _search(session, name)
    _copied(session, name, predicts)
    _renamed(session, name, predicts)
    _refused(session, name)
    _deleted(session, name)
    if MLFLOW_3:
        _of_logged_model(session, f"{name} logged", models[0])


def _log(model: Any, **options: Any) -> Any:
    """Logs a model in the active run; the releases name its place differently."""
    place = {"name": "model"} if MLFLOW_3 else {"artifact_path": "model"}
    return mlflow.sklearn.log_model(model, pip_requirements=["scikit-learn"], **place, **options)


def _numbers(found: Any) -> list[str]:
    return [str(version.version) for version in found]


def _registered(session: Session, name: str, models: tuple) -> None:
    client = session.client
    with session.check("a model is registered while it is logged, and another one afterwards"):
        with mlflow.start_run() as first:
            _log(models[0], registered_model_name=name)
        with mlflow.start_run() as second:
            info = _log(models[1])
        made = mlflow.register_model(info.model_uri, name, tags={"kind": "ridge"})
        equal((made.name, str(made.version), made.status), (name, "2", "READY"), "second version")
        found = client.get_model_version(name, "1")
        equal(found.run_id, first.info.run_id, "run of the first")
        equal(found.current_stage, "None", "stage")
        found = client.get_model_version(name, "2")
        equal((found.run_id, found.tags), (second.info.run_id, {"kind": "ridge"}), "second")
        model = client.get_registered_model(name)
        equal(_numbers(model.latest_versions), ["2"], "newest versions")
        uri = client.get_model_version_download_uri(name, "1")
        equal(uri.startswith(("mlflow-artifacts:", "models:")), True, f"address {uri}")


def _aliases(session: Session, name: str, predicts: Any) -> None:
    client = session.client
    with session.check("an alias leads to its version, and moves to another"):
        client.set_registered_model_alias(name, "champion", "1")
        predicts(f"models:/{name}@champion", 0)
        client.set_registered_model_alias(name, "champion", "2")
        client.set_registered_model_alias(name, "first", "1")
        predicts(f"models:/{name}@champion", 1)
        found = client.get_model_version_by_alias(name, "champion")
        equal((str(found.version), list(found.aliases)), ("2", ["champion"]), "champion")
        aliases = client.get_registered_model(name).aliases
        pairs = {alias: str(version) for alias, version in aliases.items()}
        equal(pairs, {"champion": "2", "first": "1"}, "aliases")
        client.delete_registered_model_alias(name, "first")
        equal(list(client.get_model_version(name, "1").aliases), [], "aliases of the first")
        with refused("INVALID_PARAMETER_VALUE"):
            client.get_model_version_by_alias(name, "first")


def _stages(session: Session, name: str, predicts: Any) -> None:
    client = session.client
    with session.check("a stage leads to its version, and archives the one before"):
        moved = client.transition_model_version_stage(name, "1", "Production")
        equal(moved.current_stage, "Production", "stage")
        predicts(f"models:/{name}/Production", 0)
        client.transition_model_version_stage(
            name, "2", "production", archive_existing_versions=True
        )
        equal(client.get_model_version(name, "1").current_stage, "Archived", "first")
        predicts(f"models:/{name}/Production", 1)
        equal(_numbers(client.get_latest_versions(name, ["Production"])), ["2"], "in production")
        found = {
            version.current_stage: str(version.version)
            for version in client.get_latest_versions(name)
        }
        equal(found, {"Archived": "1", "Production": "2"}, "newest of each stage")
        with refused("INVALID_PARAMETER_VALUE"):
            client.transition_model_version_stage(name, "1", "Nowhere")


def _described(session: Session, name: str) -> None:
    client = session.client
    with session.check("descriptions and tags are kept, changed and deleted"):
        client.update_registered_model(name, "Größe 🚀")
        client.update_model_version(name, "1", "the first\n")
        client.set_registered_model_tag(name, "team", "red")
        client.set_registered_model_tag(name, "gone", "x")
        client.delete_registered_model_tag(name, "gone")
        client.set_model_version_tag(name, "1", "kind", "linear")
        client.set_model_version_tag(name, "1", "gone", "x")
        client.delete_model_version_tag(name, "1", "gone")
        model, version = client.get_registered_model(name), client.get_model_version(name, "1")
        equal((model.description, model.tags), ("Größe 🚀", {"team": "red"}), "model")
        equal((version.description, version.tags), ("the first\n", {"kind": "linear"}), "version")


def _search(session: Session, name: str) -> None:
    client = session.client
    with session.check("models and versions are found by name, tag, run and number, in order"):
        for number in range(3):
            client.create_registered_model(f"{name} other {number}", tags={"number": str(number)})

        def models(filter_string: str, **options: Any) -> list[str]:
            found = client.search_registered_models(filter_string, **options)
            return [model.name.removeprefix(name) for model in found]

        def versions(filter_string: str, **options: Any) -> list[str]:
            return _numbers(client.search_model_versions(filter_string, **options))

        here = f"name LIKE '{name}%'"
        equal(models(f"name = '{name}'"), [""], "by name")
        equal(models(f"{here} AND tags.team = 'red'"), [""], "by tag")
        equal(models(f"name ILIKE '{name.upper()} OTHER%'")[:1], [" other 0"], "in any case")
        order = models(here, order_by=["name DESC"])
        equal(order, [" other 2", " other 1", " other 0", ""], "names in order")
        by_number = {"order_by": ["version_number ASC"]}
        run_id = client.get_model_version(name, "2").run_id
        equal(versions(f"name = '{name}'", **by_number), ["1", "2"], "versions")
        equal(versions(f"name = '{name}' AND tags.kind = 'ridge'"), ["2"], "by tag of a version")
        equal(versions(f"run_id = '{run_id}'"), ["2"], "by run")
        equal(versions(f"version_number > 1 AND name = '{name}'"), ["2"], "by number")

    with session.check("pages of models and of versions hold each of them once"):
        found = pages(
            lambda token: client.search_registered_models(here, max_results=2, page_token=token), 2
        )
        equal(len({model.name for model in found}), 4, "models")
        found = pages(
            lambda token: client.search_model_versions(
                f"name = '{name}'", max_results=1, page_token=token
            ),
            1,
        )
        equal(sorted(_numbers(found)), ["1", "2"], "versions")


def _copied(session: Session, name: str, predicts: Any) -> None:
    client = session.client
    with session.check("a copy under another name is a model of its own"):
        copy = client.copy_model_version(f"models:/{name}@champion", f"{name} copy")
        equal((copy.name, str(copy.version)), (f"{name} copy", "1"), "copy")
        equal(copy.source, f"models:/{name}/2", "source")
        predicts(f"models:/{name} copy/1", 1)
        again = client.copy_model_version(f"models:/{name} copy/1", f"{name} copy")
        equal(str(again.version), "2", "copy of the copy")
        predicts(f"models:/{name} copy/2", 1)
        client.delete_registered_model(f"{name} copy")


def _renamed(session: Session, name: str, predicts: Any) -> None:
    client = session.client
    with session.check("a model that is renamed takes versions, tags and aliases with it"):
        client.rename_registered_model(name, f"{name} new")
        predicts(f"models:/{name} new@champion", 1)
        predicts(f"models:/{name} new/1", 0)
        model = client.get_registered_model(f"{name} new")
        equal((model.tags, list(model.aliases)), ({"team": "red"}, ["champion"]), "tags, aliases")
        equal(client.get_model_version(f"{name} new", "1").tags, {"kind": "linear"}, "tags of 1")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.get_registered_model(name)


def _refused(session: Session, name: str) -> None:
    client, new = session.client, f"{name} new"
    with session.check("what cannot be is refused with its code"):
        each_refused(
            "RESOURCE_ALREADY_EXISTS",
            {
                "created twice": lambda: client.create_registered_model(new),
                "renamed to a taken name": lambda: client.rename_registered_model(
                    f"{name} other 0", new
                ),
            },
        )
        each_refused(
            "RESOURCE_DOES_NOT_EXIST",
            {
                "an unknown version": lambda: client.get_model_version(new, "99"),
                "a version of nothing": lambda: client.get_model_version(f"{name} nope", "1"),
                "an alias to nothing": lambda: client.set_registered_model_alias(new, "a", "99"),
            },
        )
        each_refused(
            "INVALID_PARAMETER_VALUE",
            {
                "no name": lambda: client.create_registered_model(""),
                "an alias as a version": lambda: client.set_registered_model_alias(new, "v1", "1"),
                "the alias latest": lambda: client.set_registered_model_alias(new, "latest", "1"),
                "a file of the server": lambda: client.create_model_version(new, "/etc/passwd"),
                "a bad filter": lambda: client.search_registered_models("bogus = 'x'"),
            },
        )


def _deleted(session: Session, old: str) -> None:
    client, name = session.client, f"{old} new"
    with session.check("a version is deleted with its alias, a model with its versions"):
        client.delete_model_version(name, "2")
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.get_model_version(name, "2")
        with refused():
            client.get_model_version_by_alias(name, "champion")
        equal(_numbers(client.search_model_versions(f"name = '{name}'")), ["1"], "versions left")
        client.delete_registered_model(name)
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.get_registered_model(name)
        equal(list(client.search_model_versions(f"name = '{name}'")), [], "versions")
        with refused():
            mlflow.pyfunc.load_model(f"models:/{name}/1")
        for number in range(3):
            client.delete_registered_model(f"{old} other {number}")
        equal(list(client.search_registered_models(f"name LIKE '{old}%'")), [], "models")


def _of_logged_model(session: Session, name: str, model: Any) -> None:
    client = session.client
    with session.check("a logged model is registered by its id, and knows of it"):
        with mlflow.start_run():
            info = _log(model)
        version = mlflow.register_model(f"models:/{info.model_id}", name)
        equal(str(version.version), "1", "version")
        tags = client.get_logged_model(info.model_id).tags
        equal(name in tags.get("mlflow.modelVersions", ""), True, f"version in {tags}")
        loaded = mlflow.sklearn.load_model(f"models:/{name}/1")
        same_numbers(loaded.coef_, model.coef_)
        client.delete_registered_model(name)
    with session.check("prompts have versions and aliases, and are no models"):
        prompt = f"prompt-{time.time_ns()}"
        mlflow.genai.register_prompt(prompt, "Hi {{name}}", commit_message="one")
        mlflow.genai.register_prompt(prompt, "Hello {{name}}", tags={"a": "1"})
        mlflow.genai.set_prompt_alias(prompt, alias="live", version=1)
        equal(mlflow.genai.load_prompt(f"prompts:/{prompt}@live").template, "Hi {{name}}", "live")
        second = mlflow.genai.load_prompt(f"prompts:/{prompt}/2")
        equal(second.format(name="you"), "Hello you", "second")
        found = [each.name for each in mlflow.genai.search_prompts(f"name = '{prompt}'")]
        equal(found, [prompt], "prompts")
        equal(list(client.search_registered_models(f"name = '{prompt}'")), [], "models")
        try:
            client.create_registered_model(prompt)
        except MlflowException as refusal:
            equal("prompt" in refusal.message, True, refusal.message)
        else:
            raise AssertionError("a model got the name of a prompt")
