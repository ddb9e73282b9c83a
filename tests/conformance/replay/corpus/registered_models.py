"""Registered models: creating, renaming, tagging and deleting them, their aliases, their newest
versions, searches, and the prompts among them. `--area registry` replays them."""

from __future__ import annotations

from typing import Any

from script import DATABASES, NEWER, Corpus, Script

CORPUS = Corpus("registered_models", area="registry")

MODEL = {"name": "{u}"}
MODELS = "registered-models"
VERSIONS = "model-versions"
PROMPT = {"key": "mlflow.prompt.is_prompt", "value": "true"}

# MLflow gives the newest version of each stage, and tags, in no certain order.
NEWEST = ("*latest_versions", "model_versions", "*.tags")


def _model(s: Script, name: str = "{u}", step: str = "new model", **fields: Any) -> None:
    s.post(step, f"{MODELS}/create", {"name": name, **fields}, setup=True)


def _versions(s: Script, count: int, name: str = "{u}", step: str = "new version") -> None:
    for number in range(1, count + 1):
        body = {"name": name, "source": f"s3://bucket/{number}"}
        s.post(f"{step} {number}", f"{VERSIONS}/create", body, setup=True)


def _get(s: Script, step: str, name: str = "{u}", **options: Any) -> None:
    s.get(step, f"{MODELS}/get", {"name": name}, unordered=NEWEST, **options)


@CORPUS.scenario()
def create(s: Script) -> None:
    s.post("plain", f"{MODELS}/create", MODEL)
    _get(s, "shown")
    s.post("same name", f"{MODELS}/create", MODEL)
    s.post("name in other case", f"{MODELS}/create", {"name": "{u} A"})
    s.post("name in small letters", f"{MODELS}/create", {"name": "{u} a"})
    _get(s, "by name in other case", "{u} A")
    whole = {
        "name": "{u} whole",
        "description": "# Größe 🚀\n",
        "tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "ü"}],
        "deployment_job_id": "job",
    }
    s.post("whole", f"{MODELS}/create", whole, unordered=("*.tags",))
    _get(s, "whole, shown", "{u} whole")
    ajax = f"/ajax-api/2.0/mlflow/{MODELS}"
    s.post("below ajax", f"{ajax}/create", {"name": "{u} ajax"})
    s.get("below ajax, shown", f"{ajax}/get", {"name": "{u} ajax"})
    for step, field in (
        ("description empty", {"description": ""}),
        ("description null", {"description": None}),
        ("description number", {"description": 5}),
        ("description of 5001", {"description": "d" * 5001}),
        ("tags text", {"tags": "x"}),
        ("tags null", {"tags": None}),
        ("tag without value", {"tags": [{"key": "k"}]}),
        ("tag without key", {"tags": [{"value": "v"}]}),
        ("tag with empty key", {"tags": [{"key": "", "value": "v"}]}),
        ("tag with number", {"tags": [{"key": "k", "value": 1}]}),
        ("tag that is text", {"tags": ["k=v"]}),
        ("tag with bad key", {"tags": [{"key": "a&b", "value": "v"}]}),
        ("tag twice", {"tags": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]}),
        ("unknown field", {"other": 1}),
    ):
        s.post(step, f"{MODELS}/create", {"name": f"{{u}} {step}", **field})
        if step in ("description null", "tag with number", "tag twice", "unknown field"):
            _get(s, f"{step}, shown", f"{{u}} {step}")


