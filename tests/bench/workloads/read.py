"""Workloads 4, 5 and 10: what people and dashboards ask a server. Answers are checked, not only timed."""

import json
import time
import urllib.parse

import seed
from seed import API, Db
from servers import log

FILTER = {"filter": "metrics.m1 > 0.5 and params.p1 = 'x'", "order_by": ["metrics.m2 DESC"]}


def seed_database(b, s):
    """The server's database, where it can be filled directly; None where that must go over REST."""
    if b.a.seed == "rest" or b.a.backend == "file":
        return None
    db = Db(s.plain if b.a.backend == "postgres" else s.backend)
    if db.is_mlflow_schema():
        return db
    if b.a.seed == "sql":
        raise RuntimeError("no MLflow schema in its database")
    return None


def search(b):
    n = b.a.runs
    want, hits = seed.expected_top(n)

    def setup(s, r):
        s.big = s.cl.experiment("bench-search")
        t, db = time.time(), seed_database(b, s)
        if db:
            seed.sql_runs(db, s.big, n, 20, 20)
        else:
            seed.rest_runs(s.cl, s.big, n, 20, 20, 8)
            b.rec("4", f"seeding {n} runs over REST, 8 threads", "runs/s", "high", s.name, n / (time.time() - t))
        log(f"{s.name}: seeded {n} runs by {'SQL' if db else 'REST'} in {time.time() - t:.1f} s")

    b.each(setup, "4")

    def ask(s, **kw):
        body = json.dumps({"experiment_ids": [s.big], **kw})
        status, data = s.cl.raw("POST", f"{API}/runs/search", body, {"Content-Type": "application/json"})
        if status != 200:
            raise RuntimeError(f"{status} {data[:200]!r}")
        return data

    def check(s, r):
        got = json.loads(ask(s, max_results=1000, **FILTER))["runs"]
        top = [next(p["value"] for p in x["data"]["params"] if p["key"] == "p0") for x in got[:5]]
        if top != want or len(got) != min(1000, hits):
            b.note(f"4: {s.name}: WRONG ANSWER: {top} ({len(got)} rows), expected {want} ({hits})")

    b.each(check, "4")

    def walk(s, name, **kw):
        t0, token, ms = time.perf_counter(), None, 0
        for _ in range(200):
            t = time.perf_counter()
            d = ask(s, **kw, **({"page_token": token} if token else {}))
            took, page = (time.perf_counter() - t) * 1000, json.loads(d)
            # Some servers end with a page of nothing, which costs nothing.
            ms = took if page.get("runs") else ms
            token = page.get("next_page_token")
            if not token:
                break
        b.lat("4", f"{name}, last page", s, [ms])
        b.lat("4", f"{name}, all pages", s, [(time.perf_counter() - t0) * 1000])

    def go(s, r):
        newest = {"order_by": ["attributes.start_time DESC"]}
        b.lat("4", "search: filter + order, max_results 100", s, b.reps(lambda: ask(s, max_results=100, **FILTER), 2))
        b.lat(
            "4", "search: filter + order, max_results 1000", s, b.reps(lambda: ask(s, max_results=1000, **FILTER), 2, 2)
        )
        b.lat("4", "search: no filter, newest 100", s, b.reps(lambda: ask(s, max_results=100, **newest), 2))

    b.each(go, "4", b.a.rounds)

    def pages(s, r):
        walk(s, "walk: filter + order, 100 a page", max_results=100, **FILTER)
        walk(s, "walk: no filter, 1000 a page", max_results=1000)

    # Once: a walk is many requests, and takes the yardstick most of a minute.
    b.each(pages, "4 walk")


def history(b):
    points, bulk = b.a.points, b.a.points // 10

    def setup(s, r):
        exp, db, t = s.cl.experiment("bench-series"), seed_database(b, s), time.time()

        def series(runs, n):
            return seed.sql_series(db, s.cl, exp, runs, n) if db else seed.rest_series(s.cl, exp, runs, n)

        s.long, s.ten = series(1, points)[0], series(10, bulk)
        log(f"{s.name}: seeded series by {'SQL' if db else 'REST'} in {time.time() - t:.1f} s")

    b.each(setup, "5")

    def all_points(s):
        token, n = None, 0
        while True:
            q = {"run_id": s.long, "run_uuid": s.long, "metric_key": "loss", "max_results": 25000}
            if token:
                q["page_token"] = token
            status, d = s.cl.raw("GET", f"{API}/metrics/get-history?" + urllib.parse.urlencode(q))
            if status != 200:
                raise RuntimeError(f"{status} {d[:200]!r}")
            n += d.count(b'"step"')
            # Decoding the whole page would be the client's time: the token stands at one of its ends.
            end = next((x for x in (d[-400:], d[:400]) if b"next_page_token" in x), b"")
            token = end.split(b'"next_page_token"')[1].split(b'"')[1].decode() if end else None
            if not token:
                break
        if n != points:
            b.note(f"5: {s.name}: WRONG ANSWER: get-history returned {n} points of {points}")

    def sampled(s):
        q = [("run_ids", x) for x in s.ten] + [("metric_key", "loss"), ("max_results", 320)]
        status, d = s.cl.raw(
            "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?" + urllib.parse.urlencode(q)
        )
        if status != 200:
            raise RuntimeError(f"{status} {d[:200]!r}")

    whole = f"get-history of {points} points, pages of 25000"
    some = f"get-history-bulk-interval, 10 runs × {bulk} points, 320"
    b.each(lambda s, r: b.lat("5", whole, s, b.reps(lambda: all_points(s), 2, 2)), "5", b.a.rounds)
    b.each(lambda s, r: b.lat("5", some, s, b.reps(lambda: sampled(s), 2)), "5 bulk", b.a.rounds)


def file_store(b):
    if b.a.backend != "file":
        return b.note("10 needs --backend file")
    n = b.a.file_runs

    def setup(s, r):
        s.big, t = s.cl.experiment("bench-files"), time.time()
        if b.a.seed == "rest":
            seed.rest_runs(s.cl, s.big, n, 10, 10)
        else:
            seed.files_runs(s.backend, s.big, n, 10, 10)
        log(f"{s.name}: {n} runs in {time.time() - t:.1f} s")

    b.each(setup, "10")

    def go(s, r):
        for name, kw in (("newest 100", {"order_by": ["attributes.start_time DESC"]}), ("filter + order, 100", FILTER)):

            def ask():
                return s.cl.call("POST", f"{API}/runs/search", {"experiment_ids": [s.big], "max_results": 100, **kw})

            if len(ask().get("runs", [])) < 50:
                b.note(f"10: {s.name}: {name}: too few rows")
            b.lat("10", f"file store: search {n} runs, {name}", s, b.reps(ask, 1, 2))

    b.each(go, "10", min(2, b.a.rounds))
