#!/usr/bin/env python3
"""Upgrades copies of one database with MLflow and with Runledger, and compares what comes out.

    differential.py --dialect postgres --url postgresql://postgres@127.0.0.1:5432 \\
        --python VENV --ours BINARY [--starts REVISION,…] [--kills NUMBER]

`--url` names a private server (for SQLite: a folder) whose databases `runledger_diff_*` are made
and dropped. `VENV` is a virtualenv with MLflow 3.17.2, psycopg2 and PyMySQL; `BINARY db upgrade
URI` must upgrade a database. MySQL also needs the clients `mariadb` and `mariadb-dump`.

MLflow walks one database through its schema versions since 2.0, one by one; after each step rows
are added to every table that is new or has new columns, among them all that a later step moves.
From each version (or each of `--starts`), one copy is upgraded by MLflow and one by Runledger. Then
schemas and all rows, in their order on SQLite, must be equal. With `--kills`, Runledger is first
killed so many times in the middle of it.

Exits 0 if nothing differs, 1 with one line per difference.
"""

import argparse
import datetime
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
OLDEST = "97727af70f4d"

NAME = "mlflow.traceName"
SESSION = "mlflow.trace.session"
USAGE = "mlflow.trace.tokenUsage"
COST = "mlflow.trace.cost"
LONG = "é😀" * 3000

# Metadata of traces whose numbers a step reads as Python does: token usage, and cost.
TEXTS = [
    ('{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}', '{"total_cost": 0.1}'),
    ('{"input_tokens": "12", "output_tokens": " 1_2 ", "total_tokens": 1e3}', '{"total_cost": "0.3"}'),
    ('{"input_tokens": 1.5, "output_tokens": true, "total_tokens": null}', '{"input_cost": true}'),
    ('{"input_tokens": NaN, "output_tokens": 1e30, "total_tokens": "x"}', '{"input_cost": Infinity}'),
    ('{"input_tokens": 9223372036854775807, "output_tokens": 9223372036854775808}', "[1]"),
    ('{"input_tokens": 1, "input_tokens": 2, "cache_read_input_tokens": [1]}', '{"input_cost": "1_0.5"}'),
    ("{'input_tokens': 1}", "{"),
    ("null", '{"input_cost": 1e999, "output_cost": -0.0, "total_cost": 12345678901234567890}'),
    ('{"cache_creation_input_tokens": 7.0, "cache_creation_input_tokens_above_1hr": "7e0"}', '"1"'),
    ('{"input_tokens": 1234567890123456789.0, "x": {"y": [1, "\\ud83d\\ude00"]}}', "{}"),
]

# Values of metrics, which go before the texts.
COUNTS = [5.0, 1.5, 1e30, -3.0, 0.0, 1234567890123456789.0, None]

ASSESSED = [
    "true", "false", '"yes"', '" No "', "yes", "maybe", "1", "-2.5", "1e400", "NaN", "null",
    '"3"', "[1]", '{"a": 1}', "", "01", "1" * 400, '"\\u0059ES"', "12345678901234567890",
]  # fmt: skip

DIMENSIONS = [
    {"mlflow.llm.model": "gpt-4", "mlflow.llm.provider": "openai"},
    {"mlflow.llm.model": LONG[:700], "mlflow.llm.provider": None},
    {"mlflow.llm.provider": 'quote " backslash \\ é😀'},
    {},
]

# Columns that are not free.
FIXED = {
    ("runs", "status"): "FINISHED",
    ("runs", "source_type"): "LOCAL",
    ("spans", "dimension_attributes"): {"mlflow.llm.model": "m"},
    ("metrics", "is_nan"): False,
}


class Sqlite:
    """Databases are files in a folder."""

    def __init__(self, url):
        self.folder = Path(url.removeprefix("sqlite:///"))

    def mlflow_url(self, name):
        return f"sqlite:///{self.folder / name}.db"

    ours_url = mlflow_url

    def compared(self, name):
        return str(self.folder / f"{name}.db")

    def drop(self, name):
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"{name}.db{suffix}").unlink(missing_ok=True)

    def create(self, name):
        self.drop(name)

    def copy(self, source, target):
        self.drop(target)
        shutil.copy(self.compared(source), self.compared(target))


