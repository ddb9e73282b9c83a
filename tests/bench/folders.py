#!/usr/bin/env python3
"""Runledger on a folder of files, beside Python MLflow's own file store and our SQLite store: what `cargo xtask bench --backend file` calls.

  folders.py --cmd 'runledger server … {host} {port} {backend} {artifacts}' --binary runledger --python VENV/bin/python --limits DIR [--quick] [--md FILE]

The folder is made by many processes that write files, to the letter as MLflow 2.17.2 does, which makes the experiment itself.
`workloads/files.py` is what is measured. Everything that is made lies below --workdir, and all but the logs is removed at the end.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import report
import seed
from measure import Measure
from seed import API
from servers import Server, log
from workloads import files

# (argument, full, quick)
SIZES = (("runs", 10_000, 1000), ("more-runs", 40_000, 0), ("calls", 1000, 100))
CHUNK = 100


class Store(Server):
    """Our server on a folder or a database, with a cache folder of its own."""

    def __init__(self, name, args, folder, backend):
        super().__init__(name, args.cmd, args)
        self.backend, self.cache, self.experiment = backend, f"{folder}/cache-{name.replace(' ', '-')}", "0"
        self.env["RUNLEDGER_CACHE_DIR"] = self.cache

    def fields(self):
        return {**super().fields(), "backend": self.backend}

    def forget(self):
        """The next start finds no index."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def first_answer(self, experiment):
        """Start; the seconds until the first search was answered."""
        self.experiment = experiment
        began = time.perf_counter()
        self.spawn()
        self.until("/health", began)
        self.ask(files.body(files.NEWEST))
        return time.perf_counter() - began

    def ask(self, body, token=None):
        body = {"experiment_ids": [self.experiment], **body, **({"page_token": token} if token else {})}
        kind = {"Content-Type": "application/json"}
        status, data = self.cl.raw("POST", f"{API}/runs/search", json.dumps(body), kind)
        if status != 200:
            raise RuntimeError(f"{status} {data[:200]!r}")
        return data

    def runs(self, answer):
        return [run["info"]["run_id"] for run in json.loads(answer).get("runs", [])]

    def token(self, answer):
        return json.loads(answer).get("next_page_token")


class Client(Server):
    """Python MLflow's client on the folder itself: a process that answers as a server does, over pipes."""

    def __init__(self, name, args, root):
        super().__init__(name, "", args)
        self.argv, self.experiment = [args.python, Folders.PYTHON_FILES, "serve", root], None

    def spawn(self):
        with open(f"{self.dir}/log", "a") as out:
            self.proc = subprocess.Popen(
                self.argv,
                cwd=self.dir,
                env=self.env,
                text=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                start_new_session=True,
            )

    def call(self, *what):
        self.proc.stdin.write(json.dumps(what) + "\n")
        self.proc.stdin.flush()
        line = self.proc.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended; see {self.dir}/log")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def ask(self, body, token=None):
        return self.call("search", self.experiment, body, token)

    def runs(self, answer):
        return answer["runs"]

    def token(self, answer):
        return answer["token"]


