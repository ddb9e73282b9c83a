"""`runledger db upgrade` on a database that an old MLflow made.

    python upgrade.py --runledger target/release/runledger --uri URI --copy URI --record record.json \
        --subject "2.0.1 on sqlite"

MLflow 3.17.2 upgrades a copy, and then every table must have the same rows in both. MLflow opens
what we upgraded, reads everything back, and finds nothing to upgrade.
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import subprocess
import sys

import readback  # first, since it sets the environment and the path

import sqlalchemy
from checks import Checks, equal
from mlflow.store.db.utils import _upgrade_db

import databases


def main() -> None:
    """Upgrades, and looks at what has come of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runledger", type=pathlib.Path, required=True, help="our program")
    parser.add_argument("--uri", required=True, help="the database")
    parser.add_argument("--copy", required=True, help="a database that is not there yet")
    parser.add_argument("--record", type=pathlib.Path, required=True, help="what `fill.py` wrote")
    parser.add_argument("--subject", required=True, help="begins the lines of this program")
    arguments = parser.parse_args()
    uri = arguments.uri
    checks = Checks(arguments.subject)

    def ours(command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [arguments.runledger, "db", command, uri],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    before = databases.rows(uri)
    databases.copy(uri, arguments.copy)
    _mlflow_upgrade(arguments.copy)
    theirs = databases.rows(arguments.copy)

    with checks.check("`db check` sees that the schema is old"):
        assert ours("check").returncode != 0, "it is content"
    with checks.check("`db upgrade` succeeds"):
        _succeeds(ours("upgrade"))
    after = databases.rows(uri)
    with checks.check(f"all {sum(map(len, before.values()))} rows are kept"):
        kept = {table: len(after.get(table, [])) for table in before}
        equal(kept, {table: _staying(table, found) for table, found in before.items()}, "rows")
    with checks.check("every table has the rows that MLflow's own upgrade leaves in it"):
        _same(after, theirs)
    with checks.check("a second `db upgrade` changes nothing"):
        _succeeds(ours("upgrade"))
        _same(databases.rows(uri), after)
    with checks.check("`db check` is content"):
        _succeeds(ours("check"))
    readback.readback(checks, uri, json.loads(arguments.record.read_text(encoding="utf-8")))
    with checks.check("MLflow finds nothing to upgrade, and has changed nothing by reading"):
        _mlflow_upgrade(uri)
        _same(databases.rows(uri), after)
    checks.finish()


def _staying(table: str, rows: list[str]) -> int:
    """How many rows of a table stay rows: the names of traces become a column of `trace_info`."""
    return sum(table != "trace_tags" or "'mlflow.traceName'" not in row for row in rows)


def _mlflow_upgrade(uri: str) -> None:
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    _upgrade_db(engine)


def _succeeds(ended: subprocess.CompletedProcess) -> None:
    print(ended.stdout, ended.stderr, file=sys.stderr, sep="\n")
    equal(ended.returncode, 0, f"exit code, with {ended.stderr.strip()!r}")


def _same(found: databases.Rows, expected: databases.Rows) -> None:
    equal(sorted(found), sorted(expected), "tables")
    for table, rows in expected.items():
        ours, theirs = collections.Counter(found[table]), collections.Counter(rows)
        equal(sorted(ours - theirs), sorted(theirs - ours), f"rows of {table} that differ")


if __name__ == "__main__":
    main()
