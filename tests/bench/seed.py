#!/usr/bin/env python3
"""Deterministic seed data for any MLflow-compatible server. Standard library only.

Everything can be written over REST; SQLite and PostgreSQL databases with MLflow's own schema can
also be filled directly (much faster), and so can an ./mlruns folder. The same (index -> values)
function is used everywhere, so answers can be compared between servers.

  seed.py --url http://127.0.0.1:5000 runs   --experiment big --n 10000 --params 20 --metrics 20
  seed.py --url http://127.0.0.1:5000 series --experiment series --runs 10 --points 10000
  seed.py --url http://127.0.0.1:5000 traces --experiment traced --n 20000
  add --sql sqlite:////path/mlflow.db | --sql postgresql://u@h:p/db to insert runs and series directly,
  or --mlruns DIR to write the file store's files.
"""

import argparse, concurrent.futures as cf, http.client, io, json, os, sqlite3, struct, subprocess, threading, time, urllib.parse

T0 = 1_700_000_000_000
API = "/api/2.0/mlflow"


def h32(*xs):
    x = 0x9E3779B9
    for v in xs:
        x = (x ^ (v & 0xFFFFFFFF)) * 0x45D9F3B & 0xFFFFFFFF
        x ^= x >> 16
        x = x * 0x119DE1F3 & 0xFFFFFFFF
        x ^= x >> 15
    return x


def metric(i, k):
    return h32(i, k, 1) / 2**32


def param(i, k):
    if k == 0:
        return str(i)
    if k == 1:
        return "xyzw"[h32(i, 77) % 4]
    return f"value-{h32(i, k, 2) % 50}"


def point(i, s):
    return 1.0 / (1 + s * 0.001 * (1 + i)) + (h32(i, s, 3) / 2**32) * 0.05


def run_id(tag, i):
    return "".join(f"{h32(i, j, *tag.encode()):08x}" for j in range(4))


def expected_top(n, limit=5):
    """params.p0 of the first rows of: metrics.m1 > 0.5 and params.p1 = 'x' order by metrics.m2 DESC; and the match count."""
    hit = [i for i in range(n) if metric(i, 1) > 0.5 and param(i, 1) == "x"]
    return [str(i) for i in sorted(hit, key=lambda i: -metric(i, 2))[:limit]], len(hit)


class Client:
    """A keep-alive HTTP client, one connection per thread."""

    def __init__(self, host, port, timeout=600):
        self.host, self.port, self.timeout, self.local = host, port, timeout, threading.local()

    def raw(self, method, path, body=None, headers=None):
        for attempt in (0, 1):
            c = getattr(self.local, "c", None)
            if c is None:
                c = self.local.c = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            try:
                c.request(method, path, body=body, headers=headers or {})
                r = c.getresponse()
                data = r.read()
                if r.will_close:
                    c.close()
                return r.status, data
            except (http.client.HTTPException, ConnectionError, BrokenPipeError):
                c.close()
                self.local.c = None
                if attempt:
                    raise

    def call(self, method, path, obj=None, query=None):
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        body = None if obj is None else json.dumps(obj).encode()
        st, data = self.raw(method, path, body, {"Content-Type": "application/json"} if body else {})
        if not 200 <= st < 300:
            raise RuntimeError(f"{method} {path[:120]}: {st} {data[:300]!r}")
        return json.loads(data or b"{}")

    def experiment(self, name):
        st, data = self.raw("GET", f"{API}/experiments/get-by-name?experiment_name={urllib.parse.quote(name)}")
        if st == 200:
            return json.loads(data)["experiment"]["experiment_id"]
        return self.call("POST", f"{API}/experiments/create", {"name": name})["experiment_id"]

    def create_run(self, exp, name=None, start=None, tags=()):
        body = {
            "experiment_id": str(exp),
            "start_time": start or int(time.time() * 1000),
            "tags": [{"key": k, "value": v} for k, v in tags],
        }
        if name:
            body["run_name"] = name
        return self.call("POST", f"{API}/runs/create", body)["run"]["info"]["run_id"]


def tags_of(i):
    return [
        ("mlflow.runName", f"run-{i:05d}"),
        ("mlflow.user", "bench"),
        ("mlflow.source.type", "LOCAL"),
        ("mlflow.source.name", "train.py"),
        ("split", "abcde"[i % 5]),
    ]


