"""Workloads 6 and S: files through the artifact proxy, on a disk and in S3, and what they cost in memory.

Beside ours on a disk: hyper that streams bodies into files and back, and nothing else (`bare_files.rs`); beside ours in
front of S3: the SDK itself (`sdk_s3`). Both are driven, and their bytes counted, as the servers are.
"""

import glob
import os
import shutil
import subprocess
import threading
import time

from servers import Server

BASE = "/api/2.0/mlflow-artifacts/artifacts/bench"
BARE, SDK, AT_ONCE = "bare hyper, files", "SDK of S3", 8
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
# s3s-fs keeps the checksum of a part for that of the whole.
KEYS["AWS_RESPONSE_CHECKSUM_VALIDATION"] = "when_required"
LIMIT = 600


def moved(what, mib, where=""):
    return f"{what} {mib} MiB{where}"


def at_once(what, mib, where=""):
    return f"{what} {AT_ONCE} × {mib} MiB at once{where}"


def small(what, count):
    return f"{what} {count} × 10 kB, 4 conn"


def memory(figure):
    return f"{figure}, RSS at the peak"


def peak(s, fn):
    """What `fn` returned, and the highest resident memory meanwhile, in MiB."""
    top, stop = [s.mem(False)[0]], threading.Event()

    def watch():
        while not stop.wait(0.05):
            top.append(s.mem(False)[0])

    th = threading.Thread(target=watch)
    th.start()
    try:
        return fn(), max(top)
    finally:
        stop.set()
        th.join()


def transfers(b, s, number, name, mib, count, conns):
    """Upload `count` files, and download them; MB/s, and memory."""
    size = mib << 20
    target = f"{BASE}/big-{{{{seq}}}}.bin"
    put = f"REQ PUT {target}\nHDR Content-Type: application/octet-stream\nSTREAM {size}\n"
    first = b.seq
    for what, flow in (("upload", put), ("download", f"REQ GET {target}\n")):
        b.seq = first
        x, top = peak(s, lambda flow=flow: b.load(s, flow, conns, LIMIT, count))
        if x["iters"] != count or (what == "download" and x["bytes_in"] != size * count):
            raise RuntimeError(f"{what} of {count} × {size} bytes: {x['iters']} files, {x['bytes_in']} bytes came")
        figure = name(what, mib)
        b.rec(number, figure, "MB/s", "high", s.name, size * count / 1e6 / x["seconds"])
        b.rec(number, f"{figure}, server CPU a file", "ms", "low", s.name, max(0.01, x["cpu"]))
        b.rec(number, memory(figure), "MiB", "low", s.name, top)


def many(b, s, r):
    n, first = b.a.small_files, b.seq
    x = b.load(s, f"REQ PUT {BASE}/r{r}/f{{{{seq}}}}.bin\nSTREAM 10000\n", 4, 60, n)
    b.rec("6", small("upload", n), "files/s", "high", s.name, x["ips"])
    b.seq = first
    x = b.load(s, f"REQ GET {BASE}/r{r}/f{{{{seq}}}}.bin\n", 4, 60, x["iters"])
    b.rec("6", small("download", n), "files/s", "high", s.name, x["ips"])


def measured(b, s, r):
    mib = b.a.big_mib
    b.load(s, f"REQ PUT {BASE}/probe\nTEXT hello\n", 1, 5, 1)
    transfers(b, s, "6", moved, mib, 1, 1)
    transfers(b, s, "6", at_once, mib // AT_ONCE, AT_ONCE, AT_ONCE)
    many(b, s, r)
    # Not what the next one waits for the disk with.
    for file in glob.glob(f"{s.dir}/**/big-*.bin", recursive=True):
        os.unlink(file)
    os.sync()


def proxy(b):
    rounds = 1 if b.a.quick else 2
    b.each(lambda s, r: measured(b, s, r), "6", rounds)
    if not (b.a.limits and os.path.exists(f"{b.a.limits}/bare_files")):
        return
    bare = Server(BARE, "", b.a)
    bare.cmd = f"{b.a.limits}/bare_files {{host}}:{{port}} {bare.dir}/artifacts"
    try:
        bare.spawn()
        bare.until("/health", time.perf_counter())
        for r in range(rounds):
            b.calm()
            measured(b, bare, r)
    except (OSError, RuntimeError, subprocess.SubprocessError) as e:
        b.note(f"6: {BARE}: n/a: {str(e)[:220]}")
    finally:
        bare.stop()


def s3(b):
    """Ours in front of S3's protocol on this disk (s3s-fs), and the SDK."""
    if not (b.a.s3_server and b.a.sdk_s3):
        return b.note("S needs --s3-server and --sdk-s3")
    ours = next(s for s in b.suts if s.name == b.a.ours)
    storage = Server("s3", "", b.a)
    bucket = f"{storage.dir}/data/bench"
    os.makedirs(bucket)
    storage.cmd = (
        f"{b.a.s3_server} --host {{host}} --port {{port}} --access-key test --secret-key test {storage.dir}/data"
    )
    front = Server(ours.name, ours.cmd, b.a)
    try:
        storage.spawn()
        storage.until("/", time.perf_counter())
        endpoint = f"http://127.0.0.1:{storage.port}"
        front.env |= KEYS | {"MLFLOW_S3_ENDPOINT_URL": endpoint}
        front.cmd = ours.cmd.replace("{artifacts}", "s3://bench/proxied").replace("{backend}", "sqlite:///{dir}/db")
        front.spawn()
        front.until("/health", time.perf_counter())
        for _ in range(1 if b.a.quick else 2):
            b.calm()
            sdk(b, endpoint)
            emptied(bucket)
            transfers(b, front, "S", lambda what, mib: moved(what, mib, ", S3"), b.a.big_mib, 1, 1)
            emptied(bucket)
            mib = b.a.big_mib // AT_ONCE
            transfers(b, front, "S", lambda what, mib: at_once(what, mib, ", S3"), mib, AT_ONCE, AT_ONCE)
            emptied(bucket)
    except (OSError, RuntimeError, subprocess.SubprocessError) as e:
        b.note(f"S: n/a: {str(e)[:220]}")
    finally:
        front.stop()
        storage.stop()


def sdk(b, endpoint):
    mib = b.a.big_mib
    for verb, what in (("put", "upload"), ("get", "download")):
        cmd = [b.a.sdk_s3, verb, endpoint, "bench", "sdk.bin", str(mib << 20)]
        done = subprocess.run(cmd, capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            raise RuntimeError(f"{SDK}: {done.stderr.strip()[-200:]}")
        b.rec("S", moved(what, mib, ", S3"), "MB/s", "high", SDK, (mib << 20) / 1e6 / float(done.stdout))


def emptied(bucket):
    shutil.rmtree(bucket, ignore_errors=True)
    os.makedirs(bucket)
    os.sync()
