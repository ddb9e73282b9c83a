"""Metrics of MLflow 3 that are tied to a model and a data set, and the links that they make."""

from __future__ import annotations

import mlflow
import pandas
from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric

from asking import refused
from checks import equal
from session import Session


def run(session: Session) -> None:
    """Ties metrics to models and data in every way, and reads the links from all sides."""
    _both(session)
    _active_model(session)
    _outputs(session)


def _both(session: Session) -> None:
    data = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 0]})
    validation = mlflow.data.from_pandas(data, name="validation", targets="y")
    test = mlflow.data.from_pandas(data.head(2), name="test", targets="y")
    model = mlflow.create_external_model(name="measured")

    with session.check("log_metric ties a value to a model and a data set, and these to the run"):
        with mlflow.start_run() as active:
            mlflow.log_metric("acc", 0.75, step=2, model_id=model.model_id, dataset=validation)
            mlflow.log_metrics(
                {"acc": 0.5, "f1": 0.25}, step=3, model_id=model.model_id, dataset=test
            )
        found = mlflow.get_run(active.info.run_id)
        equal(found.data.metrics, {"acc": 0.5, "f1": 0.25}, "metrics of the run")
        data_sets = [entry.dataset for entry in found.inputs.dataset_inputs]
        inputs = [(data_set.name, data_set.digest) for data_set in data_sets]
        expected = [(each.name, each.digest) for each in (validation, test)]
        equal(sorted(inputs), sorted(expected), "data of the run")
        models = [entry.model_id for entry in found.inputs.model_inputs]
        equal(models, [model.model_id], "models that went into the run")

    with session.check("the model shows its metrics with run, data and step"):
        metrics = mlflow.get_logged_model(model.model_id).metrics
        equal(
            sorted(
                (m.key, m.value, m.step, m.dataset_name, m.dataset_digest, m.run_id, m.model_id)
                for m in metrics
            ),
            sorted(
                (key, value, step, data.name, data.digest, active.info.run_id, model.model_id)
                for key, value, step, data in (
                    ("acc", 0.75, 2, validation),
                    ("acc", 0.5, 3, test),
                    ("f1", 0.25, 3, test),
                )
            ),
            "metrics of the model",
        )

    with session.check("the client ties metrics one by one and in batches"):
        run_id = session.client.create_run(session.experiment_id).info.run_id
        other = mlflow.create_external_model(name="measured by client")
        session.client.log_metric(
            run_id,
            "acc",
            0.5,
            step=1,
            model_id=other.model_id,
            dataset_name=test.name,
            dataset_digest=test.digest,
        )
        session.client.log_batch(
            run_id,
            [
                Metric("loss", 1 / (step + 1), 1_000 + step, step, model_id=other.model_id)
                for step in range(5)
            ],
        )
        metrics = session.client.get_logged_model(other.model_id).metrics
        equal(
            sorted((m.key, m.step, m.value, m.dataset_name) for m in metrics),
            [("acc", 1, 0.5, "test")] + [("loss", step, 1 / (step + 1), None) for step in range(5)],
            "metrics",
        )
        equal(session.client.get_run(run_id).data.metrics, {"acc": 0.5, "loss": 0.2}, "of the run")

    with session.check("a metric for a model that does not exist is refused"):
        with refused():
            session.client.log_metric(run_id, "x", 1.0, model_id="m-" + "0" * 32)
        equal("x" in session.client.get_run(run_id).data.metrics, False, "metric is there")


def _active_model(session: Session) -> None:
    with session.check("set_active_model makes a model by name and ties metrics to it"):
        active_model = mlflow.set_active_model(name="active")
        try:
            equal(mlflow.get_active_model_id(), active_model.model_id, "active model")
            with mlflow.start_run() as active:
                mlflow.log_metric("m", 3.0)
                mlflow.log_metrics({"n": 4.0})
        finally:
            mlflow.clear_active_model()
        equal(mlflow.get_active_model_id(), None, "active model after it was cleared")
        metrics = mlflow.get_logged_model(active_model.model_id).metrics
        equal(sorted((m.key, m.value) for m in metrics), [("m", 3.0), ("n", 4.0)], "metrics")
        inputs = mlflow.get_run(active.info.run_id).inputs.model_inputs
        equal([entry.model_id for entry in inputs], [active_model.model_id], "inputs of the run")

    with session.check("set_active_model finds a model of that name again, and by id"):
        with mlflow.set_active_model(name="active") as again:
            equal(again.model_id, active_model.model_id, "model by name")
        with mlflow.set_active_model(model_id=active_model.model_id) as again:
            equal(again.name, "active", "name by id")
        with refused("INVALID_PARAMETER_VALUE"):
            mlflow.set_active_model(model_id=active_model.model_id, name="another")


def _outputs(session: Session) -> None:
    with session.check("log_outputs and log_input tie models to a run on either side"):
        made = [mlflow.create_external_model(name=f"checkpoint {step}") for step in range(3)]
        taken = mlflow.create_external_model(name="base")
        with mlflow.start_run() as active:
            mlflow.log_input(model=LoggedModelInput(taken.model_id))
            mlflow.log_outputs(
                [LoggedModelOutput(model.model_id, step) for step, model in enumerate(made)]
            )
        found = mlflow.get_run(active.info.run_id)
        outputs = sorted((output.step, output.model_id) for output in found.outputs.model_outputs)
        expected = [(step, model.model_id) for step, model in enumerate(made)]
        equal(outputs, expected, "outputs")
        inputs = [entry.model_id for entry in found.inputs.model_inputs]
        equal(inputs, [taken.model_id], "inputs")

    with session.check("a metric at the step of an output goes to that output's model"):
        with mlflow.start_run(run_id=active.info.run_id):
            mlflow.log_metric("val", 0.125, step=1)
            mlflow.log_metric("val", 0.5, step=7)
        found = [
            [(m.key, m.value, m.step) for m in mlflow.get_logged_model(model.model_id).metrics]
            for model in made
        ]
        # The client asks for the outputs only when a run starts, so this is about one that resumed.
        equal(found, [[], [("val", 0.125, 1)], []], "metrics of the three models")

    with session.check("log_outputs is refused for a run that does not exist"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            session.client.log_outputs("0" * 32, [LoggedModelOutput(made[0].model_id, 0)])
