"""Real training on scikit-learn's bundled diabetes data: autologging, a grid of child runs, and
the way back from the best run to a model that predicts what was logged."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import mlflow
import mlflow.sklearn
import numpy
from mlflow.models import infer_signature
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.tree import DecisionTreeRegressor

from checks import equal
from session import MLFLOW_3, Session

DEPTHS = (2, 3, 5)
LEAVES = (1, 40)


def run(session: Session) -> None:
    """Trains with and without autologging, then finds and uses what was logged."""
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    split = train_test_split(features, target, test_size=0.25, random_state=7)
    _autologged_model(session, split)
    _autologged_search(session, split)
    _grid(session, split)


def _autologged_model(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    with session.check("autologging records a model's parameters, metrics, files and data"):
        mlflow.sklearn.autolog(silent=True)
        try:
            with mlflow.start_run(run_name="autologged") as active:
                model = DecisionTreeRegressor(max_depth=4, random_state=3).fit(train, train_target)
                score = model.score(test, test_target)
        finally:
            mlflow.sklearn.autolog(disable=True, silent=True)
        found = session.client.get_run(active.info.run_id)
        equal(found.info.status, "FINISHED", "status")
        equal(found.data.params["max_depth"], "4", "parameter")
        equal(found.data.tags["estimator_name"], "DecisionTreeRegressor", "tag")
        equal(found.data.metrics["DecisionTreeRegressor_score_test"], score, "test score")
        equal(
            found.data.metrics["training_mean_squared_error"],
            mean_squared_error(train_target, model.predict(train)),
            "training error",
        )
        contexts = [tag.value for entry in found.inputs.dataset_inputs for tag in entry.tags]
        equal(contexts, ["train"], "contexts of the datasets")
    with session.check("the autologged model loads and predicts as it did"):
        loaded = mlflow.sklearn.load_model(f"runs:/{active.info.run_id}/model")
        same_numbers(loaded.predict(test), model.predict(test))


def _autologged_search(session: Session, split: list) -> None:
    train, _, train_target, _ = split
    with session.check("autologging of a grid search makes a parent and its child runs"):
        mlflow.sklearn.autolog(silent=True, log_models=False, log_datasets=False)
        try:
            with mlflow.start_run(run_name="grid search") as active:
                GridSearchCV(Ridge(), {"alpha": [0.01, 0.1, 1.0]}, cv=3).fit(train, train_target)
        finally:
            mlflow.sklearn.autolog(disable=True, silent=True)
        children = children_of(session, active.info.run_id)
        equal(sorted(child.data.params["alpha"] for child in children), ["0.01", "0.1", "1.0"])
        best = session.client.get_run(active.info.run_id).data
        equal(
            best.metrics["best_cv_score"],
            max(child.data.metrics["mean_test_score"] for child in children),
            "best score",
        )


def _grid(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    logged: dict[str, dict[str, Any]] = {}
    with session.check("a parent run with a child run for each point of a grid"):
        with mlflow.start_run(run_name="grid", tags={"stage": "grid"}) as parent:
            dataset = mlflow.data.from_pandas(
                train.assign(target=train_target), name="diabetes", targets="target"
            )
            mlflow.log_input(dataset, context="training")
            for depth in DEPTHS:
                for leaf in LEAVES:
                    with mlflow.start_run(
                        run_name=f"depth {depth} leaf {leaf}", nested=True
                    ) as child:
                        logged[child.info.run_id] = _train_child(split, depth, leaf)
        equal(
            {child.info.run_id for child in children_of(session, parent.info.run_id)},
            logged.keys(),
            "children",
        )

    with session.check("the best run by `metrics.rmse ASC` is the best model"):
        best = mlflow.search_runs(
            [session.experiment_id],
            filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}' and metrics.rmse > 0",
            order_by=["metrics.rmse ASC"],
            max_results=1,
        ).iloc[0]
        expected = min(logged, key=lambda run_id: logged[run_id]["rmse"])
        equal(best["run_id"], expected, "best run")
        equal(best["metrics.rmse"], logged[expected]["rmse"], "its metric")
        equal(best["params.max_depth"], str(logged[expected]["max_depth"]), "its parameter")

    with session.check("its artifacts download, and its model predicts exactly what was logged"):
        folder = pathlib.Path(
            mlflow.artifacts.download_artifacts(
                run_id=expected, artifact_path="results", dst_path=str(session.folder("best"))
            )
        )
        predictions = json.loads((folder / "predictions.json").read_text())
        loaded = mlflow.sklearn.load_model(f"runs:/{expected}/model")
        same_numbers(loaded.predict(test), predictions)
        equal(
            float(numpy.sqrt(mean_squared_error(test_target, loaded.predict(test)))),
            best["metrics.rmse"],
            "error of the loaded model",
        )

    with session.check("its model as a Python function has the logged signature and example"):
        model = mlflow.pyfunc.load_model(f"runs:/{expected}/model")
        same_numbers(model.predict(test), predictions)
        equal(model.metadata.signature.inputs.input_names(), list(train.columns), "inputs")
        example = model.input_example if MLFLOW_3 else _example(expected, session)
        equal(len(example), 3, "rows of the example")


def _train_child(split: list, depth: int, leaf: int) -> dict[str, Any]:
    train, test, train_target, test_target = split
    model = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=leaf, random_state=3)
    model.fit(train, train_target)
    predictions = model.predict(test)
    rmse = float(numpy.sqrt(mean_squared_error(test_target, predictions)))
    mlflow.log_params({"max_depth": depth, "min_samples_leaf": leaf})
    mlflow.log_metrics({"rmse": rmse, "r2": model.score(test, test_target)})
    mlflow.log_dict([float(value) for value in predictions], "results/predictions.json")
    log_model(model, train.head(3), infer_signature(train, predictions))
    return {"rmse": rmse, "max_depth": depth}


def log_model(model: Any, example: Any, signature: Any) -> Any:
    """Logs a scikit-learn model under the name `model`, with either client."""
    options = {
        "signature": signature,
        "input_example": example,
        # The client would otherwise find them by loading the model in another process.
        "pip_requirements": ["scikit-learn"],
        # MLflow 3's own default refuses decision trees.
        "serialization_format": "cloudpickle",
    }
    name = {"name": "model"} if MLFLOW_3 else {"artifact_path": "model"}
    return mlflow.sklearn.log_model(model, **name, **options)


def children_of(session: Session, run_id: str) -> list:
    """The runs that name `run_id` as their parent."""
    return list(
        session.client.search_runs(
            [session.experiment_id], filter_string=f"tags.`mlflow.parentRunId` = '{run_id}'"
        )
    )


def same_numbers(found: Any, expected: Any) -> None:
    """Raises unless two arrays are equal to the last bit."""
    if not numpy.array_equal(numpy.asarray(found), numpy.asarray(expected)):
        raise AssertionError(f"expected {expected[:3]}…, found {found[:3]}…")


def _example(run_id: str, session: Session) -> Any:
    folder = mlflow.artifacts.download_artifacts(
        run_id=run_id, artifact_path="model", dst_path=str(session.folder("example"))
    )
    return mlflow.models.Model.load(folder).load_input_example(folder)
