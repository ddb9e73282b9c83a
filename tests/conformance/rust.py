"""What Rust logs, the official client reads back equal, and the other way round.

    python rust.py --uri URI --log PROGRAM --describe PROGRAM --folder FOLDER

The programs are the examples `log_all` and `describe` of the crate `runledger`; the URI is a
server's, a database's or a folder's, and both sides open it in FOLDER.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pathlib
import subprocess
import time
from typing import Any

import session as sessions

sessions.environment()
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

import mlflow  # noqa: E402 - reads its environment when imported
import numpy  # noqa: E402
import pandas  # noqa: E402
import yaml  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402
from PIL import Image  # noqa: E402

from checks import Checks, equal, same_entries  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uri", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--describe", required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    os.chdir(arguments.folder)
    mlflow.set_tracking_uri(arguments.uri)
    checks = Checks(f"rust on {arguments.name}")
    scratch = arguments.folder / "scratch"
    scratch.mkdir()
    rich().to_parquet(scratch / "table.parquet")
    with checks.check("the example log_all ends well"):
        logged = program([arguments.log, arguments.uri, str(scratch)])
        Reader(checks, logged, arguments.folder).run()
    written(checks, arguments)
    checks.finish()


def rich() -> pandas.DataFrame:
    """Columns of every type that both sides have."""
    return pandas.DataFrame(
        {
            "bits": [True, False],
            "small": numpy.array([1, 2], dtype="int16"),
            "large": [1, 2],
            "single": numpy.array([0.5, 1], dtype="float32"),
            "double": [0.5, 1.5],
            "text": ["a", "ü"],
            "gaps": ["a", None],
            "bytes": [b"a", b"b"],
            "when": pandas.to_datetime(["2020-01-01", "2021-01-01"]),
            "lists": [[1, 2], [3]],
        }
    )


def program(command: list[str]) -> Any:
    """The JSON that a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


