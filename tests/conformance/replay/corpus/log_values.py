"""Params and tags of a run, one by one."""

from script import Corpus, Script

CORPUS = Corpus("log_values")

RUN = {"run_id": "{run}"}

# Keys that are allowed, that are not, and where the limits are.
KEYS = (
    "plain",
    "with space",
    "dot.ted",
    "a/b",
    "a/b/c",
    "colon:ed",
    "under_score-dash",
    "größe",
    "模型",
    "emoji 🚀",
    "a&b",
    "a*b",
    "a\\b",
    "a'b",
    'a"b',
    "a`b",
    "a\nb",
    "a\tb",
    "a%b",
    "a=b",
    "(a)",
    "[a]",
    "#a",
    "a@b",
    "a,b",
    ".",
    "..",
    "./a",
    "../a",
    "a/../b",
    "a/./b",
    "/a",
    "a/",
    "a//b",
    " ",
    " a",
    "a ",
    "a.",
    ".a",
    "...",
    "k" * 250,
    "k" * 251,
    "k" * 300,
    "mlflow.something",
    "-",
    "_",
    ":",
    "1",
    "NaN",
)


@CORPUS.scenario()
def param_keys(s: Script) -> None:
    s.experiment()
    s.run()
    s.each("key", KEYS, lambda step, key: s.post(step, "runs/log-parameter", {**RUN, "key": key, "value": "v"}))
    s.show("shown")


@CORPUS.scenario()
def tag_keys(s: Script) -> None:
    s.experiment()
    s.run()
    s.each("key", KEYS, lambda step, key: s.post(step, "runs/set-tag", {**RUN, "key": key, "value": "v"}))
    s.show("shown")
    s.each("gone", KEYS, lambda step, key: s.post(step, "runs/delete-tag", {**RUN, "key": key}))
    s.show("shown at the end")


@CORPUS.scenario()
def metric_keys(s: Script) -> None:
    s.experiment()
    s.run()
    value = {"value": 1.5, "timestamp": 1, "step": 2}
    s.each("key", KEYS, lambda step, key: s.post(step, "runs/log-metric", {**RUN, "key": key, **value}))
    s.show("shown")


@CORPUS.scenario()
def batch_keys(s: Script) -> None:
    """Bad keys inside of a batch name their place. Ours writes nothing of such a batch."""
    s.experiment()
    for kind, value in (
        ("params", {"value": "v"}),
        ("tags", {"value": "v"}),
        ("metrics", {"value": 1.0, "timestamp": 1, "step": 0}),
    ):
        for number, key in enumerate(KEYS, 1):
            body = {"run_id": "{" + kind + "}", kind: [{"key": key, **value}]}
            if number == 1:
                s.run(kind)
            s.post(f"{kind} {number:02}", "runs/log-batch", body)
        s.show(f"{kind} shown", kind)


VALUES = (
    ("text", "v"),
    ("empty", ""),
    ("null", None),
    ("number", 1),
    ("float", 1.5),
    ("bool", True),
    ("list", ["v"]),
    ("object", {"a": "b"}),
    ("unicode", "模型 🚀 ü"),
    ("lines", "a\nb\r\n\tc"),
    ("quotes", "' \" ` \\ %_;--"),
    ("control", "a\u0001b"),
    ("json", '{"a": [1, 2.5, null]}'),
    ("spaces", "  x  "),
)


@CORPUS.scenario()
def param_values(s: Script) -> None:
    s.experiment()
    s.run()
    for step, value in VALUES:
        body = {**RUN, "key": f"k {step}", "value": value}
        s.post(step, "runs/log-parameter", body)
        s.post(f"{step}, again", "runs/log-parameter", body)
    s.post("absent", "runs/log-parameter", {**RUN, "key": "absent"})
    for length in (250, 500, 501, 5999, 6000, 6001, 20000):
        body = {**RUN, "key": f"length {length}", "value": "v" * length}
        s.post(f"length {length}", "runs/log-parameter", body)
        s.post(f"length {length}, again", "runs/log-parameter", body)
    s.post("wide letters", "runs/log-parameter", {**RUN, "key": "wide", "value": "é🚀" * 3000})
    s.post("wide letters, one more", "runs/log-parameter", {**RUN, "key": "wider", "value": "é🚀" * 3001})
    s.show("shown")


