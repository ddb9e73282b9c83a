"""Whole databases on SQLite, PostgreSQL and MariaDB: made, copied, and read row by row."""

from __future__ import annotations

import shutil
import subprocess

import sqlalchemy
from sqlalchemy.engine import URL, make_url

Rows = dict[str, list[str]]


def create(uri: str) -> None:
    """Makes an empty database; SQLite makes its file by itself."""
    if not uri.startswith("sqlite"):
        _run(uri, "create database {}")


def drop(uri: str) -> None:
    """Drops a database on a server, if it is there."""
    forced = " with (force)" if uri.startswith("postgresql") else ""
    _run(uri, "drop database if exists {}" + forced)


def copy(uri: str, to: str) -> None:
    """Makes the database `to` with everything that is in `uri`, which nobody else may use meanwhile."""
    source, target = make_url(uri), make_url(to)
    if uri.startswith("sqlite"):
        shutil.copyfile(source.database, target.database)
    elif uri.startswith("postgresql"):
        _run(to, "create database {} template " + source.database)
    else:
        create(to)
        dump = subprocess.run(
            _mariadb("mariadb-dump", source), check=True, stdout=subprocess.PIPE
        ).stdout
        subprocess.run(_mariadb("mariadb", target), check=True, input=dump)


def rows(uri: str) -> Rows:
    """All rows of all tables as text, sorted, whatever the order of rows and columns is."""
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        return {
            table: sorted(
                repr(sorted(row.items()))
                for row in connection.execute(
                    sqlalchemy.text(f"select * from {table}")
                ).mappings()
            )
            for table in sqlalchemy.inspect(connection).get_table_names()
        }


def _run(uri: str, statement: str) -> None:
    """Runs a statement about a database, whose name replaces the braces, from outside of it."""
    url = make_url(uri)
    beside = "postgres" if uri.startswith("postgresql") else "mysql"
    engine = sqlalchemy.create_engine(
        url.set(database=beside), isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.pool.NullPool
    )
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement.format(url.database)))


def _mariadb(program: str, url: URL) -> list[str]:
    return [
        program,
        f"--host={url.host}",
        f"--port={url.port}",
        f"--user={url.username}",
        f"--password={url.password}",
        url.database or "",
    ]
