"""Histories of metrics: of one run, of many at once, and samples of them."""

from script import Corpus, Script

CORPUS = Corpus("history")

RUN = {"run_id": "{run}"}
BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
INTERVAL = "metrics/get-history-bulk-interval"


def _points(s: Script, run: str, count: int, key: str = "m", gap: int = 1) -> None:
    points = [{"key": key, "value": n * 0.5, "timestamp": 1000 + n, "step": n * gap} for n in range(count)]
    for start in range(0, count, 1000):
        body = {"run_id": f"{{{run}}}", "metrics": points[start : start + 1000]}
        s.post(f"{count} points of {key} in {run}, {start}", "runs/log-batch", body, setup=True)


@CORPUS.scenario()
def pages(s: Script) -> None:
    s.experiment()
    s.run()
    points = [
        (3.0, 5, 2), (1.0, 5, 2), (2.0, 5, 1), (4.0, 4, 3), ("NaN", 5, 2),
        ("Infinity", 6, 0), ("-Infinity", 6, 0), (0.0, 6, -1),
    ]  # fmt: skip
    for number, (value, timestamp, step) in enumerate(points, 1):
        body = {**RUN, "key": "m", "value": value, "timestamp": timestamp, "step": step}
        s.post(f"point {number}", "runs/log-metric", body, setup=True)
    query = {**RUN, "metric_key": "m"}
    path = "metrics/get-history"
    s.get("all", path, query)
    s.get("first page", path, {**query, "max_results": 3}, save={"next": "next_page_token"}, loose=("body.next_page_token",))
    s.get("second page", path, {**query, "max_results": 3, "page_token": "{next}"}, save={"last": "next_page_token"}, loose=("body.next_page_token",))
    s.get("third page", path, {**query, "max_results": 3, "page_token": "{last}"})
    s.get("exactly all", path, {**query, "max_results": 8})
    for step, extra in (
        ("none", {"max_results": 0}),
        ("negative", {"max_results": -1}),
        ("word as size", {"max_results": "x"}),
        ("empty size", {"max_results": ""}),
        ("fraction as size", {"max_results": "1.5"}),
        ("size with plus", {"max_results": "+2"}),
        ("size with space", {"max_results": " 2"}),
        ("size beyond int32", {"max_results": "2147483648"}),
        ("size beyond int64", {"max_results": "9223372036854775808"}),
        ("size of clients", {"max_results": 25000}),
        ("large size", {"max_results": 1000000}),
        ("token empty", {"page_token": ""}),
        ("token no base64", {"page_token": "!!"}),
        ("token no JSON", {"page_token": "bm9wZQ=="}),
        ("token of MLflow", {"page_token": "eyJvZmZzZXQiOiAyfQ==", "max_results": 2}),
        ("token past the end", {"page_token": "eyJvZmZzZXQiOiAyMDAwfQ==", "max_results": 2}),
        ("token without size", {"page_token": "eyJvZmZzZXQiOiAyfQ=="}),
        ("token offset 0", {"page_token": "eyJvZmZzZXQiOiAwfQ==", "max_results": 2}),
        ("token offset negative", {"page_token": "eyJvZmZzZXQiOiAtMX0=", "max_results": 2}),
    ):
        s.get(step, path, {**query, **extra}, loose=("body.next_page_token",))
    for step, query in (
        ("key unknown", {**RUN, "metric_key": "other"}),
        ("key empty", {**RUN, "metric_key": ""}),
        ("key absent", RUN),
        ("key bad", {**RUN, "metric_key": "a&b"}),
        ("key with slash", {**RUN, "metric_key": "a/b"}),
        ("run unknown", {"run_id": "nope", "metric_key": "m"}),
        ("run absent", {"metric_key": "m"}),
        ("run by uuid", {"run_uuid": "{run}", "metric_key": "m"}),
        ("run by both", {"run_uuid": "{run}", "run_id": "{run}", "metric_key": "m"}),
        ("nothing", None),
    ):
        s.get(step, path, query)
    s.post("run deleted", "runs/delete", RUN)
    s.get("of a deleted run", path, {**RUN, "metric_key": "m"})


@CORPUS.scenario()
def bulk(s: Script) -> None:
    s.experiment()
    s.run("a")
    s.run("b")
    _points(s, "a", 5)
    _points(s, "b", 3)
    odd = [{"key": "m", "value": value, "timestamp": 9, "step": 9} for value in ("NaN", "Infinity", "-Infinity")]
    s.post("odd points", "runs/log-batch", {"run_id": "{b}", "metrics": odd})
    for step, query in (
        ("one", [("run_id", "{a}"), ("metric_key", "m")]),
        ("two", [("run_id", "{a}"), ("run_id", "{b}"), ("metric_key", "m")]),
        ("same twice", [("run_id", "{a}"), ("run_id", "{a}"), ("metric_key", "m")]),
        ("cut", [("run_id", "{a}"), ("metric_key", "m"), ("max_results", "2")]),
        ("cut at none", [("run_id", "{a}"), ("metric_key", "m"), ("max_results", "0")]),
        ("cut negative", [("run_id", "{a}"), ("metric_key", "m"), ("max_results", "-1")]),
        ("cut by word", [("run_id", "{a}"), ("metric_key", "m"), ("max_results", "x")]),
        ("cut beyond the limit", [("run_id", "{a}"), ("metric_key", "m"), ("max_results", "25001")]),
        ("unknown run", [("run_id", "nope"), ("metric_key", "m")]),
        ("unknown and known run", [("run_id", "nope"), ("run_id", "{a}"), ("metric_key", "m")]),
        ("unknown key", [("run_id", "{a}"), ("metric_key", "x")]),
        ("no run", [("metric_key", "m")]),
        ("empty run", [("run_id", ""), ("metric_key", "m")]),
        ("no key", [("run_id", "{a}")]),
        ("empty key", [("run_id", "{a}"), ("metric_key", "")]),
        ("nothing", None),
        ("100 runs", [("run_id", f"r{n}") for n in range(100)] + [("metric_key", "m")]),
        ("101 runs", [("run_id", f"r{n}") for n in range(101)] + [("metric_key", "m")]),
        ("by plural", [("run_ids", "{a}"), ("metric_key", "m")]),
    ):
        # The order of runs is that of their random ids.
        s.get(step, BULK, query, unordered=("metrics",) if step == "two" else ())
    s.get("below api", "metrics/get-history-bulk", [("run_id", "{a}"), ("metric_key", "m")])


