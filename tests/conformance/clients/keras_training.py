"""Keras on top of JAX, by autologging and by the callback that users place themselves."""

from __future__ import annotations

import keras
import mlflow
import mlflow.keras
import numpy

from asking import history, listing
from boosting import same_numbers
from checks import equal
from session import Session

EPOCHS = 3


def run(session: Session) -> None:
    """Trains a small network twice."""
    keras.utils.set_random_seed(7)
    random = numpy.random.default_rng(7)
    features = random.random((64, 3)).astype("float32")
    target = (features.sum(axis=1) > 1.5).astype("float32")
    _autologged(session, features, target)
    _by_callback(session, features, target)


def _network() -> keras.Model:
    network = keras.Sequential(
        [keras.Input([3]), keras.layers.Dense(4, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    network.compile(
        loss="binary_crossentropy", optimizer=keras.optimizers.SGD(0.25), metrics=["accuracy"]
    )
    return network


def _autologged(session: Session, features: numpy.ndarray, target: numpy.ndarray) -> None:
    with session.check("Keras: parameters, and loss and accuracy of each epoch"):
        mlflow.keras.autolog(silent=True)
        try:
            network = _network()
            with mlflow.start_run() as active:
                fitted = network.fit(features, target, batch_size=16, epochs=EPOCHS, verbose=0)
        finally:
            mlflow.keras.autolog(disable=True, silent=True)
        run_id = active.info.run_id
        params = mlflow.get_run(run_id).data.params
        expected = {"batch_size": "16", "epochs": str(EPOCHS), "optimizer_name": "sgd"}
        equal({key: params.get(key) for key in expected}, expected, "parameters")
        equal(params["optimizer_learning_rate"], "0.25", "learning rate")
        for key in ("loss", "accuracy"):
            expected = list(enumerate(fitted.history[key]))
            equal(history(session, run_id, key), expected, f"values of {key}")

    with session.check("Keras: a summary, the data, and a model that predicts as it did"):
        names = listing(session, run_id)
        equal("model_summary.txt" in names, True, f"summary in {names}")
        inputs = mlflow.get_run(run_id).inputs.dataset_inputs
        equal([tag.value for entry in inputs for tag in entry.tags], ["train"], "contexts")
        loaded = mlflow.keras.load_model(f"runs:/{run_id}/model")
        same_numbers(loaded.predict(features, verbose=0), network.predict(features, verbose=0))


def _by_callback(session: Session, features: numpy.ndarray, target: numpy.ndarray) -> None:
    with session.check("Keras: MLflow's callback logs every few steps"):
        network = _network()
        with mlflow.start_run() as active:
            callback = mlflow.keras.MlflowCallback(log_every_epoch=False, log_every_n_steps=2)
            network.fit(features, target, batch_size=16, epochs=2, verbose=0, callbacks=[callback])
            network.evaluate(features, target, verbose=0, callbacks=[callback])
        points = history(session, active.info.run_id, "loss")
        equal([step for step, _ in points], [2, 4, 6, 8], "steps")
        metrics = mlflow.get_run(active.info.run_id).data.metrics
        equal("validation_loss" in metrics, True, f"loss of the evaluation in {set(metrics)}")
