"""Workload L: how fast this machine could be at best, without any tracking server.

Prepared inserts of metrics into the same schema (`raw_insert.rs`), and a bare HTTP server that answers `{}` to the
request of workload 1 (`bare_hyper.rs`), measured by the same load client.
"""

import json
import os
import sqlite3
import subprocess
import time

from servers import Server
from workloads.write import metric_flow

RAW, BARE = "raw insert", "bare hyper"
RUN = "0" * 32


def same_schema(source, target):
    """An empty database with the tables and indexes of `source`, and one run to insert metrics for."""
    for f in (target, target + "-wal", target + "-shm"):
        if os.path.exists(f):
            os.unlink(f)
    old = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=60)
    new = sqlite3.connect(target)
    try:
        new.execute(f"pragma page_size = {old.execute('pragma page_size').fetchone()[0]}")
        # Tables come before their indexes and triggers.
        for (ddl,) in old.execute(
            "select sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by type <> 'table', rowid"
        ):
            new.execute(ddl)
        new.execute(
            "insert into experiments (experiment_id, name, artifact_location, lifecycle_stage) values (1, 'raw', 'raw', 'active')"
        )
        new.execute(
            "insert into runs (run_uuid, name, experiment_id, lifecycle_stage) values (?, 'raw', 1, 'active')", (RUN,)
        )
        new.commit()
    finally:
        old.close()
        new.close()


def raw(b):
    if b.a.backend != "sqlite" or not b.a.limits:
        return b.note("L needs --backend sqlite and --limits DIR")
    running = [s for s in b.suts if s.proc]
    source = next((s for s in running if s.name == b.a.ours), running[0])
    bare = Server(BARE, f"{b.a.limits}/bare_hyper {{host}}:{{port}}", b.a)
    try:
        bare.spawn()
        bare.until("/health", time.perf_counter())
        for r in range(b.a.rounds):
            inserts(b, source)
            for c in (1, 16):
                b.calm()
                x, name = b.load(bare, metric_flow(RUN), c), f"log-metric, {c} conn"
                b.rec("1", name, "req/s", "high", BARE, x["rps"])
                b.rec("1", f"{name}, server CPU a request", "ms", "low", BARE, max(0.001, x["cpu"]))
    except (OSError, RuntimeError, sqlite3.Error, subprocess.SubprocessError) as e:
        b.note(f"L: n/a: {str(e)[:220]}")
    finally:
        bare.stop()


def inserts(b, source):
    """One thread, with as many rows a transaction as so many connections have under way at a time."""
    db = f"{b.a.workdir}/raw.sqlite"
    for c in (1, 8):
        same_schema(source.db_path, db)
        b.calm()
        cmd = [f"{b.a.limits}/raw_insert", db, RUN, str(b.a.duration), str(c * 1000)]
        x = json.loads(subprocess.run(cmd, check=True, capture_output=True, text=True).stdout)
        name = f"log-batch 1000 metrics, {c} conn"
        b.rec("2", name, "metrics/s", "high", RAW, x["rows"] / x["seconds"])
        cpu = x["cpu_seconds"] * 1000 / (x["rows"] / 1000)
        b.rec("2", f"{name}, server CPU a request", "ms", "low", RAW, max(0.01, cpu))