class Folders(Measure):
    NAME, PYTHON_FILES = "bench-files", f"{HERE}/python_files.py"

    def __init__(self, args):
        super().__init__(args)
        self.folder = tempfile.mkdtemp(prefix="files-", dir=args.workdir)
        self.root = f"{self.folder}/mlruns"
        self.python = Client(files.PYTHON, args, self.root)
        self.database = Store(files.DATABASE, args, self.folder, None)
        self.files = Store(args.ours, args, self.folder, self.root)
        # Not there until the server makes it.
        self.empty = Store("empty folder", args, self.folder, f"{self.folder}/empty")
        self.suts = [self.python, self.database, self.files]
        self.names = [s.name for s in self.suts]

    # -- the folder --

    def make(self):
        self.python.spawn()
        try:
            made = self.python.call("make", self.NAME)
        finally:
            self.python.stop()
        self.experiment, self.location = made["experiment"], made["location"]
        self.python.experiment = self.experiment
        self.fill(0, self.a.runs)

    def fill(self, first, last):
        """Runs `first` to `last`, by more processes than there are cores."""
        began, size = time.time(), (self.root, self.experiment)
        jobs = [
            (*size, min(i + CHUNK, last), self.a.params, self.a.metrics, self.location, i)
            for i in range(first, last, CHUNK)
        ]
        # A signal must end a worker, not raise in it.
        ends = lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with multiprocessing.get_context("fork").Pool(4 * os.cpu_count(), ends) as pool:
            pool.starmap(seed.files_runs, jobs, 1)
        os.sync()
        # A file that was written just now is one that may be written again: ours would read it again.
        time.sleep(4)
        log(f"runs {first:,} to {last:,} written in {time.time() - began:.0f} s")

    def import_folder(self):
        """Copy the folder into a SQLite database; the seconds it took."""
        uri, began = f"sqlite:///{self.folder}/imported.db", time.perf_counter()
        cmd = [self.a.binary, "db", "import", self.root, uri]
        p = subprocess.run(cmd, env=self.files.env, cwd=self.folder, capture_output=True, text=True)
        if p.returncode:
            raise RuntimeError(f"db import: {p.stderr.strip()[-300:]}")
        self.database.backend = uri
        return time.perf_counter() - began

    # -- the parts --

    def part(self, what, fn, *args):
        """One that fails does not keep the others from being measured."""
        log("files:", what)
        try:
            fn(self, *args)
        except Exception as e:
            traceback.print_exc()
            self.note(f"F {what}: n/a: {str(e)[:300]}")
        finally:
            for s in (*self.suts, self.empty):
                s.stop()
            report.save(self)

    def run(self):
        runs, rounds = self.a.runs, self.a.rounds
        try:
            self.make()
            self.part("index", files.building, runs, rounds)
            self.part("import", files.imported)
            self.part("search", files.searches)
            self.part("log", files.logging)
            self.part("memory", files.peak, runs, min(2, rounds))
            if self.a.more_runs > runs:
                self.part("more runs", files.more_runs)
        finally:
            # Being asked to end once more must not keep anything from being removed.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            try:
                self.finish()
            finally:
                for s in (*self.suts, self.empty):
                    s.stop()
                log("removing", self.folder)
                shutil.rmtree(self.folder, ignore_errors=True)


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--cmd", required=True, help="the command of our server")
    ap.add_argument("--binary", required=True, help="the runledger binary, for `db import`")
    ap.add_argument("--python", required=True, help="a Python that has mlflow==2.17.2")
    ap.add_argument("--limits", metavar="DIR", required=True, help="folder of the examples read_files and log_files")
    ap.add_argument("--quick", action="store_true", help="one short round: a smoke test, not a measurement")
    ap.add_argument("--out", help="write every sample to this JSON file")
    ap.add_argument("--md", help="write what is printed to this file, too")
    ap.add_argument("--ours", default="runledger", help="the name of our server on the folder")
    ap.add_argument("--rounds", type=int, help="default 3, 1 with --quick")
    ap.add_argument("--budget", type=float, help="seconds of each search in each round; default 2, 0.5 with --quick")
    ap.add_argument("--workdir", default=os.path.join(tempfile.gettempdir(), "runledger-bench"))
    ap.add_argument("--calm-wait", type=float, help="seconds in all to wait for a quiet machine; default 120, 0 with --quick")
    ap.add_argument("--no-freeze", dest="freeze", action="store_false")
    ap.add_argument("--params", type=int, default=20)
    ap.add_argument("--metrics", type=int, default=20)
    for name, full, quick in SIZES:
        ap.add_argument("--" + name, type=int, help=f"default {full:,}, {quick:,} with --quick")
    return ap


def main(argv=None):
    a = arguments().parse_args(argv)
    a.backend, a.workdir = "file", os.path.abspath(a.workdir)
    for name, full, quick in SIZES:
        dest = name.replace("-", "_")
        if getattr(a, dest) is None:
            setattr(a, dest, quick if a.quick else full)
    a.rounds = a.rounds or (1 if a.quick else 3)
    a.budget = a.budget or (0.5 if a.quick else 2)
    a.calm_wait = (0 if a.quick else 120) if a.calm_wait is None else a.calm_wait
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    Folders(a).run()


if __name__ == "__main__":
    main()
