"""What `filters.py` searches in: runs, experiments and logged models with values of every kind."""

from __future__ import annotations

import random
import time
from typing import Any, Callable

from exchange import Answer, take
from grammar import Vocabulary
from plain import parse
from script import API, Call

PATHS = {
    "runs": API + "runs/search",
    "experiments": API + "experiments/search",
    "models": API + "logged-models/search",
}

RUNS, EXPERIMENTS, MODELS = 60, 24, 24
START = 1_700_000_000_000

NUMBERS: list[Any] = [0, -0.0, 1, -1, 0.5, 0.1, 0.25, -3.25, 2, 100, 1e20, 1e-20, 123456.789, "NaN", "Infinity", "-Infinity"]
TEXTS = [
    "", "a", "A", "b", "ab", "a_b", "a%b", "aXb", "100%", "it's", 'say "x"', "größe", "GRÖSSE", "模型", "🚀 go", " a", "a ",
    "a\\b", "1", "0.1", "true", "NULL", "a AND b", "[x]", "(a)", "a.b", "^a$", "a\nb", "x" * 60,
]  # fmt: skip
STATUSES = ["RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED"]
METRICS = ["loss", "acc", "val/loss", "f1 score", "größe"]
PARAMS = ["lr", "opt", "a b", "x/y", "größe"]
TAGS = ["team", "note", "mlflow.user", "a/b", "größe"]
DATASETS = [("wine", "1"), ("wine", "2"), ("beer", "1"), ("größe", "x'")]
CONTEXTS = ["train", "test", "Train", ""]

Send = Callable[[Call, dict[str, str]], Answer]


def make(
    send: Send, unique: str, rng: random.Random, models: bool = True, finite: bool = False
) -> dict[str, str]:
    """Makes everything through the API of one server; the ids by name, as `run07`, `model03`, `exp`.

    A database takes infinities for its largest numbers, and a folder does not: with `finite` there
    are none.
    """
    ids: dict[str, str] = {}

    def post(path: str, body: dict[str, Any]) -> Any:
        answer = send(Call("make", "POST", API + path, body=body), ids)
        return parse(answer.body) if answer.status == 200 else None

    for number in range(EXPERIMENTS):
        name = f"{unique} {number:02} {rng.choice(TEXTS)}"
        tags = _pairs(rng, TAGS)
        kept = "exp" if number == 0 else f"exp{number:02}"
        ids[kept] = post("experiments/create", {"name": name, "tags": tags})["experiment_id"]
        # Otherwise some have the same time on the faster side only.
        time.sleep(0.003)
    for number in range(RUNS):
        _run(post, ids, rng, number, [value for value in NUMBERS if not finite or "Inf" not in str(value)])
    for number in range(MODELS if models else 0):
        body = {
            "experiment_id": ids["exp"],
            "name": f"model{number:02}",
            "model_type": rng.choice(["", "a", "b", "größe"]),
            "source_run_id": ids[f"run{rng.randrange(RUNS):02}"],
            "params": _pairs(rng, PARAMS),
            "tags": _pairs(rng, TAGS),
        }
        points = [
            # Later than those of the runs, so that no two compete for the latest.
            {"key": key, "value": rng.choice([0, 0.5, 1, -1, 2.5]), "timestamp": 10 + number, "step": 0}
            for key in METRICS
            if rng.random() < 0.6
        ]
        model = ids[f"model{number:02}"] = take(post("logged-models", body), "model.info.model_id") or ""
        if points:
            points = [{**point, "model_id": model} for point in points]
            post("runs/log-batch", {"run_id": body["source_run_id"], "metrics": points})
    return ids


def _run(post: Callable[[str, dict[str, Any]], Any], ids: dict[str, str], rng: random.Random, number: int, values: list[Any]) -> None:
    name = f"run{number:02}"
    body = {
        "experiment_id": ids["exp"],
        "run_name": f"{name} {rng.choice(TEXTS)}",
        "start_time": START + number,
        "user_id": rng.choice(["u1", "u2", "größe"]),
    }
    ids[name] = run = take(post("runs/create", body), "run.info.run_id") or ""
    metrics = [
        {"key": key, "value": rng.choice(values), "timestamp": 1, "step": 0}
        for key in METRICS
        if rng.random() < 0.7
    ]
    post("runs/log-batch", {"run_id": run, "metrics": metrics, "params": _pairs(rng, PARAMS), "tags": _pairs(rng, TAGS)})
    datasets = [
        {
            "dataset": {"name": dataset, "digest": digest, "source_type": "s", "source": "x"},
            "tags": [{"key": "mlflow.data.context", "value": rng.choice(CONTEXTS)}] if rng.random() < 0.8 else [],
        }
        for dataset, digest in DATASETS
        if rng.random() < 0.3
    ]
    if datasets:
        post("runs/log-inputs", {"run_id": run, "datasets": datasets})
    status = rng.choice(STATUSES)
    end = {"end_time": START + 1000 + number} if rng.random() < 0.6 else {}
    post("runs/update", {"run_id": run, "status": status, **end})


def _pairs(rng: random.Random, keys: list[str]) -> list[dict[str, str]]:
    return [{"key": key, "value": rng.choice(TEXTS)} for key in keys if rng.random() < 0.7]


def vocabulary(kind: str, unique: str, nulls: bool, finite: bool = False) -> Vocabulary:
    """What searches of a kind may name."""
    numbers = ["0", "0.5", "-3.25", "1", "-1", "0.1", "1e20", "100", "2.5", "123456.789"]
    numbers += [] if finite else ["-1e400", "1e400"]
    texts = [text for text in TEXTS if "\n" not in text and not ("'" in text and '"' in text)]
    tags = {key: texts for key in [*TAGS, "none"]}
    if kind == "experiments":
        names = [f"{unique} {number:02} {text}" for number, text in enumerate(texts[:20])]
        return Vocabulary([], numbers, {}, tags, {"name": names}, {"creation_time": ["0", "9999999999999"]}, nulls=nulls)
    params = {key: texts for key in [*PARAMS, "none"]}
    if kind == "models":
        return Vocabulary(
            [*METRICS, "none"],
            numbers,
            params,
            {key: texts for key in TAGS},
            {"name": ["model01", "model02", "model%"], "model_type": ["", "a", "b", "größe"], "model_id": ["{model01}", "{model02}"]},
            {"creation_timestamp": ["0", "9999999999999"]},
            listed=("name", "model_type", "model_id"),
            singular=False,
            nulls=False,
        )
    return Vocabulary(
        [*METRICS, "none"],
        numbers,
        params,
        tags,
        {
            "run_name": [f"run{number:02} {text}" for number, text in enumerate(texts)],
            "status": STATUSES,
            "user_id": ["u1", "u2", "größe"],
            "run_id": ["{run01}", "{run02}", "{run03}", "nope"],
        },
        {"start_time": [str(START + n) for n in (5, 20, 40)], "end_time": [str(START + 1030)], "created": [str(START + 30)]},
        listed=("run_id",),
        datasets={"name": ["wine", "beer", "größe"], "digest": ["1", "2", "x'"], "context": CONTEXTS},
        nulls=nulls,
    )


def names(kind: str, answer: dict[str, Any]) -> list[str]:
    """The names in an answer, in order."""
    match kind:
        case "runs":
            return [run["info"]["run_name"] for run in answer.get("runs", [])]
        case "models":
            return [model["info"]["name"] for model in answer.get("models", [])]
        case _:
            return [experiment["name"].split(" ", 1)[-1] for experiment in answer.get("experiments", [])]
