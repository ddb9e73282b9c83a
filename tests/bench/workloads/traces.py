"""Workload 7: spans over OTLP, and looking for traces."""

import time

import seed
from servers import log


def spans(b):
    body, offsets = seed.otlp_template(10, 10)
    patches = "".join("PATCH16 " + ",".join(map(str, o)) + "\n" for o in offsets)
    b.each(lambda s, r: setattr(s, "texp", s.cl.experiment("bench-traces")), "7")

    def ingest(s, r):
        head = f"REQ POST /v1/traces\nHDR Content-Type: application/x-protobuf\nHDR x-mlflow-experiment-id: {s.texp}\nBIN @@b\n"
        for c in (1, 8):
            x, name = (
                b.load(s, head + patches, c, files={"b": body}),
                f"OTLP, 100 spans a request (10 traces), {c} conn",
            )
            b.rec("7", name, "spans/s", "high", s.name, x["ips"] * 100)
            b.rec("7", f"{name}, p50", "ms", "low", s.name, x["p50"])
            b.rec("7", f"{name}, server CPU a request", "ms", "low", s.name, max(0.01, x["cpu"]))

    b.each(ingest, "7", b.a.rounds)
    n = b.a.traces

    def fill(s, r):
        s.tbig, t = s.cl.experiment("bench-trace-search"), time.time()
        seed.rest_traces(s.cl, s.tbig, n)
        took = time.time() - t
        log(f"{s.name}: seeded {n} traces in {took:.1f} s")
        b.rec("7", f"seeding {n} one-span traces, 100 a request, 2 threads", "traces/s", "high", s.name, n / took)

    b.each(fill, "7")

    def ask(s, **kw):
        where = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": str(s.tbig)}}]
        return s.cl.call("POST", "/api/3.0/mlflow/traces/search", {"locations": where, "max_results": 100, **kw})

    newest = {"order_by": ["timestamp_ms DESC"]}
    asked = (
        ("newest 100", newest),
        ("status = 'ERROR', newest 100", {"filter": "status = 'ERROR'", **newest}),
        ("by execution time, 100", {"order_by": ["execution_time_ms DESC"]}),
    )

    def look(s, r):
        for name, kw in asked:
            if not ask(s, **kw).get("traces"):
                b.note(f"7: {s.name}: search traces ({name}) found nothing")
            b.lat("7", f"search {n} traces: {name}", s, b.reps(lambda: ask(s, **kw), 1.5))

    b.each(look, "7", b.a.rounds)