class Postgres:
    """Databases are copied as templates."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def compared(self, name):
        return f"{self.url}/{name}"

    ours_url = compared

    def mlflow_url(self, name):
        return self.compared(name).replace("postgresql:", "postgresql+psycopg2:")

    def run(self, statement):
        import psycopg2

        db = psycopg2.connect(f"{self.url}/postgres")
        db.autocommit = True
        db.cursor().execute(statement)
        db.close()

    def drop(self, name):
        self.run(f'drop database if exists "{name}"')

    def create(self, name):
        self.drop(name)
        self.run(f'create database "{name}"')

    def copy(self, source, target):
        self.drop(target)
        self.run(f'create database "{target}" template "{source}"')


class Mysql:
    """Databases are copied by a dump."""

    def __init__(self, url):
        self.url = url.rstrip("/")

    def compared(self, name):
        return f"{self.url}/{name}"

    ours_url = compared

    def mlflow_url(self, name):
        return self.compared(name).replace("mysql:", "mysql+pymysql:")

    def client(self, program, *arguments):
        from urllib.parse import unquote, urlsplit

        parts = urlsplit(self.url)
        return [
            program, "--no-defaults", f"--host={parts.hostname}", f"--port={parts.port or 3306}",
            f"--user={unquote(parts.username or 'root')}",
            f"--password={unquote(parts.password or '')}",
            "--default-character-set=utf8mb4", *arguments,
        ]  # fmt: skip

    def run(self, statement):
        subprocess.run(self.client("mariadb", "--execute", statement), check=True)

    def drop(self, name):
        self.run(f"drop database if exists `{name}`")

    def create(self, name):
        self.drop(name)
        self.run(f"create database `{name}` character set utf8mb4 collate utf8mb4_general_ci")

    def copy(self, source, target):
        self.create(target)
        dump = subprocess.run(
            self.client("mariadb-dump", "--routines", "--triggers", source),
            check=True,
            capture_output=True,
        )
        subprocess.run(self.client("mariadb", target), input=dump.stdout, check=True)


SERVERS = {"sqlite": Sqlite, "postgres": Postgres, "mysql": Mysql}


def upgrade_with_mlflow(url, revision):
    import sqlalchemy
    from alembic import command
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    engine = sqlalchemy.create_engine(url)
    config = _get_alembic_config(url.replace("%", "%%"))
    with engine.begin() as connection:
        if not sqlalchemy.inspect(connection).has_table("experiments"):
            Base.metadata.create_all(connection)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


class Filler:
    """Adds rows to what is new in a database."""

    def __init__(self, url):
        self.url = url
        self.columns = {}
        self.number = 0

    def fill(self):
        import sqlalchemy

        engine = sqlalchemy.create_engine(self.url)
        metadata = sqlalchemy.MetaData()
        metadata.reflect(engine)
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                columns = {column.name for column in table.columns}
                if table.name == "alembic_version" or columns == self.columns.get(table.name):
                    continue
                is_new = table.name not in self.columns
                self.columns[table.name] = columns
                for _ in range(2):
                    self.number += 1
                    self.insert(connection, table)
                if special := getattr(self, f"fill_{table.name}", None):
                    if is_new or table.name == "spans":
                        special(connection, metadata.tables)
        engine.dispose()

    def insert(self, connection, table, **values):
        import sqlalchemy as sa

        for column in table.columns:
            if column.name in values or column.computed is not None:
                continue
            parent = next((key.column for key in column.foreign_keys), None)
            if parent is not None:
                # One of the two newest rows, the same for all columns of one key.
                keys = connection.execute(
                    sa.select(parent).order_by(*parent.table.primary_key).limit(1000)
                ).scalars().all()
                values[column.name] = keys[-1 - self.number % 2] if keys[1:] else None
            else:
                value = FIXED.get((table.name, column.name), self.value(column))
                if isinstance(value, dict) and not isinstance(column.type, sa.JSON):
                    value = json.dumps(value)
                values[column.name] = value
        connection.execute(table.insert().values(**values))

    def value(self, column):
        import sqlalchemy as sa

        kind, number = column.type, self.number
        if column.name == "lifecycle_stage":
            return "active"
        if column.name == "workspace":
            return "default"
        if isinstance(kind, sa.JSON):
            return {"number": number, "text": "é😀"}
        if isinstance(kind, (sa.String, sa.Text)):
            if column.name in JSON_COLUMNS:
                return json.dumps({"number": number, "text": "é😀"})
            return f"{number} {column.name} é😀"[: kind.length]
        # MySQL's truth values are numbers of one digit.
        if isinstance(kind, sa.Boolean) or getattr(kind, "display_width", None) == 1:
            return number % 2 == 0
        if isinstance(kind, sa.Float):
            return number / 8
        if isinstance(kind, sa.LargeBinary):
            return bytes([0, number % 256, 255])
        if isinstance(kind, sa.Date):
            return datetime.date(2026, 1, 1 + number % 28)
        return number

    def fill_params(self, connection, tables):
        import sqlalchemy as sa

        run = connection.execute(sa.select(tables["runs"].c.run_uuid)).scalars().first()
        values = [("long", "v" * 500), ("empty", ""), ("Upper", "é😀")]
        for key, value in values:
            connection.execute(tables["params"].insert().values(key=key, value=value, run_uuid=run))

    def fill_metrics(self, connection, tables):
        import sqlalchemy as sa

        run = connection.execute(sa.select(tables["runs"].c.run_uuid)).scalars().first()
        for step, (value, is_nan) in enumerate(
            [(0.0, True), (1.7976931348623157e308, False), (-0.1, False), (1e-300, False)]
        ):
            row = {"key": "loss", "value": value, "is_nan": is_nan, "run_uuid": run}
            connection.execute(tables["metrics"].insert().values(timestamp=5, step=step, **row))

    def fill_trace_request_metadata(self, connection, tables):
        import sqlalchemy as sa

        experiment = connection.execute(
            sa.select(tables["experiments"].c.experiment_id)
        ).scalars().first()
        for number, (usage, cost) in enumerate(TEXTS):
            trace = f"tr-{number:02}"
            connection.execute(
                tables["trace_info"].insert().values(
                    request_id=trace, experiment_id=experiment, timestamp_ms=number, status="OK"
                )
            )
            tag = tables["trace_tags"].insert()
            connection.execute(tag.values(request_id=trace, key="other", value="kept"))
            if number != 3:
                name = LONG[: 5000 if number % 2 else 20]
                connection.execute(tag.values(request_id=trace, key=NAME, value=name))
            metadata = {
                SESSION: "é😀" * (10 + 100 * (number % 2)), USAGE: usage, COST: cost, "a": "b"
            }
            if number % 3 == 0:
                metadata["mlflow.gateway.endpointId"] = "e"
            for key, value in metadata.items():
                connection.execute(
                    tables["trace_request_metadata"].insert().values(
                        request_id=trace, key=key, value=value
                    )
                )

    def fill_assessments(self, connection, tables):
        for number, value in enumerate(ASSESSED):
            connection.execute(
                tables["assessments"].insert().values(
                    assessment_id=f"a-{number:02}", trace_id=f"tr-{number % len(TEXTS):02}",
                    name="n", assessment_type="feedback", value=value, created_timestamp=1,
                    last_updated_timestamp=2, source_type="HUMAN", valid=True,
                )
            )  # fmt: skip

    def fill_trace_metrics(self, connection, tables):
        names = [
            "input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens",
            "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr",
        ]  # fmt: skip
        for number, count in enumerate(COUNTS):
            for key in {names[number % 6], names[(number + 1) % 6], "other"}:
                connection.execute(
                    tables["trace_metrics"].insert().values(
                        request_id=f"tr-{number:02}", key=key, value=count
                    )
                )

    def fill_spans(self, connection, tables):
        import sqlalchemy as sa

        experiment = connection.execute(
            sa.select(tables["experiments"].c.experiment_id)
        ).scalars().first()
        spans = tables["spans"]
        with_dimensions = "dimension_attributes" in spans.c
        for number in range(12):
            values = {
                "trace_id": f"tr-{number % 10:02}", "experiment_id": experiment,
                "span_id": f"{len(spans.c)}-{number}", "status": "OK",
                "start_time_unix_nano": 10, "end_time_unix_nano": 17 + number, "content": "{}",
            }  # fmt: skip
            if with_dimensions and number < len(DIMENSIONS):
                value = DIMENSIONS[number]
                is_json = isinstance(spans.c.dimension_attributes.type, sa.JSON)
                values["dimension_attributes"] = value if is_json else json.dumps(value)
            connection.execute(spans.insert().values(**values))
            if with_dimensions:
                for key in ("input_cost", "total_cost", "latency"):
                    connection.execute(
                        tables["span_metrics"].insert().values(
                            trace_id=values["trace_id"], span_id=values["span_id"], key=key,
                            value=None if number == 5 else number / 7,
                        )
                    )  # fmt: skip

    def fill_workspaces(self, connection, tables):
        experiments = tables["experiments"]
        connection.execute(tables["workspaces"].insert().values(name="team-a"))
        self.number += 1
        self.insert(connection, experiments, name="shared", workspace="default")
        self.number += 1
        self.insert(connection, experiments, name="shared", workspace="team-a")


# JSON columns that MariaDB reports as texts.
JSON_COLUMNS = {
    "inputs", "expectations", "tags", "source", "outputs", "dimension_attributes",
    "status_details", "server_json", "tools", "icons", "connect_options", "progress",
    "scoped_permissions",
}  # fmt: skip


# On MySQL, MLflow reads the numbers it moves as decimals of ten places, and so loses the rest of
# them. Runledger keeps them whole.
ROUNDED = {"input_cost", "output_cost", "total_cost", "input_tokens"} | {
    f"cache_{kind}_input_tokens{suffix}"
    for kind, suffix in (("read", ""), ("creation", ""), ("creation", "_above_1hr"))
}


def plain(dialect, key, value, started):
    """A value as it is compared."""
    if dialect == "mysql" and key in ROUNDED and value is not None:
        return f"{value + 0:.8g}"
    if isinstance(value, float):
        # The sign of zero is lost in some drivers and databases.
        return value + 0.0
    # Cancelling a job stamps it with the time of the upgrade.
    if key == "last_update_time" and value and value > started:
        return "now"
    return bytes(value) if isinstance(value, memoryview) else value


def rows(url, started):
    """All rows of a database; on SQLite in the order of their row ids."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    found = {}
    with engine.connect() as connection:
        for table in sqlalchemy.inspect(connection).get_table_names():
            quoted = engine.dialect.identifier_preparer.quote(table)
            order = " order by rowid" if engine.dialect.name == "sqlite" else ""
            result = connection.exec_driver_sql(f"select * from {quoted}{order}")
            texts = [
                repr(
                    [
                        (key, plain(engine.dialect.name, key, value, started))
                        for key, value in sorted(row._mapping.items())
                    ]
                )
                for row in result
            ]
            found[table] = texts if order else sorted(texts)
    engine.dispose()
    return found


