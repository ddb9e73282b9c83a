"""Requests in the forms that the clients of Java, R, Python and the web page write.

Java prints protobuf: 64-bit integers as texts, doubles as numbers or `"NaN"`, and both names of a
run. R turns every number into a text, `1e+05` included. Python repeats the variables of a path in
the body and writes booleans as `True`.
"""

from script import Corpus, Script

CORPUS = Corpus("clients")

NOW = "1700000000123"


@CORPUS.scenario()
def java(s: Script) -> None:
    agent = {"User-Agent": "mlflow-java-client/3.17.2"}
    s.post("create experiment", "experiments/create", {"name": "{u}"}, save={"exp": "experiment_id"}, headers=agent)
    s.get("experiment", "experiments/get?experiment_id={exp}", headers=agent)
    s.get("experiment by name", "experiments/get-by-name", {"experiment_name": "{u}"}, headers=agent)
    s.post("search experiments", "experiments/search", {"filter": "name = '{u}'", "view_type": "ACTIVE_ONLY", "max_results": "1000", "order_by": ["name"], "page_token": ""}, headers=agent)
    body = {"experiment_id": "{exp}", "user_id": "someone", "start_time": NOW, "tags": [{"key": "mlflow.user", "value": "someone"}]}
    s.post("create run", "runs/create", body, save={"run": "run.info.run_id"}, headers=agent)
    both = {"run_uuid": "{run}", "run_id": "{run}"}
    s.post("param", "runs/log-parameter", {**both, "key": "p", "value": "1"}, headers=agent)
    s.post("metric", "runs/log-metric", {**both, "key": "m", "value": 1.0, "timestamp": NOW, "step": "0"}, headers=agent)
    s.post("metric that is none", "runs/log-metric", {**both, "key": "m", "value": "NaN", "timestamp": NOW, "step": "1"}, headers=agent)
    s.post("metric that is infinite", "runs/log-metric", {**both, "key": "i", "value": "-Infinity", "timestamp": NOW, "step": "-1"}, headers=agent)
    s.post("metric with exponent", "runs/log-metric", raw='{"run_uuid": "{run}", "run_id": "{run}", "key": "e", "value": 1.0E-10, "timestamp": "1700000000123", "step": "9223372036854775807"}', headers=agent)
    s.post("tag", "runs/set-tag", {**both, "key": "t", "value": "1"}, headers=agent)
    s.post("tag deleted", "runs/delete-tag", {"run_id": "{run}", "key": "t"}, headers=agent)
    batch = {
        "run_id": "{run}",
        "metrics": [{"key": "b", "value": 0.5, "timestamp": NOW, "step": "3"}],
        "params": [{"key": "q", "value": "x"}],
        "tags": [{"key": "u", "value": "y"}],
    }
    s.post("batch", "runs/log-batch", batch, headers=agent)
    s.post("experiment tag", "experiments/set-experiment-tag", {"experiment_id": "{exp}", "key": "k", "value": "v"}, headers=agent)
    s.get("run", "runs/get?run_uuid={run}&run_id={run}", headers=agent)
    s.get("history", "metrics/get-history?run_uuid={run}&run_id={run}&metric_key=m", headers=agent)
    s.post("search", "runs/search", {"experiment_ids": ["{exp}"], "filter": "", "run_view_type": "ACTIVE_ONLY", "max_results": 1000, "order_by": []}, headers=agent)
    s.post("search with token", "runs/search", {"experiment_ids": ["{exp}"], "filter": "metrics.b > 0", "run_view_type": "ALL", "max_results": 5, "order_by": ["metrics.b DESC"], "page_token": ""}, headers=agent)
    s.post("terminate", "runs/update", {**both, "status": "FINISHED", "end_time": "1700000009999"}, headers=agent)
    s.get("artifacts", "artifacts/list?run_uuid={run}&run_id={run}", headers=agent)
    s.post("delete run", "runs/delete", {"run_id": "{run}"}, headers=agent)
    s.post("restore run", "runs/restore", {"run_id": "{run}"}, headers=agent)
    s.post("rename experiment", "experiments/update", {"experiment_id": "{exp}", "new_name": "{u} 2"}, headers=agent)
    s.post("delete experiment", "experiments/delete", {"experiment_id": "{exp}"}, headers=agent)
    s.post("restore experiment", "experiments/restore", {"experiment_id": "{exp}"}, headers=agent)
    s.show("shown")