class Reader:
    """Compares a run that was logged from Rust."""

    def __init__(self, checks: Checks, logged: dict, folder: pathlib.Path) -> None:
        self.checks = checks
        self.logged = logged
        self.folder = folder
        self.client = MlflowClient()
        self.run_id = logged["run_id"]
        self.found = self.client.get_run(self.run_id)

    def run(self) -> None:
        self.values()
        self.files()
        self.forms()
        self.datasets()
        self.model()

    def values(self) -> None:
        info, data = self.found.info, self.found.data
        with self.checks.check("params, tags and the run itself are equal"):
            same_entries(data.params, self.logged["params"], "params")
            equal((info.run_name, info.status), ("of Rust", "FINISHED"))
            equal(info.experiment_id, self.logged["experiment_id"])
            equal(info.end_time >= info.start_time > 1_600_000_000_000, True, "times")
            expected = {
                "team": "x",
                "at the start": "é ✓",
                "mlflow.note.content": "logged from Rust",
                "mlflow.source.type": "LOCAL",
                "mlflow.user": info.user_id,
                "mlflow.loggedImages": "True",
            }
            same_entries({key: data.tags.get(key) for key in expected}, expected, "tags")
            child = self.client.get_run(self.logged["child_id"])
            equal((child.info.status, child.data.tags["mlflow.parentRunId"]), ("FAILED", self.run_id))

        with self.checks.check("metrics have every digit, their times and their steps"):
            for key, expected in self.logged["metrics"].items():
                found = self.client.get_metric_history(self.run_id, key)
                points = [(same(p.value), p.timestamp, p.step) for p in found]
                wanted = [(same(float(v)), timestamp, step) for v, timestamp, step in expected]
                equal(sorted(points), sorted(as_kept(wanted, points)), key)
            equal((data.metrics["accuracy"], data.metrics["recall"]), (0.875, 1.0), "latest")

        with self.checks.check("system metrics have the names that MLflow's have here"):
            mlflow.set_system_metrics_sampling_interval(0.05)
            mlflow.set_experiment(experiment_id=info.experiment_id)
            with mlflow.start_run(log_system_metrics=True) as active:
                time.sleep(1)
            theirs = self.client.get_run(active.info.run_id).data.metrics
            ours = self.client.get_run(self.logged["measured_id"]).data.metrics
            equal(sorted(ours), sorted(theirs), "names")
            for key in ("system_memory_usage_megabytes", "disk_usage_megabytes"):
                ratio = ours[f"system/{key}"] / theirs[f"system/{key}"]
                equal(0.5 < ratio < 2, True, f"{key}: {ratio}")

    def files(self) -> None:
        with self.checks.check("files are listed and downloaded byte for byte"):
            texts = self.logged["files"]["texts"]
            for root in ("by folder", "folder"):
                target = self.folder / f"down {root}"
                target.mkdir()
                path = self.client.download_artifacts(self.run_id, root, str(target))
                found = {
                    file.relative_to(path).as_posix(): file.read_text(encoding="utf-8")
                    for file in pathlib.Path(path).rglob("*")
                    if file.is_file()
                }
                same_entries(found, texts, root)
            names = sorted(entry.path for entry in self.client.list_artifacts(self.run_id))
            expected = ["by file", "by folder", "folder", "images", "notes", "plots"]
            expected += ["settings.json", "settings.yaml", "table.json"]
            equal(names, expected, "root")

    def forms(self) -> None:
        uri, files = f"runs:/{self.run_id}", self.logged["files"]
        with self.checks.check("texts, values, images and figures have MLflow's forms"):
            equal(mlflow.artifacts.load_text(f"{uri}/notes/hello.txt"), "Grüße\nzwei\n")
            equal(mlflow.artifacts.load_dict(f"{uri}/settings.json"), files["settings"], "JSON")
            text = mlflow.artifacts.load_text(f"{uri}/settings.yaml")
            equal(yaml.safe_load(text), files["settings"], "YAML")
            equal(mlflow.artifacts.load_image(f"{uri}/plots/pixel.png").size, (1, 1), "image")
            (image,) = self.client.list_artifacts(self.run_id, "images")
            equal(image.path.startswith("images/dogs~train+step+3+timestamp+"), True, image.path)
            path = mlflow.artifacts.download_artifacts(f"{uri}/{image.path}")
            equal(Image.open(path).format, "PNG", "image of a step")
        with self.checks.check("a table is loaded as one, and its tag is MLflow's"):
            # Tables are looked for in the active experiment.
            mlflow.set_experiment(experiment_id=self.found.info.experiment_id)
            table = mlflow.load_table("table.json", run_ids=[self.run_id])
            equal(table.to_dict("list"), files["table"], "rows")
            tag = json.loads(self.found.data.tags["mlflow.loggedArtifacts"])
            equal(tag, [{"path": "table.json", "type": "table"}], "tag")
            with mlflow.start_run(run_id=self.run_id):
                mlflow.log_table({"x": [4], "y": ["d"]}, "table.json")
            table = mlflow.load_table("table.json", run_ids=[self.run_id])
            equal(table["x"].tolist(), [1, 2, 3, 4], "rows with Python's")

    def datasets(self) -> None:
        logged = self.logged["datasets"]
        inputs = {it.dataset.name: it for it in self.found.inputs.dataset_inputs}
        with self.checks.check("a Parquet file has the schema and profile of from_pandas"):
            table = inputs.pop("table")
            theirs = mlflow.data.from_pandas(rich()).to_dict()
            for field in ("schema", "profile"):
                ours = getattr(table.dataset, field)
                equal(json.loads(ours), json.loads(theirs[field]), field)
        with self.checks.check("datasets are inputs with their contexts and tags"):
            equal(sorted(inputs), ["made", "remote", "wine"], "names")
            tags = {
                name: {tag.key: tag.value for tag in entry.tags} for name, entry in inputs.items()
            }
            expected = {
                "wine": {"mlflow.data.context": "training", "split": "0.8"},
                "remote": {"mlflow.data.context": "eval"},
                "made": {},
            }
            equal(tags, expected, "tags")
            equal(inputs["wine"].dataset.digest, logged["digest"], "digest")

        with self.checks.check("a CSV file has the schema and profile of from_pandas"):
            frame = pandas.read_csv(logged["csv"])
            theirs = mlflow.data.from_pandas(frame, source=logged["csv"], name="wine").to_dict()
            for field in ("schema", "profile", "source"):
                ours = getattr(inputs["wine"].dataset, field)
                equal(json.loads(ours), json.loads(theirs[field]), field)
            equal(inputs["wine"].dataset.source_type, theirs["source_type"], "type of source")

        with self.checks.check("their sources are opened by mlflow.data.get_source"):
            source = mlflow.data.get_source(inputs["wine"].dataset)
            equal(pathlib.Path(source.load()).read_bytes(), pathlib.Path(logged["csv"]).read_bytes())
            equal(mlflow.data.get_source(inputs["remote"].dataset).url, "https://h/x.csv", "URL")
            kinds = [mlflow.data.get_source(inputs[name].dataset)._get_source_type() for name in inputs]
            equal(sorted(kinds), ["code", "http", "local"], "kinds")

    def model(self) -> None:
        model_id = self.logged["model"]["model_id"]
        with self.checks.check("a model is ready, found by search, and an output of its run"):
            model = mlflow.get_logged_model(model_id)
            equal((model.name, str(model.status)), ("net", "READY"), "name and status")
            equal((model.model_type, model.source_run_id), ("Classifier", self.run_id))
            equal(model.params, {"layers": "3"}, "params")
            equal((model.tags["stage"], model.tags["mlflow.source.type"]), ("candidate", "LOCAL"))
            found = mlflow.search_logged_models(
                experiment_ids=[self.logged["experiment_id"]],
                filter_string="name = 'net' AND params.layers = '3'",
                output_format="list",
            )
            equal([entry.model_id for entry in found], [model_id], "search")
            outputs = self.found.outputs.model_outputs
            equal([(it.model_id, it.step) for it in outputs], [(model_id, 12)], "outputs")

        with self.checks.check("MLflow understands its MLmodel, and downloads its files"):
            info = mlflow.models.get_model_info(f"models:/{model_id}")
            equal(info.flavors["candle"]["weights"], "net.bin", "flavor")
            equal((info.model_id, info.run_id), (model_id, self.run_id), "ids")
            equal(info.signature.inputs.input_names(), ["x"], "inputs")
            path = mlflow.artifacts.download_artifacts(f"models:/{model_id}")
            equal((pathlib.Path(path) / "net.bin").read_bytes(), bytes([7] * 1000), "file")