@CORPUS.scenario()
def names(s: Script) -> None:
    for step, body in (
        ("absent", {}),
        ("null", {"name": None}),
        ("empty", {"name": ""}),
        ("number", {"name": 5}),
        ("spaces", {"name": "   "}),
        ("line end", {"name": "{u}\n"}),
        ("slash", {"name": "{u}/a"}),
        ("backslash", {"name": "{u}\\a"}),
        ("colon", {"name": "{u}:a"}),
        ("dots", {"name": ".."}),
        ("dot in front", {"name": ".{u}"}),
        ("two dots inside", {"name": "{u}..a"}),
        ("space around", {"name": " {u} "}),
        ("unicode", {"name": "{u} 模型 🚀 ü"}),
        ("quotes", {"name": "{u} ' \" ` ;--"}),
        ("marks", {"name": "{u} #?&=+@!"}),
        ("too long", {"name": "{u}" + "n" * 250}),
    ):
        s.post(step, f"{MODELS}/create", body)
    _get(s, "by unicode", "{u} 模型 🚀 ü")
    _get(s, "by quotes", "{u} ' \" ` ;--")
    _get(s, "by marks", "{u} #?&=+@!")


@CORPUS.scenario(stores=DATABASES)
def percent(s: Script) -> None:
    s.post("percent", f"{MODELS}/create", {"name": "{u} 100%"})
    _get(s, "shown", "{u} 100%")


@CORPUS.scenario()
def get(s: Script) -> None:
    _model(s)
    s.get("nothing", f"{MODELS}/get")
    s.get("empty query", f"{MODELS}/get", "")
    s.get("empty", f"{MODELS}/get", {"name": ""})
    s.get("unknown", f"{MODELS}/get", {"name": "{u} nope"})
    s.get("twice", f"{MODELS}/get", [("name", "{u}"), ("name", "{u} nope")])
    s.post("by POST", f"{MODELS}/get", MODEL)
    s.call("by PUT", "PUT", f"{MODELS}/create", body=MODEL)


@CORPUS.scenario()
def update(s: Script) -> None:
    _model(s, description="first")
    for step, body in (
        ("description", {**MODEL, "description": "second ü\n"}),
        ("empty", {**MODEL, "description": ""}),
        ("null", {**MODEL, "description": None}),
        ("no description", MODEL),
        ("number", {**MODEL, "description": 5}),
        ("of 5001", {**MODEL, "description": "d" * 5001}),
        ("unknown", {"name": "{u} nope", "description": "x"}),
        ("no name", {"description": "x"}),
        ("nothing", {}),
        ("job", {**MODEL, "deployment_job_id": "j"}),
    ):
        s.patch(step, f"{MODELS}/update", body)
        if step in ("description", "empty", "no description", "job"):
            _get(s, f"{step}, shown")
    s.post("by POST", f"{MODELS}/update", {**MODEL, "description": "x"})


@CORPUS.scenario()
def rename(s: Script) -> None:
    _model(s, description="d", tags=[{"key": "k", "value": "v"}])
    _versions(s, 2)
    tag = {**MODEL, "version": "1", "key": "t", "value": "w"}
    s.post("tag", f"{VERSIONS}/set-tag", tag, setup=True)
    s.post("alias", f"{MODELS}/alias", {**MODEL, "alias": "best", "version": "1"}, setup=True)
    _model(s, "{u} taken", "other model")
    s.post("renamed", f"{MODELS}/rename", {**MODEL, "new_name": "{u} new"}, unordered=NEWEST)
    _get(s, "new name", "{u} new")
    _get(s, "old name")
    s.get("version", f"{VERSIONS}/get", {"name": "{u} new", "version": "1"})
    s.get("version by old name", f"{VERSIONS}/get", {"name": "{u}", "version": "1"})
    s.get("alias follows", f"{MODELS}/alias", {"name": "{u} new", "alias": "best"})
    s.get("alias by old name", f"{MODELS}/alias", {"name": "{u}", "alias": "best"})
    s.post("old name is free", f"{MODELS}/create", MODEL)
    for step, new_name in (
        ("to itself", "{u} to itself"),
        ("to a taken one", "{u} taken"),
        ("to empty", ""),
        ("to spaces", "  "),
        ("to a slash", "{u}/x"),
        ("too long", "{u}" + "n" * 250),
    ):
        _model(s, f"{{u}} {step}", f"model {step}")
        s.post(step, f"{MODELS}/rename", {"name": f"{{u}} {step}", "new_name": new_name})
        _get(s, f"{step}, shown", f"{{u}} {step}")
    for step, body in (
        ("no new name", {"name": "{u} new"}),
        ("no name", {"new_name": "{u} x"}),
        ("unknown", {"name": "{u} nope", "new_name": "{u} x"}),
        ("nothing", {}),
    ):
        s.post(step, f"{MODELS}/rename", body)
    _get(s, "at the end", "{u} new")


