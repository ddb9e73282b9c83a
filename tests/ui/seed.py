"""Logs what the browser tests look at, through the official client. Prints the ids as JSON.

  seed.py --uri http://127.0.0.1:5000
"""

import argparse
import json
import math
import os
import struct
import sys
import tempfile
import time
import zlib

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--uri", required=True)
parser.add_argument("--many", type=int, default=400, help="runs of the large experiment")
args = parser.parse_args()

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"

import mlflow  # noqa: E402
import numpy  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import AssessmentSource, Dataset, DatasetInput, Document, InputTag, Metric, Param, RunTag, SpanEvent  # noqa: E402
from mlflow.models import Model, ModelSignature, infer_signature  # noqa: E402
from mlflow.tracing.constant import SpanAttributeKey  # noqa: E402
from mlflow.types.schema import Array, ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec  # noqa: E402
from sklearn.linear_model import LinearRegression  # noqa: E402

mlflow.set_tracking_uri(args.uri)
client = MlflowClient()
NOW = int(time.time() * 1000)
MARK = f"{NOW % 10**8}"
HOSTILE = "<img src=x onerror=window.pwned=1><script>window.pwned=1</script>"


def png(width, height, color):
    rows = b"".join(b"\0" + bytes(color) * width for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def run(experiment, name, params=None, metrics=None, tags=None, parent=None, age=0, status="FINISHED", steps=60):
    start = NOW - age * 60_000
    tags = {"mlflow.user": "ada", "mlflow.source.name": "train.py", **(tags or {})}
    if parent:
        tags["mlflow.parentRunId"] = parent
    run_id = client.create_run(experiment, start_time=start, tags=tags, run_name=name).info.run_id
    points = [Metric(key, f(step), start + step * 1000, step) for key, f in (metrics or {}).items() for step in range(steps)]
    client.log_batch(run_id, params=[Param(k, str(v)) for k, v in (params or {}).items()])
    for at in range(0, len(points), 1000):
        client.log_batch(run_id, metrics=points[at : at + 1000])
    if status != "RUNNING":
        client.set_terminated(run_id, status, end_time=start + steps * 1000)
    return run_id


def write(run_id, files):
    with tempfile.TemporaryDirectory() as folder:
        for path, content in files.items():
            target = os.path.join(folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        client.log_artifacts(run_id, folder)


def sweep():
    experiment = client.create_experiment(f"ui/sweep-{MARK}", tags={"team": "vision"})
    client.set_experiment_tag(experiment, "mlflow.note.content", "# A sweep\n\nOver **learning rates**.")
    parent = run(experiment, "sweep", {"strategy": "grid"}, age=100)
    trials = []
    for i, rate in enumerate([0.0001, 0.001, 0.01, 0.1]):
        for optimizer in ["adam", "sgd"]:
            quality = 1 - abs(math.log10(rate) + 2) / 5 - (0.02 if optimizer == "sgd" else 0)
            trials.append(
                run(
                    experiment,
                    f"trial-{optimizer}-{rate}",
                    {"lr": rate, "optimizer": optimizer, "epochs": 60},
                    {
                        "train/loss": lambda s, q=quality: 2 * math.exp(-s / 12) + 1 - q,
                        "val/loss": lambda s, q=quality: 2 * math.exp(-s / 14) + 1.1 - q,
                        "val/acc": lambda s, q=quality: q * (1 - math.exp(-s / 10)),
                        "system/cpu": lambda s: 40 + s % 7,
                    },
                    {"release": "candidate" if quality > 0.8 else "rejected"},
                    parent,
                    age=90 - i * 10,
                    status="FAILED" if rate == 0.1 and optimizer == "sgd" else "FINISHED",
                )
            )
    dataset = Dataset("cards-2026", "abc123", "http", json.dumps({"url": "https://data.example.com/cards"}), json.dumps({"mlflow_colspec": [{"name": "amount", "type": "double", "required": True}]}))
    for trial in trials[:3]:
        client.log_inputs(trial, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    live = run(experiment, "live", {"lr": 0.5, "optimizer": "adam", "epochs": 60}, {"train/loss": lambda s: 1 / (s + 1)}, age=1, status="RUNNING", steps=20)
    for trial, color in [(trials[0], (200, 40, 40)), (trials[1], (40, 40, 200))]:
        write(
            trial,
            {
                "plots/matrix.png": png(64, 64, color),
                "metrics/per_class.csv": 'class,f1\ncat,0.9\n"dog, big",0.8\nemu,0.85\n',
                "config.json": json.dumps({"model": {"depth": 50}, "rate": color[0]}),
                "table.json": json.dumps({"columns": ["prompt", "score"], "data": [["hi", 1], ["there", 2]]}),
                "README.md": f"# Notes\n\nColour **{color[0]}**.\n\n- one\n- two\n",
                "train.py": "def train(rate):  # the loop\n    return rate * 2\n",
                "report.html": "<style>h1{color:rgb(1,2,3)}</style><h1>Report</h1>",
                "weights.pkl": b"\x80\x04\x00\x01",
                "sound.wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0",
                "paper.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
                "model/MLmodel": "artifact_path: model\nflavors:\n  python_function:\n    loader_module: mlflow.sklearn\n",
                **{f"images/sample+step+{step}+timestamp+1700000000000+{color[0]}{step}.png": png(16, 16, (color[0], step * 20, color[2])) for step in (0, 5)},
            },
        )
    return {"experiment": experiment, "name": f"ui/sweep-{MARK}", "parent": parent, "trials": trials, "live": live}


def hostile():
    experiment = client.create_experiment(f"{HOSTILE} {MARK}", tags={"t": HOSTILE})
    client.set_experiment_tag(experiment, "mlflow.note.content", f"{HOSTILE}\n\n[link](javascript:window.pwned=1) ![x](javascript:window.pwned=1)\n\n<iframe src='javascript:parent.pwned=1'>")
    ids = []
    for i in range(2):
        ids.append(
            run(
                experiment,
                HOSTILE,
                {"a": HOSTILE, "formula": "=1+1"},
                {"loss": lambda s: s},
                {"mlflow.note.content": f"{HOSTILE}\n\n[x](javascript:window.pwned=1)", "t": HOSTILE, "mlflow.runColor": "red;background:url(javascript:1)"},
                steps=3,
            )
        )
    script = "<script>window.pwned=1;parent.pwned=1;top.pwned=1;fetch('/pwned-by-html')</script><img src=/pwned-image onerror='top.pwned=1'><p id=here>shown</p>"
    write(
        ids[0],
        {
            "evil.html": f"<!doctype html><style>p{{color:rgb(1,2,3)}}</style>{script}<meta http-equiv=refresh content='0;url=/pwned-refresh'><form action=/pwned-form><button>x</button></form>",
            "evil.svg": f"<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40' onload='top.pwned=1'>{script.split('<img')[0]}<rect width='40' height='40'/></svg>",
            "evil.md": f"{HOSTILE}\n\n[x](javascript:window.pwned=1) ![y](https://example.com/pwned.png)",
            "evil.json": json.dumps({"columns": [HOSTILE], "data": [[HOSTILE]]}),
            "evil.csv": f"{HOSTILE}\n=cmd()\n",
            "evil.txt": HOSTILE,
            "<img src=x onerror=top.pwned=1>.txt": "x",
        },
    )
    return {"experiment": experiment, "runs": ids}


def many():
    experiment = client.create_experiment(f"ui/many-{MARK}")
    for i in range(args.many):
        run_id = client.create_run(experiment, start_time=NOW - i * 1000, run_name=f"run-{i:04d}").info.run_id
        client.log_batch(run_id, [Metric(f"m{k}", (i * 7919 + k) % 1000 / 10, NOW, 0) for k in range(12)], [Param("shard", str(i % 7))], [RunTag("even", str(i % 2 == 0))])
        client.set_terminated(run_id, end_time=NOW)
    return {"experiment": experiment, "count": args.many}


def empty():
    return client.create_experiment(f"ui/empty-{MARK}")


def folder_of_model(run_id, depth):
    """The folder of a model in a run's artifacts, as clients before MLflow 3 log it."""
    inputs = Schema([ColSpec("double", "amount of the transfer, in euros and cents"), ColSpec("string", "country", required=False), ColSpec(Array(DataType.double), "history")])
    outputs = Schema([TensorSpec(numpy.dtype("float32"), (-1, 2))]) if depth > 3 else Schema([ColSpec("double", "score")])
    model = Model(artifact_path="classifier", run_id=run_id, signature=ModelSignature(inputs, outputs, ParamSchema([ParamSpec("threshold", DataType.double, depth / 10)])))
    model.add_flavor("python_function", loader_module="mlflow.sklearn", python_version="3.11.9", env={"conda": "conda.yaml"})
    model.add_flavor("sklearn", pickled_model="model.pkl")
    write(run_id, {"classifier/MLmodel": model.to_yaml(), "classifier/requirements.txt": "scikit-learn==1.9.1\n", "classifier/model.pkl": b"\x80\x04"})


def models(trials, experiment):
    name = f"ui-fraud-{MARK}"
    client.create_registered_model(name, {"team": "risk", "tier": "1"}, "Scores **transfers**.\n\n- fast\n- fair")
    for trial, depth in [(trials[0], 3), (trials[4], 5)]:
        folder_of_model(trial, depth)
        mlflow.register_model(f"runs:/{trial}/classifier", name, tags={"depth": str(depth)})
    client.update_model_version(name, "2", "Deeper, *better*.")
    # Logged as MLflow 3 does: the model has an id and files of its own.
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run(run_name="final") as final:
        mlflow.log_params({"depth": 7, "note": "it's final"})
        fitted = LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])
        logged = mlflow.sklearn.log_model(fitted, name="regressor", signature=infer_signature(numpy.array([[1.0]]), numpy.array([1.0])), pip_requirements=["scikit-learn"], registered_model_name=name)
        mlflow.log_metric("rmse", 0.125, model_id=logged.model_id)
    client.transition_model_version_stage(name, "1", "Archived")
    client.transition_model_version_stage(name, "2", "Production")
    client.set_registered_model_alias(name, "champion", "2")
    client.set_registered_model_alias(name, "challenger", "3")
    copied = f"ui-copied-{MARK}"
    client.copy_model_version(f"models:/{name}/2", copied)
    empty_model = f"ui-empty-{MARK}"
    client.create_registered_model(empty_model)
    hostile_model = f"<img src=x onerror=window.pwned=1> {MARK}"
    client.create_registered_model(hostile_model, {"t": HOSTILE}, f"{HOSTILE}\n\n[x](javascript:window.pwned=1)")
    evil = run(experiment, HOSTILE, steps=1)
    write(evil, {"m/MLmodel": f"signature:\n  inputs: '{json.dumps([{'type': HOSTILE, 'name': HOSTILE}])}'\nflavors:\n  \"{HOSTILE}\":\n    a: b\n", "m/evil.html": "<script>parent.pwned=1</script><p id=here>shown</p>"})
    client.create_model_version(hostile_model, f"runs:/{evil}/m", evil, {"t": HOSTILE}, description=HOSTILE)
    client.create_model_version(hostile_model, f"runs:/{evil}/m", evil, {"t": "other"})
    many = 260
    for i in range(many):
        client.create_registered_model(f"ui-many-{MARK}-{i:04d}", {"even": str(i % 2 == 0)})
    return {"name": name, "copied": copied, "empty": empty_model, "hostile": hostile_model, "logged": logged.model_id, "final": final.info.run_id, "experiment": experiment, "many": many}


def prompts():
    greeting = f"ui-greeting-{MARK}"
    mlflow.genai.register_prompt(greeting, "Hello {{ name }},\nwelcome to {{place}}.\nBye.", commit_message="first words", tags={"task": "greeting"})
    mlflow.genai.register_prompt(greeting, "Hello {{ name }},\na warm welcome to {{place}}!\nBye.", commit_message="warmer", tags={"task": "greeting"})
    mlflow.genai.set_prompt_alias(greeting, "production", 1)
    chat = f"ui-chat-{MARK}"
    system = {"role": "system", "content": "You are a {{style}} assistant."}
    mlflow.genai.register_prompt(chat, [system, {"role": "user", "content": "{{question}}"}])
    mlflow.genai.register_prompt(chat, [system, {"role": "user", "content": "Answer briefly: {{question}}"}], response_format={"type": "object", "properties": {"answer": {"type": "string"}}}, model_config={"model_name": "gpt-5", "temperature": 0.2})
    evil = f"ui-evil-{MARK}"
    for text in [f"{HOSTILE} {{{{ x }}}}", f"{HOSTILE} {{{{ x }}}} more"]:
        mlflow.genai.register_prompt(evil, text, commit_message=HOSTILE, tags={"t": HOSTILE})
    return {"greeting": greeting, "chat": chat, "hostile": evil}


def traces():
    """Traces of an assistant: nested spans, chat, an exception, assessments; hostile ones; long and many ones."""
    name = f"ui/traces-{MARK}"
    mlflow.set_experiment(name)
    experiment = client.get_experiment_by_name(name).experiment_id
    made = {"experiment": experiment, "name": name}

    @mlflow.trace(span_type="RETRIEVER", attributes={"index": "plants", "k": 2})
    def retrieve(question):
        time.sleep(0.02)
        return [Document(page_content=f"Page {i} on {question}", metadata={"doc_uri": f"wiki/{i}", "score": 0.9 - i / 10}, id=str(i)) for i in range(2)]

    @mlflow.trace(span_type="TOOL")
    def lookup(plant):
        if plant == "triffid":
            raise ValueError(f"no such plant: {plant}")
        return {"plant": plant, "petals": 5}

    @mlflow.trace(name="assistant", span_type="AGENT")
    def assistant(question, plant):
        mlflow.update_current_trace(tags={"topic": "plants"}, metadata={"mlflow.trace.session": f"session-{MARK}", "mlflow.trace.user": "ada"})
        pages = retrieve(question)
        with mlflow.start_span(name="answer", span_type="CHAT_MODEL") as span:
            call = {"id": "call_1", "type": "function", "function": {"name": "lookup", "arguments": json.dumps({"plant": plant})}}
            span.set_inputs({"model": "gpt-5", "messages": [{"role": "system", "content": "You know **plants**."}, {"role": "user", "content": question}, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": json.dumps(lookup(plant))}]})
            span.set_outputs({"id": "c1", "model": "gpt-5", "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"A {plant} has **five** petals."}}]})
            span.set_attribute(SpanAttributeKey.CHAT_USAGE, {"input_tokens": 120, "output_tokens": 34, "total_tokens": 154})
            span.add_event(SpanEvent("first token", attributes={"after_ms": 12}))
            time.sleep(0.03)
        return f"A {plant} has five petals ({len(pages)} pages read)."

    with mlflow.start_run(run_name="traced") as run:
        assistant("How many petals has a rose?", "rose")
        made["good"] = mlflow.get_last_active_trace_id()
        made["run"] = run.info.run_id
    try:
        assistant("How many petals has a triffid?", "triffid")
    except ValueError:
        made["failed"] = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    mlflow.log_feedback(trace_id=made["good"], name="correct", value=True, rationale="Five it is.", source=AssessmentSource("HUMAN", "grace"))
    mlflow.log_feedback(trace_id=made["good"], name="tone", value="friendly", source=AssessmentSource("LLM_JUDGE", "gpt-5"))
    mlflow.log_expectation(trace_id=made["good"], name="petals", value=5, source=AssessmentSource("HUMAN", "grace"))

    @mlflow.trace(name=HOSTILE, attributes={HOSTILE: HOSTILE})
    def evil(text):
        mlflow.update_current_trace(tags={"<b>": HOSTILE})
        with mlflow.start_span(name="chat", span_type="CHAT_MODEL") as span:
            span.set_inputs({"messages": [{"role": HOSTILE, "content": f"{text}\n\n[x](javascript:window.pwned=1) ![y](https://example.com/pwned.png)"}, {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/pwned.png"}}, {"type": "text", "text": text}]}]})
            span.set_outputs(text)
        raise ValueError(HOSTILE)

    try:
        evil(HOSTILE)
    except ValueError:
        made["hostile"] = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    mlflow.log_feedback(trace_id=made["hostile"], name=HOSTILE, value=HOSTILE, rationale=HOSTILE, source=AssessmentSource("HUMAN", HOSTILE))

    mlflow.set_experiment(f"ui/traces-long-{MARK}")
    made["many"] = 260
    for i in range(made["many"]):
        with mlflow.start_span(name="score" if i % 2 else "rank", span_type="CHAIN") as span:
            span.set_inputs({"number": i})
            span.set_outputs(i * i)
        # Each begins in a millisecond of its own, so that their order is known.
        time.sleep(0.002)
    with mlflow.start_span(name="long") as root:
        for i in range(40):
            with mlflow.start_span(name=f"batch {i:02d}", span_type="CHAIN"):
                for k in range(50):
                    with mlflow.start_span(name=f"step {i:02d}.{k:02d}", span_type="PARSER"):
                        pass
    made["long"] = root.trace_id
    made["many_experiment"] = client.get_experiment_by_name(f"ui/traces-long-{MARK}").experiment_id
    mlflow.flush_trace_async_logging()
    return made


made = {"mark": MARK, "sweep": sweep(), "hostile": hostile(), "many": many(), "empty": empty()}
made["models"] = models(made["sweep"]["trials"], client.create_experiment(f"ui/models-{MARK}"))
made["prompts"] = prompts()
made["traces"] = traces()
json.dump(made, sys.stdout)
