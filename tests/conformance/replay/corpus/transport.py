"""How requests may be written: bodies, types of content, names of fields, repeated keys, queries."""

from exchange import fill
from script import Corpus, Script

CORPUS = Corpus("transport")

RUN = {"run_id": "{run}"}
TAG = "runs/set-tag"


@CORPUS.scenario()
def content_types(s: Script) -> None:
    s.experiment()
    s.run()
    body = '{"run_id": "{run}", "key": "k", "value": "v"}'
    for step, kind in (
        ("json", "application/json"), ("with charset", "application/json; charset=utf-8"), ("latin", "application/json; charset=latin-1"),
        ("capitals", "Application/JSON"), ("with space", " application/json "), ("semicolon", "application/json;"), ("text", "text/plain"),
        ("form", "application/x-www-form-urlencoded"), ("multipart", "multipart/form-data"), ("none", None), ("empty", ""),
        ("vendor", "application/vnd.api+json"), ("any", "*/*"), ("two", "application/json, text/plain"), ("text json", "text/json"),
    ):  # fmt: skip
        s.post(step, TAG, raw=body, headers={"Content-Type": kind})
    s.show("shown")
    s.post("none and no body", TAG, headers={"Content-Type": None})
    s.post("text and empty body", TAG, raw="", headers={"Content-Type": "text/plain"})
    s.patch("patch without type", "logged-models/m-nope", raw='{"model_id": "m-nope", "status": 2}', headers={"Content-Type": None}, since="3")
    s.delete("delete without type", "logged-models/m-nope", since="3")
    s.get("get with type", "runs/get", RUN, headers={"Content-Type": "text/plain"})


@CORPUS.scenario()
def bodies(s: Script) -> None:
    s.experiment()
    s.run()
    good = '{"run_id": "{run}", "key": "k", "value": "v"}'
    for step, raw in (
        ("empty", ""), ("spaces", "  \n"), ("null", "null"), ("true", "true"), ("number", "5"), ("text", '"x"'), ("list", "[]"),
        ("list with it", f"[{good}]"), ("nothing", "{}"), ("open", good[:-1]), ("cut", good[:20]), ("comma at the end", good[:-1] + ",}"),
        ("two", good + good), ("garbage behind", good + " x"), ("spaces around", f" \n{good}\n "), ("single quotes", good.replace('"', "'")),
        ("comment", good + "// x"), ("text of json", '"{\\"run_id\\": \\"{run}\\", \\"key\\": \\"k\\", \\"value\\": \\"v\\"}"'),
        ("text of text", '"\\"x\\""'), ("form", "run_id={run}&key=k&value=v"), ("xml", "<a/>"), ("bom", "\ufeff" + good), ("control", '{"run_id": "{run}", "key": "k", "value": "a\tb"}'),
        ("escapes", '{"run_id": "{run}", "key": "k", "value": "\\u00fc\\ud83d\\ude80\\n\\/\\b"}'), ("bad escape", '{"run_id": "{run}", "key": "k", "value": "\\x"}'),
        ("nul", '{"run_id": "{run}", "key": "k", "value": "a\\u0000b"}'),
        ("hex", '{"run_id": "{run}", "key": "k", "value": 0x10}'), ("plus", '{"run_id": "{run}", "key": "k", "value": +1}'),
        ("leading zero", '{"run_id": "{run}", "key": "k", "value": 01}'), ("deep", '{"a": ' * 200 + "1" + "}" * 200),
        ("nan", '{"run_id": "{run}", "key": "k", "value": NaN}'),
    ):  # fmt: skip
        s.post(step, TAG, raw=raw)
        s.show(f"{step}, shown")
    s.post("latin letters", TAG, raw='{"run_id": "{run}", "key": "k", "value": "ü"}'.encode("latin-1"))
    s.post("utf 16", TAG, raw='{"run_id": "x", "key": "k", "value": "ü"}'.encode("utf-16"))
    s.post("half a surrogate", TAG, raw='{"run_id": "{run}", "key": "k", "value": "\\ud83d"}')


@CORPUS.scenario()
def names(s: Script) -> None:
    s.experiment()
    s.run()
    for step, raw in (
        ("both spellings", '{"run_id": "{run}", "runId": "{run}", "key": "k", "value": "both"}'),
        ("both spellings, other", '{"run_id": "{run}", "runId": "nope", "key": "k", "value": "both"}'),
        ("capitals", '{"RUN_ID": "{run}", "KEY": "k", "VALUE": "capitals"}'),
        ("pascal case", '{"RunId": "{run}", "Key": "k", "Value": "pascal"}'),
        ("dashes", '{"run-id": "{run}", "key": "k", "value": "dash"}'),
        ("unknown", '{"run_id": "{run}", "key": "k", "value": "unknown", "colour": "red", "a": {"b": [1, null]}}'),
        ("key twice", '{"run_id": "{run}", "key": "k", "key": "k2", "value": "twice"}'),
        ("value twice", '{"run_id": "{run}", "key": "k", "value": "first", "value": "second"}'),
        ("value twice, null", '{"run_id": "{run}", "key": "k", "value": "first", "value": null}'),
        ("value twice, null first", '{"run_id": "{run}", "key": "k", "value": null, "value": "second"}'),
        ("run twice", '{"run_id": "nope", "run_id": "{run}", "key": "k", "value": "run twice"}'),
        ("by number", '{"4": "{run}", "2": "k", "3": "v"}'),
        ("empty name", '{"": "x", "run_id": "{run}", "key": "k", "value": "empty name"}'),
        ("escaped name", '{"run_\\u0069d": "{run}", "key": "k", "value": "escaped"}'),
        ("camel case", '{"runId": "{run}", "key": "k", "value": "camel"}'),
    ):
        s.post(step, TAG, raw=raw)
        s.show(f"{step}, shown")