def written(checks: Checks, arguments: argparse.Namespace) -> None:
    """Logs with Python, and compares what Rust describes."""
    frame = pandas.DataFrame({"x": [1, 2], "y": [0.5, None], "z": ["a", "ü"]})
    values = [0.1, 1 / 3, -0.0, 1e300, 5e-324, float("nan"), float("inf"), -float("inf")]
    mlflow.set_experiment("from Python")
    with mlflow.start_run(run_name="of Python", tags={"at the start": "é ✓"}) as active:
        run_id = active.info.run_id
        mlflow.log_params({"depth": 7, "text": "Größe 模型 😀", "empty": ""})
        for step, value in enumerate(values):
            timestamp = 1_700_000_000_000 + step
            mlflow.MlflowClient().log_metric(run_id, "m", value, timestamp=timestamp, step=step)
        mlflow.log_text("Grüße\n", "deep/er/Größe 模型.txt")
        mlflow.log_dict({"a": 1}, "settings.json")
        mlflow.log_table({"x": [1, 2], "y": ["a", None]}, "table.json")
        data = mlflow.data.from_pandas(frame, name="frame")
        mlflow.log_input(data, context="training", tags={"split": "0.8"})
        model = mlflow.pyfunc.log_model(
            name="model", python_model=Echo(), params={"p": "1"}, tags={"t": "2"}, step=5,
            pip_requirements=[],
        )
    with checks.check("the example describe ends well"):
        found = program([arguments.describe, arguments.uri, run_id])
        described(checks, found, run_id, data, model)


