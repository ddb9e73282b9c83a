"""XGBoost and LightGBM, each through its own interface and that of scikit-learn."""

from __future__ import annotations

import lightgbm
import mlflow
import mlflow.lightgbm
import mlflow.xgboost
import numpy
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

from asking import history, listing
from checks import equal
from session import Session

ROUNDS = 8


def run(session: Session) -> None:
    """Boosts a few trees in four ways."""
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    split = train_test_split(features, target, test_size=0.25, random_state=3)
    _xgboost(session, split)
    _xgboost_like_sklearn(session, split)
    _lightgbm(session, split)
    _lightgbm_stops_early(session, split)


def _xgboost(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    mlflow.xgboost.autolog(silent=True)
    try:
        with session.check("XGBoost: parameters, and a metric for each round and data set"):
            results: dict = {}
            data = xgboost.DMatrix(train, train_target)
            held = xgboost.DMatrix(test, test_target)
            with mlflow.start_run() as active:
                params = {"objective": "binary:logistic", "max_depth": 2, "eta": 0.3, "nthread": 1}
                booster = xgboost.train(
                    params,
                    data,
                    num_boost_round=ROUNDS,
                    evals=[(data, "train"), (held, "test")],
                    evals_result=results,
                    verbose_eval=False,
                )
            run_id = active.info.run_id
            found = mlflow.get_run(run_id).data
            expected = {key: str(value) for key, value in params.items()}
            expected["num_boost_round"] = str(ROUNDS)
            equal({key: found.params.get(key) for key in expected}, expected, "parameters")
            for name in ("train", "test"):
                expected = list(enumerate(results[name]["logloss"]))
                equal(history(session, run_id, f"{name}-logloss"), expected, f"metrics on {name}")

        with session.check("XGBoost: the importance of features as numbers and as a picture"):
            stored = mlflow.artifacts.load_dict(f"runs:/{run_id}/feature_importance_weight.json")
            equal(stored, booster.get_score(importance_type="weight"), "numbers")
            names = listing(session, run_id)
            equal("feature_importance_weight.png" in names, True, f"picture in {names}")

        with session.check("XGBoost: the data sets are inputs of the run"):
            inputs = mlflow.get_run(run_id).inputs.dataset_inputs
            contexts = sorted(tag.value for entry in inputs for tag in entry.tags)
            equal(contexts, ["eval", "eval", "train"], "contexts")

        with session.check("XGBoost: the recorded model predicts as the trained one"):
            loaded = mlflow.xgboost.load_model(f"runs:/{run_id}/model")
            same_numbers(loaded.predict(held), booster.predict(held))
            described(run_id)
    finally:
        mlflow.xgboost.autolog(disable=True, silent=True)


def _xgboost_like_sklearn(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    with session.check("XGBoost as a scikit-learn classifier: parameters, metrics and the model"):
        mlflow.xgboost.autolog(silent=True)
        try:
            with mlflow.start_run() as active:
                model = xgboost.XGBClassifier(n_estimators=5, max_depth=2, n_jobs=1)
                model.fit(train, train_target, eval_set=[(test, test_target)], verbose=False)
        finally:
            mlflow.xgboost.autolog(disable=True, silent=True)
        run_id = active.info.run_id
        found = mlflow.get_run(run_id).data
        equal((found.params["num_boost_round"], found.params["max_depth"]), ("5", "2"), "params")
        expected = list(enumerate(model.evals_result()["validation_0"]["logloss"]))
        equal(history(session, run_id, "validation_0-logloss"), expected, "metrics")
        loaded = mlflow.xgboost.load_model(f"runs:/{run_id}/model")
        same_numbers(loaded.predict(test), model.predict(test))


def _lightgbm(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    mlflow.lightgbm.autolog(silent=True, log_input_examples=True)
    try:
        with session.check("LightGBM: parameters, and a metric for each round and data set"):
            results: dict = {}
            data = lightgbm.Dataset(train, train_target)
            held = lightgbm.Dataset(test, test_target, reference=data)
            params = {"objective": "binary", "num_leaves": 4, "metric": ["auc", "binary_logloss"]}
            params |= {"verbosity": -1, "num_threads": 1}
            with mlflow.start_run() as active:
                booster = lightgbm.train(
                    params,
                    data,
                    ROUNDS,
                    valid_sets=[data, held],
                    valid_names=["train", "test"],
                    callbacks=[lightgbm.record_evaluation(results)],
                )
            run_id = active.info.run_id
            found = mlflow.get_run(run_id).data
            expected = {"objective": "binary", "num_leaves": "4", "num_boost_round": str(ROUNDS)}
            equal({key: found.params.get(key) for key in expected}, expected, "parameters")
            for name in ("train", "test"):
                for metric in ("auc", "binary_logloss"):
                    key, expected = f"{name}-{metric}", list(enumerate(results[name][metric]))
                    equal(history(session, run_id, key), expected, f"points of {key}")

        with session.check("LightGBM: the importance of features by splits and by gain"):
            for kind in ("split", "gain"):
                path = f"feature_importance_{kind}.json"
                stored = mlflow.artifacts.load_dict(f"runs:/{run_id}/{path}")
                importance = booster.feature_importance(kind).tolist()
                expected = dict(zip(booster.feature_name(), importance, strict=True))
                equal(stored, expected, kind)

        with session.check("LightGBM: the recorded model predicts as the trained one"):
            loaded = mlflow.lightgbm.load_model(f"runs:/{run_id}/model")
            same_numbers(loaded.predict(test), booster.predict(test))
            described(run_id)
    finally:
        mlflow.lightgbm.autolog(disable=True, silent=True)


def _lightgbm_stops_early(session: Session, split: list) -> None:
    train, test, train_target, test_target = split
    with session.check("LightGBM: a training that stops early records where, and its best values"):
        mlflow.lightgbm.autolog(silent=True, log_models=False)
        try:
            data = lightgbm.Dataset(train, train_target)
            held = lightgbm.Dataset(test, test_target, reference=data)
            params = {"objective": "binary", "learning_rate": 1.5}
            params |= {"verbosity": -1, "num_threads": 1}
            with mlflow.start_run() as active:
                booster = lightgbm.train(
                    params,
                    data,
                    200,
                    valid_sets=[held],
                    callbacks=[lightgbm.early_stopping(3, verbose=False)],
                )
        finally:
            mlflow.lightgbm.autolog(disable=True, silent=True)
        metrics = mlflow.get_run(active.info.run_id).data.metrics
        equal(metrics["best_iteration"], float(booster.best_iteration), "best round")
        last = metrics["stopped_iteration"]
        equal(booster.best_iteration < last < 200, True, f"last round {last}")
        equal("model" in listing(session, active.info.run_id), False, "a model was recorded")


def described(run_id: str) -> None:
    """Raises unless the run has one model as output, which is ready and has metrics of the run."""
    (output,) = mlflow.get_run(run_id).outputs.model_outputs
    model = mlflow.get_logged_model(output.model_id)
    equal((model.source_run_id, str(model.status)), (run_id, "READY"), "its run and status")
    equal({metric.run_id for metric in model.metrics}, {run_id}, "runs of the model's metrics")


def same_numbers(found, expected) -> None:
    """Raises unless two arrays are equal to the last bit."""
    if not numpy.array_equal(numpy.asarray(found), numpy.asarray(expected)):
        raise AssertionError(f"expected {expected[:3]}…, found {found[:3]}…")
