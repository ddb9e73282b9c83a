"""Logged models of 3.x: creating, reading, finishing, deleting, their tags, params and files."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("logged_models")

EXP = {"experiment_id": "{exp}"}
MODEL = "logged-models/{model}"
FILES = "/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files"


@CORPUS.scenario(since=NEWER)
def create(s: Script) -> None:
    s.experiment()
    s.run()
    everything = {
        **EXP,
        "name": "net",
        "model_type": "classifier",
        "source_run_id": "{run}",
        "params": [{"key": "depth", "value": "3"}],
        "tags": [{"key": "team", "value": "red"}],
    }
    s.post("everything", "logged-models", everything, save={"model": "model.info.model_id"})
    s.get("shown", MODEL)
    for step, body in (
        ("only experiment", {}),
        ("name empty", {"name": ""}),
        ("name null", {"name": None}),
        ("name number", {"name": 5}),
        ("name unicode", {"name": "模型 ü 🚀"}),
        ("name with spaces", {"name": " a b "}),
        ("name with slash", {"name": "a/b"}),
        ("name with colon", {"name": "a:b"}),
        ("name with dot", {"name": "a.b"}),
        ("name with percent", {"name": "a%b"}),
        ("name with quote", {"name": "a'b"}),
        ("name with double quote", {"name": 'a"b'}),
        ("name with backslash", {"name": "a\\b"}),
        ("name with line end", {"name": "a\nb"}),
        ("name of 500", {"name": "n" * 500}),
        ("name of 501", {"name": "n" * 501}),
        ("same name", {"name": "net"}),
        ("type empty", {"name": "t", "model_type": ""}),
        ("type long", {"name": "t", "model_type": "t" * 500}),
        ("type too long", {"name": "t", "model_type": "t" * 501}),
        ("run unknown", {"name": "r", "source_run_id": "nope"}),
        ("run empty", {"name": "r", "source_run_id": ""}),
        ("params null", {"name": "p", "params": None}),
        ("params text", {"name": "p", "params": "a"}),
        ("param without value", {"name": "p", "params": [{"key": "a"}]}),
        ("param without key", {"name": "p", "params": [{"value": "a"}]}),
        ("param number", {"name": "p", "params": [{"key": "a", "value": 1}]}),
        ("param twice", {"name": "p", "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
        ("param twice the same", {"name": "p", "params": [{"key": "a", "value": "1"}, {"key": "a", "value": "1"}]}),
        ("param of bad key", {"name": "p", "params": [{"key": "a&b", "value": "1"}]}),
        ("param of long key", {"name": "p", "params": [{"key": "k" * 256, "value": "1"}]}),
        ("param of long value", {"name": "p", "params": [{"key": "a", "value": "v" * 6000}]}),
        ("param of too long value", {"name": "p", "params": [{"key": "a", "value": "v" * 6001}]}),
        ("tag without value", {"name": "g", "tags": [{"key": "a"}]}),
        ("tag without key", {"name": "g", "tags": [{"value": "a"}]}),
        ("tag twice", {"name": "g", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
        ("tag of bad key", {"name": "g", "tags": [{"key": "a&b", "value": "1"}]}),
        ("tag of long value", {"name": "g", "tags": [{"key": "a", "value": "v" * 8000}]}),
        ("tag of too long value", {"name": "g", "tags": [{"key": "a", "value": "v" * 8001}]}),
        ("camel case", {"name": "c", "modelType": "x", "sourceRunId": "{run}"}),
        ("unknown field", {"name": "u", "status": "LOGGED_MODEL_READY"}),
    ):
        s.post(step, "logged-models", {**EXP, **body}, save={"other": "model.info.model_id"})
        s.get(f"{step}, shown", "logged-models/{other}")
    for step, body in (
        ("experiment absent", {"name": "x"}),
        ("experiment empty", {"experiment_id": "", "name": "x"}),
        ("experiment unknown", {"experiment_id": "99999", "name": "x"}),
        ("experiment word", {"experiment_id": "abc", "name": "x"}),
        ("experiment number", {"experiment_id": 99999, "name": "x"}),
        ("nothing", {}),
    ):
        s.post(step, "logged-models", body)
    s.post("experiment deleted", "experiments/delete", EXP)
    s.post("in a deleted experiment", "logged-models", {**EXP, "name": "late"})
    s.get("of a deleted experiment", MODEL)


@CORPUS.scenario(since=NEWER)
def finish(s: Script) -> None:
    s.experiment()
    s.model()
    for step, body in (
        ("nothing", {}),
        ("id only", {"model_id": "{model}"}),
        ("ready", {"model_id": "{model}", "status": "LOGGED_MODEL_READY"}),
        ("failed", {"model_id": "{model}", "status": "LOGGED_MODEL_UPLOAD_FAILED"}),
        ("pending", {"model_id": "{model}", "status": "LOGGED_MODEL_PENDING"}),
        ("unspecified", {"model_id": "{model}", "status": "LOGGED_MODEL_STATUS_UNSPECIFIED"}),
        ("by number", {"model_id": "{model}", "status": 2}),
        ("by number 0", {"model_id": "{model}", "status": 0}),
        ("by unknown number", {"model_id": "{model}", "status": 9}),
        ("by short name", {"model_id": "{model}", "status": "READY"}),
        ("by unknown name", {"model_id": "{model}", "status": "BOGUS"}),
        ("null", {"model_id": "{model}", "status": None}),
        ("same again", {"model_id": "{model}", "status": "LOGGED_MODEL_READY"}),
        ("id of another", {"model_id": "m-other", "status": "LOGGED_MODEL_UPLOAD_FAILED"}),
        ("without id", {"status": "LOGGED_MODEL_UPLOAD_FAILED"}),
        ("camel case", {"modelId": "{model}", "status": "LOGGED_MODEL_READY"}),
    ):
        s.patch(step, MODEL, body)
        s.get(f"{step}, shown", MODEL)
    s.patch("unknown", "logged-models/m-nope", {"model_id": "m-nope", "status": "LOGGED_MODEL_READY"})
    s.get("unknown shown", "logged-models/m-nope")
    s.get("id with space", "logged-models/m%20nope")
    s.get("id with encoded slash", "logged-models/m%2Fnope")
    s.get("empty id", "logged-models/")
    s.get("query is ignored", MODEL, {"model_id": "m-other"})


@CORPUS.scenario(since=NEWER)
def delete(s: Script) -> None:
    s.experiment()
    s.run()
    s.model(source_run_id="{run}")
    s.delete("deleted", MODEL)
    s.get("shown", MODEL)
    s.post("found by search", "logged-models/search", {"experiment_ids": ["{exp}"]})
    s.patch("finished", MODEL, {"model_id": "{model}", "status": "LOGGED_MODEL_READY"})
    s.patch("tagged", f"{MODEL}/tags", {"tags": [{"key": "a", "value": "1"}]})
    s.post("param", f"{MODEL}/params", {"model_id": "{model}", "params": [{"key": "a", "value": "1"}]})
    s.get("files", f"{MODEL}/artifacts/directories")
    s.delete("deleted again", MODEL)
    s.delete("unknown", "logged-models/m-nope")
    s.delete("with a body", "logged-models/m-nope", {"model_id": "m-other"})


@CORPUS.scenario(since=NEWER)
def tags(s: Script) -> None:
    s.experiment()
    s.model()
    path = f"{MODEL}/tags"
    for step, body in (
        ("one", {"tags": [{"key": "a", "value": "1"}]}),
        ("again", {"tags": [{"key": "a", "value": "2"}]}),
        ("two", {"model_id": "{model}", "tags": [{"key": "b", "value": "1"}, {"key": "c/d", "value": "ü"}]}),
        ("empty value", {"tags": [{"key": "e", "value": ""}]}),
        ("no value", {"tags": [{"key": "n"}]}),
        ("no key", {"tags": [{"value": "n"}]}),
        ("empty key", {"tags": [{"key": "", "value": "n"}]}),
        ("bad key", {"tags": [{"key": "a&b", "value": "n"}]}),
        ("long key", {"tags": [{"key": "k" * 251, "value": "n"}]}),
        ("long value", {"tags": [{"key": "v", "value": "v" * 8001}]}),
        ("number", {"tags": [{"key": "v", "value": 1}]}),
        ("twice", {"tags": [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]}),
        ("none", {"tags": []}),
        ("null", {"tags": None}),
        ("absent", {}),
        ("text", {"tags": "a"}),
    ):
        s.patch(step, path, body)
    s.get("shown", MODEL)
    s.delete("deleted", f"{path}/a")
    s.delete("deleted again", f"{path}/a")
    s.delete("with slash", f"{path}/c%2Fd")
    s.delete("with slash as it is", f"{path}/c/d")
    s.delete("unknown", f"{path}/none")
    s.delete("of unknown model", "logged-models/m-nope/tags/a")
    s.get("shown at the end", MODEL)
    s.patch("on unknown model", "logged-models/m-nope/tags", {"tags": [{"key": "a", "value": "1"}]})


@CORPUS.scenario(since=NEWER)
def params(s: Script) -> None:
    s.experiment()
    s.model()
    path = f"{MODEL}/params"
    for step, body in (
        ("one", {"params": [{"key": "a", "value": "1"}]}),
        ("two", {"params": [{"key": "b", "value": "1"}, {"key": "c", "value": ""}]}),
        ("no value", {"params": [{"key": "n"}]}),
        ("no key", {"params": [{"value": "n"}]}),
        ("bad key", {"params": [{"key": "a&b", "value": "n"}]}),
        ("long key", {"params": [{"key": "k" * 256, "value": "n"}]}),
        ("longer value", {"params": [{"key": "v", "value": "v" * 6000}]}),
        ("too long value", {"params": [{"key": "w", "value": "v" * 6001}]}),
        ("number", {"params": [{"key": "x", "value": 1}]}),
        ("none", {"params": []}),
        ("null", {"params": None}),
        ("absent", {}),
        ("text", {"params": "a"}),
    ):
        s.post(step, path, {"model_id": "{model}", **body})
    s.post("again", path, {"model_id": "{model}", "params": [{"key": "a", "value": "2"}]})
    s.get("shown", MODEL)
    s.post("without id", path, {"params": [{"key": "without", "value": "1"}]})
    s.post("id of another", path, {"model_id": "m-other", "params": [{"key": "other", "value": "1"}]})
    s.get("shown at the end", MODEL)
    s.post("on unknown model", "logged-models/m-nope/params", {"model_id": "m-nope", "params": [{"key": "a", "value": "1"}]})


@CORPUS.scenario(since=NEWER)
def files(s: Script) -> None:
    s.experiment()
    s.model()
    root = "/api/2.0/mlflow-artifacts/artifacts/{exp}/models/{model}/artifacts"
    s.get("none", f"{MODEL}/artifacts/directories")
    s.put("put", f"{root}/MLmodel", "flavors: {}\n")
    s.put("put below", f"{root}/data/weights.bin", b"\x00\x01\x02")
    for step, query in (
        ("listed", None),
        ("listed below", {"artifact_directory_path": "data"}),
        ("listed file", {"artifact_directory_path": "MLmodel"}),
        ("listed missing", {"artifact_directory_path": "none"}),
        ("listed upwards", {"artifact_directory_path": "../"}),
        ("listed absolute", {"artifact_directory_path": "/etc"}),
        ("listed empty", {"artifact_directory_path": ""}),
        ("listed with token", {"page_token": "x"}),
        ("listed in camel case", {"artifactDirectoryPath": "data"}),
    ):
        s.get(step, f"{MODEL}/artifacts/directories", query)
    for step, query in (
        ("file", {"artifact_file_path": "MLmodel"}),
        ("file below", {"artifact_file_path": "data/weights.bin"}),
        ("file missing", {"artifact_file_path": "none"}),
        ("file that is a directory", {"artifact_file_path": "data"}),
        ("file upwards", {"artifact_file_path": "../x"}),
        ("file empty", {"artifact_file_path": ""}),
        ("file absent", None),
    ):
        s.get(step, FILES, query)
    s.get("listed unknown model", "logged-models/m-nope/artifacts/directories")
    s.get("file of unknown model", "/ajax-api/2.0/mlflow/logged-models/m-nope/artifacts/files", {"artifact_file_path": "a"})
