"""Workload 9: the official Python client, one `log_metric` after the other."""

import json
import os
import shutil
import subprocess

from procs import HOST

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
