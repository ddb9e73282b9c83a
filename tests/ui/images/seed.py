"""Logs what the pictures of the documentation show, through the official client. Prints the ids as JSON.

seed.py --uri http://127.0.0.1:5000

The values are those of every other run of this program; only ids and times differ.
"""

import argparse
import json
import math
import os
import random
import sys
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--uri", required=True)
args = parser.parse_args()

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"

import matplotlib  # noqa: E402
import mlflow  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import AssessmentSource, Dataset, DatasetInput, Document, InputTag, Metric, Param  # noqa: E402
from mlflow.models import Model, infer_signature  # noqa: E402
from mlflow.tracing.constant import SpanAttributeKey  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy  # noqa: E402

mlflow.set_tracking_uri(args.uri)
client = MlflowClient()
chance = random.Random(11)
NOW = int(time.time() * 1000)
MINUTE = 60_000
EPOCHS = 80
CLASSES = ["daisy", "iris", "lily", "orchid", "rose", "tulip"]


def run(experiment, name, params, curves, age, minutes, steps=EPOCHS, tags=None, parent=None, status="FINISHED", user="grace"):
    """A run that began `age` minutes ago; each curve is a function of the step."""
    start = NOW - int(age * MINUTE)
    tags = {"mlflow.user": user, "mlflow.source.name": "train.py", "mlflow.source.git.commit": f"{chance.getrandbits(160):040x}", **(tags or {})}
    if parent:
        tags["mlflow.parentRunId"] = parent
    run_id = client.create_run(experiment, start_time=start, run_name=name, tags=tags).info.run_id
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
    each = minutes * MINUTE / steps
    points = [Metric(key, curve(step), start + int(step * each), step) for key, curve in curves.items() for step in range(steps)]
    for first in range(0, len(points), 1000):
        client.log_batch(run_id, points[first : first + 1000])
    if status != "RUNNING":
        client.set_terminated(run_id, status, start + int(minutes * MINUTE))
    return run_id


def curves(rate, depth, augment):
    """Training as it goes: a good rate learns fast, depth helps, augmentation closes the gap."""
    fit = 0.955 - 0.06 * abs(math.log10(rate) + 2.6) + depth / 4000
    gap = {"none": 0.11, "flip": 0.07, "mixup": 0.04}[augment]
    slow = 9 + 7 * abs(math.log10(rate) + 2.2)
    noise = random.Random(f"{rate} {depth} {augment}")
    return {
        "train/loss": lambda step: 1.75 * math.exp(-step / slow) + 0.9 * (1 - fit) + noise.gauss(0, 0.012),
        "train/accuracy": lambda step: min(0.999, fit + 0.02 - (fit - 0.15) * math.exp(-step / slow) + noise.gauss(0, 0.004)),
        "val/loss": lambda step: 1.78 * math.exp(-step / slow) + 0.9 * (1 - fit) + gap * (1 + step / EPOCHS) + noise.gauss(0, 0.02),
        "val/accuracy": lambda step: fit - gap / 2 - (fit - 0.17) * math.exp(-step / slow) + noise.gauss(0, 0.006),
        "system/gpu_utilization_percentage": lambda step: 88 + noise.gauss(0, 4),
        "system/gpu_memory_usage_gigabytes": lambda step: 4 + depth / 14 + min(step, 3) * 0.3,
    }


def files(run_id, seed):
    """What a training leaves: a picture, a table, its settings, a log."""
    numbers = numpy.random.default_rng(seed)
    matrix = numbers.integers(0, 5, (6, 6)) + numpy.diag(numbers.integers(70, 95, 6))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("plots", "tables"):
            os.makedirs(f"{folder}/{name}")
        figure, axes = plt.subplots(figsize=(5.4, 4.6), dpi=110)
        axes.imshow(matrix, cmap="Blues")
        axes.set_xticks(range(6), CLASSES, rotation=30)
        axes.set_yticks(range(6), CLASSES)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        for row in range(6):
            for column in range(6):
                axes.text(column, row, matrix[row, column], ha="center", va="center", color="white" if row == column else "#345")
        figure.tight_layout()
        figure.savefig(f"{folder}/plots/confusion.png")
        plt.close(figure)
        with open(f"{folder}/tables/classes.csv", "w") as out:
            out.write("class,precision,recall\n" + "".join(f"{name},{numbers.uniform(0.85, 0.99):.3f},{numbers.uniform(0.85, 0.99):.3f}\n" for name in CLASSES))
        with open(f"{folder}/config.json", "w") as out:
            json.dump({"data": {"size": 224, "classes": CLASSES}, "seed": seed}, out, indent=2)
        client.log_artifacts(run_id, folder)


