"""`runledger artifacts` beside MLflow's own client: what one uploads the other downloads.

Prints a line per check.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "conformance"))

from session import environment  # noqa: E402

environment()

import mlflow  # noqa: E402
from mlflow.tracking import MlflowClient  # noqa: E402

from checks import Checks, equal  # noqa: E402

CONTENT = {"MLmodel": b"flavors: {}\n", "data/a b.bin": os.urandom(3_000_001), "data/empty": b""}


class Command:
    def __init__(self, runledger: str, tracking: str, destination: str) -> None:
        self.runledger = runledger
        self.flags = ["--tracking-uri", tracking]
        if destination:
            self.flags += ["--artifacts-destination", destination]

    def __call__(self, name: str, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            [self.runledger, "artifacts", name, *self.flags, *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        equal(done.returncode != 0, fails, f"{done.stdout}\n{done.stderr}\nfailed")
        return done.stderr if fails else done.stdout


def content(folder: pathlib.Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def fill(folder: pathlib.Path) -> pathlib.Path:
    for name, text in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    return folder


def session(checks: Checks, command: Command, client: MlflowClient, run: str, what: str) -> None:
    def new() -> pathlib.Path:
        return pathlib.Path(tempfile.mkdtemp())

    with checks.check(f"{what}: a list is MLflow's"):
        found = json.loads(command("list", "--run-id", run, "--artifact-path", "model", "--json"))
        expected = [
            (entry.path, entry.is_dir, entry.file_size)
            for entry in client.list_artifacts(run, "model")
        ]
        found = [
            (entry["path"], entry["is_dir"], int(entry["file_size"]) if "file_size" in entry else None)
            for entry in found
        ]
        equal(found, expected)

    with checks.check(f"{what}: a folder of a run is downloaded with its path"):
        folder = new()
        told = json.loads(command("download", "-r", run, "-a", "model", "-d", str(folder), "--json"))
        equal(content(folder / "model"), CONTENT)
        equal([told["files"], told["bytes"]], [len(CONTENT), sum(map(len, CONTENT.values()))])

    with checks.check(f"{what}: a file of a runs:/ URI is downloaded under its name"):
        folder = new()
        command("download", "-u", f"runs:/{run}/model/data/a b.bin", "-d", str(folder))
        equal(content(folder), {"a b.bin": CONTENT["data/a b.bin"]})

    with checks.check(f"{what}: a download goes over what is there"):
        folder = new()
        for _ in range(2):
            command("download", "-u", f"runs:/{run}", "-d", str(folder))
        equal(content(folder / "model"), CONTENT)

    with checks.check(f"{what}: what is uploaded is what MLflow's client downloads"):
        local = fill(new())
        command("upload", "--local-dir", str(local), "-r", run, "-a", f"up/{what}")
        folder = pathlib.Path(client.download_artifacts(run, f"up/{what}", str(new())))
        equal(content(folder), CONTENT)
        file = local / "MLmodel"
        command("log-artifact", "-l", str(file), "-u", f"runs:/{run}/one")
        equal([entry.path for entry in client.list_artifacts(run, "one")], ["one/MLmodel"])

    with checks.check(f"{what}: what is not there is an error"):
        for flags in (["-r", "no-such-run"], ["-u", f"runs:/{run}/no/such"], ["-u", "models:/no/1"]):
            command("download", *flags, "-d", str(new()), fails=True)
        command("download", "-u", f"runs:/{run}/../x", "-d", str(new()), fails=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--store", required=True)
    parser.add_argument("--destination", required=True)
    parser.add_argument("--runledger", required=True)
    parser.add_argument("--subject", required=True)
    arguments = parser.parse_args()
    checks = Checks(f"{arguments.subject} commands")
    mlflow.set_tracking_uri(arguments.url)
    client = MlflowClient(arguments.url)
    run = client.create_run("0").info.run_id
    client.log_artifacts(run, str(fill(pathlib.Path(tempfile.mkdtemp()))), "model")

    for what, tracking, destination in (
        ("a server", arguments.url, ""),
        ("a store", arguments.store, arguments.destination),
    ):
        command = Command(arguments.runledger, tracking, destination)
        session(checks, command, client, run, what)

    with checks.check("a version of a model is downloaded by its number and alias"):
        client.create_registered_model("commands")
        client.create_model_version("commands", f"runs:/{run}/model", run)
        client.set_registered_model_alias("commands", "best", "1")
        command = Command(arguments.runledger, arguments.url, "")
        for uri in ("models:/commands/1", "models:/commands@best", "models:/commands/latest"):
            folder = pathlib.Path(tempfile.mkdtemp())
            command("download", "-u", uri, "-d", str(folder))
            equal(content(folder), CONTENT, uri)

    with checks.check("a directory of this machine is downloaded under its name, as from anywhere"):
        local = fill(pathlib.Path(tempfile.mkdtemp()) / "model")
        folder = pathlib.Path(tempfile.mkdtemp())
        command = Command(arguments.runledger, arguments.url, "")
        command("download", "-u", str(local), "-d", str(folder))
        equal(content(folder / "model"), CONTENT)
        command("download", "-u", str(local / "no"), "-d", str(folder), fails=True)

    with checks.check("a folder is downloaded as one archive"):
        url = f"{arguments.url}/get-artifact?run_id={run}&path=model&archive=zip"
        file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
        with urllib.request.urlopen(url, timeout=60) as answer:
            file.write_bytes(answer.read())
        with zipfile.ZipFile(file) as archive:
            equal(archive.testzip(), None)
            equal({name: archive.read(name) for name in archive.namelist()}, CONTENT)

    checks.finish()


if __name__ == "__main__":
    main()
