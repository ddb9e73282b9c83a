"""From samples to tables: all servers side by side, the raw limits, the goals, and the JSON of every sample."""

import json
import statistics
import time

import goals


def number(v):
    return f"{v:,.0f}" if abs(v) >= 100 else f"{v:.1f}" if abs(v) >= 10 else f"{v:.2f}" if abs(v) >= 0.1 else f"{v:.3f}"


def times(v):
    return f"×{v:,.0f}" if v >= 100 else f"×{v:.1f}" if v >= 10 else f"×{v:.2f}"


class Figures:
    """Medians of the samples, and ratios in which more is always better."""

    def __init__(self, data):
        self.rows = {}
        for (w, metric, unit, better), by in data.items():
            self.rows[metric] = (w, unit, better, by, {n: statistics.median(v) for n, v in by.items()})

    def median(self, metric, who):
        return self.rows[metric][4].get(who) if metric in self.rows else None

    def ratio(self, metric, who, base):
        """How many times better `who` is than `base`; None where one of them has no figure."""
        a, b = self.median(metric, who), self.median(metric, base)
        if not a or not b:
            return None
        return a / b if self.rows[metric][2] == "high" else b / a

    def matching(self, start):
        return [m for m in self.rows if m.startswith(start)]


def table(head, align, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + align + "|"]
    return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in rows])


def side_by_side(b, figures):
    base, rows = b.names[0], []
    for metric, (w, unit, _, by, medians) in figures.rows.items():
        cells = []
        for n in b.names:
            if n not in medians:
                cells.append("n/a")
                continue
            cell = number(medians[n])
            if unit == "ms" and len(by[n]) >= 10 and not any(x in metric for x in ("p50", "p99", "CPU")):
                cell += f" (p99 {number(sorted(by[n])[int((len(by[n]) - 1) * 0.99 + 0.5)])})"
            ratio = figures.ratio(metric, n, base)
            if n != base and ratio:
                cell += f" **{times(ratio)}**"
            cells.append(cell)
        if any(n in medians for n in b.names):
            rows.append([f"{w} {metric}", unit, *cells])
    return table([f"workload ({b.a.backend})", "unit", *b.names], "---|---|" + "|".join(["---:"] * len(b.names)), rows)


def beside(b, figures):
    """Figures that belong to no server: the raw limits, and the client without a server; and how near ours comes."""
    rows = []
    for metric, (w, unit, _, _, medians) in figures.rows.items():
        for n in (n for n in medians if n not in b.names):
            ours, ratio = figures.median(metric, b.a.ours), figures.ratio(metric, b.a.ours, n)
            rows.append(
                [f"{w} {metric}", n, f"{number(medians[n])} {unit}", f"{number(ours)} ({ratio:.0%})" if ours else "n/a"]
            )
    return table(["limit or reference", "of", "figure", b.a.ours], "---|---|---:|---:", rows) if rows else ""


def text(b):
    figures = Figures(b.data)
    parts = [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {b.machine}"
        + (f", {b.settings}" if b.settings else "")
        + (", --quick: not a measurement" if b.a.quick else "")
    ]
    parts += [side_by_side(b, figures), beside(b, figures)]
    # Workload 10 of bench.py, on the same backend, has no goals.
    if b.a.ours in b.names and (b.a.backend != "file" or hasattr(b.a, "more_runs")):
        rows = [
            [g, wanted, measured, {True: "yes", False: "**no**", None: "n/a"}[ok]]
            for g, wanted, measured, ok in goals.check(b, figures)
        ]
        parts.append(table(["goal", "to reach", "measured", "reached"], "---|---:|---:|---", rows))
    parts.append("\n".join(f"- note: {n}" for n in b.notes))
    return "\n\n".join(p for p in parts if p)


def save(b):
    if not b.a.out:
        return
    out = {
        "backend": b.a.backend,
        "args": vars(b.a),
        "machine": b.machine,
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "notes": b.notes,
        "results": [
            {"workload": w, "metric": m, "unit": u, "better": better, "samples": by}
            for (w, m, u, better), by in b.data.items()
        ],
    }
    with open(b.a.out, "w") as f:
        json.dump(out, f, indent=1)
