"""Workloads 1 to 3: what training does to a server."""

import seed
from seed import API, Db

JSON = "HDR Content-Type: application/json\n"


def metric_flow(run_id):
    """The one-metric request; workload L sends the same to a bare HTTP server."""
    body = (
        f'{{"run_id":"{run_id}","key":"m{{{{conn}}}}","value":{{{{rnd}}}},"timestamp":{{{{ts}}}},"step":{{{{seq}}}}}}'
    )
    return f"REQ POST {API}/runs/log-metric\n{JSON}TEXT {body}\n"


def log_metric(b):
    def setup(s, r):
        s.run = s.cl.create_run(s.cl.experiment("bench-write"), "w1")

    b.each(setup, "1")

    def go(s, r):
        for c in (1, 16):
            x, name = b.load(s, metric_flow(s.run), c), f"log-metric, {c} conn"
            b.rec("1", name, "req/s", "high", s.name, x["rps"])
            b.rec("1", f"{name}, server CPU a request", "ms", "low", s.name, max(0.001, x["cpu"]))
            for p in ("p50", "p99"):
                b.rec("1", f"{name}, {p}", "ms", "low", s.name, x[p])

    b.each(go, "1", b.a.rounds)


def metrics(n, keys=10):
    """n metrics of so many keys, as the template of a JSON list."""

    def one(i):
        when = f'"timestamp":17{{{{seq}}}}{i // keys:03d},"step":{{{{seq}}}}{i // keys:02d}'
        return f'{{"key":"m{i % keys}","value":{seed.metric(i, 9):.6f},{when}}}'

    return ",".join(map(one, range(n)))


def log_batch(b):
    def setup(s, r):
        s.exp = s.cl.experiment("bench-write")
        s.run, s.promised = s.cl.create_run(s.exp, "w2"), 0

    b.each(setup, "2")

    def texts(prefix):
        return ",".join(f'{{"key":"{prefix}{i}","value":"value {i} {{{{seq}}}}"}}' for i in range(100))

    def go(s, r):
        body = f'{{"run_id":"{s.run}","metrics":[{metrics(1000)}]}}'
        for c in (1, 8):
            x = b.load(s, f"REQ POST {API}/runs/log-batch\n{JSON}BODY @@b\n", c, files={"b": body})
            s.promised += x["iters"] * 1000
            name = f"log-batch 1000 metrics, {c} conn"
            b.rec("2", name, "metrics/s", "high", s.name, x["ips"] * 1000)
            b.rec("2", f"{name}, p50", "ms", "low", s.name, x["p50"])
            b.rec("2", f"{name}, server CPU a request", "ms", "low", s.name, max(0.01, x["cpu"]))
        mix = f'{{"run_id":"{{{{run_id}}}}","metrics":[{metrics(800)}],"params":[{texts("p")}],"tags":[{texts("t")}]}}'
        flow = (
            f'REQ POST {API}/runs/create\n{JSON}TEXT {{"experiment_id":"{s.exp}","start_time":{{{{ts}}}}}}\nCAP run_id\n'
            f"REQ POST {API}/runs/log-batch\n{JSON}BODY @@b\n"
        )
        x = b.load(s, flow, 1, files={"b": mix})
        b.rec(
            "2",
            "log-batch 800 metrics + 100 params + 100 tags, new run, p50",
            "ms",
            "low",
            s.name,
            x["steps"][1]["p50"],
        )

    b.each(go, "2", b.a.rounds)

    def check(s, r):
        db = Db(s.plain if b.a.backend == "postgres" else s.backend)
        if b.a.backend == "file" or not db.is_mlflow_schema():
            return
        stored = int(db.query(f"select count(*) from metrics where run_uuid = '{s.run}'")[0][0])
        if stored != s.promised:
            b.note(f"2: {s.name}: WRONG ANSWER: acknowledged {s.promised} metrics, stored {stored}")

    b.each(check, "2 check")


def run_lifecycle(b):
    b.each(lambda s, r: setattr(s, "exp", s.cl.experiment("bench-write")), "3")
    params = ",".join(f'{{"key":"p{i}","value":"v{i}"}}' for i in range(10))
    points = ",".join(f'{{"key":"m{i}","value":{{{{rnd}}}},"timestamp":{{{{ts}}}},"step":0}}' for i in range(20))
    tags = '[{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.name","value":"train.py"}]'

    def go(s, r):
        create = f'{{"experiment_id":"{s.exp}","run_name":"run {{{{seq}}}}","start_time":{{{{ts}}}},"tags":{tags}}}'
        flow = (
            f"REQ POST {API}/runs/create\n{JSON}TEXT {create}\nCAP run_id\n"
            f'REQ POST {API}/runs/log-batch\n{JSON}TEXT {{"run_id":"{{{{run_id}}}}","params":[{params}]}}\n'
            f'REQ POST {API}/runs/log-batch\n{JSON}TEXT {{"run_id":"{{{{run_id}}}}","metrics":[{points}]}}\n'
            f'REQ POST {API}/runs/update\n{JSON}TEXT {{"run_id":"{{{{run_id}}}}","status":"FINISHED","end_time":{{{{ts}}}}}}\n'
        )
        for c in (1, 8):
            x = b.load(s, flow, c)
            b.rec("3", f"short run life cycle (4 requests), {c} conn", "runs/s", "high", s.name, x["ips"])
            b.rec(
                "3",
                f"short run life cycle (4 requests), {c} conn, server CPU a run",
                "ms",
                "low",
                s.name,
                max(0.01, x["cpu"]),
            )

    b.each(go, "3", b.a.rounds)