@CORPUS.scenario()
def queries(s: Script) -> None:
    s.experiment()
    s.run()
    for step, query in (
        ("plain", "run_id={run}"), ("empty value", "run_id="), ("no value", "run_id"), ("empty query", ""), ("ampersand", "&"),
        ("stray ampersands", "&&run_id={run}&&"), ("semicolon", "x=1;run_id={run}"), ("plus", "run_id=a+b"), ("encoded", "run%5Fid={run}"),
        ("percent", "run_id=%"), ("bad percent", "run_id=%zz"), ("bad utf 8", "run_id=%ff"), ("nul", "run_id=%00"), ("twice", "run_id=nope&run_id={run}"),
        ("twice, other way", "run_id={run}&run_id=nope"), ("brackets", "run_id[]={run}"), ("camel case", "runId={run}"),
        ("both spellings", "run_id={run}&runId={run}"), ("unknown", "run_id={run}&colour=red"), ("capitals", "RUN_ID={run}"),
        ("json", "{%22run_id%22:%22x%22}"), ("equals", "run_id=a=b"), ("question", "?run_id={run}"), ("unicode", "run_id=%E6%A8%A1"),
    ):  # fmt: skip
        s.get(step, "runs/get", query)
    s.call("body of a get", "GET", "runs/get", body=RUN)
    s.call("body and query of a get", "GET", "runs/get", body={"run_id": "nope"}, query=RUN)
    s.call("body of a get without type", "GET", "runs/get", raw='{"run_id": "{run}"}')
    s.call("head", "HEAD", "runs/get", query=RUN)
    s.call("head of nothing", "HEAD", "runs/get", query={"run_id": "nope"})
    s.post("query of a post", "runs/delete-tag?run_id={run}&key=none", {})
    s.post("query and body of a post", "runs/delete-tag?run_id=nope&key=other", {**RUN, "key": "none"})


@CORPUS.scenario()
def wrong_types(s: Script) -> None:
    """A value of each kind in a field of each kind: what is refused, and with what words."""
    # Those that MLflow takes in part come last, so that what others show is the same.
    values = (
        ("text", "x"), ("empty", ""), ("int", 5), ("negative", -5), ("zero", 0), ("whole", 2.0),
        ("null", None), ("list", []), ("list of text", ["x"]), ("list of int", [1]), ("object", {}), ("full object", {"a": {"b": 1}}),
        ("number text", "12"), ("long text", "x" * 500), ("quotes", "a'b\"c"), ("unicode", "ü🚀"),
        ("float", 1.5), ("big", 10**20), ("bool", True),
    )  # fmt: skip
    for kind, path, field, rest in (
        ("text", "runs/set-tag", "value", {**RUN, "key": "k"}),
        ("required text", "experiments/create", "name", {}),
        ("int64", "runs/update", "end_time", RUN),
        ("enum", "runs/update", "status", RUN),
        ("int32", "runs/search", "max_results", {"experiment_ids": ["{exp}"]}),
        ("double", "runs/log-metric", "value", {**RUN, "key": "m", "timestamp": 1}),
        ("texts", "runs/search", "experiment_ids", {}),
        ("messages", "runs/create", "tags", {"experiment_id": "{exp}"}),
    ):
        run = kind.replace(" ", "_")
        s.experiment(f"exp_{run}", f"{{u}} {kind}")
        s.run(run, exp=f"exp_{run}")
        rest = {key: fill(value, {"run": f"{{{run}}}", "exp": f"{{exp_{run}}}"}) for key, value in rest.items()}
        for step, value in values:
            if kind == "required text" and isinstance(value, str):
                continue
            s.post(f"{kind} as {step}", path, {**rest, field: value}, loose=("body.next_page_token",))


@CORPUS.scenario()
def encodings(s: Script) -> None:
    s.experiment()
    s.run()
    body = '{"run_id": "{run}", "key": "k", "value": "v"}'
    s.get("gzip wanted", "runs/get", RUN, headers={"Accept-Encoding": "gzip"})
    s.get("other type wanted", "runs/get", RUN, headers={"Accept": "text/html"})
    s.post("as the clients of Python", TAG, raw=body, headers={"User-Agent": "mlflow-python-client/3.17.2", "X-MLflow-Client-Version": "3.17.2"})
    s.post("with a token", TAG, raw=body, headers={"Authorization": "Bearer abc"})
    s.post("with a password", TAG, raw=body, headers={"Authorization": "Basic YTpi"})
    s.post("with cookies", TAG, raw=body, headers={"Cookie": "a=b"})
    s.post("in a workspace", TAG, raw=body, headers={"X-MLFLOW-WORKSPACE": "default"})
    s.post("in another workspace", TAG, raw=body, headers={"X-MLFLOW-WORKSPACE": "other"})
    s.post("method overridden", TAG, raw=body, headers={"X-HTTP-Method-Override": "GET"})
    s.post("said to be gzip", TAG, raw=body, headers={"Content-Encoding": "gzip"})