def pmap(fn, xs, threads):
    with cf.ThreadPoolExecutor(threads) as ex:
        return list(ex.map(fn, xs))


# ---- REST ----


def rest_runs(c, exp, n, params, metrics, threads=4):
    def one(i):
        start = T0 + i * 60_000
        rid = c.create_run(exp, f"run-{i:05d}", start, tags_of(i))
        c.call(
            "POST",
            f"{API}/runs/log-batch",
            {
                "run_id": rid,
                "params": [{"key": f"p{k}", "value": param(i, k)} for k in range(params)],
                "metrics": [
                    {"key": f"m{k}", "value": metric(i, k), "timestamp": start + 1000, "step": 0}
                    for k in range(metrics)
                ],
            },
        )
        c.call("POST", f"{API}/runs/update", {"run_id": rid, "status": "FINISHED", "end_time": start + 30_000})
        return rid

    return pmap(one, range(n), threads)


def rest_series(c, exp, runs, points, key="loss", threads=4):
    rids = [c.create_run(exp, f"series-{i}") for i in range(runs)]
    jobs = [(i, r, s) for i, r in enumerate(rids) for s in range(0, points, 1000)]
    pmap(
        lambda j: c.call(
            "POST",
            f"{API}/runs/log-batch",
            {
                "run_id": j[1],
                "metrics": [
                    {"key": key, "value": point(j[0], s), "timestamp": T0 + s * 1000, "step": s}
                    for s in range(j[2], min(points, j[2] + 1000))
                ],
            },
        ),
        jobs,
        threads,
    )
    return rids


# ---- direct SQL, for a database with MLflow's own schema ----

MET = ["key", "value", "timestamp", "run_uuid", "step", "is_nan"]
RUN = [
    "run_uuid",
    "name",
    "source_type",
    "source_name",
    "entry_point_name",
    "user_id",
    "status",
    "start_time",
    "end_time",
    "source_version",
    "lifecycle_stage",
    "artifact_uri",
    "experiment_id",
]


class Db:
    def __init__(self, uri, psql="psql"):
        self.uri, self.psql = uri, psql
        self.sqlite = uri[len("sqlite:///") :] if uri.startswith("sqlite") else None

    def query(self, sql):
        if self.sqlite:
            with sqlite3.connect(self.sqlite, timeout=60) as c:
                return c.execute(sql).fetchall()
        return [tuple(l.split("\t")) for l in self.run("-F", "\t", "-c", sql).splitlines()]

    def run(self, *args, text=None):
        """What psql prints, for these arguments and this text to read."""
        cmd = [self.psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.uri, *args]
        p = subprocess.run(cmd, input=text, capture_output=True, text=True)
        if p.returncode:
            raise RuntimeError(f"psql: {p.stderr.strip()[:300]}")
        return p.stdout

    def script(self, path, **variables):
        """Run a file with psql; its `:name` stand for the variables."""
        return self.run(*(x for k, v in variables.items() for x in ("-v", f"{k}={v}")), "-f", path)

    def is_mlflow_schema(self):
        try:
            if self.sqlite:
                cols = [r[1] for r in self.query("pragma table_info(metrics)")]
                lat = [r[1] for r in self.query("pragma table_info(latest_metrics)")]
            else:
                q = "select column_name from information_schema.columns where table_name='%s'"
                cols, lat = ([r[0] for r in self.query(q % t)] for t in ("metrics", "latest_metrics"))
            return set(cols) == set(MET) == set(lat) and bool(self.query("select version_num from alembic_version"))
        except Exception:
            return False

    def insert(self, tables):
        """tables: [(name, columns, iterable of rows)], in one transaction each."""
        if self.sqlite:
            c = sqlite3.connect(self.sqlite, timeout=60)
            # Ids are random, and so are the pages of their indexes.
            c.execute("pragma cache_size = -500000")
            for name, cols, rows in tables:
                c.executemany(
                    f'insert into {name} ({",".join(chr(34) + x + chr(34) for x in cols)}) values ({",".join("?" * len(cols))})',
                    rows,
                )
            c.commit()
            c.close()
            return
        for name, cols, rows in tables:
            p = subprocess.Popen(
                [
                    self.psql,
                    "-XAtq",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-d",
                    self.uri,
                    "-c",
                    f'copy {name} ({",".join(chr(34) + x + chr(34) for x in cols)}) from stdin',
                ],
                stdin=subprocess.PIPE,
            )
            w = io.TextIOWrapper(p.stdin, write_through=False)
            for r in rows:
                w.write(
                    "\t".join("\\N" if v is None else ("t" if v is True else "f" if v is False else str(v)) for v in r)
                    + "\n"
                )
            w.close()
            if p.wait():
                raise RuntimeError("psql copy failed for " + name)
        for name, _, _ in tables:
            self.query(f"analyze {name}")

    def location(self, exp):
        return self.query(f"select artifact_location from experiments where experiment_id={int(exp)}")[0][0]


