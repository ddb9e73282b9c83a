#!/usr/bin/env python3
"""Runledger beside MLflow 3.17 and FastTrackML, on SQLite or, without the latter, PostgreSQL: what `cargo xtask bench` calls.

  run.py --ours target/release/runledger --venv-317 DIR [--venv-ft DIR] [--backend postgres] [--quick] [--md FILE] [--workloads …] [more arguments of bench.py]
  run.py --ours target/release/runledger --venv-317 DIR --backend artifacts --s3-server PATH [--quick] [--md FILE] [more arguments of bench.py]
  run.py --ours target/release/runledger --venv-217 DIR --backend file [--quick] [--md FILE] [more arguments of folders.py]

Prints one table of all servers with ratios, one of the raw limits, and one of goals reached; every argument that is
not named here goes to bench.py, or folders.py. Builds the programs of the raw limits with cargo unless --limits says where they are.
"""

import argparse
import os
import subprocess
import sys

import bench
import folders
import goals

ROOT = os.path.dirname(os.path.dirname(bench.HERE))
MLFLOW = "{venv}/bin/mlflow server --host {{host}} --port {{port}} --backend-store-uri {{backend}} --artifacts-destination {{artifacts}}"
FASTTRACK = (
    "{venv}/bin/fml server -l warn -a {{host}}:{{port}} -d {{backend_plain}} --default-artifact-root {{artifacts}}"
)
OURS = "{path} server --host {{host}} --port {{port}} --backend-store-uri {{backend}} --artifacts-destination {{artifacts}}"
# L right after the writes that it is the limit of: the machine is then as quiet or noisy as it was for them.
WORKLOADS = {"sqlite": "8,1,2,L,3,4,5,7,T,9,R", "postgres": "8,1,2,3,5,7,T,9,A,B", "artifacts": "6,S"}


# The examples that are raw limits, or are measured in a process of their own.
EXAMPLES = {"sqlite": ("raw_insert", "bare_hyper", "training_loop"), "postgres": (), "file": ("read_files", "log_files"), "artifacts": ("bare_files",)}


def build_limits(target, names):
    """Build these examples; the folder they are in."""
    cmd = ["cargo", "build", "--release", "--quiet", "--package", "runledger-e2e"]
    cmd += [x for name in names for x in ("--example", name)]
    subprocess.run(cmd, cwd=ROOT, check=True)
    return os.path.join(target, "release", "examples")


def build_sdk(target):
    """Build the package that asks S3 by its SDK; where it is."""
    folder = os.path.join(target, "sdk_s3")
    cmd = ["cargo", "build", "--release", "--quiet", "--locked", "--target-dir", folder]
    subprocess.run(cmd, cwd=os.path.join(bench.HERE, "sdk_s3"), check=True)
    return os.path.join(folder, "release", "sdk_s3")


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
    ap.add_argument("--venv-317", type=existing("folder"), help="virtual environment with mlflow==3.17.2")
    ap.add_argument("--venv-217", type=existing("folder"), help="virtual environment with mlflow==2.17.2, for --backend file")
    ap.add_argument("--venv-ft", type=existing("folder"), help="virtual environment with fasttrackml")
    ap.add_argument("--limits", type=existing("folder"), help="folder of the built examples of the raw limits")
    ap.add_argument("--s3-server", type=existing("file"), help="the program s3s-fs, for --backend artifacts")
    ap.add_argument("--backend", choices=EXAMPLES, default="sqlite")
    a, more = ap.parse_known_args()
    if a.backend == "file" and not (a.ours and a.venv_217):
        ap.error("--backend file needs --ours and --venv-217")
    if a.backend != "file" and not a.venv_317:
        ap.error("--venv-317 is needed")
    target = os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target")
    common = ["--workdir", f"{target}/bench"]
    if EXAMPLES[a.backend]:
        common += ["--limits", a.limits or build_limits(target, EXAMPLES[a.backend])]
    if a.s3_server:
        common += ["--s3-server", a.s3_server, "--sdk-s3", build_sdk(target)]
    # Later arguments win, so the caller's may replace ours.
    if a.backend == "file":
        argv = ["--cmd", OURS.format(path=a.ours), "--binary", a.ours, "--python", f"{a.venv_217}/bin/python"]
        return folders.main(argv + common + more)
    suts = [f"{goals.YARDSTICK}={MLFLOW.format(venv=a.venv_317)}"]
    # The databases of A and B have the schema of MLflow 3.17, which FastTrackML does not take.
    if a.venv_ft and a.backend == "sqlite":
        suts.append(f"{goals.RIVAL}={FASTTRACK.format(venv=a.venv_ft)}")
    if a.ours:
        suts.append(f"runledger={OURS.format(path=a.ours)}")
    argv = ["--backend", a.backend, "--workloads", WORKLOADS[a.backend], "--client-python", f"{a.venv_317}/bin/python"]
    argv += [x for s in suts for x in ("--sut", s)]
    bench.main(argv + common + more)


if __name__ == "__main__":
    sys.exit(main())
