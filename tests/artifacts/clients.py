"""A tour of artifacts by an official MLflow client: through our server's proxy, or around it.

Prints a line per check. The storage is whatever the server, or for `--direct` the client itself, is
set up with.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile
import urllib.error
import urllib.request
from email.message import Message

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))

from session import environment  # noqa: E402

environment()

import mlflow  # noqa: E402
from mlflow.store.artifact import http_artifact_repo  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks, equal  # noqa: E402

MLFLOW_3 = int(mlflow.__version__.split(".", 1)[0]) >= 3

#: More than one part of 5 MiB.
LARGE = 12 * 1024 * 1024 + 1

#: Files of a folder, with what they hold.
FILES = {
    "plain.txt": b"plain",
    "empty": b"",
    "with space+plus.txt": b"odd",
    "100%.txt": b"percent",
    "ü/日本.txt": "unicode".encode(),
    "a/b/c/deep.bin": bytes(range(256)),
}


def make(folder: pathlib.Path) -> pathlib.Path:
    """A folder with all of the files."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tree(folder: pathlib.Path) -> dict[str, bytes]:
    """The files of a folder by their path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def large() -> bytes:
    return os.urandom(1024 * 1024) * 12 + b"!"


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, Message, bytes]:
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.status, answer.headers, answer.read()


def files(checks: Checks, client: MlflowClient, run: str, workspace: pathlib.Path) -> None:
    with checks.check("a folder with odd names comes back as it was"):
        client.log_artifacts(run, str(make(workspace / "up")), "files")
        found = client.download_artifacts(run, "files", str(new(workspace, "down")))
        equal(tree(pathlib.Path(found)), FILES)

    with checks.check("a list has one level, sorted, with sizes"):
        entries = client.list_artifacts(run, "files")
        listed = [(entry.path, entry.is_dir) for entry in entries]
        names = sorted({name.split("/")[0] for name in FILES})
        expected = [(f"files/{name}", (workspace / "up" / name).is_dir()) for name in names]
        equal(listed, expected)
        sizes = {entry.path: entry.file_size for entry in entries if not entry.is_dir}
        equal(sizes["files/plain.txt"], 5)

    with checks.check("a large file comes back whole"):
        content = large()
        path = new(workspace, "large") / "large.bin"
        path.write_bytes(content)
        client.log_artifact(run, str(path), "large")
        found = client.download_artifacts(run, "large/large.bin", str(new(workspace, "large-down")))
        equal(pathlib.Path(found).read_bytes() == content, True)

    with checks.check("a file is replaced"):
        for text in ("first, and longer", "second"):
            client.log_text(run, text, "notes/note.txt")
        found = client.download_artifacts(run, "notes/note.txt", str(new(workspace, "note")))
        equal(pathlib.Path(found).read_text(), "second")

    with checks.check("a dictionary and a table are logged"):
        client.log_dict(run, {"a": [1, 2]}, "notes/values.json")
        found = client.download_artifacts(run, "notes/values.json", str(new(workspace, "dict")))
        equal(pathlib.Path(found).read_text().split(), ["{", '"a":', "[", "1,", "2", "]", "}"])

    with checks.check("what is missing is not found"):
        try:
            client.download_artifacts(run, "no/such", str(new(workspace, "none")))
        except Exception:
            return
        raise AssertionError("a file that is not there was downloaded")


def server(checks: Checks, url: str, run: str) -> None:
    with checks.check("the web UI's route serves a part of a file"):
        path = f"{url}/get-artifact?run_id={run}&path=files/plain.txt"
        status, headers, body = get(path, {"Range": "bytes=1-3"})
        equal((status, body, headers["Content-Range"]), (206, b"lai", "bytes 1-3/5"))

    with checks.check("a client that has the file is not sent it again"):
        path = f"{url}/get-artifact?run_id={run}&path=files/plain.txt"
        tag = get(path)[1]["ETag"]
        try:
            get(path, {"If-None-Match": tag})
        except urllib.error.HTTPError as answer:
            equal(answer.code, 304)
            return
        raise AssertionError("the file was sent again")


def model(checks: Checks, workspace: pathlib.Path) -> None:
    with checks.check("a model is logged and loaded"):
        from sklearn.linear_model import LinearRegression

        fitted = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
        with mlflow.start_run() as run:
            if MLFLOW_3:
                info = mlflow.sklearn.log_model(fitted, name="model")
            else:
                info = mlflow.sklearn.log_model(fitted, "model")
        loaded = mlflow.sklearn.load_model(info.model_uri, dst_path=str(new(workspace, "model")))
        equal(round(float(loaded.predict([[2.0]])[0]), 6), 5.0)
        equal(run.info.status, "RUNNING")


def new(workspace: pathlib.Path, name: str) -> pathlib.Path:
    """A new, empty folder."""
    path = workspace / name
    path.mkdir(parents=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--subject", required=True, help="what the checks are called after")
    parser.add_argument("--location", help="where the experiment keeps its artifacts")
    parser.add_argument("--multipart", choices=("expected", "refused"), help="upload in parts")
    parser.add_argument("--models", action="store_true", help="log and load a model, too")
    arguments = parser.parse_args()

    checks = Checks(f"{arguments.subject}, {mlflow.__version__}")
    sent = count_multipart(arguments.multipart)
    mlflow.set_tracking_uri(arguments.url)
    client = MlflowClient(arguments.url)
    with tempfile.TemporaryDirectory() as folder:
        workspace = pathlib.Path(folder)
        name = f"artifacts-{workspace.name}"
        experiment = client.create_experiment(name, arguments.location)
        mlflow.set_experiment(name)
        run = client.create_run(experiment).info.run_id
        files(checks, client, run, workspace)
        server(checks, arguments.url, run)
        if arguments.models:
            model(checks, workspace)
    if arguments.multipart:
        with checks.check(f"uploads in parts are {arguments.multipart}"):
            equal(sent, {"tried": 1, "done": int(arguments.multipart == "expected")})
    checks.finish()


def count_multipart(wanted: str | None) -> dict[str, int]:
    """Asks the client to send parts, and counts how often it does."""
    counts = {"tried": 0, "done": 0}
    if wanted:
        os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
        os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = str(6 * 1024 * 1024)
        os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = str(5 * 1024 * 1024)
        repository = http_artifact_repo.HttpArtifactRepository
        send = repository._try_multipart_upload

        def counted(self, *args, **kwargs):
            counts["tried"] += 1
            outcome = send(self, *args, **kwargs)
            counts["done"] += 1
            return outcome

        repository._try_multipart_upload = counted
    return counts


if __name__ == "__main__":
    main()
