#!/usr/bin/env python3
"""Measure MLflow-compatible servers side by side. Standard library only (plus rustc once, for loadgen.rs).

  bench.py --sut NAME='CMD with {host} {port} {backend} {artifacts}' --sut ... \\
           --backend sqlite|postgres|file|artifacts --workloads 1,2,3 [--quick] --out results.json [--md table.md]

All servers are started once and take turns inside every workload, round after round, so a noisy machine hits
them alike; the servers that wait are stopped (SIGSTOP) so that their background work costs the others nothing.
The first --sut is the yardstick: every other figure carries a ratio to it, > 1 always meaning better.
Placeholders: {host} {port} {backend} (SQLAlchemy URI, or a folder for --backend file) {backend_plain} (the same as
sqlite://PATH or postgresql://…, for a server that is not Python) {db_path} {artifacts} {dir}.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import report
from measure import Measure
from postgres import Cluster
from procs import HOST, cpu_seconds, tree
from seed import API
from servers import Sut, log
from workloads import SCALE, WORKLOADS, lifetime


class Bench(Measure):
    def __init__(self, args):
        super().__init__(args)
        self.loadgen = self.build()
        self.pg = Cluster() if args.backend == "postgres" else None
        self.settings = self.pg.settings() if self.pg else ""
        self.suts = [Sut(*s.split("=", 1), args, self.pg) for s in args.sut]
        self.names = [s.name for s in self.suts]
        self.seq, self.empty = 1, None

    def build(self):
        out, src = self.a.workdir + "/loadgen", HERE + "/loadgen.rs"
        if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(src):
            subprocess.run(["rustc", "--edition", "2024", "-O", "-o", out, src], check=True)
        return out

    # -- quiet --

    def settle(self, s):
        """Let a server finish its own start (MLflow 3 starts job runners after the first answer) before it is frozen or measured."""
        limit = 15 if self.a.quick else 60
        s.cl.raw("GET", f"{API}/experiments/get?experiment_id=0")
        t0, quiet = time.time(), 0
        while quiet < 2 and time.time() - t0 < limit:
            c, t = self.cpu(s), time.time()
            time.sleep(1)
            quiet = quiet + 1 if (self.cpu(s) - c) / (time.time() - t) < 0.12 else 0
        return time.time() - t0

    # -- measuring --

    def cpu(self, s):
        """With that of PostgreSQL, which works for the server."""
        return super().cpu(s) + (cpu_seconds(tree(self.pg.pid)) if self.pg else 0)

    def load(self, s, flow, conns, duration=None, max_iters=None, files=None):
        """Run the load client with a flow (its language stands at the top of loadgen.rs); `@@name` names one of `files`."""
        d = s.dir + "/flow"
        shutil.rmtree(d, ignore_errors=True)
        os.makedirs(d)
        for name, body in {"flow": flow.replace("@@", "@" + d + "/"), **(files or {})}.items():
            with open(f"{d}/{name}", "wb") as f:
                f.write(body if isinstance(body, bytes) else body.encode())
        cmd = [self.loadgen, "--addr", f"{HOST}:{s.port}", "--flow", d + "/flow", "--conns", str(conns)]
        cmd += ["--duration", str(duration or self.a.duration), "--seq-start", str(self.seq)]
        if max_iters:
            cmd += ["--max-iters", str(max_iters)]
        self.seq += 1_000_000
        c0 = self.cpu(s)
        r = json.loads(subprocess.run(cmd, check=True, capture_output=True, text=True).stdout)
        r["cpu"] = (self.cpu(s) - c0) * 1000 / max(1, r["iters"])
        if r["errors"]:
            self.note(
                f"{s.name}: {r['errors']} of {r['requests']} requests failed at {conns} connections: {r['first_error'][:160]}"
            )
        if not r["iters"]:
            raise RuntimeError("no request succeeded: " + r["first_error"][:200])
        return r

    def start(self):
        """Start all servers; one that does not start gets a note, and no turns."""
        for s in self.suts:
            try:
                _, api = s.start()
                log("start", s.name, f"{api:.2f} s; settled after another {self.settle(s):.0f} s")
            except (RuntimeError, OSError) as e:
                self.note(f"{s.name}: n/a: {e}")
                s.stop()
            s.freeze()

    def schema(self):
        """The URI of a database to copy, in which the yardstick has made its tables and nothing else has happened."""
        if not self.empty:
            s, own = self.suts[0], self.suts[0].plain
            self.empty = self.pg.create("schema")
            s.use(self.empty)
            try:
                s.start()
            finally:
                s.stop()
                s.use(own)
        return self.empty

    def run(self):
        try:
            if "8" in self.a.workloads:
                lifetime.cold(self)
            if any(w in WORKLOADS for w in self.a.workloads):
                self.start()
                for w in self.a.workloads:
                    if w in WORKLOADS:
                        log("workload", w)
                        WORKLOADS[w](self)
                        report.save(self)
                lifetime.after(self)
                for s in self.suts:
                    s.stop()
            for w in self.a.workloads:
                if w in SCALE:
                    log("workload", w)
                    SCALE[w](self)
        finally:
            try:
                self.finish()
            finally:
                for s in self.suts:
                    s.stop()
                if self.pg:
                    self.pg.stop()


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--sut", action="append", required=True, metavar="NAME=CMD")
    ap.add_argument("--backend", choices=["sqlite", "postgres", "file", "artifacts"], default="sqlite")
    ap.add_argument("--workloads", help="comma list of 1..10, L, S, A and B; default: what the backend has")
    ap.add_argument("--quick", action="store_true", help="one short round: a smoke test, not a measurement")
    ap.add_argument("--out", help="write every sample to this JSON file")
    ap.add_argument("--md", help="write what is printed to this file, too")
    ap.add_argument("--ours", default="runledger", help="the --sut whose goals are checked")
    ap.add_argument("--rounds", type=int, help="default 3, 1 with --quick")
    ap.add_argument("--duration", type=float, help="seconds of each load window; default 3, 0.7 with --quick")
    ap.add_argument(
        "--seed",
        choices=["auto", "rest", "sql"],
        default="auto",
        help="auto: SQL where the database has MLflow's schema, else REST",
    )
    ap.add_argument("--workdir", default=os.path.join(tempfile.gettempdir(), "runledger-bench"))
    ap.add_argument("--client-python", default=sys.executable, help="a Python that has mlflow, for workload 9")
    ap.add_argument(
        "--limits", metavar="DIR", help="folder of the built examples raw_insert and bare_hyper, for workload L, and bare_files, for 6"
    )
    ap.add_argument("--s3-server", metavar="PATH", help="the program s3s-fs, for workload S")
    ap.add_argument("--sdk-s3", metavar="PATH", help="the built package sdk_s3, for workload S")
    ap.add_argument(
        "--calm-wait",
        type=float,
        help="seconds in all that may go into waiting for a quiet machine; default 120, 0 with --quick",
    )
    ap.add_argument("--no-freeze", dest="freeze", action="store_false")
    sizes = ap.add_argument_group("sizes")
    for name, full, quick in SIZES:
        sizes.add_argument("--" + name, type=int, help=f"default {full:,}, {quick:,} with --quick")
    return ap


SIZES = (
    ("runs", 10_000, 1000),
    ("points", 100_000, 10_000),
    ("big-mib", 1024, 64),
    ("small-files", 1000, 200),
    ("traces", 20_000, 1000),
    ("many-traces", 1_000_000, 5000),
    ("client-metrics", 1000, 100),
    ("loop-metrics", 1_000_000, 20_000),
    ("file-runs", 2000, 200),
    ("small-runs", 10_000, 400),
    ("large-runs", 100_000, 4000),
    ("huge-runs", 50, 50),
    ("huge-keys", 1650, 1000),
    ("huge-steps", 100, 2),
)


def main(argv=None):
    a = arguments().parse_args(argv)
    a.workdir = os.path.abspath(a.workdir)
    for name, full, quick in SIZES:
        dest = name.replace("-", "_")
        if getattr(a, dest) is None:
            setattr(a, dest, quick if a.quick else full)
    a.rounds = a.rounds or (1 if a.quick else 3)
    a.duration = a.duration or (0.7 if a.quick else 3)
    a.calm_wait = (0 if a.quick else 120) if a.calm_wait is None else a.calm_wait
    a.workloads = (a.workloads or {"file": "10", "artifacts": "6,S"}.get(a.backend, "1,2,3,4,5,6,7,8,9")).split(",")
    unknown = [w for w in a.workloads if w != "8" and w not in WORKLOADS and w not in SCALE]
    if unknown:
        sys.exit(f"unknown workload: {', '.join(unknown)}")
    if a.backend != "postgres" and any(w in SCALE for w in a.workloads):
        sys.exit(f"only with --backend postgres: workload {', '.join(SCALE)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    Bench(a).run()


if __name__ == "__main__":
    main()