def upgrade_with_kills(command, kills):
    """Runs an upgrade to its end, after it was killed so many times at random moments."""
    for _ in range(kills):
        killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.02, 0.6))
        killed.kill()
        killed.wait()
    for _ in range(20):
        done = subprocess.run(command, capture_output=True, text=True)
        # A server notices only after a while that a client has gone.
        if done.returncode == 0 or "being upgraded" not in done.stderr:
            break
        time.sleep(0.5)
    return done


def compare(server, started):
    sys.path.insert(0, str(HERE.parent / "conformance"))
    import schema_compare

    ours, theirs = (server.compared(name) for name in ("runledger_diff_ours", "runledger_diff_theirs"))
    yield from schema_compare.differences(
        schema_compare.facts_of(ours), schema_compare.facts_of(theirs)
    )
    ours, theirs = (
        rows(server.mlflow_url(name), started)
        for name in ("runledger_diff_ours", "runledger_diff_theirs")
    )
    for table in sorted(ours.keys() | theirs.keys()):
        left, right = ours.get(table, []), theirs.get(table, [])
        if left != right:
            yield f"rows of {table}: {len(left)} and {len(right)}" + "".join(
                f"\n    {who}: {row[:2000]}"
                for who, these, those in (("ours", left, right), ("theirs", right, left))
                for row in [row for row in these if row not in those][:2]
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dialect", choices=SERVERS, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--python", required=True, metavar="VENV")
    parser.add_argument("--ours", required=True, metavar="BINARY")
    parser.add_argument("--starts", help="revisions between commas; all if not given")
    parser.add_argument("--kills", type=int, default=0, help="kill the upgrade so many times")
    options = parser.parse_args()

    python = Path(options.python) / "bin" / "python"
    if Path(sys.prefix).resolve() != Path(options.python).resolve():
        os.execv(python, [str(python), *sys.argv])
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import logging

    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config

    logging.disable(logging.WARNING)
    server = SERVERS[options.dialect](options.url)
    scripts = ScriptDirectory.from_config(_get_alembic_config("sqlite://"))
    chain = [script.revision for script in scripts.walk_revisions()][::-1]
    chain = chain[chain.index(OLDEST) :]
    starts = options.starts.split(",") if options.starts else chain
    if unknown := set(starts) - set(chain):
        parser.error(f"unknown revisions: {', '.join(sorted(unknown))}")

    walked, ours, theirs = (f"runledger_diff_{name}" for name in ("walked", "ours", "theirs"))
    server.create(walked)
    filler = Filler(server.mlflow_url(walked))
    failures = 0
    for revision in chain:
        upgrade_with_mlflow(server.mlflow_url(walked), revision)
        filler.fill()
        if revision not in starts:
            continue
        server.copy(walked, ours)
        server.copy(walked, theirs)
        started = int(time.time() * 1000) - 1000
        upgrade_with_mlflow(server.mlflow_url(theirs), "heads")
        command = [options.ours, "db", "upgrade", server.ours_url(ours)]
        done = upgrade_with_kills(command, options.kills)
        if done.returncode:
            found = [f"the upgrade failed: {done.stderr.strip() or done.stdout.strip()}"]
        else:
            found = list(compare(server, started))
        failures += len(found)
        print(f"{options.dialect} from {revision}: {len(found)} differences", flush=True)
        for line in found:
            print(f"  {line}", flush=True)
    for name in (walked, ours, theirs):
        server.drop(name)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
