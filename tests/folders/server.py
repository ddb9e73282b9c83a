"""Our server on a folder or a database: started, stopped, killed, and started again on its port."""

from __future__ import annotations

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

START_LIMIT = 20
STOP_LIMIT = 20


def ends_with_this_program() -> None:
    """Has the kernel kill the process that calls it when its parent ends (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    """A `runledger server`; in a `with` block, it is killed at the end."""

    def __init__(
        self,
        binary: pathlib.Path,
        store: Any,
        work: pathlib.Path,
        *,
        cache: pathlib.Path | None = None,
        **environment: str,
    ) -> None:
        """`store` is a folder or the URI of a database; artifacts, index and log are in `work`."""
        work.mkdir(parents=True, exist_ok=True)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.cache = cache or work / "cache"
        self.log = work / "server.log"
        self.environment = environment
        self.command = [str(binary), "server", "--host", "127.0.0.1", "--port", str(self.port)]
        self.command += ["--backend-store-uri", str(store)]
        self.command += ["--artifacts-destination", str(work / "artifacts")]
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        environment = {**os.environ, "RUNLEDGER_CACHE_DIR": str(self.cache), **self.environment}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.log.parent,
                preexec_fn=ends_with_this_program,
            )
        began = time.monotonic()
        while not self._answers():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended at once: {self.last_words()}")
            if time.monotonic() - began > START_LIMIT:
                raise AssertionError(f"the server does not answer: {self.last_words()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Asks it to end, and fails unless it does so well."""
        self.process.terminate()
        code = self.process.wait(STOP_LIMIT)
        self.process = None
        assert code == 0, f"it ended with {code}: {self.last_words()}"

    def kill(self) -> None:
        """Ends it at once, if it runs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_LIMIT)
            self.process = None

    def runs(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        """All that it logged."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def last_words(self) -> str:
        """The end of what it logged."""
        return self.said()[-2000:]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False
