"""What each program here begins with: its environment, its arguments, and an end in time.

Import it first: MLflow reads the environment when it is imported.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import signal
import sys
import urllib.parse
from typing import Any, Callable, Iterator

os.environ.update(
    {
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        # MLflow 3 opens no folder without it.
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # A 5xx is retried for minutes otherwise, and would hide behind the waiting.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }
)
_TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(_TESTS / "conformance"), str(_TESTS / "upgrade")]

from checks import Checks  # noqa: E402 - is found by the path above

LIMIT = 300
"""Seconds after which a program is at fault."""


class TooLong(BaseException):
    """Ends the program, and is caught by no check."""


def program(description: str, subject: str, body: Callable[[Checks, Any], None]) -> None:
    """Runs the checks of a program with its arguments, and ends it."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runledger", type=pathlib.Path, required=True, help="our program")
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="for files")
    parser.add_argument("--newest", type=pathlib.Path, help="the Python with MLflow 3.17.2")
    parser.add_argument("--database", help="an empty database on a server, if there is one")
    arguments = parser.parse_args()
    arguments.folder = arguments.folder.resolve()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    checks = Checks(subject)
    with in_time(LIMIT):
        body(checks, arguments)
    checks.finish()


@contextlib.contextmanager
def in_time(seconds: int) -> Iterator[None]:
    """Ends the program if the block takes longer."""

    def too_long(*_: Any) -> None:
        raise TooLong(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def uri_of(folder: pathlib.Path) -> str:
    """The `file:` URI of a folder."""
    return "file://" + urllib.parse.quote(str(folder))
