"""Workloads A and B: the same questions and writes on databases of different size and shape (`shapes.py`); PostgreSQL only.

A: many small runs, and ten times as many. B: few and huge runs; the goals set it beside the larger of A.
Each shape is filled once; every server gets a copy of the same bytes, and is started for it.
"""

import base64
import contextlib
import json
import time
import urllib.parse

from procs import peak_rss, tree
from seed import API, Db
from servers import log
from shapes import DEEP, FILTERED, NEWEST, SEARCHES, shapes
from workloads.write import JSON, metrics

PAGE = 100
# How many keys the metrics of a batch have, at how many connections.
KEYS, CONNECTIONS = (10, 1000), (1, 8)
HISTORIES = ("", " in bulk")
# Seconds of each search in each round.
BUDGET = 1.5


def small_and_large(b):
    small, large, _ = shapes(b.a)
    for shape in (small, large):
        measure(b, "A", shape)


def few_and_huge(b):
    measure(b, "B", shapes(b.a)[2])


def measure(b, w, shape):
    """Reading before writing: the databases of all servers are then the same."""
    with served(b, w, shape):
        for ask_for in (searches, volume, histories, batches):
            ask_for(b, w, shape)


@contextlib.contextmanager
def served(b, w, shape):
    """All servers, each on a copy of a database with this shape."""
    seeded, began = b.pg.create(f"seeded {shape.label}", template=b.schema()), time.time()
    shape.fill(seeded)
    db, filled = Db(seeded), time.time()
    size = int(db.query("select pg_database_size(current_database())")[0][0]) / 2**20
    log(f"{w}: seeded {shape.label}, {size:,.0f} MiB, in {filled - began:.0f} s")
    known(b, shape, db)
    try:
        for s in b.suts:
            s.use(b.pg.create(f"{s.name} {shape.label}", template=seeded))
        b.pg.drop(seeded)
        log(f"{w}: copied in {time.time() - filled:.0f} s")
        b.start()
        yield
        peak = f"peak RSS, sum over the tree, {shape.label}"
        b.each(lambda s, r: b.rec(w, peak, "MiB", "low", s.name, peak_rss(tree(s.proc.pid))), f"{w} memory")
    finally:
        for s in b.suts:
            s.stop()
            b.pg.drop(s.plain)


def known(b, shape, db):
    """What to ask for, and what the answers are."""
    found = dict(db.query("select name, experiment_id from experiments"))
    b.experiment, b.elsewhere = found["shape"], found["elsewhere"]
    b.expected = {s: s.expected(db, b.experiment, 0, PAGE * deep(shape)) for s in SEARCHES}
    b.newest = {
        e: db.query(f"select run_uuid from runs where experiment_id = {e} order by start_time desc limit 10")
        for e in (b.experiment, b.elsewhere)
    }