@CORPUS.scenario()
def params_do_not_change(s: Script) -> None:
    s.experiment()
    s.run()
    path = "runs/log-parameter"
    s.post("first", path, {**RUN, "key": "p", "value": "1"})
    s.post("same", path, {**RUN, "key": "p", "value": "1"})
    s.post("other", path, {**RUN, "key": "p", "value": "2"})
    s.post("other with quotes", path, {**RUN, "key": "p", "value": "it's \"2\" \\ \n"})
    s.post("empty", path, {**RUN, "key": "p", "value": ""})
    s.post("other case of the key", path, {**RUN, "key": "P", "value": "2"})
    s.post("quoted first", path, {**RUN, "key": "q", "value": "it's"})
    s.post("quoted other", path, {**RUN, "key": "q", "value": "x"})
    s.post("long first", path, {**RUN, "key": "l", "value": "a" * 6000})
    s.post("long other", path, {**RUN, "key": "l", "value": "a" * 5999 + "b"})
    batch = [{"key": "new", "value": "1"}, {"key": "p", "value": "2"}, {"key": "q", "value": "y"}]
    s.post("other in a batch", "runs/log-batch", {**RUN, "params": batch})
    s.post("same in a batch", "runs/log-batch", {**RUN, "params": [{"key": "p", "value": "1"}]})
    twice = [{"key": "t", "value": "1"}, {"key": "t", "value": "1"}]
    s.post("twice in a batch, same", "runs/log-batch", {**RUN, "params": twice})
    twice = [{"key": "t", "value": "1"}, {"key": "t", "value": "2"}]
    s.post("twice in a batch, other", "runs/log-batch", {**RUN, "params": twice})
    s.show("params left")


@CORPUS.scenario()
def tag_values(s: Script) -> None:
    s.experiment()
    s.run()
    for step, value in VALUES:
        s.post(step, "runs/set-tag", {**RUN, "key": f"k {step}", "value": value})
    s.post("absent", "runs/set-tag", {**RUN, "key": "absent"})
    for length in (5000, 5001, 7999, 8000, 8001, 20000):
        s.post(f"length {length}", "runs/set-tag", {**RUN, "key": f"length {length}", "value": "v" * length})
    s.post("set again", "runs/set-tag", {**RUN, "key": "k text", "value": "w"})
    s.post("name of the run", "runs/set-tag", {**RUN, "key": "mlflow.runName", "value": "by tag"})
    s.show("shown")
    s.post("empty name of the run", "runs/set-tag", {**RUN, "key": "mlflow.runName", "value": ""})
    s.show("shown with empty name")
    s.post("name of the run deleted", "runs/delete-tag", {**RUN, "key": "mlflow.runName"})
    s.show("shown without name")
    s.post("named again", "runs/update", {**RUN, "run_name": "again"})
    s.show("shown named again")


@CORPUS.scenario()
def who_and_what(s: Script) -> None:
    """The run and the key: absent, empty, unknown, by the old name, of a wrong type."""
    s.experiment()
    s.run()
    for path, rest in (
        ("log-parameter", {"value": "v"}),
        ("set-tag", {"value": "v"}),
        ("log-metric", {"value": 1.0, "timestamp": 1}),
        ("delete-tag", {}),
    ):
        for step, body in (
            ("no run", {"key": "k"}),
            ("empty run", {"run_id": "", "key": "k"}),
            ("null run", {"run_id": None, "key": "k"}),
            ("unknown run", {"run_id": "nope", "key": "k"}),
            ("number as run", {"run_id": 1, "key": "k"}),
            ("run by uuid", {"run_uuid": "{run}", "key": "uuid"}),
            ("run by both", {"run_uuid": "{run}", "run_id": "{run}", "key": "both"}),
            ("no key", {"run_id": "{run}"}),
            ("empty key", {"run_id": "{run}", "key": ""}),
            ("null key", {"run_id": "{run}", "key": None}),
            ("number as key", {"run_id": "{run}", "key": 5}),
            ("list as key", {"run_id": "{run}", "key": ["k"]}),
            ("camel case", {"runId": "{run}", "key": "camel"}),
        ):
            s.post(f"{path}, {step}", f"runs/{path}", {**body, **rest})
        s.post(f"{path}, nothing", f"runs/{path}", {})
    s.show("shown")


@CORPUS.scenario()
def delete_tag(s: Script) -> None:
    s.experiment()
    s.run(tags=[{"key": "t", "value": "1"}])
    s.post("deleted", "runs/delete-tag", {**RUN, "key": "t"})
    s.post("deleted again", "runs/delete-tag", {**RUN, "key": "t"})
    s.post("with a quote", "runs/delete-tag", {**RUN, "key": "it's"})
    s.post("too long", "runs/delete-tag", {**RUN, "key": "k" * 300})
    s.post("user", "runs/delete-tag", {**RUN, "key": "mlflow.user"})
    s.show("shown")
