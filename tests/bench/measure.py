"""What every measuring program does: taking turns, waiting for a quiet machine, keeping samples and notes, printing the tables."""

import os
import time

import report
from memory import FileCache
from procs import cpu_seconds, field, machine, machine_ticks, tree
from servers import log

BUSY = 0.2


class Measure:
    """Samples of those that take turns: `suts`, of which the first is the yardstick."""

    def __init__(self, args):
        self.a, self.data, self.notes = args, {}, []
        os.makedirs(args.workdir, exist_ok=True)
        self.machine, self.settings = machine(args.workdir), ""
        self.cache = None
        if not args.quick:
            self.cache = FileCache(args.workdir, field("/proc/meminfo", "MemFree:") * 1024)
            self.machine += f", {self.cache}"
        self.suts, self.names = [], []
        self.calm_left, self.windows, self.noisy = args.calm_wait, 0, 0
        self.cur = self.last_cpu = None

    # -- quiet --

    def calm(self):
        """Wait (bounded) until other processes leave the machine alone; count how often they did not."""
        t0 = time.time()
        end = t0 + min(15, self.calm_left)
        while True:
            a = machine_ticks()
            time.sleep(0.25)
            b = machine_ticks()
            busy = 1 - (b[1] - a[1]) / max(1, b[0] - a[0])
            if busy < BUSY or time.time() >= end:
                break
        self.calm_left -= max(0, time.time() - t0 - 0.3)
        self.windows += 1
        self.noisy += busy >= BUSY

    # -- recording --

    def rec(self, w, metric, unit, better, who, value):
        """Keep one sample; `better` is "high" or "low"."""
        self.data.setdefault((w, metric, unit, better), {}).setdefault(who, []).append(value)

    def note(self, s):
        if s not in self.notes:
            log("NOTE", s)
            self.notes.append(s)

    def lat(self, w, name, s, ms):
        """Keep latencies, and the server's CPU time of the same calls."""
        for x in ms:
            self.rec(w, name, "ms", "low", s.name, x)
        if self.last_cpu is not None:
            self.rec(w, name + ": server CPU", "ms", "low", s.name, max(0.01, self.last_cpu))
            self.last_cpu = None

    # -- taking turns --

    def each(self, fn, what, rounds=1):
        """Every server in turn, the order rotating with the round; one whose call fails is left out of this workload with a note."""
        for r in range(rounds):
            k = r % max(1, len(self.suts))
            for s in self.suts[k:] + self.suts[:k]:
                if s.can.get(what) is False or not s.proc:
                    continue
                s.thaw()
                self.calm()
                self.cur, self.last_cpu = s, None
                try:
                    fn(s, r)
                except Exception as e:  # whatever went wrong, the other servers are still worth measuring
                    s.can[what] = False
                    self.note(f"{what}: {s.name}: n/a: {str(e)[:220]}")
                finally:
                    s.freeze()
            report.save(self)

    # -- measuring --

    def cpu(self, s):
        """CPU seconds used so far by the server's process tree: what a noisy machine distorts least."""
        return cpu_seconds(tree(s.proc.pid))

    def reps(self, fn, budget, lo=3, hi=40):
        """Milliseconds of repeated calls: at least lo, at most hi, within the budget of seconds; one more call first to warm up.

        With `lo` 1 a first call that takes longer than the budget is the only one.
        """

        def timed():
            t = time.perf_counter()
            fn()
            return (time.perf_counter() - t) * 1000

        c0, out = self.cpu(self.cur), [timed()]
        if out[0] < budget * 1000 or lo > 1:
            c0, out, end = self.cpu(self.cur), [], time.perf_counter() + budget
            while len(out) < hi and (len(out) < lo or time.perf_counter() < end):
                out.append(timed())
        self.last_cpu = (self.cpu(self.cur) - c0) * 1000 / len(out)
        return out

    def finish(self):
        if self.cache:
            self.cache.close()
        if self.noisy:
            self.note(
                f"other processes used over {BUSY:.0%} of the CPU just before {self.noisy} of {self.windows} measuring windows"
            )
        report.save(self)
        text = report.text(self)
        print(text)
        if self.a.md:
            with open(self.a.md, "w") as f:
                f.write(text + "\n")
