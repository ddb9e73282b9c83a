#!/usr/bin/env python3
"""Runledger beside MLflow 3.17 and FastTrackML, on SQLite or, without the latter, PostgreSQL: what `cargo xtask bench` calls.

  run.py --ours target/release/runledger --venv-317 DIR [--venv-ft DIR] [--backend postgres] [--quick] [--md FILE] [--workloads …] [more arguments of bench.py]

Prints one table of all servers with ratios, one of the raw limits, and one of goals reached; every argument that is
not named here goes to bench.py. Builds the two programs of the raw limits with cargo unless --limits says where they are.
"""

import argparse
import os
import subprocess
import sys

import bench
import goals

ROOT = os.path.dirname(os.path.dirname(bench.HERE))
MLFLOW = "{venv}/bin/mlflow server --host {{host}} --port {{port}} --backend-store-uri {{backend}} --artifacts-destination {{artifacts}}"
FASTTRACK = (
    "{venv}/bin/fml server -l warn -a {{host}}:{{port}} -d {{backend_plain}} --default-artifact-root {{artifacts}}"
)
OURS = "{path} server --host {{host}} --port {{port}} --backend-store-uri {{backend}} --artifacts-destination {{artifacts}}"
# L right after the writes that it is the limit of: the machine is then as quiet or noisy as it was for them.
WORKLOADS = {"sqlite": "8,1,2,L,3,4,5,9", "postgres": "8,1,2,3,5,9,A,B"}


def build_limits(target):
    """Build the examples of the raw limits; the folder they are in."""
    cmd = [
        "cargo",
        "build",
        "--release",
        "--quiet",
        "--package",
        "runledger-e2e",
        "--example",
        "raw_insert",
        "--example",
        "bare_hyper",
    ]
    subprocess.run(cmd, cwd=ROOT, check=True)
    return os.path.join(target, "release", "examples")


def existing(kind):
    def check(path):
        path = os.path.abspath(path)
        if not os.path.exists(path):
            raise argparse.ArgumentTypeError(f"no such {kind}: {path}")
        return path

    return check


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--ours", type=existing("file"), help="the runledger binary, built for release")
    ap.add_argument(
        "--venv-317", type=existing("folder"), required=True, help="virtual environment with mlflow==3.17.2"
    )
    ap.add_argument("--venv-ft", type=existing("folder"), help="virtual environment with fasttrackml")
    ap.add_argument("--limits", type=existing("folder"), help="folder of the built examples raw_insert and bare_hyper")
    ap.add_argument("--backend", choices=WORKLOADS, default="sqlite")
    a, more = ap.parse_known_args()
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    suts = [f"{goals.YARDSTICK}={MLFLOW.format(venv=a.venv_317)}"]
    # The databases of A and B have the schema of MLflow 3.17, which FastTrackML does not take.
    if a.venv_ft and a.backend == "sqlite":
        suts.append(f"{goals.RIVAL}={FASTTRACK.format(venv=a.venv_ft)}")
    if a.ours:
        suts.append(f"runledger={OURS.format(path=a.ours)}")
    argv = ["--backend", a.backend, "--workloads", WORKLOADS[a.backend], "--client-python", f"{a.venv_317}/bin/python", "--workdir", f"{target}/bench"]
    argv += [x for s in suts for x in ("--sut", s)]
    if a.backend == "sqlite":
        argv += ["--limits", a.limits or build_limits(target)]
    # Later arguments win, so the caller's may replace ours.
    bench.main(argv + more)


if __name__ == "__main__":
    sys.exit(main())
