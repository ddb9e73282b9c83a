"""Sends a request to one side, and keeps what was answered.

One connection per side, kept open as clients do. Nothing is followed, and nothing tried again but
on a kept connection that the server had closed.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
import urllib.parse
from dataclasses import dataclass
from typing import Any

from script import JSON, Call

# Seconds after which an idle connection is opened anew: servers close them after five.
IDLE = 2.0
TIMEOUT = 60

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass
class Answer:
    """What a server sent. Status 0: the connection ended without an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Side:
    """One of the two servers, and the names that were saved from its answers."""

    def __init__(self, name: str, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self.name = name
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.prefix = parts.path.rstrip("/")
        self.connection: http.client.HTTPConnection | None = None
        self.used = 0.0

    def wait(self, seconds: float = 120) -> None:
        """Returns when the server answers; ends the program if it does not in time."""
        end = time.monotonic() + seconds
        while self.send(Call("wait", "GET", "/health"), {}).status != 200:
            if time.monotonic() > end:
                sys.exit(f"{self.name}: http://{self.host}:{self.port} does not answer")
            time.sleep(0.2)

    def send(self, call: Call, values: dict[str, str]) -> Answer:
        """The answer to a call whose placeholders have these values."""
        path = self.prefix + fill(call.path, values)
        query = query_text(fill(call.query, values))
        target = f"{path}?{query}" if query is not None else path
        body: bytes | None = None
        headers: dict[str, str] = {"Accept": "*/*"}
        if call.raw is not None:
            raw = fill(call.raw, values)
            body = raw.encode() if isinstance(raw, str) else raw
            headers |= JSON if call.method in ("POST", "PATCH") else {}
        elif call.body is not None:
            body = json.dumps(fill(call.body, values)).encode()
            headers |= JSON
        for name, value in call.headers.items():
            if value is None:
                headers.pop(name, None)
            else:
                headers[name] = fill(value, values)
        return self._exchange(call.method, target, body, headers)

    def _exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        if self.connection is not None and time.monotonic() - self.used > IDLE:
            self.close()
        # A server may close a kept connection at any time, and need not say so.
        for reused in (True, False) if self.connection is not None else (False,):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT)
            try:
                return self._answer(self.connection, method, target, body, headers)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not reused or not isinstance(error, ConnectionError):
                    return Answer(0, {}, type(error).__name__.encode())
        raise AssertionError("the second try returns")

    def _answer(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        own_host = any(name.lower() == "host" for name in headers)
        connection.putrequest(method, target, skip_host=own_host, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        # The head alone first: one that is refused for its head is answered while the body is
        # still being sent, and then sending fails, but the answer is there.
        connection.endheaders()
        try:
            if body:
                connection.send(body)
        except ConnectionError:
            pass
        response = connection.getresponse()
        content = response.read()
        self.used = time.monotonic()
        if response.will_close:
            self.close()
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            name = name.lower()
            found[name] = f"{found[name]}, {value}" if name in found else value
        return Answer(response.status, found, content)

    def close(self) -> None:
        """Closes the connection, if one is open."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def fill(value: Any, values: dict[str, str]) -> Any:
    """`value` with every placeholder that is known replaced, in keys of dictionaries too."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), value)
    if isinstance(value, list | tuple):
        return [fill(item, values) for item in value]
    if isinstance(value, dict):
        return {fill(key, values): fill(item, values) for key, item in value.items()}
    return value


def query_text(query: Any) -> str | None:
    """A query string; lists are repeated parameters, as all MLflow clients send them."""
    if query is None or isinstance(query, str):
        return query
    pairs = query.items() if isinstance(query, dict) else query
    return urllib.parse.urlencode([(name, value) for name, value in pairs], doseq=True)


def take(answer: Any, path: str) -> str | None:
    """The text or number at a path such as `run.info.run_id` or `runs.0.info.run_id`."""
    for part in path.split("."):
        if isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        elif isinstance(answer, dict) and part in answer:
            answer = answer[part]
        else:
            return None
    return str(answer) if isinstance(answer, str | int) else None
