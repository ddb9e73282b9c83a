"""Workload F: a folder of many runs that other processes have written, and training that writes into one.

Takes the Folders (`folders.py`). The answers of the searches are known from the data: all have to give them.
"""

import json
import os
import resource
import shutil
import subprocess
import time

import seed
from procs import cpu_seconds, peak_rss, tree
from shapes import BY_METRIC, FILTERED, NEWEST

PYTHON, DATABASE = "mlflow-2.17", "runledger sqlite"
PAGE = 100
SEARCHED = (FILTERED, NEWEST, BY_METRIC)
# (what, which search, which page)
ASKED = tuple((s.label, s, 1) for s in SEARCHED) + (("filter + order, second page", FILTERED, 2),)
# So many searches before the peak of memory is read, unless they take longer than so many seconds.
SEARCHES, SEARCHES_LIMIT = 200, 150
KEYS = (1, 20)
# Each of its searches takes seconds, if not half a minute.
PYTHON_ROUNDS = 2


# -- the names of the figures, which the goals look for --

EMPTY = "start on an empty folder → first search answered"
IMPORT = "db import of the folder"


def build(runs):
    return f"first index build, {runs:,} runs: start → first search, less that on an empty folder"


def kept(runs):
    return f"start with the index, {runs:,} runs: → first search, less that on an empty folder"


def searched(label, runs):
    return f"search: {label}, {PAGE}, {runs:,} runs"


def logged(calls, keys, wait=False):
    return f"{calls:,} × log_metric, {keys} key{'s' * (keys > 1)}" + (", each waiting for the disk" if wait else "")


def memory(runs):
    return f"peak RSS after the first build and {SEARCHES} searches, {runs:,} runs"


def reader(threads):
    return f"read every file once, {threads} thread{'s' * (threads > 1)}"


def readers():
    return [reader(t) for t in dict.fromkeys((1, os.cpu_count()))]


# -- reading every file, and building the index --


