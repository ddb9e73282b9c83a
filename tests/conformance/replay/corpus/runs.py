"""Runs: creating, reading, updating, deleting, restoring."""

from script import Corpus, Script

CORPUS = Corpus("runs")

EXP = {"experiment_id": "{exp}"}
RUN = {"run_id": "{run}"}
START = 1700000000000


@CORPUS.scenario()
def create(s: Script) -> None:
    s.experiment()
    everything = {
        **EXP,
        "run_name": "named",
        "user_id": "someone",
        "start_time": START,
        "tags": [{"key": "a", "value": "1"}, {"key": "mlflow.user", "value": "other"}],
    }
    s.post("everything", "runs/create", everything, save={"run": "run.info.run_id"})
    s.show("shown")
    for step, body in (
        ("only experiment", {}),
        ("empty name", {"run_name": ""}),
        ("null name", {"run_name": None}),
        ("number as name", {"run_name": 7}),
        ("name by tag", {"tags": [{"key": "mlflow.runName", "value": "by tag"}]}),
        ("name by empty tag", {"tags": [{"key": "mlflow.runName", "value": ""}]}),
        ("both names, same", {"run_name": "x", "tags": [{"key": "mlflow.runName", "value": "x"}]}),
        ("both names, other", {"run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]}),
        ("name, empty tag", {"run_name": "a", "tags": [{"key": "mlflow.runName", "value": ""}]}),
        ("unicode name", {"run_name": "模型 🚀 ü"}),
        ("name with quotes", {"run_name": "it's \"x\" `y`"}),
        ("long name", {"run_name": "n" * 250}),
        ("longer name", {"run_name": "n" * 251}),
        ("very long name", {"run_name": "n" * 8001}),
        ("start 0", {"start_time": 0}),
        ("start as text", {"start_time": "1700000000001"}),
        ("start as float", {"start_time": 1700000000002.0}),
        ("start as fraction", {"start_time": 1.5}),
        ("start negative", {"start_time": -5}),
        ("start null", {"start_time": None}),
        ("start word", {"start_time": "soon"}),
        ("start bool", {"start_time": True}),
        ("start int64 max", {"start_time": 9223372036854775807}),
        ("start beyond int64", {"start_time": 9223372036854775808}),
        ("start as exponent", {"start_time": "1.7e12"}),
        ("end time", {"end_time": 1700000000009}),
        ("status", {"status": "FINISHED"}),
        ("user empty", {"user_id": ""}),
        ("user long", {"user_id": "u" * 256}),
        ("user too long", {"user_id": "u" * 257}),
        ("user number", {"user_id": 1}),
        ("tags null", {"tags": None}),
        ("tags empty", {"tags": []}),
        ("tags as object", {"tags": {"a": "1"}}),
        ("tags as text", {"tags": "a"}),
        ("tag without value", {"tags": [{"key": "a"}]}),
        ("tag without key", {"tags": [{"value": "a"}]}),
        ("tag twice", {"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}),
        ("tag with bad key", {"tags": [{"key": "a&b", "value": "1"}]}),
        ("tag of long value", {"tags": [{"key": "a", "value": "v" * 8000}]}),
        ("tag of too long value", {"tags": [{"key": "a", "value": "v" * 8001}]}),
        ("camel case", {"runName": "camel", "startTime": START, "userId": "u"}),
        ("both spellings", {"run_name": "a", "runName": "b"}),
        ("unknown fields", {"run_name": "known", "colour": "red", "nested": {"a": [1]}}),
        ("many tags", {"tags": [{"key": f"t{n}", "value": str(n)} for n in range(150)]}),
    ):
        s.post(step, "runs/create", {**EXP, **body}, save={"one": "run.info.run_id"})
        s.show(f"{step}, shown", "one")


@CORPUS.scenario()
def experiment_of_a_run(s: Script) -> None:
    for step, body in (
        ("absent", {}),
        ("null", {"experiment_id": None}),
        ("empty", {"experiment_id": ""}),
        ("unknown", {"experiment_id": "99999"}),
        ("word", {"experiment_id": "abc"}),
        ("number", {"experiment_id": 0}),
        ("list", {"experiment_id": ["0"]}),
        ("negative", {"experiment_id": "-1"}),
        ("camel case", {"experimentId": "0", "run_name": "x"}),
    ):
        s.post(step, "runs/create", body)


@CORPUS.scenario()
def get(s: Script) -> None:
    s.experiment()
    s.run()
    for step, query in (
        ("by id", {"run_id": "{run}"}),
        ("by uuid", {"run_uuid": "{run}"}),
        ("by both", {"run_uuid": "{run}", "run_id": "{run}"}),
        ("by id and another uuid", {"run_uuid": "nope", "run_id": "{run}"}),
        ("by uuid and another id", {"run_uuid": "{run}", "run_id": "nope"}),
        ("empty id with uuid", {"run_uuid": "{run}", "run_id": ""}),
        ("camel case", {"runId": "{run}"}),
        ("unknown", {"run_id": "nope"}),
        ("unknown hex", {"run_id": "0123456789abcdef0123456789abcdef"}),
        ("capitals", {"run_id": "0123456789ABCDEF0123456789ABCDEF"}),
        ("empty", {"run_id": ""}),
        ("absent", None),
        ("slash", {"run_id": "a/b"}),
        ("dots", {"run_id": ".."}),
        ("long", {"run_id": "x" * 300}),
        ("with space", {"run_id": "{run} "}),
        ("unknown parameter", {"run_id": "{run}", "x": "y"}),
        ("twice", [("run_id", "nope"), ("run_id", "{run}")]),
    ):
        s.get(step, "runs/get", query)


@CORPUS.scenario()
def update(s: Script) -> None:
    s.experiment()
    s.run()
    for step, body in (
        ("nothing", {}),
        ("status by name", {"status": "FINISHED"}),
        ("status by number", {"status": 4}),
        ("status number as text", {"status": "5"}),
        ("status unknown name", {"status": "BOGUS"}),
        ("status unknown number", {"status": 9}),
        ("status in small letters", {"status": "finished"}),
        ("status zero", {"status": 0}),
        ("status null", {"status": None}),
        ("status empty", {"status": ""}),
        ("status list", {"status": ["RUNNING"]}),
        ("end time", {"end_time": START + 1000}),
        ("end time as text", {"end_time": "1700000002000"}),
        ("end time before start", {"end_time": 5}),
        ("end time 0", {"end_time": 0}),
        ("end time null", {"end_time": None}),
        ("end time as fraction", {"end_time": 1.5}),
        ("end time negative", {"end_time": -1}),
        ("end time word", {"end_time": "x"}),
        ("name", {"run_name": "renamed"}),
        ("name empty", {"run_name": ""}),
        ("name null", {"run_name": None}),
        ("name number", {"run_name": 5}),
        ("name long", {"run_name": "n" * 250}),
        ("name too long", {"run_name": "n" * 251}),
        ("running again", {"status": "RUNNING"}),
        ("scheduled", {"status": "SCHEDULED"}),
        ("everything", {"status": "FINISHED", "end_time": START + 5, "run_name": "done"}),
        ("camel case", {"endTime": START + 6, "runName": "camel"}),
        ("start time", {"start_time": 1}),
        ("float that is whole", {"status": 3.0}),
        ("name very long", {"run_name": "n" * 9000}),
    ):
        s.post(step, "runs/update", {**RUN, **body})
        s.show(f"{step}, shown")
    s.post("by uuid", "runs/update", {"run_uuid": "{run}", "status": "KILLED"})
    s.post("by both", "runs/update", {"run_uuid": "{run}", **RUN, "status": "FAILED"})
    s.post("unknown", "runs/update", {"run_id": "nope", "status": "FINISHED"})
    s.post("no id", "runs/update", {"status": "FINISHED"})


@CORPUS.scenario()
def life(s: Script) -> None:
    s.experiment()
    s.run(tags=[{"key": "t", "value": "1"}])
    s.post("restore active", "runs/restore", RUN)
    s.post("delete", "runs/delete", RUN)
    s.show("shown deleted")
    s.post("delete again", "runs/delete", RUN)
    for step, path, body in (
        ("update", "update", {"status": "FINISHED"}),
        ("metric", "log-metric", {"key": "m", "value": 1, "timestamp": 1}),
        ("param", "log-parameter", {"key": "p", "value": "1"}),
        ("tag", "set-tag", {"key": "t", "value": "2"}),
        ("tag deleted", "delete-tag", {"key": "t"}),
        ("batch", "log-batch", {"params": [{"key": "p", "value": "1"}]}),
        ("empty batch", "log-batch", {}),
        ("inputs", "log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "s", "source": "x"}}]}),
    ):
        s.post(f"{step} on deleted", f"runs/{path}", {**RUN, **body})
    s.show("deleted untouched")
    s.post("restore", "runs/restore", RUN)
    s.show("shown restored")
    s.post("restore again", "runs/restore", RUN)
    for path in ("delete", "restore"):
        s.post(f"{path} unknown", f"runs/{path}", {"run_id": "nope"})
        s.post(f"{path} empty", f"runs/{path}", {"run_id": ""})
        s.post(f"{path} absent", f"runs/{path}", {})
        s.post(f"{path} number", f"runs/{path}", {"run_id": 5})
        s.post(f"{path} by uuid", f"runs/{path}", {"run_uuid": "{run}"})


@CORPUS.scenario()
def children(s: Script) -> None:
    s.experiment()
    s.run("parent")
    s.run("child", tags=[{"key": "mlflow.parentRunId", "value": "{parent}"}])
    s.show("child shown", "child")
    body = {"experiment_ids": ["{exp}"], "filter": "tags.mlflow.parentRunId = '{parent}'"}
    s.post("children found", "runs/search", body)
    s.post("parent deleted", "runs/delete", {"run_id": "{parent}"})
    s.show("child still there", "child")