def sql_runs(db, exp, n, params, metrics):
    loc = db.location(exp)
    rid = [run_id(f"r{exp}", i) for i in range(n)]
    st = lambda i: T0 + i * 60_000
    mets = lambda: ((f"m{k}", metric(i, k), st(i) + 1000, rid[i], 0, False) for i in range(n) for k in range(metrics))
    db.insert(
        [
            (
                "runs",
                RUN,
                (
                    (
                        rid[i],
                        f"run-{i:05d}",
                        "UNKNOWN",
                        "",
                        "",
                        "bench",
                        "FINISHED",
                        st(i),
                        st(i) + 30_000,
                        "",
                        "active",
                        f"{loc}/{rid[i]}/artifacts",
                        int(exp),
                    )
                    for i in range(n)
                ),
            ),
            ("tags", ["key", "value", "run_uuid"], ((k, v, rid[i]) for i in range(n) for k, v in tags_of(i))),
            (
                "params",
                ["key", "value", "run_uuid"],
                ((f"p{k}", param(i, k), rid[i]) for i in range(n) for k in range(params)),
            ),
            ("metrics", MET, mets()),
            ("latest_metrics", MET, mets()),
        ]
    )
    return rid


def sql_series(db, c, exp, runs, points, key="loss"):
    rids = [c.create_run(exp, f"series-{i}") for i in range(runs)]
    row = lambda i, s: (key, point(i, s), T0 + s * 1000, rids[i], s, False)
    db.insert(
        [
            ("metrics", MET, (row(i, s) for i in range(runs) for s in range(points))),
            ("latest_metrics", MET, (row(i, points - 1) for i in range(runs))),
        ]
    )
    return rids


# ---- the file store ----


def files_runs(root, exp, n, params, metrics, location=None, first=0):
    """Runs `first` to `n`, to the letter as MLflow 2.17.2 leaves them; `location` is where the experiment keeps artifacts."""
    base, location = os.path.join(root, str(exp)), location or f"mlflow-artifacts:/{exp}"
    for i in range(first, n):
        rid, st = run_id(f"f{exp}", i), T0 + i * 60_000
        d = os.path.join(base, rid)
        for s in ("metrics", "params", "tags", "artifacts"):
            os.makedirs(os.path.join(d, s), exist_ok=True)

        def put(path, text):
            with open(os.path.join(d, path), "w") as f:
                f.write(text)

        put(
            "meta.yaml",
            f"artifact_uri: {location}/{rid}/artifacts\nend_time: {st + 30000}\nentry_point_name: ''\n"
            f"experiment_id: '{exp}'\nlifecycle_stage: active\nrun_id: {rid}\nrun_name: run-{i:05d}\nrun_uuid: {rid}\nsource_name: ''\n"
            f"source_type: 4\nsource_version: ''\nstart_time: {st}\nstatus: 3\ntags: []\nuser_id: bench\n",
        )
        for k in range(params):
            put(f"params/p{k}", param(i, k))
        for k in range(metrics):
            put(f"metrics/m{k}", f"{st + 1000} {metric(i, k)!r} 0\n")
        for k, v in tags_of(i):
            put(f"tags/{k}", v)


# ---- OTLP ----


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def ld(field, b):
    return varint(field << 3 | 2) + varint(len(b)) + b


def attr(k, v):
    return ld(9, ld(1, k.encode()) + ld(2, ld(1, v.encode())))


