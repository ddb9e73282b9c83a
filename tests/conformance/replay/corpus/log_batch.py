"""Batches: their limits, what is wrong with single items, and what is left of a refused one."""

from script import Corpus, Script

CORPUS = Corpus("log_batch")

RUN = {"run_id": "{run}"}


def _metrics(count: int) -> list[dict]:
    return [{"key": "m", "value": n / 2, "timestamp": n, "step": n} for n in range(count)]


def _pairs(count: int, first: str) -> list[dict]:
    return [{"key": f"{first}{n}", "value": str(n)} for n in range(count)]


@CORPUS.scenario()
def everything(s: Script) -> None:
    s.experiment()
    s.run()
    body = {
        **RUN,
        "metrics": [
            {"key": "a", "value": 1.5, "timestamp": 1, "step": 2},
            {"key": "a", "value": "NaN", "timestamp": 2, "step": 3},
            {"key": "b", "value": "-Infinity", "timestamp": "3"},
            {"key": "c", "value": "0.25", "timestamp": 4.0, "step": "-7"},
        ],
        "params": [{"key": "p", "value": "1"}, {"key": "q", "value": ""}, {"key": "r"}],
        "tags": [{"key": "t", "value": "1"}, {"key": "u"}, {"key": "mlflow.runName", "value": "new"}],
    }
    s.post("first", "runs/log-batch", body)
    s.show("shown")
    s.post("again", "runs/log-batch", body)
    s.show("shown again")
    for key in ("a", "b", "c"):
        s.get(f"history of {key}", "metrics/get-history", {**RUN, "metric_key": key})


@CORPUS.scenario()
def sizes(s: Script) -> None:
    for step, body in (
        ("empty", {}),
        ("empty lists", {"metrics": [], "params": [], "tags": []}),
        ("null lists", {"metrics": None, "params": None, "tags": None}),
        ("1000 metrics", {"metrics": _metrics(1000)}),
        ("1001 metrics", {"metrics": _metrics(1001)}),
        ("100 params", {"params": _pairs(100, "p")}),
        ("101 params", {"params": _pairs(101, "p")}),
        ("100 tags", {"tags": _pairs(100, "t")}),
        ("101 tags", {"tags": _pairs(101, "t")}),
        ("1000 in all", {"metrics": _metrics(800), "params": _pairs(100, "p"), "tags": _pairs(100, "t")}),
        ("1001 in all", {"metrics": _metrics(801), "params": _pairs(100, "p"), "tags": _pairs(100, "t")}),
        ("too many of each", {"metrics": _metrics(1001), "params": _pairs(101, "p"), "tags": _pairs(101, "t")}),
    ):
        if not s.calls:
            s.experiment()
        name = step.replace(" ", "_")
        s.run(f"r_{name}")
        run = {"run_id": f"{{r_{name}}}"}
        s.post(step, "runs/log-batch", {**run, **body})
        s.get(f"{step}, shown", "runs/get", run)


