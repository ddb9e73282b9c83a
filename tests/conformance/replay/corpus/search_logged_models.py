"""Searches of logged models: their own grammar, orders, datasets, pages."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("search_logged_models")

SEARCH = "logged-models/search"
IDS = {"experiment_ids": ["{exp}"]}
OPEN = {"loose": ("body.next_page_token",)}

FILTERS = (
    "name = 'net'", "attributes.name = 'net'", "attribute.name = 'net'", "name != 'net'", "name LIKE 'n%'",
    "name ILIKE 'N%'", "name IN ('net', 'tree')", "name IN ('net')", "name NOT IN ('net')", "name in ('net',)",
    "name IN ()", "name = \"net\"", "name = net", "name = 5", "name > 'a'", "name == 'net'", "name <> 'net'",
    "`name` = 'net'", "attributes.`name` = 'net'", "model_type = 'a'", "model_type != 'a'", "status = 'READY'",
    "status = 2", "status = '2'", "status != 1", "status = 'LOGGED_MODEL_READY'", "source_run_id = '{run}'",
    "source_run_id != ''", "model_id = '{net}'", "model_id IN ('{net}', '{tree}')", "creation_timestamp > 0",
    "creation_time > 0", "creation_timestamp_ms > 0", "attributes.creation_time < 0", "last_updated_timestamp > 0",
    "last_updated_time > 0", "last_updated_timestamp_ms != 0", "creation_time > '0'", "creation_time LIKE '1'",
    "experiment_id = '{exp}'", "artifact_location LIKE '%artifacts'", "lifecycle_stage = 'active'", "foo = 'x'",
    "params.depth = '3'", "params.depth != '3'", "params.depth LIKE '%'", "params.depth ILIKE '3'", "params.depth IN ('3', '4')",
    "params.depth = 3", "params.none = 'x'", "param.depth = '3'", "params.`with space` = 'x'", "params.with space = 'x'",
    "params.depth > '2'", "params.depth NOT IN ('3')", "tags.team = 'red'", "tags.team != 'red'", "tags.team ILIKE 'RED'",
    "tags.team LIKE 'r%'", "tags.team IN ('red', 'blue')", "tag.team = 'red'", "tags.`a/b` = 'x'", "tags.a/b = 'x'",
    "tags.none = 'x'", "tags.team IS NULL", "tags.team IS NOT NULL", "metrics.acc > 0.5", "metrics.acc >= 0.75",
    "metrics.acc < 1", "metrics.acc != 0.75", "metrics.acc = 0.75", "metrics.acc = '0.75'", "metrics.acc > -1e3",
    "metrics.none > 0", "metric.acc > 0", "metrics.`acc` > 0", "metrics.acc LIKE '0'", "metrics.acc > abc",
    "metrics.`m/1` >= 0", "metrics.m/1 >= 0", "name = 'net' AND params.depth = '3'", "name = 'net' and tags.team = 'red'",
    "name = 'net' AND", "AND name = 'net'", "name = 'net' OR name = 'tree'", "NOT name = 'net'", "(name = 'net')",
    "name = 'net';", "name = 'net' -- c", "name = 'net' name = 'net'", "", "   ", "x", "name", "name =", "= 'x'",
    "dataset.name = 'wine'", "Metrics.acc > 1", "name = 'it''s'", "name = \"it's\"", "metrics.acc > 0.5 AND metrics.loss < 1",
    "name='net'", "name LIKE '_et'", "attributes.status = 'READY'", "tags. = 'x'", "metrics. > 1", ".name = 'x'",
)  # fmt: skip

ORDERS = (
    [{"field_name": "name"}], [{"field_name": "name", "ascending": False}], [{"field_name": "attributes.name"}],
    [{"field_name": "metrics.acc"}], [{"field_name": "metrics.acc", "ascending": False}], [{"field_name": "metrics.none"}],
    [{"field_name": "creation_time"}], [{"field_name": "creation_timestamp"}], [{"field_name": "creation_timestamp_ms", "ascending": False}],
    [{"field_name": "last_updated_time"}], [{"field_name": "last_updated_timestamp"}], [{"field_name": "model_type"}, {"field_name": "name"}],
    [{"field_name": "status"}, {"field_name": "name", "ascending": False}], [{"field_name": "name"}, {"field_name": "name"}],
    [{"field_name": "metrics.acc", "dataset_name": "wine"}], [{"field_name": "metrics.acc", "dataset_name": "wine", "dataset_digest": "1"}],
    [{"field_name": "metrics.acc", "dataset_digest": "1"}], [{"field_name": "metrics.acc", "dataset_name": "none", "dataset_digest": "1"}],
    [{"field_name": "params.depth"}], [{"field_name": "tags.team"}], [{"field_name": "foo"}], [{"field_name": "foo.bar"}],
    [{"field_name": ""}], [{}], [{"ascending": False}], ["name"], "name", None, [], [{"field_name": "name DESC"}],
    [{"field_name": "name", "ascending": None}], [{"field_name": "name", "ascending": "false"}], [{"field_name": "`name`"}],
    [{"fieldName": "name", "ascending": False}], [{"field_name": "metric.acc"}], [{"field_name": "experiment_id"}],
)  # fmt: skip


def _models(s: Script) -> None:
    s.experiment()
    s.run()
    for kept, kind, params, tags, metrics in (
        ("net", "a", {"depth": "3"}, {"team": "red", "a/b": "x"}, {"acc": 0.5, "loss": 0.25}),
        ("tree", "b", {"depth": "4", "with space": "x"}, {"team": "Red"}, {"acc": 0.75, "m/1": 1}),
        ("forest", "a", {}, {"team": "blue"}, {"acc": 1.5}),
        ("svm", "", {"depth": ""}, {}, {}),
    ):
        source = {"source_run_id": "{run}"} if kept in ("net", "svm") else {}
        s.model(
            kept,
            model_type=kind,
            params=[{"key": key, "value": value} for key, value in params.items()],
            tags=[{"key": key, "value": value} for key, value in tags.items()],
            **source,
        )
        data = {"dataset_name": "wine", "dataset_digest": "1"} if kept in ("net", "forest") else {}
        points = [
            {"key": key, "value": value, "timestamp": 5, "step": 1, "model_id": f"{{{kept}}}", **data}
            for key, value in metrics.items()
        ]
        if points:
            s.post(f"points of {kept}", "runs/log-batch", {"run_id": "{run}", "metrics": points}, setup=True)
    later = {"key": "acc", "value": 0.25, "timestamp": 6, "step": 0, "model_id": "{tree}"}
    s.post("an earlier step of tree", "runs/log-batch", {"run_id": "{run}", "metrics": [later]}, setup=True)
    s.patch("net is ready", "logged-models/{net}", {"model_id": "{net}", "status": "LOGGED_MODEL_READY"}, setup=True)


# Models may be made within one millisecond, and then ids decide.
BY_NAME = {"order_by": [{"field_name": "name"}]}


@CORPUS.scenario(since=NEWER)
def filters(s: Script) -> None:
    _models(s)
    s.each("filter", FILTERS, lambda step, text: s.post(step, SEARCH, {**IDS, **BY_NAME, "filter": text}))


@CORPUS.scenario(since=NEWER)
def orders(s: Script) -> None:
    _models(s)
    s.each("order", ORDERS, lambda step, order: s.post(step, SEARCH, {**IDS, "order_by": order}, unordered=("models",) if "time" in str(order) or "status" in str(order) else ()))


@CORPUS.scenario(since=NEWER)
def datasets(s: Script) -> None:
    _models(s)
    for step, body in (
        ("name and digest", {"datasets": [{"dataset_name": "wine", "dataset_digest": "1"}]}),
        ("name only", {"datasets": [{"dataset_name": "wine"}]}),
        ("digest only", {"datasets": [{"dataset_digest": "1"}]}),
        ("unknown", {"datasets": [{"dataset_name": "none", "dataset_digest": "1"}]}),
        ("two", {"datasets": [{"dataset_name": "none", "dataset_digest": "1"}, {"dataset_name": "wine", "dataset_digest": "1"}]}),
        ("empty", {"datasets": []}),
        ("item empty", {"datasets": [{}]}),
        ("text", {"datasets": "wine"}),
        ("null", {"datasets": None}),
        ("with a metric", {"datasets": [{"dataset_name": "wine", "dataset_digest": "1"}], "filter": "metrics.acc > 1"}),
        ("with a metric of others", {"datasets": [{"dataset_name": "wine", "dataset_digest": "1"}], "filter": "metrics.acc = 0.75"}),
        ("camel case", {"datasets": [{"datasetName": "wine", "datasetDigest": "1"}]}),
    ):
        s.post(step, SEARCH, {**IDS, **BY_NAME, **body})


@CORPUS.scenario(since=NEWER)
def pages(s: Script) -> None:
    _models(s)
    base = {**IDS, **BY_NAME}
    s.post("first", SEARCH, {**base, "max_results": 3}, save={"next": "next_page_token"}, **OPEN)
    s.post("second", SEARCH, {**base, "max_results": 3, "page_token": "{next}"})
    s.post("other filter", SEARCH, {**base, "max_results": 3, "page_token": "{next}", "filter": "name = 'x'"}, **OPEN)
    s.post("other order", SEARCH, {**IDS, "max_results": 3, "page_token": "{next}"}, **OPEN)
    s.post("other experiments", SEARCH, {**BY_NAME, "experiment_ids": ["99999"], "max_results": 3, "page_token": "{next}"}, **OPEN)
    s.post("exactly all", SEARCH, {**base, "max_results": 4})
    for step, value in (
        ("0", 0), ("negative", -1), ("1", 1), ("50", 50), ("100", 100), ("101", 101), ("1000", 1000), ("50001", 50001),
        ("text", "2"), ("word", "x"), ("null", None), ("fraction", 1.5), ("beyond int32", 2147483648),
    ):  # fmt: skip
        s.post(f"size {step}", SEARCH, {**base, "max_results": value}, **OPEN)
    for step, value in (
        ("empty", ""), ("null", None), ("no base64", "!!"), ("no json", "bm9wZQ=="), ("of runs", "eyJvZmZzZXQiOiAyfQ=="), ("list", "WzFd"),
    ):  # fmt: skip
        s.post(f"token {step}", SEARCH, {**base, "max_results": 3, "page_token": value}, **OPEN)


@CORPUS.scenario(since=NEWER)
def experiments(s: Script) -> None:
    _models(s)
    s.experiment("empty", "{u} empty")
    for step, body in (
        ("both", {"experiment_ids": ["{exp}", "{empty}"]}),
        ("twice the same", {"experiment_ids": ["{exp}", "{exp}"]}),
        ("none in it", {"experiment_ids": ["{empty}"]}),
        ("unknown", {"experiment_ids": ["99999"]}),
        ("word", {"experiment_ids": ["abc"]}),
        ("empty list", {"experiment_ids": []}),
        ("null", {"experiment_ids": None}),
        ("absent", {}),
        ("text", {"experiment_ids": "{exp}"}),
        ("camel case", {"experimentIds": ["{exp}"]}),
    ):
        s.post(step, SEARCH, {**BY_NAME, **body})
    s.get("by GET", SEARCH, {"experiment_ids": "{exp}"})