def deep(shape):
    """The page half-way through all the runs."""
    return max(2, shape.runs // PAGE // 2)


# -- search --


def ask(b, s, search, count, token=None):
    body = {"experiment_ids": [b.experiment], "max_results": count, **search.body}
    if token:
        body["page_token"] = token
    status, data = s.cl.raw("POST", f"{API}/runs/search", json.dumps(body), {"Content-Type": "application/json"})
    if status != 200:
        raise RuntimeError(f"{status} {data[:200]!r}")
    return data


def token_of(b, s, search, page):
    """The token of a page: written, where the server's tokens are offsets as MLflow's are, else found by walking there."""
    token = json.loads(ask(b, s, search, PAGE)).get("next_page_token")
    with contextlib.suppress(ValueError, TypeError):
        if json.loads(base64.b64decode(token)) == {"offset": PAGE}:
            return base64.b64encode(json.dumps({"offset": PAGE * (page - 1)}).encode()).decode()
    for _ in range(page - 2):
        token = json.loads(ask(b, s, search, PAGE, token)).get("next_page_token")
    if not token:
        raise RuntimeError(f"{search.label}: no page {page}")
    return token


def check(b, w, s, shape, search, data, first, count):
    got = [next(p["value"] for p in x["data"]["params"] if p["key"] == "p0") for x in json.loads(data)["runs"]]
    want = b.expected[search][first : first + count]
    if got != want:
        b.note(f"{w}: {s.name}: WRONG ANSWER: {search.label}, {shape.label}, from {first}: {got[:5]}, expected {want[:5]}")


def searches(b, w, shape):
    """The first page of each search, and a deep one where all runs match."""
    page, what = deep(shape), f"{w} search {shape.label}"
    pages = shape.runs >= 2 * PAGE

    def prepare(s, r):
        s.token = {}
        for search in SEARCHES:
            check(b, w, s, shape, search, ask(b, s, search, PAGE), 0, PAGE)
        for search in DEEP if pages else ():
            s.token[search] = token_of(b, s, search, page)
            check(b, w, s, shape, search, ask(b, s, search, PAGE, s.token[search]), PAGE * (page - 1), PAGE)

    def go(s, r):
        for search in SEARCHES:
            b.lat(w, first_page(search, shape), s, b.reps(lambda: ask(b, s, search, PAGE), BUDGET, 1))
            if search in s.token:
                again = lambda: ask(b, s, search, PAGE, s.token[search])
                b.lat(w, deep_page(search, shape), s, b.reps(again, BUDGET, 1))

    b.each(prepare, what)
    b.each(go, what, b.a.rounds)


def volume(b, w, shape):
    """As many values from each shape: three of the huge runs, or as many of the others as hold the same."""
    huge = shapes(b.a)[2]
    count, what = round(3 * huge.values / shape.values), f"{w} volume {shape.label}"

    def prepare(s, r):
        for search in (FILTERED, NEWEST):
            check(b, w, s, shape, search, ask(b, s, search, count), 0, count)

    def go(s, r):
        for search in (FILTERED, NEWEST):
            b.lat(w, same_volume(search, shape, huge), s, b.reps(lambda: ask(b, s, search, count), BUDGET, 1))

    b.each(prepare, what)
    b.each(go, what, b.a.rounds)


# -- history --


def histories(b, w, shape):
    """Metrics of as many points: those of the huge runs, or those of the runs elsewhere."""
    few, steps = shape.steps == shape.elsewhere, shape.elsewhere
    runs = [x[0] for x in b.newest[b.experiment if few else b.elsewhere]]
    q = urllib.parse.urlencode([("run_ids", x) for x in runs] + [("metric_key", "m7"), ("max_results", 320)])
    asked = (
        (f"{API}/metrics/get-history?run_id={runs[0]}&run_uuid={runs[0]}&metric_key=m7&max_results=25000", steps),
        (f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{q}", len(runs) * steps),
    )

    def prepare(s, r):
        for kind, (target, points) in zip(HISTORIES, asked):
            status, data = s.cl.raw("GET", target)
            if status != 200 or data.count(b'"step"') != points:
                raise RuntimeError(f"history{kind}: {status} {data[:200]!r}, expected {points} points")

    def go(s, r):
        for kind, (target, _) in zip(HISTORIES, asked):
            x, name = b.load(s, f"REQ GET {target}\n", 1), history(kind, shape)
            b.rec(w, name, "ms", "low", s.name, x["p50"])
            b.rec(w, f"{name}: server CPU", "ms", "low", s.name, max(0.01, x["cpu"]))

    b.each(prepare, f"{w} history {shape.label}")
    b.each(go, f"{w} history {shape.label}", b.a.rounds)


# -- writes --


def batches(b, w, shape):
    """1,000 metrics a request: of ten keys into a new run, and of as many keys as metrics into a run that has them."""
    what, few = f"{w} log-batch {shape.label}", shape.metrics >= KEYS[1]

    def prepare(s, r):
        new = lambda: s.cl.create_run(b.experiment, "batches")
        s.targets = {KEYS[0]: new(), KEYS[1]: b.newest[b.experiment][0][0] if few else new()}
        s.promised = {run: stored(s, run) for run in s.targets.values()}

    def stored(s, run):
        return int(Db(s.plain).query(f"select count(*) from metrics where run_uuid = '{run}'")[0][0])

    def go(s, r):
        for keys, run in s.targets.items():
            body = f'{{"run_id":"{run}","metrics":[{metrics(1000, keys)}]}}'
            for c in CONNECTIONS:
                x = b.load(s, f"REQ POST {API}/runs/log-batch\n{JSON}BODY @@b\n", c, files={"b": body})
                s.promised[run] += x["iters"] * 1000
                name = batch(keys, c, shape)
                b.rec(w, name, "metrics/s", "high", s.name, x["ips"] * 1000)
                b.rec(w, f"{name}, server CPU a request", "ms", "low", s.name, max(0.01, x["cpu"]))

    def counted(s, r):
        for run, promised in s.promised.items():
            if (n := stored(s, run)) != promised:
                b.note(f"{what}: {s.name}: WRONG ANSWER: {promised} metrics acknowledged, {n} stored")

    b.each(prepare, what)
    b.each(go, what, b.a.rounds)
    b.each(counted, what)


# -- the names of the figures, which the goals look for --


def first_page(search, shape):
    return f"search: {search.label}, {PAGE}, {shape.label}"


def deep_page(search, shape):
    return f"search: {search.label}, {PAGE}, page {deep(shape)}, {shape.label}"


def same_volume(search, shape, huge):
    return f"search: {search.label}, {3 * huge.values:,} values, {shape.label}"


def history(kind, shape):
    return f"history{kind}, {shape.label}"


def batch(keys, conns, shape):
    return f"log-batch 1000 metrics of {keys:,} keys, {conns} conn, {shape.label}"
