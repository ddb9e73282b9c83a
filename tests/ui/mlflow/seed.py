"""Logs what the tests of MLflow's own pages look at, with the client of either release. Prints the ids as JSON.

  seed.py --uri http://127.0.0.1:5000
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--uri", required=True)
args = parser.parse_args()

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"
os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"

import matplotlib  # noqa: E402

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
import mlflow  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

mlflow.set_tracking_uri(args.uri)
client = MlflowClient()
MLFLOW_3 = int(mlflow.__version__.split(".")[0]) >= 3
NOW = int(time.time() * 1000)
MARK = f"{NOW % 10**8}"


def classifier():
    """A small model, its table and a signature for it."""
    table = pd.DataFrame({"width": [0.0, 1.0, 2.0, 3.0], "height": [1.0, 0.0, 3.0, 2.0]})
    model = LogisticRegression().fit(table, [0, 0, 1, 1])
    return model, table, mlflow.models.infer_signature(table, model.predict(table))


def log_model(name, registered=None):
    model, table, signature = classifier()
    place = {"name": name} if MLFLOW_3 else {"artifact_path": name}
    more = {} if registered is None else {"registered_model_name": registered}
    return mlflow.sklearn.log_model(
        model, **place, signature=signature, input_example=table, pip_requirements=["scikit-learn"], **more
    )


def write_artifacts():
    """One file of each kind that the viewer has a view for, and one that it has none for."""
    mlflow.log_text("first line\nsecond line of the notes\n", "notes.txt")
    mlflow.log_text("def train(rate):\n    return rate * 2\n", "code/train.py")
    mlflow.log_dict({"depth": 50, "layers": ["conv", "dense"]}, "config.json")
    mlflow.log_text("label,score\ncat,0.91\nemu,0.85\n", "scores.csv")
    mlflow.log_text("<h1 id='title'>Report of a run</h1><p>in HTML</p>", "report.html")
    mlflow.log_text("# Notes in Markdown\n\nwith **bold** words\n", "README.md")
    mlflow.log_table({"prompt": ["hi", "there"], "answer": ["hello", "you"]}, "table.json")
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.plot([1, 2, 3])
    mlflow.log_figure(figure, "plots/line.png")
    plt.close(figure)
    for step in (0, 5):
        mlflow.log_image(np.full((16, 16, 3), 40 * step + 20, dtype=np.uint8), key="sample", step=step)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "weights.bin")
        with open(path, "wb") as file:
            file.write(bytes(range(256)))
        mlflow.log_artifact(path)


def log_child(number, dataset):
    rate = 10.0 ** (-1 - number)
    with mlflow.start_run(run_name=f"child-{number}", nested=True) as child:
        mlflow.log_params({"rate": rate, "optimizer": "adam" if number % 2 == 0 else "sgd", "epochs": 30})
        points = [
            Metric(key, value, NOW + step * 1000, step)
            for step in range(30)
            for key, value in (
                ("loss", 2 * math.exp(-step / (5 + number)) + number / 10),
                ("val/accuracy", (1 - math.exp(-step / 8)) * (1 - number / 10)),
                ("system/cpu", 40.0 + step % 7),
            )
        ]
        client.log_batch(child.info.run_id, metrics=points, params=[Param("batch", "32")])
        mlflow.log_metric("single", 1.5 + number)
        mlflow.set_tag("release", "candidate" if number < 2 else "rejected")
        mlflow.log_input(dataset, context="training")
        if number == 0:
            write_artifacts()
        return child.info.run_id


def sweep():
    name = f"mlflow-ui/sweep-{MARK}"
    experiment = client.create_experiment(name, tags={"team": "vision"})
    client.set_experiment_tag(experiment, "mlflow.note.content", "# About this sweep\n\nover **rates**")
    mlflow.set_experiment(experiment_id=experiment)
    frame = pd.DataFrame({"width": [0.1, 0.2], "label": ["a", "b"]})
    dataset = mlflow.data.from_pandas(frame, name="flowers", targets="label")
    with mlflow.start_run(run_name="parent", description="The run *above* the others") as parent:
        mlflow.log_param("strategy", "grid")
        children = [log_child(number, dataset) for number in range(4)]
    with mlflow.start_run(run_name="with-model") as run:
        mlflow.log_metric("loss", 0.25)
        logged = log_model("classifier")
    return {
        "experiment": experiment,
        "name": name,
        "parent": parent.info.run_id,
        "children": children,
        "model_run": run.info.run_id,
        "logged_model": logged.model_id if MLFLOW_3 else None,
    }


def registry():
    experiment = client.create_experiment(f"mlflow-ui/registered-{MARK}")
    mlflow.set_experiment(experiment_id=experiment)
    name = f"classifier-{MARK}"
    for _ in range(2):
        with mlflow.start_run():
            log_model("classifier", registered=name)
    client.update_registered_model(name, description="Tells *flowers* apart")
    client.update_model_version(name, "1", description="The first version")
    client.set_registered_model_tag(name, "team", "vision")
    client.set_model_version_tag(name, "1", "checked", "yes")
    client.set_registered_model_alias(name, "champion", "1")
    return {"name": name}


def ask(question):
    """A trace of three spans of kinds that have a view of their own."""
    with mlflow.start_span(name="ask", span_type="CHAIN") as root:
        root.set_inputs({"question": question})
        with mlflow.start_span(name="retrieve", span_type="RETRIEVER") as span:
            span.set_inputs({"query": question})
            span.set_outputs([{"page_content": "Iris has petals", "metadata": {"doc_uri": "a.md"}}])
        with mlflow.start_span(name="generate", span_type="CHAT_MODEL") as span:
            span.set_inputs({"messages": [{"role": "user", "content": question}]})
            span.set_outputs({"choices": [{"message": {"role": "assistant", "content": "An answer"}}]})
        root.set_outputs({"answer": "An answer"})
    return root.trace_id if MLFLOW_3 else root.request_id


def fail(question):
    try:
        with mlflow.start_span(name="broken") as span:
            span.set_inputs({"question": question})
            raise ValueError("this span failed")
    except ValueError:
        pass


def traces():
    name = f"mlflow-ui/traces-{MARK}"
    experiment = client.create_experiment(name)
    mlflow.set_experiment(experiment_id=experiment)
    ids = [ask(f"What is flower number {number}?") for number in range(3)]
    fail("What breaks?")
    client.set_trace_tag(ids[0], "topic", "flowers")
    if MLFLOW_3:
        mlflow.flush_trace_async_logging()
        mlflow.log_feedback(trace_id=ids[0], name="helpful", value=True, rationale="it answers")
        mlflow.log_expectation(trace_id=ids[0], name="expected", value="An answer")
    return {"experiment": experiment, "name": name, "ids": ids}


# What the client says while it logs goes beside the ids.
printed, sys.stdout = sys.stdout, sys.stderr
made = {"mark": MARK, "sweep": sweep(), "registry": registry(), "traces": traces()}
json.dump(made, printed)