@CORPUS.scenario()
def r(s: Script) -> None:
    agent = {"User-Agent": "mlflow-r-client/3.17.2"}
    s.post("create experiment", "experiments/create", {"name": "{u}", "artifact_location": {}, "tags": {}}, headers=agent)
    s.post("create experiment with nothing", "experiments/create", {"name": "{u}", "tags": []}, save={"exp": "experiment_id"}, headers=agent)
    s.get("experiment", "experiments/get", {"experiment_id": "{exp}"}, headers=agent)
    s.get("experiment by name", "experiments/get-by-name", {"experiment_name": "{u}"}, headers=agent)
    s.post("search experiments", "experiments/search", {"filter": "name = '{u}'", "max_results": "1000", "view_type": "ACTIVE_ONLY"}, headers=agent)
    s.post("search experiments, 1e5", "experiments/search", {"filter": "name = '{u}'", "max_results": "1e+05"}, headers=agent)
    body = {"experiment_id": "{exp}", "user_id": "unknown", "start_time": NOW, "tags": [{"key": "a", "value": "1"}]}
    s.post("create run", "runs/create", body, save={"run": "run.info.run_id"}, headers=agent)
    s.post("create run at a round time", "runs/create", {**body, "start_time": "1.7e+12"}, save={"round": "run.info.run_id"}, headers=agent)
    s.show("round time shown", "round")
    both = {"run_uuid": "{run}", "run_id": "{run}"}
    s.get("run", "runs/get", both, headers=agent)
    s.post("metric", "runs/log-metric", {**both, "key": "m", "value": "0.5", "timestamp": NOW, "step": "0"}, headers=agent)
    s.post("metric of 1e5", "runs/log-metric", {**both, "key": "m", "value": "1e+05", "timestamp": NOW, "step": "1"}, headers=agent)
    s.post("metric at step 1e5", "runs/log-metric", {**both, "key": "s", "value": "1", "timestamp": NOW, "step": "1e+05"}, headers=agent)
    s.post("metric at a round time", "runs/log-metric", {**both, "key": "t", "value": "1", "timestamp": "1.7e+12", "step": "0"}, headers=agent)
    for value in ("NaN", "Infinity", "-Infinity", "NA", "Inf", "-Inf", "TRUE"):
        s.post(f"metric {value.strip('-')}{'' if value[0] != '-' else ' negative'}", "runs/log-metric", {**both, "key": f"v {value.strip('-')}", "value": value, "timestamp": NOW, "step": "2"}, headers=agent)
    s.post("param", "runs/log-parameter", {**both, "key": "p", "value": "1"}, headers=agent)
    s.post("tag", "runs/set-tag", {**both, "key": "t", "value": "x"}, headers=agent)
    batch = {
        "run_id": "{run}",
        "metrics": [{"key": "b", "value": "0.25", "step": "1", "timestamp": NOW}, {"key": "b", "value": "NaN", "step": "2", "timestamp": NOW}],
        "params": [{"key": "q", "value": "x"}],
        "tags": [{"key": "u", "value": "y"}],
    }
    s.post("batch", "runs/log-batch", batch, headers=agent)
    s.post("batch without some", "runs/log-batch", {"run_id": "{run}", "metrics": {}, "params": [{"key": "r", "value": "x"}], "tags": {}}, headers=agent)
    s.show("shown")
    s.post("search", "runs/search", {"experiment_ids": ["{exp}"], "filter": {}, "run_view_type": "ACTIVE_ONLY", "order_by": []}, headers=agent)
    s.post("search with filter", "runs/search", {"experiment_ids": ["{exp}"], "filter": "params.p = '1'", "run_view_type": "ALL", "order_by": ["metrics.m DESC"]}, headers=agent)
    s.get("history", "metrics/get-history", {**both, "metric_key": "m"}, headers=agent)
    s.post("terminate", "runs/update", {**both, "status": "FINISHED", "end_time": NOW}, headers=agent)
    s.post("terminate at a round time", "runs/update", {**both, "status": "FINISHED", "end_time": "1.7e+12"}, headers=agent)
    s.get("artifacts", "artifacts/list", both, headers=agent)
    s.get("artifacts below", "artifacts/list", {**both, "path": "x"}, headers=agent)
    s.show("shown at the end")


@CORPUS.scenario()
def python(s: Script) -> None:
    s.experiment()
    s.run()
    both = {"run_uuid": "{run}", "run_id": "{run}"}
    s.post("metric", "runs/log-metric", {**both, "key": "m", "value": 0.5, "timestamp": int(NOW), "step": 0})
    s.post("update", "runs/update", {**both, "status": "FINISHED", "end_time": int(NOW), "run_name": "n"})
    s.get("run", "runs/get", both)
    s.get("history of a page", "metrics/get-history", {**both, "metric_key": "m", "max_results": 25000})
    s.get("artifacts", "artifacts/list", both)
    s.model()
    s.get("model with its id", "logged-models/{model}", {"model_id": "{model}"})
    s.patch("model finished", "logged-models/{model}", {"model_id": "{model}", "status": "LOGGED_MODEL_READY"})
    s.delete("tag of a model", "logged-models/{model}/tags/none", {"model_id": "{model}", "tag_key": "none"})
    s.post("models by name", "logged-models/search", {"experiment_ids": ["{exp}"], "filter": "name = 'model'", "max_results": 50})
    s.patch("model tags", "logged-models/{model}/tags", {"model_id": "{model}", "tags": [{"key": "a", "value": "b"}]})


@CORPUS.scenario()
def page(s: Script) -> None:
    """What MLflow's own page asks for, below `/ajax-api`."""
    ajax = "/ajax-api/2.0/mlflow/"
    s.experiment()
    s.run()
    s.get("experiments", ajax + "experiments/search", {"max_results": "25", "filter": "name ILIKE '%{u}%'", "order_by": "last_update_time DESC"})
    s.get("experiment", ajax + "experiments/get", {"experiment_id": "{exp}"})
    body = {
        "experiment_ids": ["{exp}"],
        "filter": "attributes.run_name ILIKE '%run%'",
        "run_view_type": "ACTIVE_ONLY",
        "max_results": 100,
        "order_by": ["attributes.start_time DESC"],
    }
    s.post("runs", ajax + "runs/search", body)
    s.post("runs and parents", ajax + "runs/search", {**body, "filter": "run_id IN ('{run}','nope')"})
    s.get("bulk", ajax + "metrics/get-history-bulk-interval?run_ids={run}&metric_key=m&max_results=320")
    s.post("note", ajax + "runs/set-tag", {"run_uuid": "{run}", "run_id": "{run}", "key": "mlflow.note.content", "value": "# hi"})
    s.post("colour", ajax + "runs/set-tag", {"run_uuid": "{run}", "key": "mlflow.runColor", "value": "#123456"})
    s.post("datasets", ajax + "experiments/search-datasets", {"experiment_ids": ["{exp}"]})
    s.post("rename", ajax + "runs/update", {"run_uuid": "{run}", "run_id": "{run}", "run_name": "renamed"})
    s.show("shown")