def read_every_file(f, threads):
    """Seconds, CPU seconds, and how many files there are."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cmd = [f"{f.a.limits}/read_files", f.root, str(threads)]
    x = json.loads(subprocess.run(cmd, check=True, capture_output=True, text=True).stdout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return x["seconds"], cpu, x["files"]


def reading(f, name):
    """Each way of reading every file once, as a limit of the figure of this name."""
    for threads in dict.fromkeys((1, os.cpu_count())):
        f.calm()
        seconds, cpu, _ = read_every_file(f, threads)
        f.rec("F", name, "s", "low", reader(threads), seconds)
        f.rec("F", f"{name}: CPU", "s", "low", reader(threads), cpu)


def started(f, s, experiment):
    """Start, and stop; the seconds to the first answer, and the CPU seconds."""
    f.calm()
    try:
        seconds = s.first_answer(experiment)
        return seconds, cpu_seconds(tree(s.proc.pid))
    finally:
        s.stop()


def building(f, runs, rounds):
    _, _, files = read_every_file(f, os.cpu_count())  # from here on in the page cache
    f.note(f"{runs:,} runs are {files:,} files")
    name = build(runs)
    for _ in range(rounds):
        f.empty.forget()
        empty, empty_cpu = started(f, f.empty, "0")
        reading(f, name)
        f.files.forget()
        first, first_cpu = started(f, f.files, f.experiment)
        again, _ = started(f, f.files, f.experiment)
        f.rec("F", EMPTY, "s", "low", f.a.ours, empty)
        f.rec("F", name, "s", "low", f.a.ours, first - empty)
        f.rec("F", f"{name}: CPU", "s", "low", f.a.ours, first_cpu - empty_cpu)
        # What starting takes varies by more than a millisecond.
        f.rec("F", kept(runs), "s", "low", f.a.ours, max(0.001, again - empty))


# -- searches --


def expected(experiment, n, search, page):
    """The ids of the runs of a page."""
    found = range(n)
    if search is FILTERED:
        found = [i for i in found if seed.metric(i, 1) > 0.5 and seed.param(i, 1) == "x"]
    # Runs were started in the order of their numbers.
    key = (lambda i: -i) if search is NEWEST else (lambda i: (-seed.metric(i, 2), -i))
    return [seed.run_id(f"f{experiment}", i) for i in sorted(found, key=key)[PAGE * (page - 1) : PAGE * page]]


def body(search):
    return {"max_results": PAGE, **search.body}


def imported(f):
    """Our database with the same runs."""
    f.calm()
    f.rec("F", IMPORT, "s", "low", DATABASE, f.import_folder())


def searches(f):
    n, what = f.a.runs, "search"
    want = {label: expected(f.experiment, n, search, page) for label, search, page in ASKED}
    f.python.spawn()
    f.files.first_answer(f.experiment)
    if f.database.backend:
        f.database.first_answer("0")
        f.database.experiment = f.database.cl.experiment(f.NAME)
    for s in f.suts:
        s.freeze()

    def prepare(s, r):
        s.tokens = {}
        for label, search, page in ASKED:
            token, answer = None, s.ask(body(search))
            if page > 1:
                if not (token := s.token(answer)):
                    raise RuntimeError(f"{label}: there is none")
                answer = s.ask(body(search), token)
            s.tokens[label] = token
            if (got := s.runs(answer)) != want[label]:
                same = next((k for k, pair in enumerate(zip(got, want[label])) if pair[0] != pair[1]), len(got))
                f.note(f"F: {s.name}: WRONG ANSWER: {label}: {len(got)} of {len(want[label])} runs, right up to {same}")

    def go(s, r):
        if s is f.python and r >= PYTHON_ROUNDS:
            return
        for label, search, _ in ASKED:
            f.lat("F", searched(label, n), s, f.reps(lambda: s.ask(body(search), s.tokens[label]), f.a.budget, 1))

    f.each(prepare, what)
    f.each(go, what, f.a.rounds)
    for s in f.suts:
        s.stop()


# -- logging --


def logging(f):
    calls, ours, client = f.a.calls, f"{f.a.limits}/log_files", [f.a.python, f.PYTHON_FILES, "log"]

    def once(who, cmd, name, keys):
        """In a folder of its own, which is looked into."""
        folder = f"{f.folder}/logged"
        f.calm()
        try:
            p = subprocess.run(cmd(folder), env=f.python.env, capture_output=True, text=True, timeout=600)
            if p.returncode:
                raise RuntimeError(p.stderr[-300:])
            x = json.loads(p.stdout)
            lines = []
            for key in range(keys):
                with open(f"{folder}/{x['run']}/metrics/m{key}") as file:
                    lines += file.readlines()
            if len(lines) != calls:
                f.note(f"F: {who}: WRONG ANSWER: {name}: {len(lines)} of {calls} points in the files")
            f.rec("F", name, "s", "low", who, x["seconds"])
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    for _ in range(f.a.rounds):
        for keys in KEYS:
            size = [str(calls), str(keys)]
            once(PYTHON, lambda d: [*client, d, *size], logged(calls, keys), keys)
            for wait in (False, True):
                cmd = lambda d: [ours, d, f"{f.folder}/cache-logged", *size, "power" if wait else "process"]
                once(f.a.ours, cmd, logged(calls, keys, wait), keys)


# -- memory --


def peak(f, runs, rounds):
    for _ in range(rounds):
        f.files.forget()
        try:
            f.files.first_answer(f.experiment)
            began, done = time.perf_counter(), 0
            while done < SEARCHES and time.perf_counter() - began < SEARCHES_LIMIT:
                label, search, _ = ASKED[done % len(SEARCHED)]
                asked = time.perf_counter()
                f.files.ask(body(search))
                done += 1
                if runs != f.a.runs:  # which `searches` measures
                    f.rec("F", searched(label, runs), "ms", "low", f.a.ours, (time.perf_counter() - asked) * 1000)
            if done < SEARCHES:
                f.note(f"{runs:,} runs: only {done} of {SEARCHES} searches in {SEARCHES_LIMIT} s before the peak of memory was read")
            f.rec("F", memory(runs), "MiB", "low", f.a.ours, peak_rss(tree(f.files.proc.pid)))
        finally:
            f.files.stop()


def more_runs(f):
    """The same folder with more runs in it: what memory and the index cost then."""
    f.fill(f.a.runs, f.a.more_runs)
    building(f, f.a.more_runs, 1)
    peak(f, f.a.more_runs, 1)
