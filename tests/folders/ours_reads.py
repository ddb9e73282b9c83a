"""What MLflow 2.17.2 wrote into a folder is what our server shows.

    python ours_reads.py --runledger target/release/runledger --folder /tmp/x --newest python3.17
"""

from __future__ import annotations

import setting  # first, since it sets the environment

from typing import Any

import filling
import reading
from server import Server


def body(checks: setting.Checks, arguments: Any) -> None:
    """Fills a folder, serves it, and reads with both clients."""
    root = arguments.folder / "mlruns"
    filling.fill(setting.uri_of(root), setting.uri_of(arguments.folder / "artifacts"))
    expected = reading.everything(setting.uri_of(root))
    with Server(arguments.runledger, root, arguments.folder) as server:
        with checks.check(f"{len(expected['rows'])} runs, read with 2.17.2"):
            reading.same(reading.everything(server.url), expected)
        with checks.check("read with 3.17.2"):
            found = reading.everything_by(arguments.newest, server.url, arguments.folder)
            reading.same(found, expected)
        with checks.check("reading changed nothing"):
            reading.same(reading.everything(setting.uri_of(root)), expected)


if __name__ == "__main__":
    setting.program(__doc__, "ours reads theirs", body)
