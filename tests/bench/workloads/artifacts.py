"""Workload 6: files through the artifact proxy, and what they cost in memory."""

import os
import threading

BASE = "/api/2.0/mlflow-artifacts/artifacts/bench"


def peak(s, fn):
    """What `fn` returned, the highest resident memory meanwhile, and the memory before, in MiB."""
    top, stop = [s.mem(False)[0]], threading.Event()

    def watch():
        while not stop.wait(0.15):
            top.append(s.mem(False)[0])

    th = threading.Thread(target=watch)
    th.start()
    try:
        return fn(), max(top), top[0]
    finally:
        stop.set()
        th.join()


def proxy(b):
    size, mib, n = b.a.big_mib << 20, b.a.big_mib, b.a.small_files

    def go(s, r):
        b.load(s, f"REQ PUT {BASE}/probe\nTEXT hello\n", 1, 5, 1)
        put = f"REQ PUT {BASE}/big.bin\nHDR Content-Type: application/octet-stream\nSTREAM {size}\n"
        x, top, base = peak(s, lambda: b.load(s, put, 1, 300, 1))
        b.rec("6", f"upload {mib} MiB", "MB/s", "high", s.name, size / 1e6 / x["seconds"])
        b.rec("6", f"upload {mib} MiB, RSS growth at the peak", "MiB", "low", s.name, max(1, top - base))
        x, top, base = peak(s, lambda: b.load(s, f"REQ GET {BASE}/big.bin\n", 1, 300, 1))
        if x["bytes_in"] != size:
            raise RuntimeError(f"download gave {x['bytes_in']} bytes")
        b.rec("6", f"download {mib} MiB", "MB/s", "high", s.name, size / 1e6 / x["seconds"])
        b.rec("6", f"download {mib} MiB, RSS growth at the peak", "MiB", "low", s.name, max(1, top - base))
        first = b.seq
        x = b.load(s, f"REQ PUT {BASE}/r{r}/f{{{{seq}}}}.bin\nSTREAM 10000\n", 4, 60, n)
        b.rec("6", f"upload {n} × 10 kB, 4 conn", "files/s", "high", s.name, x["ips"])
        b.seq = first
        x = b.load(s, f"REQ GET {BASE}/r{r}/f{{{{seq}}}}.bin\n", 4, 60, x["iters"])
        b.rec("6", f"download {n} × 10 kB, 4 conn", "files/s", "high", s.name, x["ips"])
        for folder, _, files in os.walk(s.dir):
            if "big.bin" in files:
                os.unlink(folder + "/big.bin")

    b.each(go, "6", 1 if b.a.quick else 2)
