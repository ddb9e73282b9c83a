"""Metrics, one by one: values, times and steps as JSON can write them."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("log_metric")

RUN = {"run_id": "{run}"}

# JSON texts, not values: `1e400` and `-0` are none of Python's.
NUMBERS = (
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "1.0",
    "1.5",
    "1e3",
    "1E+3",
    "1e-3",
    "0.1",
    "123456789.123456789",
    "1e308",
    "1.7976931348623157e308",
    "1e309",
    "-1e400",
    "5e-324",
    "1e-400",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "1" * 40,
    "NaN",
    "Infinity",
    "-Infinity",
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '"nan"',
    '"inf"',
    '"-inf"',
    '"infinity"',
    '"+Infinity"',
    '"1.5"',
    '"1e3"',
    '"-0"',
    '" 1 "',
    '"1_000"',
    '"0x10"',
    '"1."',
    '".5"',
    '"+1"',
    '""',
    '"one"',
    "true",
    "false",
    "null",
    "[1]",
    '{"a": 1}',
)

INTEGERS = (
    "0",
    "-0",
    "1",
    "-1",
    "1.0",
    "1.5",
    "1e3",
    "1e-1",
    "1700000000000",
    "1700000000000.0",
    "2147483648",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "1e18",
    "1e19",
    '"5"',
    '"-5"',
    '"+5"',
    '" 5 "',
    '"5.0"',
    '"1e3"',
    '"1.7e+12"',
    '"05"',
    '"1_0"',
    '""',
    '"x"',
    "true",
    "false",
    "null",
    "[1]",
    "{}",
    "NaN",
    "Infinity",
)


def _sent(s: Script, step: str, key: str, value: str, timestamp: str, at: str) -> None:
    body = (
        f'{{"run_id": "{{run}}", "key": "{key}", "value": {value}, '
        f'"timestamp": {timestamp}, "step": {at}}}'
    )
    s.post(step, "runs/log-metric", raw=body)


@CORPUS.scenario()
def values(s: Script) -> None:
    s.experiment()
    s.run()
    for number, value in enumerate(NUMBERS, 1):
        _sent(s, f"value {number:02}", f"v{number:02}", value, "1", "0")
        s.get(f"value {number:02}, history", "metrics/get-history", {**RUN, "metric_key": f"v{number:02}"})
    s.show("shown")
    s.post("absent", "runs/log-metric", {**RUN, "key": "m", "timestamp": 1})


@CORPUS.scenario()
def timestamps(s: Script) -> None:
    s.experiment()
    s.run()
    for number, value in enumerate(INTEGERS, 1):
        _sent(s, f"timestamp {number:02}", f"t{number:02}", "1", value, "0")
        s.get(f"timestamp {number:02}, history", "metrics/get-history", {**RUN, "metric_key": f"t{number:02}"})
    s.show("shown")
    s.post("absent", "runs/log-metric", {**RUN, "key": "m", "value": 1})


@CORPUS.scenario()
def steps(s: Script) -> None:
    s.experiment()
    s.run()
    for number, value in enumerate(INTEGERS, 1):
        _sent(s, f"step {number:02}", f"s{number:02}", "1", "1", value)
        s.get(f"step {number:02}, history", "metrics/get-history", {**RUN, "metric_key": f"s{number:02}"})
    s.show("shown")
    s.post("absent", "runs/log-metric", {**RUN, "key": "m", "value": 1, "timestamp": 1})
    s.show("absent, shown")


@CORPUS.scenario()
def latest(s: Script) -> None:
    """Which of several points a run shows: by step, then time, then value."""
    s.experiment()
    s.run()
    for number, (value, timestamp, step) in enumerate(
        (
            (1.0, 10, 0),
            (2.0, 5, 1),
            (3.0, 1, 0),
            (4.0, 5, 1),
            (3.5, 5, 1),
            (5.0, 5, -1),
            ("NaN", 5, 1),
            (6.0, 6, 1),
            ("NaN", 6, 1),
            ("Infinity", 6, 1),
            ("-Infinity", 6, 1),
            ("-Infinity", 7, 1),
            (0.0, 8, 1),
            (-0.0, 8, 1),
            (0.0, 8, 1),
        ),
        1,
    ):
        body = {**RUN, "key": "m", "value": value, "timestamp": timestamp, "step": step}
        s.post(f"point {number:02}", "runs/log-metric", body)
        s.show(f"point {number:02}, shown")
    s.get("history", "metrics/get-history", {**RUN, "metric_key": "m"})


@CORPUS.scenario()
def same_point_again(s: Script) -> None:
    s.experiment()
    s.run()
    point = {**RUN, "key": "m", "value": 1.5, "timestamp": 3, "step": 4}
    s.post("first", "runs/log-metric", point)
    s.post("again", "runs/log-metric", point)
    s.post("other value", "runs/log-metric", {**point, "value": 2.5})
    s.post("other case of the key", "runs/log-metric", {**point, "key": "M"})
    s.get("history", "metrics/get-history", {**RUN, "metric_key": "m"})
    s.get("history of the other key", "metrics/get-history", {**RUN, "metric_key": "M"})
    s.show("shown")


@CORPUS.scenario(since=NEWER)
def models_and_datasets(s: Script) -> None:
    """Points that belong to a logged model, and to a dataset."""
    s.experiment()
    s.run()
    s.model()
    point = {**RUN, "value": 1.5, "timestamp": 3, "step": 4}
    data = {"dataset_name": "d", "dataset_digest": "x1"}
    dataset = {"name": "d", "digest": "x1", "source_type": "local", "source": "{}"}
    s.post("inputs", "runs/log-inputs", {**RUN, "datasets": [{"dataset": dataset}]})
    for step, body in (
        ("model", {"key": "a", "model_id": "{model}"}),
        ("model and dataset", {"key": "b", "model_id": "{model}", **data}),
        ("dataset", {"key": "c", **data}),
        ("dataset unknown", {"key": "d", "model_id": "{model}", "dataset_name": "u", "dataset_digest": "y"}),
        ("name without digest", {"key": "e", "model_id": "{model}", "dataset_name": "d"}),
        ("digest without name", {"key": "f", "model_id": "{model}", "dataset_digest": "x1"}),
        ("model empty", {"key": "g", "model_id": ""}),
        ("model unknown", {"key": "h", "model_id": "m-0123456789abcdef0123456789abcdef"}),
        ("model null", {"key": "i", "model_id": None}),
        ("model number", {"key": "j", "model_id": 5}),
        ("not a number", {"key": "k", "model_id": "{model}", "value": "NaN"}),
        ("infinite", {"key": "l", "model_id": "{model}", "value": "Infinity"}),
    ):
        s.post(step, "runs/log-metric", {**point, **body})
    s.show("run shown")
    s.get("model shown", "logged-models/{model}", unordered=("*.data.metrics",))
    s.get("history", "metrics/get-history", {**RUN, "metric_key": "b"})
    batch = [
        {"key": "x", "value": 1.0, "timestamp": 1, "step": 1, "model_id": "{model}", **data},
        {"key": "x", "value": 2.0, "timestamp": 2, "step": 2, "model_id": "{model}"},
        {"key": "y", "value": 3.0, "timestamp": 2, "step": 2, "run_id": "{run}"},
    ]
    s.post("batch", "runs/log-batch", {**RUN, "metrics": batch})
    s.get("model shown after the batch", "logged-models/{model}", unordered=("*.data.metrics",))
    s.show("run shown after the batch")
