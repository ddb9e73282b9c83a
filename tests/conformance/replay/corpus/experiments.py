"""Experiments: creating, reading, renaming, deleting, restoring, and their tags."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("experiments")

EXP = {"experiment_id": "{exp}"}


@CORPUS.scenario()
def create(s: Script) -> None:
    s.post("plain", "experiments/create", {"name": "{u}"}, save={"exp": "experiment_id"})
    s.get("shown", "experiments/get", EXP)
    s.get("shown by name", "experiments/get-by-name", {"experiment_name": "{u}"})
    s.post("same name", "experiments/create", {"name": "{u}"})
    s.post("name in other case", "experiments/create", {"name": "{u} A"}, save={"a": "experiment_id"})
    s.post("name in small letters", "experiments/create", {"name": "{u} a"}, save={"b": "experiment_id"})
    s.post("name with space at the end", "experiments/create", {"name": "{u} a "})
    s.get("by name in other case", "experiments/get-by-name", {"experiment_name": "{u} A"})
    s.get("by name in small letters", "experiments/get-by-name", {"experiment_name": "{u} a"})


@CORPUS.scenario()
def create_with_tags(s: Script) -> None:
    tags = [{"key": "team", "value": "red"}, {"key": "mlflow.note.content", "value": "# Größe 🚀\n"}]
    s.post("tags", "experiments/create", {"name": "{u}", "tags": tags}, save={"exp": "experiment_id"})
    s.get("shown", "experiments/get", EXP)
    for step, tag in (
        ("tag without value", {"key": "empty"}),
        ("tag with empty value", {"key": "empty", "value": ""}),
        ("tag with null value", {"key": "empty", "value": None}),
        ("tag without key", {"value": "x"}),
        ("tag with empty key", {"key": "", "value": "x"}),
        ("tag with number", {"key": "n", "value": 1}),
        ("tag with bool", {"key": "n", "value": True}),
        ("tag with bad key", {"key": "a&b", "value": "x"}),
        ("tag with key of dots", {"key": "../x", "value": "x"}),
        ("tag with absolute key", {"key": "/x", "value": "x"}),
        ("tag with unknown field", {"key": "k", "value": "v", "other": 1}),
        ("tag that is text", "team=red"),
        ("tag that is null", None),
        ("tag with longest key", {"key": "k" * 250, "value": "x"}),
        ("tag with too long key", {"key": "k" * 251, "value": "x"}),
        ("tag with long value", {"key": "k", "value": "v" * 5001}),
    ):
        body = {"name": "{u} " + step, "tags": [tag]}
        s.post(step, "experiments/create", body, save={"other": "experiment_id"})
        s.get(f"{step}, shown", "experiments/get-by-name", {"experiment_name": "{u} " + step})
    twice = [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]
    s.post("key twice", "experiments/create", {"name": "{u} twice", "tags": twice})
    s.get("key twice, shown", "experiments/get-by-name", {"experiment_name": "{u} twice"})
    s.post("tags that are text", "experiments/create", {"name": "{u} t", "tags": "x"})
    s.post("tags that are an object", "experiments/create", {"name": "{u} o", "tags": {"a": "b"}})
    s.post("tags that are null", "experiments/create", {"name": "{u} null", "tags": None})
    s.post("no tags in the list", "experiments/create", {"name": "{u} none", "tags": []})


@CORPUS.scenario()
def names(s: Script) -> None:
    for step, body in (
        ("absent", {}),
        ("null", {"name": None}),
        ("empty", {"name": ""}),
        ("number", {"name": 5}),
        ("float", {"name": 1.5}),
        ("bool", {"name": True}),
        ("list", {"name": ["{u}"]}),
        ("object", {"name": {"a": "{u}"}}),
        ("spaces", {"name": "   "}),
        ("line end", {"name": "{u}\n"}),
        ("slash", {"name": "/Shared/{u}"}),
        ("unicode", {"name": "{u} 模型 🚀 ü"}),
        ("quotes", {"name": "{u} ' \" ` \\ ;--"}),
        ("percent", {"name": "{u} 100%_"}),
        ("longest", {"name": "{u}".ljust(3) + "n" * 400}),
        ("too long", {"name": "n" * 501}),
        ("much too long", {"name": "n" * 5000}),
    ):
        s.post(step, "experiments/create", body)
    s.get("by unicode name", "experiments/get-by-name", {"experiment_name": "{u} 模型 🚀 ü"})
    s.get("by quoted name", "experiments/get-by-name", {"experiment_name": "{u} ' \" ` \\ ;--"})


@CORPUS.scenario()
def locations(s: Script) -> None:
    for number, location in enumerate(
        (
            "s3://bucket/path",
            "s3://bucket/path/",
            "s3://bucket/path?a=b",
            "s3://bucket/path#fragment",
            "s3://bucket/path;params",
            "gs://bucket",
            "mlflow-artifacts:/own",
            "mlflow-artifacts:/own?a=b",
            "mlflow-artifacts://host:5000/own",
            "https://example.com/x",
            "hdfs://host:1234/a b",
            "dbfs:/x/y",
            "wasbs://c@a.blob.core.windows.net/x",
            "s3://bucket/../x",
            "s3://bucket/%2e%2e/x",
            "",
            "runs:/abc/x",
            "models:/m/1",
        ),
        1,
    ):
        body = {"name": f"{{u}} {number}", "artifact_location": location}
        s.post(f"location {number:02}", "experiments/create", body, save={"other": "experiment_id"})
        query = {"experiment_name": f"{{u}} {number}"}
        s.get(f"location {number:02}, shown", "experiments/get-by-name", query)
    s.post("number", "experiments/create", {"name": "{u} n", "artifact_location": 5})
    s.post("too long", "experiments/create", {"name": "{u} l", "artifact_location": "s3://b/" + "x" * 3000})


@CORPUS.scenario()
def get(s: Script) -> None:
    s.experiment()
    s.get("default experiment", "experiments/get", {"experiment_id": "0"})
    for step, query in (
        ("unknown", {"experiment_id": "99999"}),
        ("word", {"experiment_id": "abc"}),
        ("negative", {"experiment_id": "-1"}),
        ("plus", {"experiment_id": "+0"}),
        ("leading zero", {"experiment_id": "00"}),
        ("space around", {"experiment_id": " 0 "}),
        ("underscore", {"experiment_id": "1_0"}),
        ("float", {"experiment_id": "0.0"}),
        ("int64 over", {"experiment_id": "9223372036854775808"}),
        ("arabic digits", {"experiment_id": "٠"}),
        ("dots", {"experiment_id": "../0"}),
        ("empty", {"experiment_id": ""}),
        ("absent", None),
        ("other field only", {"id": "0"}),
        ("camel case", {"experimentId": "0"}),
        ("twice", [("experiment_id", "99999"), ("experiment_id", "0")]),
    ):
        s.get(step, "experiments/get", query)
    for step, query in (
        ("name unknown", {"experiment_name": "{u} none"}),
        ("name empty", {"experiment_name": ""}),
        ("name absent", None),
        ("name with percent", {"experiment_name": "{u}%"}),
        ("name default", {"experiment_name": "Default"}),
    ):
        s.get(step, "experiments/get-by-name", query)


@CORPUS.scenario()
def update(s: Script) -> None:
    s.experiment()
    s.experiment("other", "{u} other")
    s.post("renamed", "experiments/update", {**EXP, "new_name": "{u} new"})
    s.get("shown", "experiments/get", EXP)
    s.get("old name", "experiments/get-by-name", {"experiment_name": "{u}"})
    s.post("same name again", "experiments/update", {**EXP, "new_name": "{u} new"})
    s.post("name of another", "experiments/update", {**EXP, "new_name": "{u} other"})
    s.post("unicode", "experiments/update", {**EXP, "new_name": "{u} ü🚀"})
    s.get("unicode shown", "experiments/get", EXP)
    for step, body in (
        ("no name", {**EXP}),
        ("empty name", {**EXP, "new_name": ""}),
        ("null name", {**EXP, "new_name": None}),
        ("number as name", {**EXP, "new_name": 1}),
        ("name too long", {**EXP, "new_name": "x" * 501}),
        ("no id", {"new_name": "{u} x"}),
        ("id unknown", {"experiment_id": "99999", "new_name": "{u} x"}),
        ("id word", {"experiment_id": "abc", "new_name": "{u} x"}),
        ("id number", {"experiment_id": 99999, "new_name": "{u} x"}),
        ("nothing", {}),
        ("spaces", {**EXP, "new_name": "  "}),
    ):
        s.post(step, "experiments/update", body)
    s.post("deleted", "experiments/delete", EXP)
    s.post("deleted one renamed", "experiments/update", {**EXP, "new_name": "{u} gone"})


@CORPUS.scenario()
def life(s: Script) -> None:
    s.experiment()
    s.run()
    s.post("restore active", "experiments/restore", EXP)
    s.post("delete", "experiments/delete", EXP)
    s.get("shown deleted", "experiments/get", EXP)
    s.get("by name deleted", "experiments/get-by-name", {"experiment_name": "{u}"})
    s.show("run of deleted")
    s.post("delete again", "experiments/delete", EXP)
    s.post("create with name of deleted", "experiments/create", {"name": "{u}"})
    s.post("tag on deleted", "experiments/set-experiment-tag", {**EXP, "key": "k", "value": "v"})
    s.post("run in deleted", "runs/create", EXP)
    s.post("search in deleted", "runs/search", {"experiment_ids": ["{exp}"]})
    s.post("search deleted in deleted", "runs/search", {"experiment_ids": ["{exp}"], "run_view_type": "DELETED_ONLY"})
    s.post("restore", "experiments/restore", EXP)
    s.get("shown restored", "experiments/get", EXP)
    s.show("run of restored")
    s.post("restore again", "experiments/restore", EXP)
    s.post("search in restored", "runs/search", {"experiment_ids": ["{exp}"]})


@CORPUS.scenario()
def life_of_a_deleted_run(s: Script) -> None:
    """A run that was deleted before its experiment."""
    s.experiment()
    s.run("kept")
    s.run("gone")
    s.post("run deleted", "runs/delete", {"run_id": "{gone}"})
    s.post("deleted", "experiments/delete", EXP)
    s.post("restored", "experiments/restore", EXP)
    s.show("kept run", "kept")
    s.show("gone run", "gone")


@CORPUS.scenario()
def delete_of_nothing(s: Script) -> None:
    for path in ("delete", "restore"):
        for step, body in (
            ("unknown", {"experiment_id": "99999"}),
            ("word", {"experiment_id": "abc"}),
            ("empty", {"experiment_id": ""}),
            ("null", {"experiment_id": None}),
            ("absent", {}),
            ("number", {"experiment_id": 99999}),
            ("list", {"experiment_id": ["99999"]}),
        ):
            s.post(f"{path} {step}", f"experiments/{path}", body)


@CORPUS.scenario()
def tags(s: Script) -> None:
    s.experiment()
    path = "experiments/set-experiment-tag"
    for step, body in (
        ("set", {"key": "k", "value": "v"}),
        ("set again", {"key": "k", "value": "w"}),
        ("empty value", {"key": "empty", "value": ""}),
        ("no value", {"key": "none"}),
        ("null value", {"key": "null", "value": None}),
        ("unicode", {"key": "größe 1", "value": "模型 🚀"}),
        ("slash", {"key": "a/b", "value": "x"}),
        ("colon", {"key": "a:b", "value": "x"}),
        ("number", {"key": "n", "value": 1}),
        ("no key", {"value": "v"}),
        ("empty key", {"key": "", "value": "v"}),
        ("bad key", {"key": "a&b", "value": "v"}),
        ("key of one dot", {"key": ".", "value": "v"}),
        ("key of two dots", {"key": "..", "value": "v"}),
        ("key with double slash", {"key": "a//b", "value": "v"}),
        ("key ends in slash", {"key": "a/", "value": "v"}),
        ("key with spaces around", {"key": " a ", "value": "v"}),
        ("longest key", {"key": "k" * 250, "value": "v"}),
        ("too long key", {"key": "k" * 251, "value": "v"}),
        ("long value", {"key": "long", "value": "v" * 5000}),
        ("longer value", {"key": "longer", "value": "v" * 5001}),
        ("longest value", {"key": "longest", "value": "v" * 20000}),
        ("too long value", {"key": "toolong", "value": "v" * 20001}),
    ):
        s.post(step, path, {**EXP, **body})
    s.get("shown", "experiments/get", EXP)
    s.post("unknown experiment", path, {"experiment_id": "99999", "key": "k", "value": "v"})
    s.post("word as experiment", path, {"experiment_id": "abc", "key": "k", "value": "v"})
    s.post("no experiment", path, {"key": "k", "value": "v"})
    s.post("nothing", path, {})


@CORPUS.scenario(since=NEWER)
def delete_tag(s: Script) -> None:
    s.experiment()
    path = "experiments/delete-experiment-tag"
    s.post("set", "experiments/set-experiment-tag", {**EXP, "key": "k", "value": "v"})
    s.post("deleted", path, {**EXP, "key": "k"})
    s.get("shown", "experiments/get", EXP)
    s.post("deleted again", path, {**EXP, "key": "k"})
    s.post("no key", path, EXP)
    s.post("empty key", path, {**EXP, "key": ""})
    s.post("number", path, {**EXP, "key": 1})
    s.post("no experiment", path, {"key": "k"})
    s.post("unknown experiment", path, {"experiment_id": "99999", "key": "k"})
    s.post("bad key", path, {**EXP, "key": "../k"})


@CORPUS.scenario(since=NEWER)
def custom_views(s: Script) -> None:
    """Tags of the UI's custom views are limited in number."""
    tags = [{"key": f"mlflow.customView.view{n}", "value": "{}"} for n in range(51)]
    s.post("50 at creation", "experiments/create", {"name": "{u}", "tags": tags[:50]}, save={"exp": "experiment_id"})
    s.post("51 at creation", "experiments/create", {"name": "{u} more", "tags": tags})
    s.post("one more", "experiments/set-experiment-tag", {**EXP, **tags[50]})
    s.post("one of them again", "experiments/set-experiment-tag", {**EXP, "key": tags[0]["key"], "value": "x"})
