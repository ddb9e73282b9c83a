"""Makes the committed folders `mlruns-<version>` and what MLflow itself reads from them.

    python make_mlruns.py        (MLflow 2.17.2, and 3.17.2 with MLFLOW_ALLOW_FILE_STORE=true)

Writes `mlruns-<version>/` and `mlruns-<version>.json` beside this script. Ids and times
differ from run to run; the tests take them from the JSON file.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking import MlflowClient

version = mlflow.__version__
here = Path(__file__).resolve().parent
root = Path("/tmp/runledger-fixture/mlruns")
shutil.rmtree(root.parent, ignore_errors=True)
client = MlflowClient(root.as_uri())

first = client.create_experiment("vision: é #1", tags={"team/name": "a\nb", "note": "7"})
second = client.create_experiment("gone", artifact_location="s3://bucket/gone")


def run(experiment, name, **tags):
    return client.create_run(experiment, run_name=name, tags=tags, start_time=1700000000000)


parent = run(first, "parent 'one' " + "long word " * 12 + "😀", **{"mlflow.user": "ana"})
run_id = parent.info.run_id
client.log_batch(
    run_id,
    metrics=[
        Metric("loss", 0.5, 1, 0),
        Metric("loss", 1e-05, 2, 1),
        Metric("loss", float("nan"), 2, 1),
        Metric("val/acc/top 1", 1e16, 5, -3),
        Metric("val/acc/top 1", float("inf"), 4, -3),
        Metric("down", float("-inf"), 4, 0),
        Metric("nothing", float("nan"), 9, 0),
        Metric("nothing", 3.0, 9, 0),
    ],
    params=[
        Param("lr", "0.01"),
        Param("opt/name", "adam\nw"),
        Param("empty", ""),
        Param("trail", "x\n"),
    ],
    tags=[RunTag("mlflow.note.content", "# Title\n\ntext: é 😀\n"), RunTag("a.b/c", " x ")],
)
# Fields: name, digest, source_type, source, schema, profile.
client.log_inputs(
    run_id,
    [
        DatasetInput(
            Dataset("iris: 1", "abc123", "code", '{"tags": {}}', '{"cols": ["a: b"]}', None),
            [InputTag("mlflow.data.context", "train"), InputTag("k", "yes")],
        ),
        DatasetInput(Dataset("plain", "9", "local", "/data"), []),
    ],
)
child = run(first, "child", **{"mlflow.parentRunId": run_id})
client.log_metric(child.info.run_id, "loss", 2, timestamp=11, step=7)
client.set_terminated(child.info.run_id, "FAILED", end_time=1700000001000)
deleted = run(first, "123")
client.delete_run(deleted.info.run_id)
trashed = run(second, "null")
client.delete_experiment(second)

models = []
if hasattr(client, "create_logged_model"):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, LoggedModelParameter

    model = client.create_logged_model(
        first,
        name="net",
        source_run_id=run_id,
        tags={"stage": "x: y"},
        params={"depth": "3"},
        model_type="Agent",
    )
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 4)])
    client.log_inputs(child.info.run_id, models=[LoggedModelInput(model.model_id)])
    client.log_metric(run_id, "acc", 0.5, 21, 1, model_id=model.model_id)
    client.log_metric(
        run_id, "f1", 0.25, 22, 2, model_id=model.model_id, dataset_name="d", dataset_digest="9f"
    )
    client.finalize_logged_model(model.model_id, "READY")
    other = client.create_logged_model(first, name="old")
    client.delete_logged_model(other.model_id)
    models = [client.get_logged_model(model.model_id)]

runs = []
for entry in [parent, child, deleted, trashed]:
    got = client.get_run(entry.info.run_id)
    info = got.info
    runs.append(
        {
            "info": {
                key: getattr(info, key)
                for key in (
                    "run_id experiment_id run_name user_id status start_time end_time "
                    "artifact_uri lifecycle_stage"
                ).split()
            },
            "params": got.data.params,
            "tags": got.data.tags,
            "metrics": {
                m.key: [repr(m.value), m.timestamp, m.step] for m in got.data._metric_objs
            },
            "history": {
                key: [
                    [repr(m.value), m.timestamp, m.step]
                    for m in client.get_metric_history(info.run_id, key)
                ]
                for key in got.data.metrics
            },
            "datasets": [
                {
                    "tags": {t.key: t.value for t in i.tags},
                    "dataset": {
                        k: getattr(i.dataset, k)
                        for k in "name digest source_type source schema profile".split()
                    },
                }
                for i in got.inputs.dataset_inputs
            ],
        }
    )
expected = {
    "experiments": [
        {
            key: getattr(e, key)
            for key in (
                "experiment_id name artifact_location lifecycle_stage creation_time "
                "last_update_time tags"
            ).split()
        }
        for e in map(client.get_experiment, ["0", first, second])
    ],
    "runs": runs,
    "models": [
        {
            "model_id": m.model_id,
            "name": m.name,
            "status": str(m.status),
            "params": m.params,
            "tags": m.tags,
            "metrics": [
                [x.key, repr(x.value), x.timestamp, x.step, x.run_id, x.dataset_name]
                for x in m.metrics
            ],
        }
        for m in models
    ],
}
target = here / f"mlruns-{version}"
shutil.rmtree(target, ignore_errors=True)
shutil.copytree(root, target)
(here / f"mlruns-{version}.json").write_text(
    json.dumps(expected, indent=1, ensure_ascii=False) + "\n"
)
