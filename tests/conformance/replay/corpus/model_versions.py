"""Versions of registered models: where they may come from, their stages, tags, addresses and
searches. `--area registry` replays them."""

from __future__ import annotations

from typing import Any

from script import NEWER, Corpus, Script

CORPUS = Corpus("model_versions", area="registry")

MODEL = {"name": "{u}"}
FIRST = {"name": "{u}", "version": "1"}
MODELS = "registered-models"
VERSIONS = "model-versions"
CREATE = f"{VERSIONS}/create"

TAGS = ("*.tags",)


def _model(s: Script, name: str = "{u}", step: str = "registered") -> None:
    s.post(step, f"{MODELS}/create", {"name": name}, setup=True)


def _run(s: Script) -> None:
    """A run, kept as `{run}`, and its files as `{files}`."""
    s.experiment()
    body = {"experiment_id": "{exp}", "start_time": 1700000000000, "run_name": "r"}
    save = {"run": "run.info.run_id", "files": "run.info.artifact_uri"}
    s.post("new run", "runs/create", body, save=save, setup=True)


def _version(s: Script, step: str, **fields: Any) -> None:
    s.post(step, CREATE, {**MODEL, "source": "s3://bucket/x", **fields}, setup=True)


@CORPUS.scenario()
def create(s: Script) -> None:
    _run(s)
    _model(s)
    s.post("plain", CREATE, {**MODEL, "source": "s3://bucket/a"})
    s.get("shown", f"{VERSIONS}/get", FIRST)
    whole = {
        **MODEL,
        "source": "{files}/model",
        "run_id": "{run}",
        "run_link": "http://example.com/run",
        "description": "# Größe 🚀\n",
        "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "ü"}],
    }
    s.post("whole", CREATE, whole, unordered=TAGS)
    s.get("whole, shown", f"{VERSIONS}/get", {**MODEL, "version": "2"}, unordered=TAGS)
    s.get("model shown", f"{MODELS}/get", MODEL, unordered=("*.tags",))
    s.post("below ajax", f"/ajax-api/2.0/mlflow/{CREATE}", {**MODEL, "source": "s3://bucket/b"})
    for step, field in (
        ("no source", {"source": None}),
        ("empty source", {"source": ""}),
        ("list as source", {"source": ["s3://b/x"]}),
        ("no name", {"name": None}),
        ("empty name", {"name": ""}),
        ("number as name", {"name": 5}),
        ("unknown name", {"name": "{u} nope"}),
        ("name with slash", {"name": "{u}/x"}),
        ("unknown run", {"run_id": "0123456789abcdef0123456789abcdef"}),
        ("run that is no id", {"run_id": "nope"}),
        ("empty run", {"run_id": ""}),
        ("empty description", {"description": ""}),
        ("description of 5001", {"description": "d" * 5001}),
        ("run link of 501", {"run_link": "l" * 501}),
        ("source of 501", {"source": "s3://b/" + "x" * 494}),
        ("tags text", {"tags": "x"}),
        ("tag without value", {"tags": [{"key": "k"}]}),
        ("tag without key", {"tags": [{"value": "v"}]}),
        ("tag with number", {"tags": [{"key": "k", "value": 1}]}),
        ("tag with bad key", {"tags": [{"key": "a&b", "value": "v"}]}),
        ("tag twice", {"tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}),
        ("unknown field", {"other": 1}),
    ):
        s.post(step, CREATE, {**MODEL, "source": "s3://bucket/x", **field}, loose=("body.model_version.version",))
    s.post("nothing", CREATE, {})


@CORPUS.scenario()
def sources(s: Script) -> None:
    _run(s)
    _model(s)
    sources = (
        "s3://bucket/path",
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/../x",
        "s3://bucket/a/../b",
        "s3://bucket/%2e%2e/x",
        "s3://bucket/a%2f..%2fb",
        "s3://bucket/./x",
        "s3://bucket//x",
        "s3://bucket/a b",
        "s3://bucket/x?a=b",
        "s3://bucket/x#y",
        "hdfs://host:1234/x",
        "dbfs:/x/y",
        "wasbs://c@a.blob.core.windows.net/x",
        "/etc/passwd",
        "etc/passwd",
        "./x",
        "../x",
        "..",
        " ",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "file://localhost/etc/passwd",
        "file://other/etc/passwd",
        "//host/x",
        "mlflow-artifacts:/x",
        "mlflow-artifacts:/../x",
        "mlflow-artifacts://host:5000/x",
        "{files}",
        "{files}/model",
        "{files}/../x",
        "runs:/{run}/model",
        "runs:/0123456789abcdef0123456789abcdef/model",
        "models:/{u}/1",
        "models:/{u}/999",
        "models:/{u}/latest",
        "models:/{u}@nope",
        "models:/{u} nope/1",
        "models:/m-0123456789abcdef0123456789abcdef",
    )
    s.each("source", sources, lambda step, source: s.post(step, CREATE, {**MODEL, "source": source}))
    s.each(
        "of a run",
        (
            "{files}",
            "{files}/model",
            "{files}/../x",
            "{files}x",
            "mlflow-artifacts:/x",
            "mlflow-artifacts:/{exp}/{run}/artifacts/%2e%2e/x",
            "runs:/{run}/model",
            "runs:/{run}/a/../../b",
            "runs:/0123456789abcdef0123456789abcdef/model",
            "/etc/passwd",
            "file:///etc/passwd",
            "s3://bucket/x",
        ),
        lambda step, source: s.post(step, CREATE, {**MODEL, "source": source, "run_id": "{run}"}),
    )


@CORPUS.scenario()
def get(s: Script) -> None:
    _model(s)
    _version(s, "version")
    for step, query in (
        ("plain", FIRST),
        ("with zero", {**MODEL, "version": "01"}),
        ("with plus", {**MODEL, "version": "+1"}),
        ("unknown", {**MODEL, "version": "99"}),
        ("zero", {**MODEL, "version": "0"}),
        ("fraction", {**MODEL, "version": "1.5"}),
        ("word", {**MODEL, "version": "abc"}),
        ("latest", {**MODEL, "version": "latest"}),
        ("beyond int32", {**MODEL, "version": "9999999999"}),
        ("beyond int64", {**MODEL, "version": "99999999999999999999"}),
        ("empty version", {**MODEL, "version": ""}),
        ("no version", MODEL),
        ("no name", {"version": "1"}),
        ("unknown name", {"name": "{u} nope", "version": "1"}),
    ):
        s.get(step, f"{VERSIONS}/get", query)
    s.get("nothing", f"{VERSIONS}/get")
    s.post("by POST", f"{VERSIONS}/get", FIRST)


@CORPUS.scenario()
def update(s: Script) -> None:
    _model(s)
    _version(s, "version", description="first")
    for step, body in (
        ("description", {**FIRST, "description": "second ü\n"}),
        ("empty", {**FIRST, "description": ""}),
        ("no description", FIRST),
        ("number", {**FIRST, "description": 5}),
        ("of 5001", {**FIRST, "description": "d" * 5001}),
        ("version as number", {**MODEL, "version": 1, "description": "third"}),
        ("unknown", {**MODEL, "version": "99", "description": "x"}),
        ("no version", {**MODEL, "description": "x"}),
        ("unknown name", {"name": "{u} nope", "version": "1", "description": "x"}),
        ("nothing", {}),
    ):
        s.patch(step, f"{VERSIONS}/update", body)
    s.get("shown", f"{VERSIONS}/get", FIRST)


@CORPUS.scenario()
def delete(s: Script) -> None:
    _model(s)
    for number in (1, 2, 3):
        _version(s, f"version {number}", tags=[{"key": "k", "value": "v"}])
    third = {**MODEL, "version": "3"}
    s.delete("deleted", f"{VERSIONS}/delete", third)
    s.delete("again", f"{VERSIONS}/delete", third)
    s.get("gone", f"{VERSIONS}/get", third)
    s.get("uri gone", f"{VERSIONS}/get-download-uri", third)
    s.post("tag on deleted", f"{VERSIONS}/set-tag", {**third, "key": "a", "value": "b"})
    s.patch("deleted updated", f"{VERSIONS}/update", {**third, "description": "x"})
    s.post("stage of deleted", f"{VERSIONS}/transition-stage", {**third, "stage": "Staging"})
    s.get("left", f"{VERSIONS}/search", {"filter": "name = '{u}'", "order_by": "version_number"})
    s.get("model shown", f"{MODELS}/get", MODEL)
    s.post("next number", CREATE, {**MODEL, "source": "s3://bucket/next"})
    for step, body in (
        ("unknown", {**MODEL, "version": "99"}),
        ("word", {**MODEL, "version": "abc"}),
        ("number", {**MODEL, "version": 1}),
        ("no version", MODEL),
        ("no name", {"version": "1"}),
        ("unknown name", {"name": "{u} nope", "version": "1"}),
        ("nothing", {}),
    ):
        s.delete(step, f"{VERSIONS}/delete", body)


@CORPUS.scenario()
def tags(s: Script) -> None:
    _model(s)
    _version(s, "version")
    for step, body in (
        ("set", {"key": "a", "value": "b"}),
        ("set again", {"key": "a", "value": "c ü"}),
        ("empty value", {"key": "e", "value": ""}),
        ("number", {"key": "n", "value": 1}),
        ("no key", {"value": "b"}),
        ("empty key", {"key": "", "value": "b"}),
        ("bad key", {"key": "a&b", "value": "b"}),
        ("key with slash", {"key": "x/y z.w-v", "value": "b"}),
        ("key of 250", {"key": "k" * 250, "value": "b"}),
        ("key of 251", {"key": "k" * 251, "value": "b"}),
        ("value of 100001", {"key": "m", "value": "v" * 100_001}),
        ("unknown version", {"version": "99", "key": "a", "value": "b"}),
        ("word as version", {"version": "abc", "key": "a", "value": "b"}),
        ("no version", {"version": None, "key": "a", "value": "b"}),
        ("unknown name", {"name": "{u} nope", "key": "a", "value": "b"}),
    ):
        s.post(step, f"{VERSIONS}/set-tag", {**FIRST, **body})
    s.get("shown", f"{VERSIONS}/get", FIRST, unordered=TAGS)
    for step, body in (
        ("delete", {**FIRST, "key": "a"}),
        ("delete again", {**FIRST, "key": "a"}),
        ("delete no key", FIRST),
        ("delete no version", {**MODEL, "key": "a"}),
        ("delete of unknown", {**MODEL, "version": "99", "key": "a"}),
        ("delete of word", {**MODEL, "version": "abc", "key": "a"}),
    ):
        s.delete(step, f"{VERSIONS}/delete-tag", body)
    s.get("shown at the end", f"{VERSIONS}/get", FIRST, unordered=TAGS)


@CORPUS.scenario()
def stages(s: Script) -> None:
    _model(s)
    for number in (1, 2, 3):
        _version(s, f"version {number}")

    def move(step: str, version: Any = "1", **fields: Any) -> None:
        s.post(step, f"{VERSIONS}/transition-stage", {**MODEL, "version": version, **fields})

    def shown(step: str) -> None:
        query = {"filter": "name = '{u}'", "order_by": "version_number"}
        s.get(step, f"{VERSIONS}/search", query)

    move("first to production", stage="Production")
    move("again", stage="Production")
    move("second beside it", "2", stage="Production", archive_existing_versions=False)
    shown("two in production")
    move("third alone", "3", stage="production", archive_existing_versions=True)
    shown("others archived")
    s.get("model shown", f"{MODELS}/get", MODEL, unordered=("*latest_versions",))
    move("back to none", stage="None")
    move("alone in archived", stage="Archived", archive_existing_versions=True)
    move("alone in none", stage="None", archive_existing_versions=True)
    move("archived", stage="archived")
    move("flag as text", stage="Staging", archive_existing_versions="true")
    move("flag as number", stage="Staging", archive_existing_versions=1)
    for step, stage in (
        ("unknown", "bogus"),
        ("empty", ""),
        ("number", 5),
    ):
        move(f"stage {step}", stage=stage)
    move("no stage")
    move("unknown version", "99", stage="Staging")
    move("word as version", "abc", stage="Staging")
    move("number as version", 2, stage="Staging")
    move("no version", None, stage="Staging")
    move("unknown name", name="{u} nope", stage="Staging")
    s.post("nothing", f"{VERSIONS}/transition-stage", {})
    shown("at the end")


@CORPUS.scenario()
def download_uri(s: Script) -> None:
    _run(s)
    _model(s)
    _version(s, "bucket")
    _version(s, "of a run", source="{files}/model", run_id="{run}")
    _version(s, "by run", source="runs:/{run}/model", run_id="{run}")
    _version(s, "copy", source="models:/{u}/2")
    _version(s, "copy of the copy", source="models:/{u}/4")
    for number in (1, 2, 3, 4, 5):
        query = {**MODEL, "version": str(number)}
        s.get(f"uri {number}", f"{VERSIONS}/get-download-uri", query)
        s.get(f"shown {number}", f"{VERSIONS}/get", query)
    for step, query in (
        ("unknown", {**MODEL, "version": "99"}),
        ("word", {**MODEL, "version": "abc"}),
        ("empty", {**MODEL, "version": ""}),
        ("no version", MODEL),
        ("no name", {"version": "1"}),
        ("unknown name", {"name": "{u} nope", "version": "1"}),
    ):
        s.get(step, f"{VERSIONS}/get-download-uri", query)
    s.get("nothing", f"{VERSIONS}/get-download-uri")


@CORPUS.scenario()
def files(s: Script) -> None:
    _run(s)
    _model(s)
    place = "/api/2.0/mlflow-artifacts/artifacts/{exp}/{run}/artifacts/model"
    s.put("file", f"{place}/a.txt", "hello", setup=True)
    _version(s, "version", source="{files}/model", run_id="{run}")
    _version(s, "elsewhere")
    path = "/model-versions/get-artifact"
    for step, query in (
        ("got", {**FIRST, "path": "a.txt"}),
        ("not there", {**FIRST, "path": "b.txt"}),
        ("above", {**FIRST, "path": "../a.txt"}),
        ("absolute", {**FIRST, "path": "/etc/passwd"}),
        ("unknown version", {**MODEL, "version": "99", "path": "a.txt"}),
        ("word as version", {**MODEL, "version": "abc", "path": "a.txt"}),
        ("unknown name", {"name": "{u} nope", "version": "1", "path": "a.txt"}),
        ("no path", FIRST),
        ("no name", {"version": "1", "path": "a.txt"}),
        ("no version", {**MODEL, "path": "a.txt"}),
    ):
        s.get(step, path, query)


@CORPUS.scenario()
def search(s: Script) -> None:
    _run(s)
    _model(s)
    _model(s, "{u} B", "second model")
    for number in (1, 2, 3):
        tags = [{"key": "k", "value": f"v{number}"}]
        _version(s, f"version {number}", source=f"s3://bucket/{{u}}/{number}", tags=tags)
    _version(s, "of a run", source="{files}/model", run_id="{run}")
    _version(s, "of second", name="{u} B", tags=[{"key": "k", "value": "V1"}])
    here = "name LIKE '{u}%'"
    order = {"order_by": ["name", "version_number"]}
    path = f"{VERSIONS}/search"
    s.each(
        "filter",
        (
            here,
            "name = '{u}'",
            "name != '{u}' AND name LIKE '{u}%'",
            "attribute.name = '{u}'",
            "`name` = '{u}'",
            "run_id = '{run}'",
            f"run_id != '{{run}}' AND {here}",
            f"run_id = '' AND {here}",
            "run_id IN ('{run}')",
            f"run_id IN ('{{run}}', 'x') AND {here}",
            f"run_id NOT IN ('{{run}}') AND {here}",
            "run_id IN ()",
            "source_path = 's3://bucket/{u}/1'",
            "source_path LIKE 's3://bucket/{u}/%'",
            f"source_path != 's3://bucket/{{u}}/1' AND {here}",
            "source_path IN ('s3://bucket/{u}/1')",
            f"version_number = 2 AND {here}",
            f"version_number > 1 AND version_number <= 3 AND {here}",
            f"version_number != 1 AND {here}",
            f"version_number = '2' AND {here}",
            f"version_number = 1.5 AND {here}",
            "version_number = 'x'",
            "version_number IN (1)",
            "version = 1",
            f"tags.k = 'v1' AND {here}",
            f"tags.k != 'v1' AND {here}",
            f"tags.k LIKE 'v%' AND {here}",
            f"tags.k ILIKE 'V%' AND {here}",
            f"tags.nope != 'x' AND {here}",
            "tags.k > 'x'",
            "tags.k IN ('x')",
            "tags.k IS NULL",
            "current_stage = 'None'",
            "bogus = 'x'",
            "name",
            "name = x",
            "name = '{u}' OR name = 'b'",
            "name = '{u}';",
            "name = '{u}' AND",
        ),
        lambda step, text: s.get(step, path, {"filter": text, **order}),
    )
    s.each(
        "order",
        (
            ["version_number"],
            ["version_number DESC"],
            ["name DESC", "version_number ASC"],
            ["creation_timestamp"],
            ["last_updated_timestamp ASC"],
            ["`version_number`"],
            ["bogus"],
            ["version"],
            ["run_id"],
            ["tags.k"],
            ["version_number SIDEWAYS"],
            ["name, version_number"],
            [""],
            ["version_number", "version_number DESC"],
        ),
        lambda step, by: s.get(step, path, {"filter": "name = '{u}'", "order_by": by}),
    )
    s.get("default order", path, {"filter": "name = '{u}'"})
    page = {"filter": here, "max_results": "2", **order}
    token = {"token": "next_page_token"}
    s.get("page 1", path, page, save=token)
    s.get("page 2", path, {**page, "page_token": "{token}"}, save=token)
    s.get("page 3", path, {**page, "page_token": "{token}"})
    s.get("page of all", path, {**page, "max_results": "5"})
    for step, query in (
        ("size of 200000", {**page, "max_results": "200000"}),
        ("size of 200001", {**page, "max_results": "200001"}),
        ("size of 0", {**page, "max_results": "0"}),
        ("size word", {**page, "max_results": "x"}),
        ("token of words", {**page, "page_token": "nope"}),
        ("token past the end", {**page, "page_token": "eyJvZmZzZXQiOiA5OX0="}),
    ):
        s.get(step, path, query)
    s.post("by POST", path, {"filter": here})


@CORPUS.scenario(since=NEWER)
def names_in_lists(s: Script) -> None:
    for name in ("a", "b"):
        _model(s, f"{{u}} {name}", f"model {name}")
        _version(s, f"version of {name}", name=f"{{u}} {name}")
    s.each(
        "filter",
        (
            "name IN ('{u} a', '{u} b')",
            "name IN ('{u} a')",
            "name NOT IN ('{u} a') AND name LIKE '{u}%'",
            "name IN ()",
            "name IN (1)",
        ),
        lambda step, text: s.get(
            step, f"{VERSIONS}/search", {"filter": text, "order_by": "name"}
        ),
    )


@CORPUS.scenario(since=NEWER)
def of_logged_model(s: Script) -> None:
    _run(s)
    _model(s)
    body = {"experiment_id": "{exp}", "name": "linear", "source_run_id": "{run}"}
    save = {"model": "model.info.model_id", "place": "model.info.artifact_uri"}
    s.post("logged model", "logged-models", body, save=save, setup=True)
    for step, fields in (
        ("plain", {"source": "{place}", "model_id": "{model}"}),
        ("of its run too", {"source": "{place}", "model_id": "{model}", "run_id": "{run}"}),
        ("without model id", {"source": "{place}"}),
        ("of its run alone", {"source": "{place}", "run_id": "{run}"}),
        ("as models uri", {"source": "models:/{model}"}),
        ("as models uri with id", {"source": "models:/{model}", "model_id": "{model}"}),
        ("inside", {"source": "{place}/x", "model_id": "{model}"}),
        ("beside", {"source": "{place}/../x", "model_id": "{model}"}),
        ("elsewhere", {"source": "s3://bucket/x", "model_id": "{model}"}),
        ("files of the run", {"source": "{files}/x", "model_id": "{model}"}),
        ("local", {"source": "/etc/passwd", "model_id": "{model}"}),
        ("unknown model", {"source": "s3://bucket/x", "model_id": "m-0123456789abcdef0123456789abcdef"}),
        ("empty model", {"source": "s3://bucket/x", "model_id": ""}),
        ("number as model", {"source": "s3://bucket/x", "model_id": 5}),
    ):
        s.post(step, CREATE, {**MODEL, **fields})
    s.get("shown", f"{VERSIONS}/get", FIRST)
    s.get("uri", f"{VERSIONS}/get-download-uri", FIRST)
    s.get("logged model shown", "logged-models/{model}")
