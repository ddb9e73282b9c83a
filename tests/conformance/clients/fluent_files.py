"""`mlflow.log_*` of files and `mlflow.artifacts`: written in every way, read back in every way."""

from __future__ import annotations

import io
import json
import pathlib

import mlflow
import yaml
from matplotlib import pyplot
from mlflow.exceptions import MlflowException

from asking import listing
from checks import equal
from session import MLFLOW_3, Session


def run(session: Session) -> None:
    """Writes files into one run, then lists, loads and downloads them."""
    with session.check("get_artifact_uri names the run's place and paths below it"):
        with mlflow.start_run() as active:
            equal(mlflow.get_artifact_uri(), active.info.artifact_uri, "root")
            equal(mlflow.get_artifact_uri("a/b.txt"), f"{active.info.artifact_uri}/a/b.txt", "path")

    run_id = _written(session)
    _figures(session)
    _listed(session, run_id)
    _downloaded(session, run_id)
    _other_run(session)


def _written(session: Session) -> str:
    with session.check("log_text, log_dict, log_artifact and log_artifacts write what is given"):
        source = session.folder("source")
        (source / "one.bin").write_bytes(bytes(range(256)))
        (source / "sub" / "sub").mkdir(parents=True)
        (source / "sub" / "two.txt").write_text("zwei\n")
        (source / "sub" / "sub" / "three.txt").write_text("")
        with mlflow.start_run() as active:
            run_id = active.info.run_id
            mlflow.log_text("Ein Text, 模型", "text.txt")
            mlflow.log_text("<p>Hallo</p>", "pages/index.html")
            mlflow.log_dict({"a": [1, 2.5, None, "ü"]}, "data.json")
            mlflow.log_dict({"a": [1, 2.5, None, "ü"]}, "data.yaml")
            mlflow.log_dict({"a": True}, "data.other")
            mlflow.log_artifact(str(source / "one.bin"))
            mlflow.log_artifact(str(source / "one.bin"), "deep/er")
            mlflow.log_artifacts(str(source), "tree")
        uri = f"runs:/{run_id}"
        equal(mlflow.artifacts.load_text(f"{uri}/text.txt"), "Ein Text, 模型", "text")
        equal(mlflow.artifacts.load_text(f"{uri}/pages/index.html"), "<p>Hallo</p>", "page")
        equal(mlflow.artifacts.load_dict(f"{uri}/data.json"), {"a": [1, 2.5, None, "ü"]}, "JSON")
        equal(
            yaml.safe_load(mlflow.artifacts.load_text(f"{uri}/data.yaml")),
            {"a": [1, 2.5, None, "ü"]},
            "YAML",
        )
        equal(json.loads(mlflow.artifacts.load_text(f"{uri}/data.other")), {"a": True}, "other")

    with session.check("a file that is logged again is replaced, longer or shorter"):
        with mlflow.start_run(run_id=run_id):
            mlflow.log_text("x" * 10_000, "again.txt")
            mlflow.log_text("short", "again.txt")
        equal(mlflow.artifacts.load_text(f"{uri}/again.txt"), "short", "text")
    if MLFLOW_3:
        with session.check("log_stream writes a stream to its end"):
            content = bytes(range(256)) * 1_000
            with mlflow.start_run(run_id=run_id):
                mlflow.log_stream(io.BytesIO(content), "stream/bytes.bin")
            path = mlflow.artifacts.download_artifacts(f"{uri}/stream/bytes.bin")
            equal(pathlib.Path(path).read_bytes() == content, True, "bytes are the same")
    return run_id


def _figures(session: Session) -> None:
    with session.check("log_figure writes a figure in the format of its name, with options"):
        figure, axes = pyplot.subplots(figsize=(2, 1))
        axes.plot([0, 1], [1, 0])
        with mlflow.start_run() as active:
            mlflow.log_figure(figure, "plot.png", save_kwargs={"dpi": 50})
            mlflow.log_figure(figure, "plots/plot.svg")
            mlflow.log_figure(figure, "plots/plot.pdf")
        pyplot.close(figure)
        uri = f"runs:/{active.info.run_id}"
        equal(mlflow.artifacts.load_image(f"{uri}/plot.png").size, (100, 50), "pixels")
        equal("<svg" in mlflow.artifacts.load_text(f"{uri}/plots/plot.svg"), True, "is SVG")
        path = mlflow.artifacts.download_artifacts(f"{uri}/plots/plot.pdf")
        equal(pathlib.Path(path).read_bytes()[:5], b"%PDF-", "first bytes")


