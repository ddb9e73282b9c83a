"""What Runledger has to reach against the yardstick, and whether it did."""

import itertools

from shapes import DEEP, FILTERED, NEWEST, SEARCHES, shapes
from workloads import artifacts, client, files, scale, traces
from workloads.limits import RAW

YARDSTICK, RIVAL = "mlflow-3.17", "fasttrackml"

# (what, the figure or the start of the names of several, times better than the yardstick)
RATIOS = (
    ("log-metric requests/s, 16 connections", "log-metric, 16 conn", 100),
    ("log-metric server CPU a request, 16 connections", "log-metric, 16 conn, server CPU a request", 40),
    ("log-batch metrics/s, 8 connections", "log-batch 1000 metrics, 8 conn", 25),
    ("search-runs, filter and order, 100", "search: filter + order, max_results 100", 50),
    ("search-runs, filter and order, 1000", "search: filter + order, max_results 1000", 50),
    ("search-runs, newest 100", "search: no filter, newest 100", 50),
    ("search-runs, all pages of a filter", "walk: filter + order, 100 a page, all pages", 50),
    ("search-runs, all pages of everything", "walk: no filter, 1000 a page, all pages", 50),
    ("history of a long metric", "get-history of ", 30),
    ("Python client's log_metric calls", "Python client, ", 10),
    ("first healthy answer, empty database", "first start, empty database → first 200", 100),
    ("first healthy answer, existing database", "cold start, existing database → first 200", 100),
)

# (what, figure, fewer MiB than)
MEMORY = (
    ("resident when idle", "idle RSS, sum over the tree", 40),
    ("resident at the peak of all these loads", "peak RSS in all the workloads, sum over the tree", 150),
)

RAW_SHARE = 0.6

# On PostgreSQL, as RATIOS.
POSTGRES_RATIOS = (
    ("log-metric requests/s, 16 connections", "log-metric, 16 conn", 30),
    ("log-batch metrics/s, 1 connection", "log-batch 1000 metrics, 1 conn", 15),
    ("log-batch metrics/s, 8 connections", "log-batch 1000 metrics, 8 conn", 15),
)
# Searches of the larger database, times better than the yardstick.
SEARCH_RATIO = 50
# How many times slower a search may be with ten times as many runs.
GROWTH = 3
# The rate of the crate's training loop, times that of Python's client and of log-batch alone.
LOOP_RATIO, LOOP_SHARE = 200, 0.5
# Spans a second, times the yardstick.
TRACE_RATIO = 20
# Of what hyper or the SDK alone reaches, times the yardstick for small files, and MiB of eight transfers at once.
ARTIFACT_SHARE, ARTIFACT_RATIO, ARTIFACT_MEMORY = 0.7, 20, 100
# What "as fast as" allows for a noisy machine.
ALIKE = 1.5

# On a folder of files.
# How many times longer than reading every file once the first index may take, and a search than in our database.
FILE_LIMIT = 2
FILE_SEARCH_RATIO, FILE_LOG_RATIO = 100, 10
# How many times the memory four times as many runs may take.
FILE_MEMORY = 1.5


def one(figures, name):
    """The figure of this name, else the first that starts with it."""
    return (
        name if name in figures.rows else next(iter(x for x in figures.matching(name) if not x.endswith("CPU")), name)
    )


def check(b, figures):
    """Rows of (goal, to reach, measured, reached or None)."""
    ours, base = b.a.ours, YARDSTICK if YARDSTICK in b.names else b.names[0]
    if b.a.backend == "file":
        return on_files(b, figures, ours, base)
    if b.a.backend == "artifacts":
        return of_artifacts(b, figures, ours, base)
    rows = on_postgres(b, figures, ours, base) if b.a.backend == "postgres" else on_sqlite(figures, ours, base)
    return itertools.chain(rows, of_traces(b, figures, ours, base), of_the_crate(b, figures, ours))


