"""Searches of experiments. Each filter is narrowed to the scenario's own by their names."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("search_experiments")

SEARCH = "experiments/search"
OWN = "name LIKE '{u}%'"
OPEN = {"loose": ("body.next_page_token",)}

FILTERS = (
    "name = '{u} b'", "attribute.name = '{u} b'", "attributes.name = '{u} b'", "attr.name = '{u} b'",
    "experiment.name = 'x'", "name != '{u} b'", "name LIKE '%b'", "name LIKE '%B'", "name ILIKE '%B'",
    "name ILIKE '%ü%'", "name IN ('{u} b')", "name > 'a'", "name = 5", "name = b", "name", "Name = 'x'",
    "`name` = '{u} b'", "\"name\" = '{u} b'", "name = \"{u} b\"", "creation_time > 0", "creation_time < 0",
    "creation_time >= 1.5", "creation_time > '1'", "creation_time LIKE '1'", "last_update_time > 0",
    "last_update_time != 0", "attribute.last_update_time <= 5", "tags.team = 'red'", "tag.team = 'red'",
    "tags.team != 'red'", "tags.team LIKE 'r%'", "tags.team ILIKE 'R%'", "tags.`a/b` = 'x'", "tags.a/b = 'x'",
    "tags.\"a/b\" = 'x'", "tags.none = 'x'", "tags.team = 5", "tags.team IN ('red')", "tags.team > 'a'",
    "lifecycle_stage = 'active'", "artifact_location = 'x'", "foo = 'x'", "foo.bar = 'x'", "metrics.a > 1",
    "params.a = '1'", "dataset.name = 'x'", "tags.team = 'red' AND name LIKE '%a'", "name = 'a' OR name = 'b'",
    "NOT name = 'a'", "(name = 'a')", "name = 'a';", "name = 'a'; name = 'b'", "name = 'a' -- c", "AND name LIKE '%a'",
    "name LIKE '%a' AND", "name LIKE '%a' tags.team = 'red'", "   ", "x", "= 'x'", "tags.team", "tags.team =",
    "name == 'a'", "name <> 'a'", "name BETWEEN 'a' AND 'b'", "creation_time = 1 1",
)  # fmt: skip

NEWER_FILTERS = (
    "experiment_id = '{a}'", "experiment_id != '{a}'", "experiment_id = {a}", "experiment_id IN ('{a}', '{b}')",
    "experiment_id NOT IN ('{a}')", "experiment_id IN ('{a}')", "experiment_id IN ()", "experiment_id IN ('x')",
    "experiment_id = 'abc'", "experiment_id LIKE '1%'", "experiment_id > '1'", "attribute.experiment_id = '{a}'",
    "tags.team IS NULL", "tags.team IS NOT NULL", "name IS NULL", "tags.team is null", "creation_time IS NULL",
)  # fmt: skip

ORDERS = (
    ["name"], ["name ASC"], ["name DESC"], ["attribute.name desc"], ["experiment_id"], ["experiment_id DESC"],
    ["creation_time", "name"], ["creation_time DESC", "name DESC"], ["last_update_time DESC", "name"],
    ["name", "name"], ["name", "name DESC"], ["attributes.name"], ["attr.name"], ["tags.team"], ["tag.team"],
    ["foo"], [""], [" "], ["name ASCC"], ["name, experiment_id"], ["name NULLS LAST"], ["lifecycle_stage"],
    ["metrics.a"], ["`name`"], ["\"name\" DESC"], ["Name"], ["name;"], ["1"],
)  # fmt: skip


def _four(s: Script) -> None:
    for kept, name, tags in (
        ("a", "{u} a", {"team": "red"}),
        ("b", "{u} b", {"team": "blue", "a/b": "x"}),
        ("c", "{u} Ü c", {}),
        ("d", "{u} 100%", {"team": "Red"}),
    ):
        s.experiment(kept, name, tags=[{"key": key, "value": value} for key, value in tags.items()])


@CORPUS.scenario()
def filters(s: Script) -> None:
    _four(s)
    for number, text in enumerate(FILTERS, 1):
        body = {"max_results": 100, "order_by": ["name"]}
        s.post(f"filter {number:02}", SEARCH, {**body, "filter": f"{OWN} AND {text}" if text.strip() else text})
    s.post("only own", SEARCH, {"max_results": 100, "filter": OWN})
    s.post("line end", SEARCH, {"max_results": 100, "filter": f"{OWN}\n"})


@CORPUS.scenario(since=NEWER)
def newer_filters(s: Script) -> None:
    _four(s)
    for number, text in enumerate(NEWER_FILTERS, 1):
        body = {"max_results": 100, "order_by": ["name"], "filter": f"{OWN} AND {text}"}
        s.post(f"filter {number:02}", SEARCH, body)


@CORPUS.scenario()
def orders(s: Script) -> None:
    _four(s)
    for number, order in enumerate(ORDERS, 1):
        body = {"max_results": 100, "filter": OWN, "order_by": order}
        # In folders the ids are random.
        open_order = ("experiments",) if order[0].startswith("experiment_id") else ()
        s.post(f"order {number:02}", SEARCH, body, unordered=open_order)
    s.post("order text", SEARCH, {"max_results": 100, "filter": OWN, "order_by": "name"})
    s.post("order null", SEARCH, {"max_results": 100, "filter": f"{OWN} AND name LIKE '%a'", "order_by": None})


@CORPUS.scenario()
def pages(s: Script) -> None:
    _four(s)
    own = {"filter": OWN, "order_by": ["name"]}
    s.post("first", SEARCH, {**own, "max_results": 3}, save={"next": "next_page_token"}, **OPEN)
    s.post("second", SEARCH, {**own, "max_results": 3, "page_token": "{next}"}, **OPEN)
    s.post("exactly all", SEARCH, {**own, "max_results": 4}, **OPEN)
    for step, value in (
        ("absent", ...), ("0", 0), ("negative", -1), ("50000", 50000), ("50001", 50001), ("text", "2"),
        ("word", "x"), ("null", None), ("fraction", 1.5), ("bool", True), ("beyond int64", 9223372036854775808),
    ):  # fmt: skip
        body = dict(own) if value is ... else {**own, "max_results": value}
        s.post(f"size {step}", SEARCH, body, **OPEN)
    for step, value in (
        ("empty", ""), ("null", None), ("no base64", "!!"), ("no json", "bm9wZQ=="), ("of mlflow", "eyJvZmZzZXQiOiAyfQ=="),
        ("past the end", "eyJvZmZzZXQiOiA1MDB9"), ("offset 0", "eyJvZmZzZXQiOiAwfQ=="), ("offset text", "eyJvZmZzZXQiOiAiMiJ9"),
        ("no offset", "e30="), ("list", "WzFd"),
    ):  # fmt: skip
        s.post(f"token {step}", SEARCH, {**own, "max_results": 3, "page_token": value}, **OPEN)


@CORPUS.scenario()
def views(s: Script) -> None:
    _four(s)
    s.post("a deleted", "experiments/delete", {"experiment_id": "{a}"})
    own = {"filter": OWN, "order_by": ["name"], "max_results": 100}
    for step, value in (
        ("absent", ...), ("active", "ACTIVE_ONLY"), ("deleted", "DELETED_ONLY"), ("all", "ALL"), ("1", 1), ("2", 2),
        ("3", 3), ("9", 9), ("text of 2", "2"), ("unknown", "SOME"), ("null", None), ("small letters", "all"),
    ):  # fmt: skip
        s.post(f"view {step}", SEARCH, own if value is ... else {**own, "view_type": value})


@CORPUS.scenario()
def by_get(s: Script) -> None:
    _four(s)
    own = [("filter", OWN), ("max_results", "100")]
    s.get("plain", SEARCH, [*own, ("order_by", "name")])
    s.get("two orders", SEARCH, [*own, ("order_by", "name DESC"), ("order_by", "experiment_id")])
    s.get("view", SEARCH, [*own, ("view_type", "ALL"), ("order_by", "name")])
    s.get("view by number", SEARCH, [*own, ("view_type", "3"), ("order_by", "name")])
    s.get("view unknown", SEARCH, [*own, ("view_type", "SOME"), ("order_by", "name")])
    s.get("page", SEARCH, [("filter", OWN), ("max_results", "3"), ("order_by", "name")], save={"next": "next_page_token"}, **OPEN)
    s.get("next page", SEARCH, [("filter", OWN), ("max_results", "3"), ("order_by", "name"), ("page_token", "{next}")])
    s.get("no size", SEARCH, [("filter", OWN)])
    s.get("nothing", SEARCH)
    s.get("word as size", SEARCH, [("max_results", "x")])
    s.get("bad filter", SEARCH, [("max_results", "5"), ("filter", "x")])
    s.get("size twice", SEARCH, [("filter", OWN), ("max_results", "1"), ("max_results", "2"), ("order_by", "name")], **OPEN)
