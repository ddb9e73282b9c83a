"""Workloads 9 and R: one `log_metric` after the other, by the official Python client and by the crate `runledger`."""

import json
import os
import shutil
import subprocess

from procs import HOST
from workloads.write import API, JSON

CODE = """
import sys, time, json
import mlflow
uri, n = sys.argv[1], int(sys.argv[2])
mlflow.set_tracking_uri(uri)
mlflow.set_experiment("client-bench")
with mlflow.start_run():
    t = time.perf_counter()
    for i in range(n):
        mlflow.log_metric("loss", 1 / (i + 1), step=i)
    print(json.dumps(time.perf_counter() - t))
"""


def python_client(b):
    n, env = b.a.client_metrics, {**b.suts[0].env, "MLFLOW_ALLOW_FILE_STORE": "true"}
    name = f"Python client, {n} × log_metric"

    def run(uri, cwd):
        cmd = [b.a.client_python, "-c", CODE, uri, str(n)]
        p = subprocess.run(cmd, cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
        if p.returncode:
            raise RuntimeError(p.stderr[-300:])
        # The client prints links to the run on stdout, too.
        return next(float(json.loads(x)) for x in reversed(p.stdout.splitlines()) if x[:1].isdigit())

    def go(s, r):
        b.rec("9", name, "s", "low", s.name, run(f"http://{HOST}:{s.port}", s.dir))

    # A thousand calls are a long sample already.
    b.each(go, "9", min(2, b.a.rounds))
    if b.a.backend != "sqlite" or b.a.quick:
        return
    d = b.a.workdir + "/no-server"
    shutil.rmtree(d, ignore_errors=True)
    os.makedirs(d)
    for who, uri in (
        ("(no server: sqlite:///)", f"sqlite:///{d}/ref.db"),
        ("(no server: ./mlruns)", f"file:{d}/mlruns"),
    ):
        try:
            b.rec("9", name, "s", "low", who, run(uri, d))
        except Exception as e:  # the reference figure is a courtesy
            b.note(f"9: {who}: {str(e)[:200]}")


# What the training loop is compared with.
PYTHON_RATE = "metrics/s of a loop of log_metric: Python client"
LOOP = "metrics/s of a loop of log_metric: crate runledger, 1,000,000, until all have arrived"
BATCHES = "metrics/s of log-batch alone, 1 conn"
# The second is the least that a call has to do, the third a part of it.
CALL, LEAST, PUSH = (
    "a call of log_metric in Rust",
    "clock, metric and push into a bounded queue",
    "a push into a bounded queue alone",
)


def rust_client(b):
    """Beside Python's client and beside log-batch alone, all with our server."""
    if b.a.backend != "sqlite" or not b.a.limits:
        return b.note("R needs --backend sqlite and --limits DIR")
    metrics = b.a.loop_metrics

    def go(s, r):
        uri = f"http://{HOST}:{s.port}"
        cmd = [b.a.client_python, "-c", CODE, uri, str(b.a.client_metrics)]
        p = subprocess.run(cmd, cwd=s.dir, env=b.suts[0].env, capture_output=True, text=True, timeout=600, check=True)
        took = next(float(x) for x in reversed(p.stdout.splitlines()) if x[:1].isdigit())
        b.rec("R", PYTHON_RATE, "metrics/s", "high", s.name, b.a.client_metrics / took)
        p = subprocess.run(
            [f"{b.a.limits}/training_loop", uri, str(metrics)], capture_output=True, text=True, timeout=600, check=True
        )
        x = json.loads(p.stdout)
        b.rec("R", LOOP, "metrics/s", "high", s.name, metrics / x["seconds"])
        b.rec("R", CALL, "ns", "low", s.name, x["call_ns"])
        b.rec("R", LEAST, "ns", "low", s.name, x["made_and_pushed_ns"])
        b.rec("R", PUSH, "ns", "low", s.name, x["pushed_ns"])
        # Such points, as far as they go in the time of the bench: one key, times and steps that grow.
        run = s.cl.create_run(s.cl.experiment("bench-loop"), "batches")
        points = ",".join(
            f'{{"key":"loss","value":0.5,"timestamp":17{{{{seq}}}}{i:03},"step":{{{{seq}}}}{i:03}}}' for i in range(1000)
        )
        body = f'{{"run_id":"{run}","metrics":[{points}]}}'
        x = b.load(s, f"REQ POST {API}/runs/log-batch\n{JSON}BODY @@b\n", 1, files={"b": body})
        b.rec("R", BATCHES, "metrics/s", "high", s.name, x["ips"] * 1000)

    for s in b.suts:
        if s.name != b.a.ours:
            s.can["R"] = False
    b.each(go, "R", b.a.rounds)