@CORPUS.scenario()
def delete(s: Script) -> None:
    _model(s, tags=[{"key": "k", "value": "v"}])
    _versions(s, 2)
    s.post("alias", f"{MODELS}/alias", {**MODEL, "alias": "best", "version": "2"}, setup=True)
    s.delete("deleted", f"{MODELS}/delete", MODEL)
    s.delete("again", f"{MODELS}/delete", MODEL)
    _get(s, "gone")
    s.get("version gone", f"{VERSIONS}/get", {**MODEL, "version": "1"})
    s.get("alias gone", f"{MODELS}/alias", {**MODEL, "alias": "best"})
    s.get("none found", f"{VERSIONS}/search", {"filter": "name = '{u}'"})
    _model(s, step="made again")
    _get(s, "made again, shown")
    _versions(s, 1, step="its version")
    for step, body in (
        ("nothing", {}),
        ("empty", {"name": ""}),
        ("null", {"name": None}),
        ("number", {"name": 5}),
        ("unknown", {"name": "{u} nope"}),
    ):
        s.delete(step, f"{MODELS}/delete", body)
    s.call("by query", "DELETE", f"{MODELS}/delete", query=MODEL)
    s.post("by POST", f"{MODELS}/delete", MODEL)


@CORPUS.scenario()
def tags(s: Script) -> None:
    _model(s)
    for step, body in (
        ("set", {"key": "a", "value": "b"}),
        ("set again", {"key": "a", "value": "c ü"}),
        ("empty value", {"key": "e", "value": ""}),
        ("no value", {"key": "n"}),
        ("number", {"key": "n", "value": 1}),
        ("no key", {"value": "b"}),
        ("empty key", {"key": "", "value": "b"}),
        ("bad key", {"key": "a&b", "value": "b"}),
        ("key with slash", {"key": "x/y z.w-v", "value": "b"}),
        ("key of 250", {"key": "k" * 250, "value": "b"}),
        ("key of 251", {"key": "k" * 251, "value": "b"}),
        ("value of 100001", {"key": "m", "value": "v" * 100_001}),
        ("reserved", {"key": "mlflow.user", "value": "me"}),
    ):
        s.post(step, f"{MODELS}/set-tag", {**MODEL, **body})
    s.post("of unknown", f"{MODELS}/set-tag", {"name": "{u} nope", "key": "a", "value": "b"})
    s.post("nothing", f"{MODELS}/set-tag", {})
    _get(s, "shown")
    for step, body in (
        ("delete", {**MODEL, "key": "a"}),
        ("delete again", {**MODEL, "key": "a"}),
        ("delete never set", {**MODEL, "key": "zz"}),
        ("delete no key", MODEL),
        ("delete of unknown", {"name": "{u} nope", "key": "a"}),
        ("delete no name", {"key": "a"}),
    ):
        s.delete(step, f"{MODELS}/delete-tag", body)
    _get(s, "shown at the end")


