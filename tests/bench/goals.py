"""What Runledger has to reach against the yardstick, and whether it did."""

from workloads.limits import RAW

YARDSTICK, RIVAL = "mlflow-3.17", "fasttrackml"

# (what, the figure or the start of the names of several, times better than the yardstick)
RATIOS = (
    ("log-metric requests/s, 16 connections", "log-metric, 16 conn", 100),
    ("log-metric server CPU a request, 16 connections", "log-metric, 16 conn, server CPU a request", 40),
    ("log-batch metrics/s, 8 connections", "log-batch 1000 metrics, 8 conn", 25),
    ("search-runs, filter and order, 100", "search: filter + order, max_results 100", 50),
    ("search-runs, filter and order, 1000", "search: filter + order, max_results 1000", 50),
    ("search-runs, newest 100", "search: no filter, newest 100", 50),
    ("search-runs, all pages of a filter", "walk: filter + order, 100 a page, all pages", 50),
    ("search-runs, all pages of everything", "walk: no filter, 1000 a page, all pages", 50),
    ("history of a long metric", "get-history of ", 30),
    ("Python client's log_metric calls", "Python client, ", 10),
    ("first healthy answer, empty database", "first start, empty database → first 200", 100),
    ("first healthy answer, existing database", "cold start, existing database → first 200", 100),
)

# (what, figure, fewer MiB than)
MEMORY = (
    ("resident when idle", "idle RSS, sum over the tree", 40),
    ("resident at the peak of all these loads", "peak RSS in all the workloads, sum over the tree", 150),
)

RAW_SHARE = 0.6


def one(figures, name):
    """The figure of this name, else the first that starts with it."""
    return (
        name if name in figures.rows else next(iter(x for x in figures.matching(name) if not x.endswith("CPU")), name)
    )


def check(b, figures):
    """Rows of (goal, to reach, measured, reached or None)."""
    ours, base = b.a.ours, YARDSTICK if YARDSTICK in b.names else b.names[0]
    for what, name, wanted in RATIOS:
        r = figures.ratio(one(figures, name), ours, base)
        yield what, f"≥ ×{wanted} {base}", "n/a" if r is None else f"×{r:,.1f}", None if r is None else r >= wanted
    r = figures.ratio("log-batch 1000 metrics, 8 conn", ours, RAW)
    yield "log-batch beside raw inserts, 8 connections", f"≥ {RAW_SHARE:.0%}", "n/a" if r is None else f"{r:.0%}", (
        None if r is None else r >= RAW_SHARE
    )
    for what, name, limit in MEMORY:
        v = figures.median(name, ours)
        yield what, f"< {limit} MiB", "n/a" if v is None else f"{v:.1f} MiB", None if v is None else v < limit
    yield against_rival(figures, ours)


def against_rival(figures, ours):
    ratios = {m: r for m in figures.rows if (r := figures.ratio(m, ours, RIVAL)) is not None}
    behind = [f"{m} (×{r:.2f})" for m, r in ratios.items() if r < 1]
    measured = f"{len(ratios) - len(behind)} of {len(ratios)}" + ("; behind in " + "; ".join(behind) if behind else "")
    return f"ahead of {RIVAL}", "every row", measured if ratios else "n/a", not behind if ratios else None