class Echo(mlflow.pyfunc.PythonModel):
    """A model that does nothing."""

    def predict(self, context: Any, model_input: list[str], params: Any = None) -> list[str]:
        return model_input


def described(checks: Checks, found: dict, run_id: str, data: Any, model: Any) -> None:
    """Compares what Rust reads with what Python does."""
    client = MlflowClient()
    run = client.get_run(run_id)
    with checks.check("Rust reads Python's run, params and tags"):
        info = run.info
        expected = (info.run_name, info.status, info.user_id, info.start_time, info.end_time)
        keys = ("name", "status", "user", "start_time", "end_time")
        equal(tuple(found[key] for key in keys), expected, "run")
        same_entries(found["params"], run.data.params, "params")
        same_entries(found["tags"], run.data.tags, "tags")
    with checks.check("Rust reads every digit of Python's metrics"):
        equal(sorted(found["metrics"]), sorted(run.data.metrics), "keys")
        points = [(same(float(v)), time, step) for v, time, step in found["metrics"]["m"]]
        theirs = client.get_metric_history(run_id, "m")
        expected = [(same(p.value), p.timestamp, p.step) for p in theirs]
        equal(sorted(points), sorted(expected), "points")
        # MLflow logs the latest values once more when it logs a model.
        equal(len({step for _, _, step in points}), 8, "steps")
    with checks.check("Rust lists Python's files and loads its table"):
        sizes = {path: size for path, size in every_file(client, run_id)}
        equal(found["files"], sizes, "files")
        table = {"columns": ["x", "y"], "rows": [[1, "a"], [2, None]]}
        equal(found["table"], table, "table")
    with checks.check("Rust reads Python's datasets"):
        (dataset,) = found["datasets"]
        equal(dataset.pop("tags"), {"mlflow.data.context": "training", "split": "0.8"}, "tags")
        same_entries(dataset, data.to_dict(), "dataset")
    with checks.check("Rust reads Python's model"):
        (output,) = found["models"]
        theirs = mlflow.get_logged_model(model.model_id)
        equal((output["model_id"], output["step"]), (model.model_id, 5), "output")
        equal((output["name"], output["status"]), ("model", "LOGGED_MODEL_READY"), "state")
        same_entries(output["params"], theirs.params, "params")
        same_entries(output["tags"], theirs.tags, "tags")
        equal("MLmodel" in output["files"], True, "files")


def every_file(client: MlflowClient, run_id: str, path: str | None = None) -> Any:
    """All files of a run with their sizes; those of its models are not the run's."""
    for entry in client.list_artifacts(run_id, path):
        if entry.is_dir:
            yield from every_file(client, run_id, entry.path)
        else:
            yield entry.path, entry.file_size


def same(value: float) -> str:
    """A number as text, by which also NaN equals itself, and 0 not -0."""
    return "nan" if math.isnan(value) else repr(value)


def as_kept(wanted: list, found: list) -> list:
    """Values as they are kept: databases have no infinities, and SQLite no 0 with a sign."""
    kept = {"inf": repr(1.7976931348623157e308), "-inf": repr(-1.7976931348623157e308)}
    kept["-0.0"] = "0.0"
    as_is = {value for value, _, _ in found}
    return [
        (value if value in as_is else kept.get(value, value), *rest) for value, *rest in wanted
    ]


if __name__ == "__main__":
    main()
