#!/usr/bin/env python3
"""Compares the schema of two databases: ours and one that MLflow made.

    schema_compare.py OURS THEIRS

Each is a SQLite file, or the URL of a PostgreSQL (`postgresql://`) or MySQL (`mysql://`) database.

Compared are columns (order, type, nullability, default, place in the primary key, generated or
not), foreign keys with their actions, indexes with their columns and directions, unique and check
constraints with their names, triggers, functions, sequences, the Alembic revision, and the rows of
tables that both sides must start with. What we add, with names in `runledger_`, is left out. Spelling that has no meaning (spaces, letter case of
keywords, quotes around a name) is ignored.

Exits 0 when nothing differs, 1 with one line per difference, 2 when a database cannot be read.
Needs nothing but the standard library for SQLite, so that any Python can run it; psycopg2 or
PyMySQL for the others.
"""

import re
import sqlite3
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

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


def sqlite_facts(path):
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


# What PostgreSQL knows about the tables, functions and sequences of the schema `public`: rows of
# thing, fact and value.
POSTGRES_FACTS = """
with own as (
    select oid, relname, relkind from pg_class where relnamespace = 'public'::regnamespace
)
select 'table ' || relname, 'column ' || attname,
    format('no. %s, %s, not null %s, default %s, identity %s, generated %s, collation %s',
        (select count(*) from pg_attribute before where before.attrelid = own.oid
            and before.attnum > 0 and before.attnum <= a.attnum and not before.attisdropped),
        format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), attidentity,
        attgenerated, attcollation::regcollation)
from own join pg_attribute a on attrelid = own.oid and attnum > 0 and not attisdropped
left join pg_attrdef on adrelid = own.oid and adnum = attnum where relkind = 'r'
union all
select 'table ' || relname, 'constraint ' || conname,
    format('%s, valid %s', pg_get_constraintdef(c.oid), convalidated)
from own join pg_constraint c on conrelid = own.oid
union all
select 'table ' || tablename, 'index ' || indexname, indexdef
from pg_indexes where schemaname = 'public'
union all
select 'table ' || relname, 'trigger ' || tgname,
    format('%s, enabled %s', pg_get_triggerdef(t.oid), tgenabled)
from own join pg_trigger t on tgrelid = own.oid and not tgisinternal
union all
select 'function ' || proname, 'text',
    format('(%s) returns %s, %s, %s', pg_get_function_arguments(p.oid), prorettype::regtype,
        provolatile, prosrc)
from pg_proc p where pronamespace = 'public'::regnamespace
union all
select 'sequence ' || relname, 'definition',
    format('%s, start %s, by %s, from %s to %s, cycle %s, of %s', seqtypid::regtype, seqstart,
        seqincrement, seqmin, seqmax, seqcycle,
        (select format('%s.%s %s', d.refobjid::regclass, attname, d.deptype)
            from pg_depend d join pg_attribute on attrelid = d.refobjid and attnum = d.refobjsubid
            where d.objid = own.oid and d.classid = 'pg_class'::regclass
                and d.refclassid = 'pg_class'::regclass))
from own join pg_sequence on seqrelid = own.oid
union all
select relkind::text || ' ' || relname, 'exists', '' from own where relkind not in ('r', 'i', 'S')
"""


def postgres_facts(url):
    import psycopg2

    db = psycopg2.connect(url)
    cursor = db.cursor()
    cursor.execute(POSTGRES_FACTS)
    facts = {}
    for thing, fact, value in cursor.fetchall():
        facts.setdefault(thing, {})[fact] = text(value)
    for table in SEED_TABLES:
        if f"table {table}" in facts:
            cursor.execute(f'select * from "{table}"')
            facts[f"table {table}"]["rows"] = repr(sorted(cursor.fetchall(), key=repr))
    db.close()
    return facts


def mysql_connection(url):
    import pymysql

    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        database=parts.path.lstrip("/"),
    )


def mysql_facts(url):
    """What `show create table` says, line by line: the server writes it, so spelling is its own."""
    db = mysql_connection(url)
    cursor = db.cursor()
    facts = {}
    cursor.execute("show full tables where table_type = 'BASE TABLE'")
    for table, _ in cursor.fetchall():
        facts[f"table {table}"] = of_table = {}
        cursor.execute(f"show create table `{table}`")
        _, *lines, options = cursor.fetchone()[1].split("\n")
        of_table["options"] = re.sub(r" AUTO_INCREMENT=\d+", "", options)
        columns = 0
        for line in (line.strip().rstrip(",") for line in lines):
            if line.startswith("`"):
                columns += 1
                name, definition = line[1:].split("` ", 1)
                of_table[f"column {name}"] = f"no. {columns}, {definition}"
            else:
                of_table[line.split(" (")[0]] = line
        cursor.execute(
            "select column_name, collation_name from information_schema.columns"
            " where table_schema = database() and table_name = %s",
            (table,),
        )
        for column, collation in cursor.fetchall():
            of_table[f"column {column}"] += f", collation {collation}"
        if table in SEED_TABLES:
            cursor.execute(f"select * from `{table}`")
            of_table["rows"] = repr(sorted(cursor.fetchall(), key=repr))
    cursor.execute(
        "select trigger_name, event_object_table, action_timing, event_manipulation,"
        " action_statement from information_schema.triggers where trigger_schema = database()"
    )
    for name, *fact in cursor.fetchall():
        facts[f"trigger {name}"] = {"text": text(" ".join(fact))}
    cursor.execute(
        "select routine_type, routine_name, routine_definition from information_schema.routines"
        " where routine_schema = database()"
    )
    for kind, name, body in cursor.fetchall():
        facts[f"{kind.lower()} {name}"] = {"text": text(body)}
    db.close()
    return facts


def facts_of(database):
    if re.match(r"postgres(ql)?:", database):
        return postgres_facts(database)
    if database.startswith("mysql:"):
        return mysql_facts(database)
    return sqlite_facts(database)


def is_an_addition(name):
    """Whether a thing or fact is one that we add beside MLflow's schema, by its name."""
    return name.split(" ")[-1].strip("`").startswith("runledger_")


def differences(ours, theirs):
    for thing in sorted(ours.keys() | theirs.keys()):
        if thing not in theirs and is_an_addition(thing):
            continue
        if thing not in ours or thing not in theirs:
            yield f"{thing}: only in {'ours' if thing in ours else 'theirs'}"
            continue
        a, b = ours[thing], theirs[thing]
        for fact in sorted(a.keys() | b.keys()):
            if a.get(fact) == b.get(fact) or fact not in b and is_an_addition(fact):
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
        print("usage: schema_compare.py OURS THEIRS", file=sys.stderr)
        return 2
    try:
        ours, theirs = (facts_of(path) for path in arguments)
    # The drivers of servers have no class of errors in common.
    except Exception as error:
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