def _listed(session: Session, run_id: str) -> None:
    expected = ["again.txt", "data.json", "data.other", "data.yaml", "deep/", "one.bin", "pages/"]
    expected += (["stream/"] if MLFLOW_3 else []) + ["text.txt", "tree/"]
    with session.check("list_artifacts shows one level in order, by run and by URI"):
        equal(listing(session, run_id), expected, "root by client")
        found = mlflow.artifacts.list_artifacts(run_id=run_id)
        equal([entry.path for entry in found], [path.rstrip("/") for path in expected], "root")
        for where in (
            {"run_id": run_id, "artifact_path": "tree/sub"},
            {"artifact_uri": f"runs:/{run_id}/tree/sub"},
            {"artifact_uri": f"{mlflow.get_run(run_id).info.artifact_uri}/tree/sub"},
        ):
            entries = [
                (entry.path.rsplit("tree/", 1)[-1], entry.is_dir, entry.file_size)
                for entry in mlflow.artifacts.list_artifacts(**where)
            ]
            equal(entries, [("sub/sub", True, None), ("sub/two.txt", False, 5)], str(where))

    with session.check("list_artifacts of a file, or of nothing, is empty"):
        for path in ("text.txt", "tree/one.bin", "nothing", "tree/nothing"):
            equal(listing(session, run_id, path), [], path)


def _downloaded(session: Session, run_id: str) -> None:
    uri = mlflow.get_run(run_id).info.artifact_uri
    with session.check("download_artifacts brings a file, by run, by runs:/ and by its own URI"):
        for number, where in enumerate(
            (
                {"run_id": run_id, "artifact_path": "deep/er/one.bin"},
                {"artifact_uri": f"runs:/{run_id}/deep/er/one.bin"},
                {"artifact_uri": f"{uri}/deep/er/one.bin"},
            )
        ):
            target = session.workspace / "files" / str(number)
            path = pathlib.Path(mlflow.artifacts.download_artifacts(**where, dst_path=str(target)))
            equal(path.read_bytes(), bytes(range(256)), str(where))
            equal(target in path.parents, True, f"{path} is below {target}")

    with session.check("download_artifacts brings a folder, and a run's whole tree"):
        path = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/tree")
        equal(files_in(path), {"one.bin", "sub/two.txt", "sub/sub/three.txt"}, "folder")
        target = session.folder("whole")
        mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=str(target))
        expected = {"again.txt", "data.json", "data.yaml", "data.other", "one.bin", "text.txt"}
        expected |= {"pages/index.html", "deep/er/one.bin", "tree/one.bin", "tree/sub/two.txt"}
        expected |= {"tree/sub/sub/three.txt"} | ({"stream/bytes.bin"} if MLFLOW_3 else set())
        equal(files_in(target), expected, "whole tree")
        equal((target / "tree/sub/sub/three.txt").read_bytes(), b"", "empty file")

    with session.check("what is not there is not loaded"):
        for load in (
            mlflow.artifacts.load_text,
            mlflow.artifacts.load_dict,
            mlflow.artifacts.load_image,
        ):
            try:
                load(f"runs:/{run_id}/none.json")
            except (MlflowException, OSError):
                pass
            else:
                raise AssertionError(f"{load.__name__} found a file that was never logged")

    with session.check("a file that is of another kind is not taken for it"):
        for load in (mlflow.artifacts.load_dict, mlflow.artifacts.load_image):
            try:
                load(f"runs:/{run_id}/text.txt")
            except MlflowException as refusal:
                equal("Unable to form" in refusal.message, True, f"reason in `{refusal.message}`")
            else:
                raise AssertionError(f"{load.__name__} took text for its own")


def _other_run(session: Session) -> None:
    with session.check("files go to a run that is not active, when it is named"):
        other = session.client.create_run(session.experiment_id).info.run_id
        source = session.folder("other")
        (source / "f.txt").write_text("f")
        with mlflow.start_run() as active:
            mlflow.log_text("t", "t.txt", run_id=other)
            mlflow.log_dict({"d": 1}, "d.json", run_id=other)
            mlflow.log_artifact(str(source / "f.txt"), run_id=other)
            mlflow.log_artifacts(str(source), "folder", run_id=other)
            mlflow.log_table({"a": [1]}, "table.json", run_id=other)
        equal(listing(session, active.info.run_id), [], "active run")
        expected = ["d.json", "f.txt", "folder/", "t.txt", "table.json"]
        equal(listing(session, other), expected, "named run")


def files_in(folder: str | pathlib.Path) -> set[str]:
    """The paths of all files below a folder."""
    folder = pathlib.Path(folder)
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
