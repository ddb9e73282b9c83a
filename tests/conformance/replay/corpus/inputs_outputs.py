"""Datasets and models that runs read, models that they made, and the datasets of experiments."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("inputs_outputs")

RUN = {"run_id": "{run}"}
DATASET = {
    "name": "wine",
    "digest": "ab12",
    "source_type": "http",
    "source": '{"url": "https://example.com/wine.csv"}',
    "schema": '{"mlflow_colspec": [{"type": "double", "name": "alcohol"}]}',
    "profile": '{"num_rows": 3}',
}
CONTEXT = [{"key": "mlflow.data.context", "value": "train"}]


@CORPUS.scenario()
def inputs(s: Script) -> None:
    s.experiment()
    s.run()
    path = "runs/log-inputs"
    s.post("one", path, {**RUN, "datasets": [{"tags": CONTEXT, "dataset": DATASET}]})
    s.show("one shown")
    s.post("again", path, {**RUN, "datasets": [{"tags": CONTEXT, "dataset": DATASET}]})
    s.show("again shown")
    other = [{"key": "mlflow.data.context", "value": "test"}, {"key": "x", "value": "y"}]
    s.post("again with other tags", path, {**RUN, "datasets": [{"tags": other, "dataset": DATASET}]})
    s.show("other tags shown")
    s.post("again with other source", path, {**RUN, "datasets": [{"dataset": {**DATASET, "source": "x"}}]})
    s.show("other source shown")
    two = [{"dataset": {**DATASET, "digest": "cd34"}}, {"dataset": {**DATASET, "name": "beer"}}]
    s.post("two more", path, {**RUN, "datasets": two})
    s.show("two more shown")
    s.run("second")
    s.post("same in another run", path, {"run_id": "{second}", "datasets": [{"dataset": DATASET}]})
    s.show("another run shown", "second")
    s.post("found by search", "runs/search", {"experiment_ids": ["{exp}"], "filter": "dataset.name = 'beer'"})


@CORPUS.scenario()
def input_fields(s: Script) -> None:
    s.experiment()
    for number, (step, value) in enumerate(
        (
            ("no datasets", {}),
            ("null", {"datasets": None}),
            ("empty list", {"datasets": []}),
            ("text", {"datasets": "wine"}),
            ("object", {"datasets": {"dataset": DATASET}}),
            ("item text", {"datasets": ["wine"]}),
            ("item null", {"datasets": [None]}),
            ("item empty", {"datasets": [{}]}),
            ("dataset empty", {"datasets": [{"dataset": {}}]}),
            ("dataset null", {"datasets": [{"dataset": None}]}),
            ("only name", {"datasets": [{"dataset": {"name": "n"}}]}),
            ("no name", {"datasets": [{"dataset": {"digest": "d", "source_type": "s", "source": "x"}}]}),
            ("no digest", {"datasets": [{"dataset": {"name": "n", "source_type": "s", "source": "x"}}]}),
            ("no source", {"datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": "s"}}]}),
            ("least", {"datasets": [{"dataset": {"name": "n", "digest": "d", "source_type": "s", "source": "x"}}]}),
            ("empty schema", {"datasets": [{"dataset": {**DATASET, "schema": "", "profile": ""}}]}),
            ("null schema", {"datasets": [{"dataset": {**DATASET, "name": "other", "schema": None, "profile": None}}]}),
            ("number as name", {"datasets": [{"dataset": {**DATASET, "name": 1}}]}),
            ("object as source", {"datasets": [{"dataset": {**DATASET, "source": {"url": "x"}}}]}),
            ("long name", {"datasets": [{"dataset": {**DATASET, "name": "n" * 500}}]}),
            ("too long name", {"datasets": [{"dataset": {**DATASET, "name": "n" * 501}}]}),
            ("long digest", {"datasets": [{"dataset": {**DATASET, "digest": "d" * 36}}]}),
            ("too long digest", {"datasets": [{"dataset": {**DATASET, "digest": "d" * 37}}]}),
            ("too long source", {"datasets": [{"dataset": {**DATASET, "source": "s" * 65536}}]}),
            ("long schema", {"datasets": [{"dataset": {**DATASET, "name": "ls", "schema": "s" * 65536}}]}),
            ("unicode", {"datasets": [{"dataset": {**DATASET, "name": "模型 ü"}}]}),
            ("tag without key", {"datasets": [{"tags": [{"value": "v"}], "dataset": DATASET}]}),
            ("tag without value", {"datasets": [{"tags": [{"key": "k"}], "dataset": DATASET}]}),
            ("tag of long key", {"datasets": [{"tags": [{"key": "k" * 256, "value": "v"}], "dataset": DATASET}]}),
            ("tag of long value", {"datasets": [{"tags": [{"key": "k", "value": "v" * 501}], "dataset": DATASET}]}),
            ("tag twice", {"datasets": [{"tags": [*CONTEXT, *CONTEXT], "dataset": DATASET}]}),
            ("same dataset twice", {"datasets": [{"dataset": DATASET}, {"dataset": DATASET}]}),
            ("camel case", {"datasets": [{"dataset": {"name": "c", "digest": "d", "sourceType": "s", "source": "x"}}]}),
        ),
        1,
    ):
        run = f"run{number}"
        s.run(run)
        s.post(step, "runs/log-inputs", {"run_id": f"{{{run}}}", **value})
        s.show(f"{step}, shown", run)
    s.post("unknown run", "runs/log-inputs", {"run_id": "nope", "datasets": [{"dataset": DATASET}]})
    s.post("no run", "runs/log-inputs", {"datasets": [{"dataset": DATASET}]})


@CORPUS.scenario(since=NEWER)
def models_in_and_out(s: Script) -> None:
    s.experiment()
    s.run()
    s.model()
    s.model("second")
    s.post("input", "runs/log-inputs", {**RUN, "models": [{"model_id": "{model}"}]})
    s.show("input shown")
    s.post("input again", "runs/log-inputs", {**RUN, "models": [{"model_id": "{model}"}]})
    s.show("input again shown")
    s.post("input and dataset", "runs/log-inputs", {**RUN, "models": [{"model_id": "{second}"}], "datasets": [{"dataset": DATASET}]})
    s.show("input and dataset shown")
    s.post("output", "runs/outputs", {**RUN, "models": [{"model_id": "{model}", "step": 3}]})
    s.show("output shown")
    s.post("output again", "runs/outputs", {**RUN, "models": [{"model_id": "{model}", "step": 3}]})
    s.post("two outputs", "runs/outputs", {**RUN, "models": [{"model_id": "{second}"}, {"model_id": "m-other", "step": "5"}]})
    s.show("two outputs shown")
    s.post("found by search", "runs/search", {"experiment_ids": ["{exp}"]})
    for step, body in (
        ("no models", {}),
        ("empty", {"models": []}),
        ("null", {"models": None}),
        ("text", {"models": "m"}),
        ("item text", {"models": ["{model}"]}),
        ("item empty", {"models": [{}]}),
        ("step negative", {"models": [{"model_id": "m-a", "step": -1}]}),
        ("step fraction", {"models": [{"model_id": "m-b", "step": 1.5}]}),
        ("step word", {"models": [{"model_id": "m-c", "step": "x"}]}),
        ("number as id", {"models": [{"model_id": 5, "step": 1}]}),
    ):
        s.post(f"outputs, {step}", "runs/outputs", {**RUN, **body})
    s.show("outputs shown at the end")
    for step, body in (
        ("item empty", {"models": [{}]}),
        ("item text", {"models": ["{model}"]}),
        ("unknown", {"models": [{"model_id": "m-unknown"}]}),
        ("number as id", {"models": [{"model_id": 5}]}),
    ):
        s.post(f"inputs, {step}", "runs/log-inputs", {**RUN, **body})
    s.show("inputs shown at the end")
    s.post("outputs of unknown run", "runs/outputs", {"run_id": "nope", "models": [{"model_id": "{model}"}]})
    s.post("outputs without run", "runs/outputs", {"models": [{"model_id": "{model}"}]})


@CORPUS.scenario()
def datasets_of_experiments(s: Script) -> None:
    """`search-datasets`, which the UI asks for the columns of its table."""
    path = "/ajax-api/2.0/mlflow/experiments/search-datasets"
    any_order = ("dataset_summaries",)
    s.experiment()
    s.experiment("empty", "{u} empty")
    s.run()
    s.run("second")
    s.post("logged", "runs/log-inputs", {**RUN, "datasets": [{"tags": CONTEXT, "dataset": DATASET}, {"dataset": {**DATASET, "name": "beer"}}]})
    s.post("logged in the second", "runs/log-inputs", {"run_id": "{second}", "datasets": [{"tags": CONTEXT, "dataset": DATASET}]})
    other = [{"key": "mlflow.data.context", "value": "eval"}]
    s.post("logged in another context", "runs/log-inputs", {"run_id": "{second}", "datasets": [{"tags": other, "dataset": {**DATASET, "name": "beer"}}]})
    for step, body in (
        ("one", {"experiment_ids": ["{exp}"]}),
        ("two", {"experiment_ids": ["{exp}", "{empty}"]}),
        ("same twice", {"experiment_ids": ["{exp}", "{exp}"]}),
        ("none in it", {"experiment_ids": ["{empty}"]}),
        ("unknown", {"experiment_ids": ["99999"]}),
        ("word", {"experiment_ids": ["abc"]}),
        ("20", {"experiment_ids": ["99999"] * 20}),
        ("21", {"experiment_ids": ["99999"] * 21}),
        ("empty list", {"experiment_ids": []}),
        ("absent", {}),
        ("text", {"experiment_ids": "{exp}"}),
        ("number", {"experiment_ids": [99999]}),
        ("null", {"experiment_ids": None}),
        ("camel case", {"experimentIds": ["{exp}"]}),
    ):
        s.post(step, path, body, unordered=any_order)
    s.post("run deleted", "runs/delete", RUN)
    s.post("without the deleted run", path, {"experiment_ids": ["{exp}"]}, unordered=any_order)
    s.post("below api", "/api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["{exp}"]})


@CORPUS.scenario()
def log_model(s: Script) -> None:
    """The models of 2.x: a text with JSON, kept in a tag of the run."""
    s.experiment()
    s.run()
    path = "runs/log-model"
    model = '{"artifact_path": "model", "flavors": {"python_function": {}}, "utc_time_created": "2024-01-01 00:00:00", "run_id": "{run}"}'
    s.post("first", path, {**RUN, "model_json": model})
    s.show("first shown")
    s.post("same again", path, {**RUN, "model_json": model})
    s.show("same again shown")
    s.post("other path", path, {**RUN, "model_json": model.replace('"model"', '"other ü"')})
    s.show("other path shown")
    for step, value in (
        ("no JSON", "{"),
        ("empty", ""),
        ("null", None),
        ("a list", "[]"),
        ("a number", "5"),
        ("a text", '"x"'),
        ("object itself", {"artifact_path": "m"}),
        ("nothing in it", "{}"),
        ("no flavors", '{"artifact_path": "m", "utc_time_created": "x", "run_id": "{run}"}'),
        ("more fields", model.replace('"flavors"', '"signature": null, "flavors"')),
        ("another run", model.replace("{run}", "nope")),
    ):
        s.post(step, path, {**RUN, "model_json": value}, loose=("body.message",) if step == "nothing in it" else ())
    s.post("absent", path, RUN)
    s.post("unknown run", path, {"run_id": "nope", "model_json": model})
    s.show("shown at the end")
