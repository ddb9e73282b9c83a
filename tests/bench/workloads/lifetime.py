"""Workload 8: starting, and the memory a server takes before and after work."""

import time

from procs import cpu_seconds, peak_rss, tree


def started(b, s, what):
    b.calm()
    health, api = s.start()
    if health is not None:
        b.rec("8", f"{what} → first 200 from /health", "s", "low", s.name, health)
    b.rec("8", f"{what} → first answer of the API", "s", "low", s.name, api)


def idle(b, s):
    s.start()
    b.settle(s)
    rss, pss = s.mem()
    c = cpu_seconds(tree(s.proc.pid))
    time.sleep(3)
    used = (cpu_seconds(tree(s.proc.pid)) - c) / 3 * 100
    b.rec("8", "idle CPU", "% of a core", "low", s.name, max(0.01, used))
    b.rec("8", "idle RSS, sum over the tree", "MiB", "low", s.name, rss)
    b.rec("8", "idle PSS (shared pages counted once)", "MiB", "low", s.name, pss)
    b.rec("8", "processes", "", "low", s.name, len(tree(s.proc.pid)))
    b.rec("8", "installed size", "MB", "low", s.name, s.footprint())


def cold(b):
    """Before the other workloads; each server alone."""
    warm = "cold start, existing database"
    steps = [lambda s: started(b, s, "first start, empty database")]
    steps += [lambda s: started(b, s, warm)] * (1 if b.a.quick else max(1, b.a.rounds - 1))
    steps += [lambda s: idle(b, s)]
    for step in steps:
        for s in b.suts:
            if s.can.get("8") is False:
                continue
            try:
                step(s)
            except (RuntimeError, OSError) as e:
                s.can["8"] = False
                b.note(f"8: {s.name}: n/a: {e}")
            finally:
                s.stop()


def after(b):
    """At the end, in the processes that have done all the work."""

    def go(s, r):
        rss, pss = s.mem()
        b.rec("8", "peak RSS in all the workloads, sum over the tree", "MiB", "low", s.name, peak_rss(tree(s.proc.pid)))
        b.rec("8", "RSS after all the workloads", "MiB", "low", s.name, rss)
        b.rec("8", "PSS after all the workloads", "MiB", "low", s.name, pss)

    b.each(go, "8 after")
