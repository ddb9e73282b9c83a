"""Logged models of MLflow 3: created, described, measured, searched, loaded and deleted."""

from __future__ import annotations

import mlflow
import mlflow.sklearn
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression

from checks import equal
from session import Session
from training import same_numbers


def run(session: Session) -> None:
    """Follows one model from its run to the prediction of the loaded copy."""
    client = session.client
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    model = LinearRegression().fit(features, target)
    with session.check("a model is logged with parameters and tags, and is an output of its run"):
        with mlflow.start_run(run_name="linear") as active:
            info = mlflow.sklearn.log_model(
                model,
                name="linear",
                params={"intercept": "yes"},
                tags={"kind": "baseline"},
                pip_requirements=["scikit-learn"],
                step=3,
            )
            mlflow.log_metric("r2", model.score(features, target), model_id=info.model_id)
        found = client.get_logged_model(info.model_id)
        equal((found.name, str(found.status)), ("linear", "READY"), "name and status")
        equal(found.params, {"intercept": "yes"}, "parameters")
        equal(found.tags["kind"], "baseline", "tag")
        equal(found.source_run_id, active.info.run_id, "run")
        equal([(m.key, m.value) for m in found.metrics], [("r2", model.score(features, target))])
        outputs = client.get_run(active.info.run_id).outputs.model_outputs
        equal(
            [(output.model_id, output.step) for output in outputs], [(info.model_id, 3)], "outputs"
        )

    with session.check("a model is loaded by its id and by its run, and predicts as it did"):
        expected = model.predict(features)
        same_numbers(
            mlflow.sklearn.load_model(f"models:/{info.model_id}").predict(features), expected
        )
        same_numbers(mlflow.sklearn.load_model(info.model_uri).predict(features), expected)
        run_uri = f"runs:/{active.info.run_id}/linear"
        same_numbers(mlflow.sklearn.load_model(run_uri).predict(features), expected)

    with session.check("models are found by name, metric and tag, and in order"):

        def search(filter_string: str, **options) -> list[str]:
            page = client.search_logged_models([session.experiment_id], filter_string, **options)
            return [entry.name for entry in page]

        equal(search("name = 'linear'"), ["linear"], "by name")
        equal(
            search("metrics.r2 > 0.1 and tags.kind = 'baseline'"), ["linear"], "by metric and tag"
        )
        equal(search("params.intercept = 'no'"), [], "by a parameter that no model has")
        newest = search("", order_by=[{"field_name": "creation_timestamp", "ascending": False}])
        equal(newest[0], "linear", "newest")

    with session.check("an external model takes tags, loses them, and is deleted"):
        made = mlflow.create_external_model(name="elsewhere", experiment_id=session.experiment_id)
        client.set_logged_model_tags(made.model_id, {"a": "1", "b": "2"})
        client.delete_logged_model_tag(made.model_id, "a")
        tags = client.get_logged_model(made.model_id).tags
        equal((tags.get("a"), tags.get("b")), (None, "2"), "tags")
        client.delete_logged_model(made.model_id)
        try:
            client.get_logged_model(made.model_id)
        except MlflowException as refusal:
            equal(refusal.error_code, "RESOURCE_DOES_NOT_EXIST", "error code")
        else:
            raise AssertionError("a deleted model was found")