@CORPUS.scenario()
def aliases(s: Script) -> None:
    _model(s)
    _versions(s, 2)

    def put(step: str, **fields: Any) -> None:
        s.post(step, f"{MODELS}/alias", {**MODEL, "alias": "best", "version": "1", **fields})

    put("set")
    put("set again")
    s.get("found", f"{MODELS}/alias", {**MODEL, "alias": "best"})
    put("second of one", alias="b-2_x")
    _get(s, "model shown")
    s.get("version shown", f"{VERSIONS}/get", {**MODEL, "version": "1"})
    put("moved", version="2")
    s.get("moved, found", f"{MODELS}/alias", {**MODEL, "alias": "best"})
    s.get("moved, old version", f"{VERSIONS}/get", {**MODEL, "version": "1"})
    _get(s, "moved, model shown")
    here = {"filter": "name = '{u}'", "order_by": "version_number"}
    s.get("moved, versions found", f"{VERSIONS}/search", here)
    s.get("moved, model found", f"{MODELS}/search", {"filter": "name = '{u}'"})
    s.get("moved, latest", f"{MODELS}/get-latest-versions", MODEL)
    put("version as number", alias="number", version=1)
    put("number", alias=5)
    for step, alias in (
        ("empty", ""),
        ("null", None),
        ("latest", "latest"),
        ("as version", "v1"),
        ("nearly a version", "v1a"),
        ("space", "a b"),
        ("dot", "a.b"),
        ("unicode", "größe"),
        ("of 255", "a" * 255),
        ("of 256", "a" * 256),
    ):
        put(f"alias {step}", alias=alias)
    for step, version in (
        ("unknown", "99"),
        ("word", "abc"),
        ("empty", ""),
        ("null", None),
        ("zero", "0"),
        ("with zeros", "01"),
        ("large", "99999999999999999999"),
    ):
        put(f"version {step}", version=version)
    put("of unknown model", name="{u} nope")
    s.post("nothing", f"{MODELS}/alias", {})
    _get(s, "all shown")
    for step, query in (
        ("get unknown", {**MODEL, "alias": "zz"}),
        ("get no name", {"alias": "best"}),
        ("get of unknown", {"name": "{u} nope", "alias": "best"}),
        ("get latest", {**MODEL, "alias": "latest"}),
        ("get as version", {**MODEL, "alias": "v1"}),
    ):
        s.get(step, f"{MODELS}/alias", query)
    for step, body in (
        ("delete", {**MODEL, "alias": "best"}),
        ("delete again", {**MODEL, "alias": "best"}),
        ("delete latest", {**MODEL, "alias": "latest"}),
        ("delete no alias", MODEL),
        ("delete of unknown", {"name": "{u} nope", "alias": "best"}),
    ):
        s.delete(step, f"{MODELS}/alias", body)
    s.get("deleted", f"{MODELS}/alias", {**MODEL, "alias": "best"})
    s.delete("its version deleted", f"{VERSIONS}/delete", {**MODEL, "version": "1"})
    s.get("of a deleted version", f"{MODELS}/alias", {**MODEL, "alias": "b-2_x"})
    put("to a deleted version")
    _get(s, "shown at the end")


@CORPUS.scenario()
def alias_with_line_end(s: Script) -> None:
    _model(s)
    _versions(s, 1)
    s.post("set", f"{MODELS}/alias", {**MODEL, "alias": "end\n", "version": "1"})


@CORPUS.scenario()
def latest_versions(s: Script) -> None:
    _model(s)
    s.get("of none", f"{MODELS}/get-latest-versions", MODEL)
    _versions(s, 4)
    for version, stage in (("1", "Production"), ("2", "Staging"), ("3", "Staging")):
        body = {**MODEL, "version": version, "stage": stage}
        s.post(f"stage of {version}", f"{VERSIONS}/transition-stage", body, setup=True)
    _get(s, "model shown")
    for step, stages in (
        ("absent", None),
        ("empty list", []),
        ("one", ["Production"]),
        ("two", ["Staging", "None"]),
        ("small letters", ["staging"]),
        ("without version", ["Archived"]),
        ("unknown", ["bogus"]),
    ):
        fields = MODEL if stages is None else {**MODEL, "stages": stages}
        s.post(f"{step}, POST", f"{MODELS}/get-latest-versions", fields, unordered=NEWEST)
        s.get(f"{step}, GET", f"{MODELS}/get-latest-versions", fields, unordered=NEWEST)
    for step, body in (
        ("text", {**MODEL, "stages": "Staging"}),
        ("numbers", {**MODEL, "stages": [1]}),
        ("null", {**MODEL, "stages": None}),
        ("nothing", {}),
        ("of unknown", {"name": "{u} nope"}),
        ("empty name", {"name": ""}),
    ):
        s.post(step, f"{MODELS}/get-latest-versions", body, unordered=NEWEST)
    s.get("no query", f"{MODELS}/get-latest-versions")


