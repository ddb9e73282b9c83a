"""`mlflow.autolog()` with scikit-learn: what it records, and what can be switched off."""

from __future__ import annotations

import json

import mlflow
import numpy
import sklearn  # noqa: F401 - `mlflow.autolog` concerns the libraries that are imported
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from asking import listing
from checks import equal
from session import MLFLOW_3, Session


def run(session: Session) -> None:
    """Trains small models while everything is recorded, then while nothing is."""
    features, target = load_iris(return_X_y=True, as_frame=True)
    try:
        _fit(session, features, target)
        _pipeline(session, features, target)
        _switched_off(session, features, target)
        _search(session, features, target)
    finally:
        mlflow.autolog(disable=True, silent=True)


def _fit(session: Session, features, target) -> None:
    with session.check("autolog records a fit outside of any run in a run of its own"):
        mlflow.autolog(silent=True, extra_tags={"made by": "autolog"}, log_input_examples=True)
        model = LogisticRegression(C=0.5, max_iter=300).fit(features, target)
        equal(mlflow.active_run(), None, "active run after the fit")
        run_id = mlflow.last_active_run().info.run_id
        found = mlflow.get_run(run_id)
        equal((found.info.status, found.info.experiment_id), ("FINISHED", session.experiment_id))
        equal((found.data.params["C"], found.data.params["max_iter"]), ("0.5", "300"), "parameters")
        expected = accuracy_score(target, model.predict(features))
        equal(found.data.metrics["training_accuracy_score"], expected, "training accuracy")
        tags = {"made by": "autolog", "mlflow.autologging": "sklearn"}
        tags["estimator_name"] = "LogisticRegression"
        equal({key: found.data.tags.get(key) for key in tags}, tags, "tags")
        names = listing(session, run_id)
        equal("training_confusion_matrix.png" in names, True, f"confusion matrix in {names}")

    with session.check("the data that it was trained with is an input of the run"):
        (entry,) = found.inputs.dataset_inputs
        equal([tag.value for tag in entry.tags], ["train"], "context")
        equal(json.loads(entry.dataset.profile)["num_rows"], len(features), "rows")

    with session.check("the model that was recorded has an example and predicts as it did"):
        loaded = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
        same = numpy.array_equal(loaded.predict(features), model.predict(features))
        equal(same, True, "predictions are the same")
        equal(loaded.metadata.saved_input_example_info is not None, True, "there is an example")
        equal(loaded.metadata.signature.inputs.input_names(), list(features.columns), "signature")
    if MLFLOW_3:
        with session.check("the model is an output of the run, and has its metrics and parameters"):
            (output,) = mlflow.get_run(run_id).outputs.model_outputs
            model = mlflow.get_logged_model(output.model_id)
            equal((model.source_run_id, str(model.status)), (run_id, "READY"), "run and status")
            equal(model.params["C"], "0.5", "parameter")
            metrics = {metric.key: metric.value for metric in model.metrics}
            equal(metrics["training_accuracy_score"], expected, "metric")


def _pipeline(session: Session, features, target) -> None:
    with session.check("a fit inside a run is recorded there, and the run goes on"):
        mlflow.autolog(silent=True, log_models=False)
        with mlflow.start_run(run_name="pipeline") as active:
            pipeline = make_pipeline(StandardScaler(), Ridge(alpha=0.25)).fit(features, target)
            score = pipeline.score(features, target)
            mlflow.log_metric("mine", 1.0)
            equal(mlflow.active_run().info.run_id, active.info.run_id, "active run")
        found = mlflow.get_run(active.info.run_id)
        equal(found.data.params["ridge__alpha"], "0.25", "parameter of a step")
        equal(found.data.metrics["mine"], 1.0, "metric of the user")
        equal(found.data.metrics["Pipeline_score_features"], score, "score after the fit")
        equal("model" in listing(session, active.info.run_id), False, "a model was recorded")


def _switched_off(session: Session, features, target) -> None:
    with session.check("what is switched off is not recorded"):
        mlflow.autolog(silent=True, log_models=False, log_datasets=False, exclusive=True)
        with mlflow.start_run() as mine:
            Ridge().fit(features, target)
        equal(mlflow.get_run(mine.info.run_id).data.params, {}, "parameters in the user's run")
        mlflow.autolog(silent=True, log_models=False, log_datasets=False)
        with mlflow.start_run() as active:
            Ridge(alpha=2.0).fit(features, target)
        found = mlflow.get_run(active.info.run_id)
        equal(found.data.params["alpha"], "2.0", "parameter")
        equal(found.inputs.dataset_inputs, [], "data")
        equal("model" in listing(session, active.info.run_id), False, "a model was recorded")
        if MLFLOW_3:
            equal(found.outputs is None or found.outputs.model_outputs == [], True, "outputs")

    with session.check("after disable, a fit leaves no run"):
        mlflow.autolog(disable=True, silent=True)
        before = len(mlflow.search_runs(output_format="list"))
        Ridge().fit(features, target)
        equal(len(mlflow.search_runs(output_format="list")), before, "runs")


def _search(session: Session, features, target) -> None:
    with session.check("a search of parameters makes a child run for the best trials"):
        # From here on `mlflow.autolog` leaves scikit-learn alone: it has settings of its own.
        mlflow.sklearn.autolog(silent=True, log_models=False, log_datasets=False, max_tuning_runs=3)
        with mlflow.start_run() as active:
            search = RandomizedSearchCV(
                Ridge(), {"alpha": [0.01, 0.1, 1.0, 10.0, 100.0]}, n_iter=5, cv=3, random_state=1
            ).fit(features, target)
        mlflow.sklearn.autolog(disable=True, silent=True)
        best = mlflow.get_run(active.info.run_id).data
        equal(best.metrics["best_cv_score"], search.best_score_, "best score")
        equal(best.params["best_alpha"], str(search.best_params_["alpha"]), "best parameter")
        children = mlflow.search_runs(
            filter_string=f"tags.mlflow.parentRunId = '{active.info.run_id}'",
            order_by=["metrics.mean_test_score DESC"],
        )
        expected = sorted(search.cv_results_["mean_test_score"], reverse=True)[:3]
        equal(children["metrics.mean_test_score"].tolist(), expected, "scores of the children")
        equal("cv_results.csv" in listing(session, active.info.run_id), True, "table of results")
