"""Requests as they are on the wire, where a client would retry, hide or correct something."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode

LIMIT = 15


class Answer:
    """A status, a body, and how many seconds it took."""

    def __init__(self, status: int, body: bytes, seconds: float) -> None:
        self.status, self.body, self.seconds = status, body, seconds

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Connection:
    """A connection to a server, made anew after each failure. For one thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.made: http.client.HTTPConnection | None = None

    def get(self, path: str, /, **query: Any) -> Answer:
        """GET below `/api/2.0/mlflow/`, or at a path from the root."""
        return self._send("GET", f"{_full(path)}?{urlencode(query)}", None)

    def post(self, path: str, /, **body: Any) -> Answer:
        """POST with a JSON body below `/api/2.0/mlflow/`."""
        return self._send("POST", _full(path), json.dumps(body).encode())

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        began = time.monotonic()
        if self.made is None:
            self.made = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            headers = {"Content-Type": "application/json"}
            self.made.request(method, path, body, headers)
            answer = self.made.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self.made.close()
            self.made = None
            raise
        return Answer(answer.status, content, time.monotonic() - began)


def _full(path: str) -> str:
    return path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