@CORPUS.scenario()
def search(s: Script) -> None:
    for number, (name, tag) in enumerate((("b", "x"), ("a", "y"), ("C", "x"), ("d%_", None))):
        tags = [{"key": "k", "value": tag}, {"key": f"n{number}", "value": ""}] if tag else []
        _model(s, f"{{u}} {name}" if name != "d%_" else "{u} d_", f"model {number}", tags=tags)
    _versions(s, 2, "{u} a")
    here = "name LIKE '{u}%'"

    def ask(step: str, query: Any) -> None:
        s.get(step, f"{MODELS}/search", query, unordered=NEWEST)

    ask("here", {"filter": here})
    s.each(
        "filter",
        (
            "name = '{u} a'",
            'name = "{u} a"',
            "attribute.name = '{u} a'",
            "`name` = '{u} a'",
            f"name != '{{u}} a' AND {here}",
            f"{here} AND name LIKE '%a'",
            f"{here} AND name ILIKE '%c'",
            f"{here} and name ilike '% _'",
            f"{here} AND tags.k = 'x'",
            f"{here} AND tag.k = 'x'",
            f"{here} AND tags.k != 'x'",
            f"{here} AND tags.k ILIKE 'X'",
            f"{here} AND tags.`k` = 'x' AND tags.n0 = ''",
            f"{here} AND tags.nope != 'x'",
            f"{here} AND",
            "name",
            "name = a",
            "name = 5",
            "name > 'a'",
            "name == 'a'",
            "name = '{u} a' OR name = '{u} b'",
            "(name = '{u} a')",
            "name = '{u} a';",
            "name BETWEEN 'a' AND 'b'",
            "   ",
            "description = 'x'",
            "tags.k > 'x'",
            "tags.k IS NULL",
            "name = 'it''s'",
            "name = '",
            "version = 1",
        ),
        lambda step, text: ask(step, {"filter": text}),
    )
    s.each(
        "order",
        (
            ["name"],
            ["name DESC"],
            ["`name` DESC"],
            ["last_updated_timestamp ASC"],
            ["last_updated_timestamp DESC", "name"],
            ["creation_timestamp"],
            ["bogus"],
            ["tags.k"],
            ["name SIDEWAYS"],
            ["name, timestamp"],
            [""],
            ["name", "name DESC"],
        ),
        lambda step, order: ask(step, {"filter": here, "order_by": order}),
    )
    token = {"token": "next_page_token"}
    page = {"filter": here, "max_results": "3"}
    path = f"{MODELS}/search"
    s.get("page 1", path, page, save=token, unordered=NEWEST)
    s.get("page 2", path, {**page, "page_token": "{token}"}, unordered=NEWEST)
    s.get("page of all", path, {**page, "max_results": "4"}, unordered=NEWEST)
    for step, query in (
        ("size of 1001", {"filter": here, "max_results": "1001"}),
        ("size of 0", {"filter": here, "max_results": "0"}),
        ("size negative", {"filter": here, "max_results": "-1"}),
        ("size word", {"filter": here, "max_results": "x"}),
        ("token of words", {"filter": here, "page_token": "nope"}),
        ("token past the end", {"filter": here, "page_token": "eyJvZmZzZXQiOiA5OX0="}),
    ):
        ask(step, query)
    s.post("by POST", path, {"filter": here})