def span(trace, sid, parent, name, start_ns, end_ns, attrs, error=False):
    return (
        ld(1, trace)
        + ld(2, struct.pack(">Q", sid))
        + (ld(4, struct.pack(">Q", parent)) if parent else b"")
        + ld(5, name.encode())
        + b"\x30\x01"
        + b"\x39"
        + struct.pack("<Q", start_ns)
        + b"\x41"
        + struct.pack("<Q", end_ns)
        + b"".join(attr(k, v) for k, v in attrs)
        + ld(15, b"\x18" + (b"\x02" if error else b"\x01"))
    )


def request(spans):
    res = ld(1, ld(1, ld(1, b"service.name") + ld(2, ld(1, b"bench"))))
    return ld(1, res + ld(2, ld(1, ld(1, b"bench")) + b"".join(ld(2, s) for s in spans)))


def trace_spans(tid, j, spans, start_ns):
    names = ["agent", "retrieve", "rerank", "prompt", "llm", "parse", "tool", "guard", "format", "answer"]
    out = []
    for s in range(spans):
        name = names[s % 10]
        a = [
            ("mlflow.spanType", json.dumps("LLM" if name == "llm" else "CHAIN")),
            (
                "mlflow.spanInputs",
                json.dumps({"question": f"What is the answer to question {j}-{s}? " + "lorem ipsum " * 6}),
            ),
            ("mlflow.spanOutputs", json.dumps({"answer": f"The answer {j}-{s} is " + "dolor sit amet " * 8})),
        ]
        out.append(
            span(
                tid,
                s + 1,
                1 if s else 0,
                name,
                start_ns + s * 1_000_000,
                start_ns + (s + 1) * 5_000_000,
                a,
                error=(s == 0 and j % 10 == 0),
            )
        )
    return out


def otlp_template(traces, spans):
    """A request body with `traces` traces × `spans` spans, and the offsets of each trace's id."""
    now = time.time_ns()
    ids = [struct.pack(">QQ", 0xBE9C0000BE9C0000, 0xFACE000000000000 + t) for t in range(traces)]
    body = request([s for t in range(traces) for s in trace_spans(ids[t], t, spans, now)])
    offs = []
    for i in ids:
        o, at = [], body.find(i)
        while at >= 0:
            o.append(at)
            at = body.find(i, at + 16)
        offs.append(o)
    return body, offs


def rest_traces(c, exp, n, spans=1, per=100, threads=2):
    now = time.time_ns()

    def one(b):
        sp = []
        for j in range(b, min(n, b + per)):
            tid = struct.pack(">QQ", (h32(j, 5) << 32) | h32(j, 6), (h32(int(exp), 7) << 32) | j)
            sp += trace_spans(tid, j, spans, now - (n - j) * 1_000_000_000)
        st, data = c.raw(
            "POST",
            "/v1/traces",
            request(sp),
            {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": str(exp)},
        )
        if st != 200:
            raise RuntimeError(f"/v1/traces: {st} {data[:200]!r}")

    pmap(one, range(0, n, per), threads)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("what", choices=["runs", "series", "traces"])
    ap.add_argument("--url", required=True)
    ap.add_argument("--experiment", default="seeded")
    ap.add_argument("--n", type=int, default=1000)
    ap.add_argument("--params", type=int, default=20)
    ap.add_argument("--metrics", type=int, default=20)
    ap.add_argument("--runs", type=int, default=10)
    ap.add_argument("--points", type=int, default=10000)
    ap.add_argument("--spans", type=int, default=1)
    ap.add_argument("--threads", type=int, default=4)
    ap.add_argument("--sql")
    ap.add_argument("--mlruns")
    a = ap.parse_args()
    u = urllib.parse.urlparse(a.url)
    c = Client(u.hostname, u.port or 80)
    e = c.experiment(a.experiment)
    t = time.time()
    if a.what == "runs":
        if a.mlruns:
            files_runs(a.mlruns, e, a.n, a.params, a.metrics)
        elif a.sql:
            sql_runs(Db(a.sql), e, a.n, a.params, a.metrics)
        else:
            rest_runs(c, e, a.n, a.params, a.metrics, a.threads)
    elif a.what == "series":
        print(
            *(
                sql_series(Db(a.sql), c, e, a.runs, a.points)
                if a.sql
                else rest_series(c, e, a.runs, a.points, threads=a.threads)
            ),
            sep="\n",
        )
    else:
        rest_traces(c, e, a.n, a.spans, threads=a.threads)
    print(f"experiment {e}: done in {time.time() - t:.1f} s")