def at_least(figures, what, name, wanted, ours, base):
    """So many times better than the yardstick."""
    r = figures.ratio(name, ours, base) if ours != base else None
    return what, f"≥ ×{wanted} {base}", "n/a" if r is None else f"×{r:,.1f}", None if r is None else r >= wanted


def within(figures, what, name, other, limit, ours):
    """Ours at most so many times worse than ours elsewhere."""
    a, b = figures.median(name, ours), figures.median(other, ours)
    if not a or not b:
        return what, f"≤ ×{limit}", "n/a", None
    times = b / a if figures.rows[name][2] == "high" else a / b
    return what, f"≤ ×{limit}", f"×{times:,.2f}", times <= limit


def on_sqlite(figures, ours, base):
    for what, name, wanted in RATIOS:
        yield at_least(figures, what, one(figures, name), wanted, ours, base)
    r = figures.ratio("log-batch 1000 metrics, 8 conn", ours, RAW)
    yield "log-batch beside raw inserts, 8 connections", f"≥ {RAW_SHARE:.0%}", "n/a" if r is None else f"{r:.0%}", (
        None if r is None else r >= RAW_SHARE
    )
    for what, name, limit in MEMORY:
        v = figures.median(name, ours)
        yield what, f"< {limit} MiB", "n/a" if v is None else f"{v:.1f} MiB", None if v is None else v < limit
    yield against_rival(figures, ours)


def on_postgres(b, figures, ours, base):
    """Beside the yardstick; ten times as many runs beside fewer; deep pages beside first ones; huge runs beside many."""
    for what, name, wanted in POSTGRES_RATIOS:
        yield at_least(figures, what, name, wanted, ours, base)
    small, large, huge = shapes(b.a)
    for s in SEARCHES:
        name = scale.first_page(s, large)
        yield at_least(figures, f"search {s.label}, {large.label}", name, SEARCH_RATIO, ours, base)
    for s in SEARCHES:
        what = f"search {s.label}, {large.label} beside {small.label}"
        yield within(figures, what, scale.first_page(s, large), scale.first_page(s, small), GROWTH, ours)
    for shape in (small, large):
        for s in DEEP:
            what = f"search {s.label}, {shape.label}, page {scale.deep(shape)} beside the first"
            yield within(figures, what, scale.deep_page(s, shape), scale.first_page(s, shape), ALIKE, ours)
    beside = f"{huge.label} beside {large.label}"
    for s in (FILTERED, NEWEST):
        huge_name, large_name = (scale.same_volume(s, shape, huge) for shape in (huge, large))
        yield within(figures, f"search {s.label}, as many values, {beside}", huge_name, large_name, ALIKE, ours)
    for kind in scale.HISTORIES:
        names = (scale.history(kind, shape) for shape in (huge, large))
        yield within(figures, f"history{kind} of as many points, {beside}", *names, ALIKE, ours)
    for keys in scale.KEYS:
        for c in scale.CONNECTIONS:
            names = (scale.batch(keys, c, shape) for shape in (huge, large))
            what = f"log-batch, 1000 metrics of {keys:,} keys, {c} conn, {beside}"
            yield within(figures, what, *names, ALIKE, ours)
    # Not the same request: what training of each kind would send.
    for c in scale.CONNECTIONS:
        names = scale.batch(scale.KEYS[1], c, huge), scale.batch(scale.KEYS[0], c, large)
        what = f"log-batch, {scale.KEYS[1]:,} keys into a huge run beside {scale.KEYS[0]} keys into another, {c} conn"
        yield within(figures, what, *names, ALIKE, ours)


def of_traces(b, figures, ours, base):
    """Of workloads 7 and T, whatever the database."""
    if figures.matching(traces.INGEST):
        for c in (1, 8):
            name = f"{traces.INGEST}, {c} conn"
            yield at_least(figures, f"spans/s, 100 a request, {c} conn", name, TRACE_RATIO, ours, base)
    few, many = b.a.traces, b.a.many_traces
    for what in traces.LOOKED_FOR:
        names = traces.among(what, many), traces.among(what, few)
        if names[0] in figures.rows:
            yield within(figures, f"{many:,} traces beside {few:,}: by {what}", *names, GROWTH, ours)