@CORPUS.scenario(since=NEWER)
def names_in_lists(s: Script) -> None:
    for name in ("a", "b", "c"):
        _model(s, f"{{u}} {name}", f"model {name}")
    s.each(
        "filter",
        (
            "name IN ('{u} a', '{u} b')",
            "name IN ('{u} a')",
            "name NOT IN ('{u} a') AND name LIKE '{u}%'",
            "name in ('{u} c')",
            "name IN ()",
            "name IN (1)",
            "name IN '{u} a'",
            "name = ('{u} a')",
            "tags.k IN ('x')",
        ),
        lambda step, text: s.get(step, f"{MODELS}/search", {"filter": text}),
    )


@CORPUS.scenario(since=NEWER)
def prompts(s: Script) -> None:
    s.post("prompt", f"{MODELS}/create", {**MODEL, "tags": [PROMPT], "description": "p"})
    text = {"key": "mlflow.prompt.text", "value": "Hi {{ name }}"}
    body = {**MODEL, "source": "prompt-template", "tags": [PROMPT, text]}
    s.post("version", f"{VERSIONS}/create", body, unordered=("*.tags",))
    s.post("version at a path", f"{VERSIONS}/create", {**body, "source": "/etc/passwd"}, unordered=("*.tags",))
    s.post("version with no text", f"{VERSIONS}/create", {**body, "tags": [PROMPT]})
    s.post("version of no tags", f"{VERSIONS}/create", {**MODEL, "source": "prompt-template"})
    s.post("version at a bucket", f"{VERSIONS}/create", {**MODEL, "source": "s3://bucket/x"})
    _get(s, "shown")
    s.get("version shown", f"{VERSIONS}/get", {**MODEL, "version": "1"}, unordered=("*.tags",))
    s.post("model of that name", f"{MODELS}/create", MODEL)
    s.post("prompt of that name", f"{MODELS}/create", {**MODEL, "tags": [PROMPT]})
    _model(s, "{u} model")
    s.post("prompt named as a model", f"{MODELS}/create", {"name": "{u} model", "tags": [PROMPT]})
    s.post("prompt version in a model", f"{VERSIONS}/create", {**body, "name": "{u} model"})
    not_one = {"key": "mlflow.prompt.is_prompt", "value": "false"}
    _model(s, "{u} not", "tagged as none", tags=[not_one])
    here = "name LIKE '{u}%'"
    key = "tags.`mlflow.prompt.is_prompt`"
    filters = (
        here,
        f"{here} AND {key} = 'true'",
        f"{here} AND {key} = 'false'",
        f"{here} AND {key} != 'true'",
        f"{here} AND {key} != 'false'",
        f"{here} AND {key} LIKE 'tr%'",
        "name = '{u}'",
        f"{here} AND tags.\"mlflow.prompt.is_prompt\" = 'true'",
    )
    order = {"order_by": ["name", "version_number"]}
    s.each("models", filters, lambda step, text: s.get(step, f"{MODELS}/search", {"filter": text}, unordered=NEWEST))
    s.each(
        "versions",
        filters,
        lambda step, text: s.get(
            step, f"{VERSIONS}/search", {"filter": text, **order}, unordered=("model_versions[*].tags",)
        ),
    )
    s.post("alias", f"{MODELS}/alias", {**MODEL, "alias": "live", "version": "1"})
    s.get("by alias", f"{MODELS}/alias", {**MODEL, "alias": "live"}, unordered=("*.tags",))
    s.post("no prompt any more", f"{MODELS}/set-tag", {**MODEL, **not_one})
    s.get("found then", f"{MODELS}/search", {"filter": here}, unordered=NEWEST)
    s.delete("deleted", f"{MODELS}/delete", MODEL)
