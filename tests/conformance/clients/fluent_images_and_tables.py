"""`mlflow.log_image` and `mlflow.log_table`: pixels, steps, rows, and tags for the UI."""

from __future__ import annotations

import json
import re
from typing import Any

import mlflow
import numpy
import pandas
from mlflow.exceptions import MlflowException
from PIL import Image

from asking import listing, refused
from checks import equal
from session import MLFLOW_3, Session

IMAGE_BY_STEP = re.compile(
    r"images/(.+)\+step\+(\d+)\+timestamp\+(\d+)\+[0-9a-f-]{36}(\+compressed\.webp|\.png)"
)


def run(session: Session) -> None:
    """Logs images as files and by step, and tables whole and in parts."""
    _image_files(session)
    _images_by_step(session)
    _tables(session)
    _table_of_runs(session)
    _table_of_images(session)


def _image_files(session: Session) -> None:
    random = numpy.random.default_rng(5)
    colours = random.integers(0, 256, (7, 5, 3), dtype=numpy.uint8)
    greys = random.integers(0, 256, (4, 6), dtype=numpy.uint8)
    transparent = random.integers(0, 256, (3, 3, 4), dtype=numpy.uint8)
    with session.check("log_image keeps every pixel of arrays and images of all kinds"):
        with mlflow.start_run() as active:
            mlflow.log_image(colours, "colours.png")
            mlflow.log_image(greys, "deep/er/greys.png")
            mlflow.log_image(transparent, "transparent.png")
            mlflow.log_image(greys / 255.0, "fractions.png")
            mlflow.log_image(greys > 99, "bits.png")
            mlflow.log_image(Image.fromarray(colours), "pillow.png")
            mlflow.log_image(mlflow.Image(colours), "mlflow.png")
        for path, expected in (
            ("colours.png", colours),
            ("deep/er/greys.png", greys),
            ("transparent.png", transparent),
            ("fractions.png", greys),
            ("bits.png", (greys > 99) * numpy.uint8(255)),
            ("pillow.png", colours),
            ("mlflow.png", colours),
        ):
            image = mlflow.artifacts.load_image(f"runs:/{active.info.run_id}/{path}")
            _same_pixels(image, expected)
        tags = mlflow.get_run(active.info.run_id).data.tags
        equal(tags.get("mlflow.loggedImages"), None, "tag of images by step")


def _images_by_step(session: Session) -> None:
    image = numpy.full((6, 6, 3), 90, dtype=numpy.uint8)
    for synchronous in (True, False):
        manner = "at once" if synchronous else "in the background"
        with session.check(f"log_image by key and step writes two files and a tag, {manner}"):
            with mlflow.start_run() as active:
                for step in range(3):
                    mlflow.log_image(
                        image + step,
                        # The client of MLflow 2 sends a file of `dogs/train` as one of `dogs`.
                        key="dogs/train" if MLFLOW_3 else "dogs",
                        step=step,
                        timestamp=1_700_000_000_000 + step,
                        synchronous=synchronous,
                    )
                mlflow.log_image(image, key="cat", synchronous=synchronous)
                mlflow.flush_artifact_async_logging()
                mlflow.flush_async_logging()
            run_id = active.info.run_id
            _check_steps(session, run_id, image)
            equal(mlflow.get_run(run_id).data.tags.get("mlflow.loggedImages"), "True", "tag")


def _check_steps(session: Session, run_id: str, image: numpy.ndarray) -> None:
    paths = listing(session, run_id, "images")
    if not MLFLOW_3:
        # It puts percent signs into the names, which its own server decodes once too often.
        equal(sorted(path[-4:] for path in paths), [".png"] * 4 + ["webp"] * 4, "endings")
        return
    found: dict[tuple, str] = {}
    for path in paths:
        parts = IMAGE_BY_STEP.fullmatch(path)
        if parts is None:
            raise AssertionError(f"name {path!r}")
        key, step, timestamp, end = parts.groups()
        found[key, int(step), int(timestamp) if key != "cat" else None, end[-4:]] = path
    expected = {
        ("dogs~train", step, 1_700_000_000_000 + step, end)
        for step in range(3)
        for end in ("webp", ".png")
    } | {("cat", 0, None, "webp"), ("cat", 0, None, ".png")}
    equal(set(found), expected, "files")
    target = session.workspace / f"images of {run_id}"
    session.client.download_artifacts(run_id, "images", str(_made(target)))
    for step in range(3):
        path = target / found["dogs~train", step, 1_700_000_000_000 + step, ".png"]
        _same_pixels(Image.open(path), image + step)


