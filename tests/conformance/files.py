"""Artifacts: text, JSON, figures, images, tables, folders; listed, downloaded, and deleted."""

from __future__ import annotations

import hashlib
import pathlib

import mlflow
import numpy
from matplotlib import pyplot
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from checks import equal
from session import Session

AWKWARD_NAMES = ("plus+and space.txt", "Größe 模型.txt", "100%.txt", "a&b=c;d.txt")


def run(session: Session) -> None:
    """Writes files of every kind into one run and reads them back byte for byte."""
    with session.check("text, JSON, YAML, a figure, an image and a table are logged and listed"):
        with mlflow.start_run(run_name="files") as active:
            run_id = active.info.run_id
            mlflow.log_text("Grüße\nzwei\n", "notes/hello.txt")
            mlflow.log_dict({"depth": 3, "names": ["a", "ü"]}, "settings.json")
            mlflow.log_dict({"depth": 3}, "settings.yaml")
            figure, axes = pyplot.subplots()
            axes.plot([0, 1, 2], [3, 1, 2])
            mlflow.log_figure(figure, "plots/line.png")
            pyplot.close(figure)
            mlflow.log_image(numpy.zeros((8, 8, 3), dtype=numpy.uint8), "plots/black.png")
            mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
            mlflow.log_table({"x": [3], "y": ["c"]}, "table.json")
        equal(
            listing(session, run_id),
            ["notes/", "plots/", "settings.json", "settings.yaml", "table.json"],
            "root",
        )
        equal(listing(session, run_id, "plots"), ["plots/black.png", "plots/line.png"], "folder")
        (notes,) = session.client.list_artifacts(run_id, "notes")
        equal(notes.file_size, len("Grüße\nzwei\n".encode()), "size")

    with session.check("what was logged is read back as it was"):
        uri = f"runs:/{run_id}"
        equal(mlflow.artifacts.load_text(f"{uri}/notes/hello.txt"), "Grüße\nzwei\n", "text")
        equal(mlflow.artifacts.load_dict(f"{uri}/settings.json"), {"depth": 3, "names": ["a", "ü"]})
        equal(mlflow.artifacts.load_image(f"{uri}/plots/black.png").size, (8, 8), "image")
        table = mlflow.load_table("table.json", run_ids=[run_id])
        equal(table["x"].tolist(), [1, 2, 3], "rows of the table")

    with session.check("a folder goes up and comes down with every file equal"):
        source = session.folder("upload")
        (source / "deep" / "er").mkdir(parents=True)
        (source / "empty.bin").write_bytes(b"")
        (source / "deep" / "er" / "bytes.bin").write_bytes(bytes(range(256)) * 8_192)
        for name in AWKWARD_NAMES:
            (source / name).write_text(name, encoding="utf-8")
        session.client.log_artifacts(run_id, str(source), "folder")
        session.client.log_artifact(run_id, str(source / "empty.bin"))
        target = session.folder("download")
        mlflow.artifacts.download_artifacts(
            run_id=run_id, artifact_path="folder", dst_path=str(target)
        )
        equal(digests(target / "folder"), digests(source), "files")

    with session.check("a file that is not there is refused, not invented"):
        try:
            mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="none/such.txt")
        except (MlflowException, OSError):
            pass
        else:
            raise AssertionError("a file that was never logged was downloaded")
        equal(listing(session, run_id, "none"), [], "listing of a folder that is not there")

    with session.check("a path that leaves the run's folder is refused"):
        for path in ("../", "..", "a/../../b", "/etc", "%2e%2e/x"):
            status, answer = session.get("/api/2.0/mlflow/artifacts/list", run_id=run_id, path=path)
            equal((path, status, answer.get("error_code")), (path, 400, "INVALID_PARAMETER_VALUE"))

    with session.check("artifacts are deleted for good"):
        root = session.client.get_run(run_id).info.artifact_uri
        get_artifact_repository(root).delete_artifacts("folder")
        get_artifact_repository(root).delete_artifacts("empty.bin")
        equal("folder/" in listing(session, run_id), False, "folder is still there")
        equal("empty.bin" in listing(session, run_id), False, "file is still there")


def listing(session: Session, run_id: str, path: str | None = None) -> list[str]:
    """The paths of one level, folders with a slash at the end, in order."""
    entries = session.client.list_artifacts(run_id, path)
    return sorted(f"{entry.path}/" if entry.is_dir else entry.path for entry in entries)


def digests(folder: pathlib.Path) -> dict[str, str]:
    """Every file below the folder with the digest of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