@CORPUS.scenario()
def interval(s: Script) -> None:
    s.experiment()
    s.run("a")
    s.run("b")
    s.run("none")
    _points(s, "a", 100)
    _points(s, "b", 30, gap=7)
    two = [("run_ids", "{a}"), ("run_ids", "{b}")]
    for step, query in (
        ("all of one", [("run_ids", "{a}")]),
        ("ten of one", [("run_ids", "{a}"), ("max_results", "10")]),
        ("ten of two", [*two, ("max_results", "10")]),
        ("seven of two", [*two, ("max_results", "7")]),
        ("three of one", [("run_ids", "{a}"), ("max_results", "3")]),
        ("one of one", [("run_ids", "{a}"), ("max_results", "1")]),
        ("none of one", [("run_ids", "{a}"), ("max_results", "0")]),
        ("negative", [("run_ids", "{a}"), ("max_results", "-1")]),
        ("2500", [("run_ids", "{a}"), ("max_results", "2500")]),
        ("2501", [("run_ids", "{a}"), ("max_results", "2501")]),
        ("word as size", [("run_ids", "{a}"), ("max_results", "x")]),
        ("steps 10 to 19", [("run_ids", "{a}"), ("start_step", "10"), ("end_step", "19")]),
        ("steps of both", [*two, ("start_step", "10"), ("end_step", "60"), ("max_results", "5")]),
        ("one step", [("run_ids", "{a}"), ("start_step", "10"), ("end_step", "10")]),
        ("no such step", [("run_ids", "{b}"), ("start_step", "1"), ("end_step", "6")]),
        ("steps backwards", [("run_ids", "{a}"), ("start_step", "19"), ("end_step", "10")]),
        ("only start", [("run_ids", "{a}"), ("start_step", "10")]),
        ("only end", [("run_ids", "{a}"), ("end_step", "10")]),
        ("negative steps", [("run_ids", "{a}"), ("start_step", "-10"), ("end_step", "2")]),
        ("word as step", [("run_ids", "{a}"), ("start_step", "x"), ("end_step", "2")]),
        ("step beyond int32", [("run_ids", "{a}"), ("start_step", "0"), ("end_step", "2147483648")]),
        ("run without points", [("run_ids", "{none}")]),
        ("unknown run", [("run_ids", "nope")]),
        ("unknown and known run", [("run_ids", "nope"), ("run_ids", "{a}"), ("max_results", "2")]),
        ("empty run", [("run_ids", "")]),
        ("no run", []),
        ("100 runs", [("run_ids", f"r{n}") for n in range(100)]),
        ("101 runs", [("run_ids", f"r{n}") for n in range(101)]),
    ):
        s.get(step, INTERVAL, [*query, ("metric_key", "m")], unordered=("metrics",) if "two" in step or "both" in step else ())
    s.get("no key", INTERVAL, [("run_ids", "{a}")])
    s.get("unknown key", INTERVAL, [("run_ids", "{a}"), ("metric_key", "x")])
    s.get("nothing", INTERVAL)
    s.get("below ajax", f"/ajax-api/2.0/mlflow/{INTERVAL}", [("run_ids", "{a}"), ("metric_key", "m"), ("max_results", "4")])


@CORPUS.scenario()
def interval_of_equal_steps(s: Script) -> None:
    """Several points at a step, and odd values."""
    s.experiment()
    s.run("a")
    points = [
        {"key": "m", "value": value, "timestamp": time, "step": step}
        for step in range(6)
        for time, value in ((2, 1.0), (1, 2.0), (1, "NaN"), (1, "Infinity"))
    ]
    s.post("points", "runs/log-batch", {"run_id": "{a}", "metrics": points})
    for size in (1, 2, 3, 5, 12, 23, 24, 25):
        s.get(f"{size} of them", INTERVAL, [("run_ids", "{a}"), ("metric_key", "m"), ("max_results", str(size))])


@CORPUS.scenario()
def interval_of_many(s: Script) -> None:
    s.experiment()
    s.run("a")
    _points(s, "a", 3000)
    query = [("run_ids", "{a}"), ("metric_key", "m")]
    s.get("by default", INTERVAL, query)
    for size in (2, 9, 250, 320, 1000, 2499):
        s.get(f"{size} of them", INTERVAL, [*query, ("max_results", str(size))])
    s.get("history by default", "metrics/get-history", {"run_id": "{a}", "metric_key": "m"})
