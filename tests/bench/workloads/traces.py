"""Workloads 7 and T: spans over OTLP, and looking for traces; T among so many that only ours is asked."""

import time

import seed
from servers import log


INGEST = "OTLP, 100 spans a request (10 traces)"

# What is looked for among few and among many traces; of each a page of 100.
NEWEST = {"order_by": ["timestamp_ms DESC"]}
LOOKED_FOR = {
    "status and time": lambda now: {"filter": f"status = 'ERROR' AND timestamp_ms < {now}", **NEWEST},
    "status and a time that few have": lambda now: {
        "filter": f"status = 'OK' AND timestamp_ms > {now - 60_000} AND timestamp_ms < {now + 60_000}",
        **NEWEST,
    },
    "the type of a span": lambda now: {"filter": "span.type = 'CHAIN'", **NEWEST},
    "an attribute of a span that all have": lambda now: {"filter": SPAN_INPUTS.format(text="answer"), **NEWEST},
    "an attribute of a span that few have": lambda now: {"filter": SPAN_INPUTS.format(text="question 777-"), **NEWEST},
}
SPAN_INPUTS = "span.attributes.mlflow.spanInputs LIKE '%{text}%'"


def among(what, n):
    """The name of a figure of workload T."""
    return f"search {n:,} traces by {what}, newest 100"


def spans(b):
    body, offsets = seed.otlp_template(10, 10)
    patches = "".join("PATCH16 " + ",".join(map(str, o)) + "\n" for o in offsets)
    b.each(lambda s, r: setattr(s, "texp", s.cl.experiment("bench-traces")), "7")

    def ingest(s, r):
        head = f"REQ POST /v1/traces\nHDR Content-Type: application/x-protobuf\nHDR x-mlflow-experiment-id: {s.texp}\nBIN @@b\n"
        for c in (1, 8):
            x, name = (
                b.load(s, head + patches, c, files={"b": body}),
                f"{INGEST}, {c} conn",
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

    asked = (
        ("newest 100", NEWEST),
        ("status = 'ERROR', newest 100", {"filter": "status = 'ERROR'", **NEWEST}),
        ("by execution time, 100", {"order_by": ["execution_time_ms DESC"]}),
    )

    def look(s, r):
        for name, kw in asked:
            if not ask(s, s.tbig, **kw).get("traces"):
                b.note(f"7: {s.name}: search traces ({name}) found nothing")
            b.lat("7", f"search {n} traces: {name}", s, b.reps(lambda: ask(s, s.tbig, **kw), 1.5))

    b.each(look, "7", b.a.rounds)


def ask(s, experiment, **kw):
    where = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": str(experiment)}}]
    return s.cl.call("POST", "/api/3.0/mlflow/traces/search", {"locations": where, "max_results": 100, **kw})


def at_scale(b):
    """Only of ours: the others would take hours to fill."""
    sizes = b.a.traces, b.a.many_traces

    def fill(s, r):
        s.tmany = {}
        for n in sizes:
            s.tmany[n], t = s.cl.experiment(f"bench-{n}-traces"), time.time()
            seed.rest_traces(s.cl, s.tmany[n], n)
            took = time.time() - t
            log(f"{s.name}: seeded {n} traces in {took:.1f} s")
            b.rec("T", f"seeding {n:,} one-span traces, 100 a request, 2 threads", "traces/s", "high", s.name, n / took)
        s.tnow = int(time.time() * 1000)

    def look(s, r):
        for n in sizes:
            # The traces end, one a second, when their experiment began to be filled.
            middle = s.tnow - sizes[0] * 500
            for what, asked in LOOKED_FOR.items():
                kw = asked(middle)
                if not ask(s, s.tmany[n], **kw).get("traces"):
                    b.note(f"T: {s.name}: {among(what, n)} found nothing")
                b.lat("T", among(what, n), s, b.reps(lambda: ask(s, s.tmany[n], **kw), 1.5))

    others = [s for s in b.suts if s.name != b.a.ours]
    for s in others:
        s.can["T"] = False
    b.each(fill, "T")
    b.each(look, "T", b.a.rounds)
