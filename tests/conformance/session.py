"""The session of one client: its experiment, its checks, and what it remembers for later."""

from __future__ import annotations

import json
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import mlflow
from mlflow.tracking import MlflowClient

from checks import Checks

MLFLOW_3 = int(mlflow.__version__.split(".", 1)[0]) >= 3


def environment() -> None:
    """Settings that keep the client quiet, offline, and quick to report a server's failure."""
    os.environ.update(
        {
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            # A 5xx is retried for minutes otherwise, and would hide behind the waiting.
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MPLBACKEND": "Agg",
            "NO_PROXY": "127.0.0.1,localhost",
        }
    )


@dataclass
class Session:
    """What every part of the scenario works with."""

    url: str
    checks: Checks
    client: MlflowClient
    experiment_id: str
    experiment_name: str
    workspace: pathlib.Path
    """A folder of this session's own for files to upload and downloaded ones."""

    def check(self, name: str) -> AbstractContextManager[None]:
        """A named check, see `Checks.check`."""
        return self.checks.check(name)

    def folder(self, name: str) -> pathlib.Path:
        """A new, empty folder in the workspace."""
        path = self.workspace / name
        path.mkdir(parents=True)
        return path

    def get(self, route: str, **query: Any) -> tuple[int, Any]:
        """The status and JSON body of a GET that no client would hide or retry."""
        address = f"{self.url}{route}?{urllib.parse.urlencode(query, doseq=True)}"
        return _answer(urllib.request.Request(address))

    def post(self, route: str, body: Any) -> tuple[int, Any]:
        """The status and JSON body of a POST of `body` as JSON."""
        return _answer(
            urllib.request.Request(
                f"{self.url}{route}",
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json"},
                method="POST",
            )
        )


def _answer(request: urllib.request.Request) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        text = refusal.read().decode(errors="replace")
        try:
            return refusal.code, json.loads(text)
        except ValueError:
            return refusal.code, text