def flowers():
    experiment = client.create_experiment("flowers/convnet", tags={"team": "vision"})
    client.set_experiment_tag(experiment, "mlflow.note.content", "Six kinds of flowers, photographed by phone. **Which augmentation lets us go deeper?**")
    data = [
        Dataset(f"flowers-{year}", digest, "http", json.dumps({"url": f"https://data.example.com/flowers-{year}"}), json.dumps({"mlflow_colspec": []}))
        for year, digest in [("2025", "8e1f02aa"), ("2026", "c4b7719d")]
    ]
    trials = []
    for sweep, (augment, ago) in enumerate([("none", 1500), ("flip", 820), ("mixup", 190)]):
        settings = {"augment": augment, "batch_size": 64, "epochs": EPOCHS}
        parent = run(experiment, f"sweep-{augment}", {**settings, "search": "grid"}, {}, ago, 150, user="ada", tags={"stage": "sweep"})
        for at, (rate, depth) in enumerate([(0.0003, 18), (0.001, 34), (0.003, 34), (0.003, 50), (0.03, 50)]):
            last = sweep == 2 and at == 4
            trial = run(
                experiment,
                f"{augment}-d{depth}-lr{rate}",
                {**settings, "lr": rate, "depth": depth, "optimizer": "sgd" if at % 2 else "adamw"},
                curves(rate, depth, augment),
                ago - at * 30 - 2 if not last else 17,
                12 + depth / 3,
                steps=45 if last else EPOCHS,
                tags={"stage": "candidate" if depth == 50 and augment == "mixup" else "trial"},
                parent=parent,
                status="RUNNING" if last else "FAILED" if (sweep, at) == (0, 4) else "FINISHED",
                user=["grace", "alan"][at % 2],
            )
            client.log_inputs(trial, [DatasetInput(data[sweep > 0], [InputTag("mlflow.data.context", "training")])])
            trials.append(trial)
    best = trials[13]
    client.set_tag(best, "mlflow.note.content", "Best so far. **Mixup** closes most of the gap between training and validation.\n\n- photographs of 2026\n- 224 × 224, six classes")
    for seed, trial in enumerate([trials[12], best]):
        files(trial, seed)
    return {"experiment": experiment, "best": best, "compared": [trials[3], trials[8], best]}


def others():
    """So that the list of experiments is one. The last run of each, by the first word of its experiment."""
    last = {}
    for name, note, team, hours in [("demand/forecast", "Sales of the next four weeks, by shop.", "supply", 30), ("speech/wakeword", "Two words, on a microcontroller.", "edge", 90)]:
        experiment = client.create_experiment(name, tags={"team": team})
        client.set_experiment_tag(experiment, "mlflow.note.content", note)
        for at in range(4):
            last[name.split("/")[0]] = run(experiment, f"baseline-{at + 1}", {"window": 7 * (at + 1)}, {"mape": lambda step, at=at: 0.3 / (1 + step / 5) + 0.08 - at / 100}, hours * 60 - at * 45, 20, steps=30, user="alan")
    return last