def of_the_crate(b, figures, ours):
    """Of workload R: figures of our server only."""
    for what, name, of, wanted in (
        ("training loop in Rust beside Python's log_metric", client.LOOP, client.PYTHON_RATE, LOOP_RATIO),
        ("training loop in Rust beside log-batch alone", client.LOOP, client.BATCHES, LOOP_SHARE),
    ):
        a, o = figures.median(name, ours), figures.median(of, ours)
        if a and o:
            yield what, f"≥ ×{wanted}", f"×{a / o:,.2f}", a / o >= wanted
    if client.CALL in figures.rows:
        what = "a call of log_metric in Rust beside clock, metric and push"
        yield within(figures, what, client.CALL, client.LEAST, ALIKE, ours)


def at_most(what, limit, value, of, unit):
    """A figure at most so many times another one."""
    if not value or not of:
        return what, f"≤ ×{limit}", "n/a", None
    return what, f"≤ ×{limit}", f"×{value / of:,.2f} ({value:,.2f} and {of:,.2f} {unit})", value / of <= limit


def on_files(b, figures, ours, base):
    """Beside reading all files, beside Python on the same files, and beside our database with the same runs."""
    runs, more = b.a.runs, b.a.more_runs
    name = files.build(runs)
    fastest = min((x for r in files.readers() if (x := figures.median(name, r))), default=None)
    yield at_most(
        "first index build, beside reading every file once", FILE_LIMIT, figures.median(name, ours), fastest, "s"
    )
    what, name = f"search {files.ASKED[0][0]}", files.searched(files.ASKED[0][0], runs)
    yield at_least(figures, what, name, FILE_SEARCH_RATIO, ours, base)
    mine, database = (figures.median(name, who) for who in (ours, files.DATABASE))
    yield at_most(f"{what}, beside {files.DATABASE}", FILE_LIMIT, mine, database, "ms")
    for keys in files.KEYS:
        name = files.logged(b.a.calls, keys)
        yield at_least(figures, name, name, FILE_LOG_RATIO, ours, base)
    few, many = (figures.median(files.memory(n), ours) for n in (runs, more))
    yield at_most(f"memory, {more:,} runs beside {runs:,}", FILE_MEMORY, many, few, "MiB")


def of_artifacts(b, figures, ours, base):
    """Beside hyper and the SDK alone, beside the yardstick, and the memory of several transfers."""
    mib, count = b.a.big_mib, b.a.small_files
    for what in ("upload", "download"):
        for name, limit in (
            (artifacts.moved(what, mib), artifacts.BARE),
            (artifacts.moved(what, mib, ", S3"), artifacts.SDK),
        ):
            r = figures.ratio(name, ours, limit)
            ok = None if r is None else r >= ARTIFACT_SHARE
            yield f"{name}, beside {limit}", f"≥ {ARTIFACT_SHARE:.0%}", "n/a" if r is None else f"{r:.0%}", ok
        name = artifacts.small(what, count)
        yield at_least(figures, name, name, ARTIFACT_RATIO, ours, base)
        for where in ("", ", S3"):
            name = artifacts.memory(artifacts.at_once(what, mib // artifacts.AT_ONCE, where))
            v = figures.median(name, ours)
            ok = None if v is None else v < ARTIFACT_MEMORY
            yield name, f"< {ARTIFACT_MEMORY} MiB", "n/a" if v is None else f"{v:.1f} MiB", ok


def against_rival(figures, ours):
    ratios = {m: r for m in figures.rows if (r := figures.ratio(m, ours, RIVAL)) is not None}
    behind = [f"{m} (×{r:.2f})" for m, r in ratios.items() if r < 1]
    measured = f"{len(ratios) - len(behind)} of {len(ratios)}" + ("; behind in " + "; ".join(behind) if behind else "")
    return f"ahead of {RIVAL}", "every row", measured if ratios else "n/a", not behind if ratios else None
