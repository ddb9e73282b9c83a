#!/usr/bin/env python3
"""Compares the schema of two SQLite databases: ours and one that MLflow made.

    schema_compare.py OURS.db THEIRS.db

Compared are columns (order, type, nullability, default, place in the primary key, generated or
not), foreign keys with their actions, indexes with their columns and directions, unique and check
constraints with their names, triggers, the Alembic revision, and the rows of tables that both
sides must start with. Spelling that has no meaning (spaces, letter case of keywords, quotes around
a name) is ignored.

Exits 0 when nothing differs, 1 with one line per difference, 2 when a file cannot be read.
Needs nothing but the standard library, so that any Python can run it.
"""

import re
import sqlite3
import sys
from pathlib import Path

# Filled by the schema itself, not by use.
SEED_TABLES = ("alembic_version", "workspaces")


def tokens(sql):
    """The words of a statement: literals as they stand, all else in lower case and unquoted."""
    return [
        word if word.startswith("'") else word.strip('"`[]').lower()
        for word in re.findall(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\w+|[^\s\w]+?", sql or "")
    ]


def text(sql):
    return " ".join(tokens(sql))


def definitions(create_table):
    """The comma-separated parts between the outer parentheses of a CREATE TABLE."""
    part, depth = [], 0
    for word in tokens(create_table):
        depth -= word == ")"
        if depth == 0 and word == ")" or depth == 1 and word == ",":
            yield " ".join(part)
            part = []
        elif depth:
            part.append(word)
        depth += word == "("


def table_facts(db, table, sql):
    facts = {}
    for cid, name, kind, not_null, default, key, hidden in db.execute(
        f'PRAGMA table_xinfo("{table}")'
    ):
        facts[f"column {name}"] = (
            f"no. {cid}, {kind}, not null {not_null}, default {default}, "
            f"primary key {key}, generated {hidden}"
        )
    starts = ("constraint ", "primary key ", "foreign key ", "unique ", "check ")
    constraints = sorted(d for d in definitions(sql) if d.startswith(starts))
    generated = sorted(d for d in definitions(sql) if " generated always as " in d)
    facts["constraints"] = "\n".join(constraints)
    facts["generated columns"] = "\n".join(generated)

    foreign = {}
    for row, _, target, source_column, target_column, update, delete, match in db.execute(
        f'PRAGMA foreign_key_list("{table}")'
    ):
        head = f"to {target}, on update {update}, on delete {delete}, match {match}".lower()
        foreign.setdefault(row, [head]).append(f"{source_column} = {target_column}")
    # The number that SQLite gives a key depends on the order of the text, so it is left out.
    facts["foreign keys"] = "\n".join(sorted("; ".join(key) for key in foreign.values()))

    automatic = []
    for _, name, unique, origin, partial in db.execute(f'PRAGMA index_list("{table}")'):
        columns = [
            f"{column or 'expression' if cid != -1 else 'rowid'}{' desc' if descending else ''}"
            f"{' collate ' + collation if collation != 'BINARY' else ''}"
            for _, cid, column, descending, collation, is_key in db.execute(
                f'PRAGMA index_xinfo("{name}")'
            )
            if is_key
        ]
        fact = f"({', '.join(columns)}), unique {unique}, origin {origin}, partial {partial}"
        if origin == "c":
            (statement,) = db.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?", (name,)
            ).fetchone()
            facts[f"index {name}"] = f"{fact}: {text(statement)}"
        else:
            automatic.append(fact)
    facts["indexes of constraints"] = "\n".join(sorted(automatic))
    if table in SEED_TABLES:
        facts["rows"] = repr(sorted(db.execute(f'SELECT * FROM "{table}"').fetchall(), key=repr))
    return facts


def facts_of(path):
    if not Path(path).is_file():
        raise sqlite3.OperationalError(f"no such file: {path}")
    db = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    facts = {}
    for kind, name, sql in db.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type != 'index'"
    ).fetchall():
        if kind == "table":
            # Made by SQLite itself (ANALYZE, AUTOINCREMENT), not part of anybody's schema.
            if not name.startswith("sqlite_"):
                facts[f"table {name}"] = table_facts(db, name, sql)
        else:
            facts[f"{kind} {name}"] = {"text": text(sql)}
    db.close()
    return facts


def differences(ours, theirs):
    for thing in sorted(ours.keys() | theirs.keys()):
        if thing not in ours or thing not in theirs:
            yield f"{thing}: only in {'ours' if thing in ours else 'theirs'}"
            continue
        a, b = ours[thing], theirs[thing]
        for fact in sorted(a.keys() | b.keys()):
            if a.get(fact) == b.get(fact):
                continue
            ours_only = set((a.get(fact) or "missing").split("\n")) - set(
                (b.get(fact) or "").split("\n")
            )
            theirs_only = set((b.get(fact) or "missing").split("\n")) - set(
                (a.get(fact) or "").split("\n")
            )
            yield (
                f"{thing}, {fact}\n"
                f"    ours:   {' | '.join(sorted(ours_only))}\n"
                f"    theirs: {' | '.join(sorted(theirs_only))}"
            )


def main(arguments):
    if len(arguments) != 2:
        print("usage: schema_compare.py OURS.db THEIRS.db", file=sys.stderr)
        return 2
    try:
        ours, theirs = (facts_of(path) for path in arguments)
    except sqlite3.Error as error:
        print(f"schema_compare: {error}", file=sys.stderr)
        return 2
    found = list(differences(ours, theirs))
    for line in found:
        print(line)
    tables = sum(thing.startswith("table ") for thing in theirs)
    print(f"{tables} tables compared, {len(found)} differences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