def models(compared, last):
    names = {"flower-classifier": "Names the flower in a photograph.", "demand-forecast": "Sales by shop and week.", "wakeword": "Listens for two words."}
    for name, about in names.items():
        client.create_registered_model(name, {"team": {"flower-classifier": "vision", "demand-forecast": "supply"}.get(name, "edge")}, about)
    signature = infer_signature(numpy.zeros((1, 224, 224, 3), dtype="float32"), numpy.zeros((1, 6), dtype="float32"))
    for version, trial in enumerate(compared, 1):
        model = Model(artifact_path="model", run_id=trial, signature=signature)
        model.add_flavor("python_function", loader_module="mlflow.pytorch", python_version="3.11.9")
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/MLmodel")
            client.log_artifacts(trial, folder, "model")
        client.create_model_version("flower-classifier", f"runs:/{trial}/model", trial, {"depth": "50"}, description=["No augmentation.", "Flips.", "Mixup, on the photographs of 2026."][version - 1])
    client.set_registered_model_alias("flower-classifier", "champion", "3")
    client.set_registered_model_alias("flower-classifier", "rollback", "2")
    for name, trial in [("demand-forecast", last["demand"]), ("demand-forecast", last["demand"]), ("wakeword", last["speech"])]:
        client.create_model_version(name, f"runs:/{trial}/model", trial)
    client.set_registered_model_alias("demand-forecast", "champion", "2")


ASKED = [
    ("Which orchid flowers in winter?", "Cymbidium: from November to March."),
    ("My tulips stay short. Why?", "They had too few cold weeks; twelve are needed."),
    ("When do I cut back roses?", "When the forsythia flowers, in March."),
    ("How deep do lilies go?", "Three times the height of the bulb."),
    ("Are irises poisonous for cats?", "Yes, the rhizomes most of all."),
]


def traces():
    experiment = client.create_experiment("assistant/garden", tags={"team": "assistants"})
    client.set_experiment_tag(experiment, "mlflow.note.content", "Answers questions about a garden from three books.")
    mlflow.set_experiment(experiment_id=experiment)
    answered = []
    for at in range(28):
        question, answer = ASKED[at % len(ASKED)]
        fails = at in (9, 20)
        try:
            with mlflow.start_span("answer", span_type="AGENT") as root:
                root.set_inputs({"question": question})
                mlflow.update_current_trace(tags={"channel": ["web", "phone"][at % 2]}, metadata={"mlflow.trace.session": f"visit-{at // 3 + 1}", "mlflow.trace.user": f"reader-{at % 6 + 1}"})
                with mlflow.start_span("find pages", span_type="RETRIEVER") as span:
                    span.set_inputs({"query": question})
                    with mlflow.start_span("embed", span_type="EMBEDDING"):
                        time.sleep(chance.uniform(0.004, 0.012))
                    time.sleep(chance.uniform(0.01, 0.03))
                    span.set_outputs([Document(page_content=f"Page {12 + place}: {answer}", metadata={"doc_uri": f"books/{place}", "score": round(0.92 - place / 9, 2)}) for place in range(3)])
                with mlflow.start_span("calendar", span_type="TOOL") as span:
                    span.set_inputs({"region": "temperate"})
                    time.sleep(chance.uniform(0.005, 0.015))
                    if fails:
                        raise TimeoutError("the calendar did not answer within 2 s")
                    span.set_outputs({"month": "November", "frost": True})
                with mlflow.start_span("write", span_type="CHAT_MODEL") as span:
                    span.set_inputs({"model": "small-chat", "messages": [{"role": "system", "content": "You know **gardens**. Answer in one sentence."}, {"role": "user", "content": question}]})
                    time.sleep(chance.uniform(0.05, 0.16))
                    span.set_outputs({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}]})
                    tokens = 300 + chance.randrange(120)
                    span.set_attribute(SpanAttributeKey.CHAT_USAGE, {"input_tokens": tokens, "output_tokens": 24, "total_tokens": tokens + 24})
                root.set_outputs(answer)
        except TimeoutError:
            continue
        answered.append(root.trace_id)
    mlflow.flush_trace_async_logging()
    for at, trace in enumerate(answered):
        if at % 4 != 3:
            mlflow.log_feedback(trace_id=trace, name="correct", value=at % 7 != 5, source=AssessmentSource("HUMAN", "ada"))
    return {"experiment": experiment, "trace": answered[-2]}


def main():
    made = {"flowers": flowers()}
    models(made["flowers"]["compared"], others())
    made["garden"] = traces()
    json.dump(made, sys.stdout)


main()