def _tables(session: Session) -> None:
    with session.check("log_table appends rows to what is there, whether dictionary or frame"):
        with mlflow.start_run() as active:
            mlflow.log_table({"x": [1, 2], "y": ["a", "ü"]}, "table.json")
            mlflow.log_table(pandas.DataFrame({"x": [3], "y": ["c"]}), "table.json")
            mlflow.log_table({"x": 4, "y": "d"}, "table.json")
            mlflow.log_table({"z": [0.5]}, artifact_file="deep/other.json")
        run_id = active.info.run_id
        table = mlflow.load_table("table.json", run_ids=[run_id])
        equal(table.to_dict("list"), {"x": [1, 2, 3, 4], "y": ["a", "ü", "c", "d"]}, "rows")
        stored = mlflow.artifacts.load_dict(f"runs:/{run_id}/table.json")
        rows = [[1, "a"], [2, "ü"], [3, "c"], [4, "d"]]
        equal(stored, {"columns": ["x", "y"], "data": rows}, "file")
        equal(mlflow.load_table("deep/other.json", [run_id]).to_dict("list"), {"z": [0.5]}, "other")

    with session.check("the run's tag names its tables, each once"):
        tag = json.loads(mlflow.get_run(run_id).data.tags["mlflow.loggedArtifacts"])
        expected = [{"path": path, "type": "table"} for path in ("table.json", "deep/other.json")]
        equal(tag, expected, "tag")

    with session.check("log_table writes and appends Parquet"):
        with mlflow.start_run() as active:
            mlflow.log_table({"x": [1.5], "y": ["a"]}, "table.parquet")
            mlflow.log_table({"x": [2.5], "y": ["b"]}, "table.parquet")
        table = mlflow.load_table("table.parquet", run_ids=[active.info.run_id])
        equal(table.to_dict("list"), {"x": [1.5, 2.5], "y": ["a", "b"]}, "rows")

    with session.check("a table that no run has is not loaded"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            mlflow.load_table("none.json")
        try:
            session.client.log_table(run_id, {"a": [1]}, "table.csv")
        except (MlflowException, ValueError):
            pass
        else:
            raise AssertionError("a table was written as CSV")


def _table_of_runs(session: Session) -> None:
    with session.check("load_table joins the tables of runs, with columns about the runs"):
        runs = []
        for number in range(3):
            with mlflow.start_run(run_name=f"part {number}") as active:
                mlflow.log_param("number", number)
                mlflow.log_metric("half", number / 2)
                mlflow.log_table({"row": [10 * number, 10 * number + 1]}, "parts.json")
            runs.append(active.info.run_id)
        columns = ["run_id", "params.number", "metrics.half", "tags.mlflow.runName"]
        joined = mlflow.load_table("parts.json", extra_columns=columns).sort_values("row")
        equal(joined["row"].tolist(), [0, 1, 10, 11, 20, 21], "rows")
        equal(joined["run_id"].tolist(), [run for run in runs for _ in range(2)], "runs")
        equal(joined["params.number"].tolist(), list("001122"), "parameters")
        equal(joined["metrics.half"].tolist(), [0.0, 0.0, 0.5, 0.5, 1.0, 1.0], "metrics")
        equal(joined["tags.mlflow.runName"].tolist()[::2], [f"part {n}" for n in range(3)], "names")
        some = mlflow.load_table("parts.json", run_ids=runs[1:]).sort_values("row")
        equal(some["row"].tolist(), [10, 11, 20, 21], "rows of two runs")
        by_client = session.client.load_table(session.experiment_id, "parts.json", runs[:1])
        equal(by_client["row"].tolist(), [0, 1], "rows by the client")


def _table_of_images(session: Session) -> None:
    with session.check("a table holds images, each as a file and a smaller one"):
        pictures = [
            mlflow.Image(numpy.full((4, 4, 3), shade, dtype=numpy.uint8)) for shade in (10, 200)
        ]
        with mlflow.start_run() as active:
            mlflow.log_table({"id": [0, 1], "picture": pictures}, "pictures.json")
        run_id = active.info.run_id
        table = mlflow.load_table("pictures.json", run_ids=[run_id])
        for shade, cell in zip((10, 200), table["picture"], strict=True):
            equal(cell["type"], "image", "type of the cell")
            loaded = mlflow.artifacts.load_image(f"runs:/{run_id}/{cell['filepath']}")
            _same_pixels(loaded, numpy.full((4, 4, 3), shade, dtype=numpy.uint8))
            small = mlflow.artifacts.load_image(f"runs:/{run_id}/{cell['compressed_filepath']}")
            equal(small.format, "WEBP", "format of the smaller file")


def _same_pixels(image: Image.Image, expected: numpy.ndarray) -> None:
    found = numpy.asarray(image)
    if found.dtype == bool:
        found = found * numpy.uint8(255)
    if found.shape != expected.shape or not numpy.array_equal(found, expected):
        raise AssertionError(f"pixels differ: {found.shape} of {image.mode}, {expected.shape}")


def _made(folder: Any) -> Any:
    folder.mkdir()
    return folder