ITEMS = {
    "metrics": (
        ("no key", {"value": 1, "timestamp": 1}),
        ("empty key", {"key": "", "value": 1, "timestamp": 1}),
        ("null key", {"key": None, "value": 1, "timestamp": 1}),
        ("no value", {"key": "m", "timestamp": 1}),
        ("null value", {"key": "m", "value": None, "timestamp": 1}),
        ("word as value", {"key": "m", "value": "x", "timestamp": 1}),
        ("bool as value", {"key": "m", "value": True, "timestamp": 1}),
        ("list as value", {"key": "m", "value": [1], "timestamp": 1}),
        ("no timestamp", {"key": "m", "value": 1}),
        ("null timestamp", {"key": "m", "value": 1, "timestamp": None}),
        ("negative timestamp", {"key": "m", "value": 1, "timestamp": -1}),
        ("fraction as timestamp", {"key": "m", "value": 1, "timestamp": 1.5}),
        ("word as timestamp", {"key": "m", "value": 1, "timestamp": "x"}),
        ("null step", {"key": "m", "value": 1, "timestamp": 1, "step": None}),
        ("fraction as step", {"key": "m", "value": 1, "timestamp": 1, "step": 0.5}),
        ("word as step", {"key": "m", "value": 1, "timestamp": 1, "step": "x"}),
        ("number as key", {"key": 1, "value": 1, "timestamp": 1}),
        ("bad key", {"key": "a&b", "value": 1, "timestamp": 1}),
        ("long key", {"key": "k" * 251, "value": 1, "timestamp": 1}),
        ("null", None),
        ("text", "m=1"),
        ("number", 5),
        ("list", [1]),
        ("empty", {}),
        ("unknown field", {"key": "m", "value": 1, "timestamp": 1, "colour": "red"}),
    ),
    "params": (
        ("no key", {"value": "1"}),
        ("empty key", {"key": "", "value": "1"}),
        ("number as value", {"key": "p", "value": 1}),
        ("null value", {"key": "p", "value": None}),
        ("list as value", {"key": "p", "value": ["a"]}),
        ("bad key", {"key": "a&b", "value": "1"}),
        ("long key", {"key": "k" * 251, "value": "1"}),
        ("long value", {"key": "p", "value": "v" * 6001}),
        ("null", None),
        ("text", "p=1"),
        ("empty", {}),
    ),
    "tags": (
        ("no key", {"value": "1"}),
        ("empty key", {"key": "", "value": "1"}),
        ("number as value", {"key": "t", "value": 1}),
        ("null value", {"key": "t", "value": None}),
        ("bad key", {"key": "a&b", "value": "1"}),
        ("long key", {"key": "k" * 251, "value": "1"}),
        ("long value", {"key": "t", "value": "v" * 8001}),
        ("null", None),
        ("text", "t=1"),
        ("empty", {}),
    ),
}


@CORPUS.scenario()
def items(s: Script) -> None:
    """One bad item after a good one. What is left of such a batch differs by design: not looked at."""
    s.experiment()
    good = {
        "metrics": {"key": "good", "value": 1, "timestamp": 1},
        "params": {"key": "good", "value": "1"},
        "tags": {"key": "good", "value": "1"},
    }
    for kind, cases in ITEMS.items():
        s.run(kind)
        run = {"run_id": f"{{{kind}}}"}
        for step, item in cases:
            s.post(f"{kind}, {step}", "runs/log-batch", {**run, kind: [good[kind], item]})
        for step, value in (("text", "x"), ("object", {"key": "k", "value": "v"}), ("number", 1), ("bool", False)):
            s.post(f"{kind} are a {step}", "runs/log-batch", {**run, kind: value})


@CORPUS.scenario()
def who(s: Script) -> None:
    s.experiment()
    s.run()
    s.post("unknown run", "runs/log-batch", {"run_id": "nope", "params": _pairs(1, "p")})
    s.post("unknown run, nothing to log", "runs/log-batch", {"run_id": "nope"})
    s.post("no run", "runs/log-batch", {"params": _pairs(1, "p")})
    s.post("empty run", "runs/log-batch", {"run_id": "", "params": _pairs(1, "p")})
    s.post("run by uuid", "runs/log-batch", {"run_uuid": "{run}", "params": _pairs(1, "p")})
    s.post("no body", "runs/log-batch", raw="")
    s.post("no JSON", "runs/log-batch", raw="{")


@CORPUS.scenario()
def tags_twice(s: Script) -> None:
    s.experiment()
    s.run()
    tags = [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}, {"key": "T", "value": "3"}]
    s.post("twice", "runs/log-batch", {**RUN, "tags": tags})
    s.show("shown")
    metrics = [{"key": "m", "value": 1, "timestamp": 1}] * 3
    s.post("metric thrice", "runs/log-batch", {**RUN, "metrics": metrics})
    s.get("history", "metrics/get-history", {**RUN, "metric_key": "m"})
