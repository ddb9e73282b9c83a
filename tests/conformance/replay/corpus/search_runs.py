"""Searches of runs: every rule of the grammar, orders, pages, and whole answers."""

from script import NEWER, Corpus, Script

from corpus._population import populate

CORPUS = Corpus("search_runs")

SEARCH = "runs/search"
IDS = {"experiment_ids": ["{exp}"]}

FILTERS = (
    # metrics
    "metrics.loss < 1", "metric.loss < 1", "metrics.loss <= 0.25", "metrics.loss > 0.25",
    "metrics.loss >= 0.5", "metrics.loss = 0.5", "metrics.loss != 0.5", "metrics.loss < 1e400",
    "metrics.loss > -1e400", "metrics.loss = -3.25", "metrics.loss > +1", "metrics.loss > 1e-3",
    "metrics.loss > .5", "metrics.loss > 5.", "metrics.loss > 1E0", "metrics.acc >= 1e20",
    "metrics.loss > '0'", "metrics.loss > abc", "metrics.loss LIKE '1'", "metrics.loss IN (1)",
    "metrics.loss = NaN", "metrics.none > 0", "metrics.none != 0", "metrics.m/1 > 0",
    "metrics.`m/1` > 0", "metrics.\"m/1\" > 0", "metrics.'m/1' > 0", "`metrics`.loss < 1",
    "\"metrics\".loss < 1", "metrics.loss == 0.5", "metrics.loss <> 0.5", "metrics.loss =! 0.5",
    "metrics . loss < 1", "metrics.loss<1", "metrics.loss<-1", "metrics.loss < - 1",
    "metrics.loss < 1_0", "metrics.loss < 0x10", "metrics.loss < 1 1", "0.5 < metrics.loss",
    # params
    "params.lr = '0.1'", "param.lr = '0.1'", "parameter.lr = \"0.1\"", "parameters.lr = '0.1'",
    "params.lr != '0.1'", "params.lr = '100%'", "params.lr LIKE '0.%'", "params.lr LIKE '%1'",
    "params.lr LIKE '_.1'", "params.lr LIKE '100\\%'", "params.opt LIKE 'adam'", "params.opt ILIKE 'ADAM'",
    "params.opt like 'a%'", "params.opt iLike 'A%'", "params.opt NOT LIKE 'a%'", "params.opt = ''",
    "params.opt != ''", "params.lr = 0.1", "params.lr = größe", "params.lr = 'größe'", "params.lr > '0'",
    "params.lr IN ('0.1')", "params.lr = `0.1`", "params.`with space` = 'y'", "params.with space = 'y'",
    "params.\"with space\" = 'y'", "params.lr = '0.1", "params.lr = 0.1'", "params.lr = ''0.1''",
    "params.lr = '%'", "params.lr LIKE ''", "params.lr LIKE '%'", "params.lr LIKE '[01]%'",
    # tags
    "tags.team = 'red'", "tag.team = 'red'", "tags.team != 'red'", "tags.team ILIKE 'RED'",
    "tags.team LIKE 'blue_1'", "tags.team LIKE 'blue%'", "tags.team LIKE '100%'", "tags.team = ''",
    "tags.team = 'a\\b'", "tags.team LIKE 'a\\%'", "tags.note = \"it's\"", "tags.note = 'it''s'",
    "tags.note = 'say \"x\"'", "tags.`a/b` = 'x'", "tags.a/b = 'x'", "tags.größe = 'ü'",
    "tags.`größe` = 'ü'", "tags.mlflow.runName = 'alpha'", "tags.`mlflow.runName` LIKE '%eta'",
    "tags.\"mlflow.runName\" != 'alpha'", "tags.team IN ('red')", "tags.team = red", "tags.team > 'a'",
    # attributes
    "run_name = 'alpha'", "attributes.run_name = 'alpha'", "attribute.run_name LIKE '%eta'",
    "attr.run_name ILIKE 'GAMMA'", "run.run_name = 'Gamma'", "`run name` = 'alpha'", "`Run name` = 'alpha'",
    "\"Run Name\" = 'alpha'", "attributes.`run name` = 'alpha'", "run_name = 'eta 模型'", "run_name != 'alpha'",
    "run_name IN ('alpha', 'beta')", "status = 'FINISHED'", "attributes.status != 'FINISHED'",
    "status = 'finished'", "status LIKE 'F%'", "status ILIKE 'f%'", "status = 3", "Status = 'FINISHED'",
    "user_id = 'user1'", "attributes.user_id LIKE 'user_'", "artifact_uri LIKE '%artifacts'",
    "artifact_uri = 'x'", "start_time > 1700000000001", "start_time >= '1700000000001'",
    "attributes.start_time = 1700000000001.0", "start_time < 1700000000001.5", "created > 1700000000001",
    "Created <= 1700000000001", "attributes.created != 1700000000000", "end_time > 0", "end_time != 1700000001000",
    "end_time = 1700000001002", "start_time LIKE '17%'", "start_time IN (1700000000001)",
    "run_id = '{alpha}'", "run_id != '{alpha}'", "run_id IN ('{alpha}', '{beta}')", "run_id IN ('{alpha}')",
    "run_id IN ('{alpha}',)", "run_id NOT IN ('{alpha}', '{beta}')", "attributes.run_id in ('{alpha}')",
    "run_id IN ()", "run_id IN (1, 2)", "run_id IN ('a', 1)", "run_id IN 'a'", "run_id IN [\"a\"]",
    "run_id LIKE '%'", "run_id IN ({alpha})", "experiment_id = '1'", "lifecycle_stage = 'active'",
    "source_name = 'x'", "attributes.nothing = 'x'", "nothing = 'x'",
    # datasets
    "dataset.name = 'wine'", "datasets.name = 'wine'", "dataset.name != 'wine'", "dataset.name LIKE 'w%'",
    "dataset.name ILIKE 'W%'", "dataset.name IN ('wine', 'beer')", "dataset.digest = '1'",
    "dataset.digest IN ('2')", "dataset.context = 'train'", "dataset.context != 'train'",
    "dataset.context LIKE 't%'", "dataset.name = 'wine' AND dataset.context = 'test'",
    "dataset.name = 'wine' AND dataset.digest = '2'", "dataset.name = 5", "dataset.foo = 'x'",
    "dataset = 'x'", "dataset.name > 'a'", "dataset.`name` = 'wine'",
    # conjunctions and what is none
    "metrics.loss < 1 AND params.lr = '0.1'", "metrics.loss < 1 and params.lr = '0.1' And tags.team = 'red'",
    "metrics.loss < 1 AND", "AND metrics.loss < 1", "metrics.loss < 1 AND AND params.lr = '0.1'",
    "metrics.loss < 1 params.lr = '0.1'", "params.lr = '0.1' OR params.lr = '0.2'", "NOT params.lr = '0.1'",
    "(metrics.loss < 1)", "(metrics.loss < 1) AND (params.lr = '0.1')", "metrics.loss BETWEEN 0 AND 1",
    "metrics.loss < 1; metrics.loss > 0", "metrics.loss < 1;", "metrics.loss < 1 -- comment",
    "metrics.loss < 1 /* comment */", "params.lr = '0.1' AND params.lr = '0.01'", "metrics.loss < 1 , metrics.acc = 1",
    "params.lr = 'a AND b'", "params.lr = 'OR'",
    # nothing to understand
    "", " ", "   \n ", "x", "metrics", "metrics.", "metrics.loss", "metrics.loss <", "< 1", "= 'a'",
    "metrics.loss < ", ".loss < 1", "metrics. < 1", "tags. = 'a'", "'a' = 'a'", "1 = 1", "foo.bar = 'x'",
    "Metrics.loss < 1", "METRICS.loss < 1", "metrics.loss is 1", "select * from runs", "*", "%", "🚀",
    "params.lr = '🚀'", "tags.x", "tags.x =", "tags = 'x'", "params = 'x'", "metric = 1",
    "params.lr = null", "params.lr = true", "params.lr = 'a' COLLATE NOCASE", "params.lr || 'x' = 'a'",
    "\u00a0metrics.loss < 1", "metrics.loss\t<\n1", "metrics.loss < 1\u0000",
)  # fmt: skip

NEWER_FILTERS = (
    "tags.team IS NULL", "tags.team IS NOT NULL", "params.opt is null", "params.opt is not null",
    "tags.none IS NULL", "metrics.loss IS NULL", "run_name IS NULL", "dataset.name IS NULL",
    "tags.team IS NULL AND params.lr = '1e-3'", "tags.team IS", "tags.team IS NOT", "tags.team NOT NULL",
    "tags.team = NULL", "dataset.name NOT IN ('wine')", "dataset.context IN ('train', 'test')",
    "dataset.context NOT IN ('train')", "dataset.digest not in ('1')", "tags.`a/b` IS NOT NULL",
    "params.`with space` IS NULL", "end_time IS NULL", "tags.team IS NULL IS NULL",
)  # fmt: skip

ORDERS = (
    [], ["metrics.loss"], ["metrics.loss ASC"], ["metrics.loss DESC"], ["metrics.loss desc"],
    ["metrics.acc DESC"], ["metric.acc"], ["metrics.none"], ["metrics.`m/1` DESC"], ["params.lr"],
    ["params.lr DESC"], ["param.opt ASC"], ["params.none"], ["params.`with space`"], ["tags.team"],
    ["tags.team DESC"], ["tags.`mlflow.runName`"], ["tags.mlflow.runName DESC"], ["run_name"],
    ["attributes.run_name DESC"], ["run.run_name"], ["status"], ["status DESC", "run_name"], ["user_id DESC"],
    ["start_time"], ["start_time DESC"], ["attributes.start_time ASC"], ["created DESC"], ["Created"],
    ["end_time"], ["end_time DESC"], ["artifact_uri"], ["run_id"], ["run_id DESC"],
    ["params.opt", "metrics.loss DESC"], ["params.opt DESC", "tags.team", "metrics.acc"],
    ["start_time ASC", "run_name DESC"], ["metrics.loss", "metrics.loss DESC"], ["metrics.loss", "metrics.loss"],
    ["metrics.loss", "metric.loss"], ["start_time", "attributes.start_time DESC"], ["start_time", "created"],
    [""], [" "], ["metrics.loss ASCC"], ["metrics.loss ASC DESC"], ["metrics.loss, metrics.acc"],
    ["metrics.loss NULLS LAST"], ["dataset.name"], ["nothing"], ["experiment_id"], ["lifecycle_stage"],
    ["`run name`"], ["Run Name"], ["metrics"], ["metrics."], ["'metrics'.loss"], ["\"start_time\" DESC"],
    ["`start_time`"], ["foo.bar"], ["1"], ["DESC"], ["metrics.loss;"], ["metrics.m/1"], ["Metrics.loss"],
    ["metrics.loss  DESC"], ["metrics.loss\tDESC"], ["params.größe"], ["tags.größe DESC"],
)  # fmt: skip


@CORPUS.scenario()
def filters(s: Script) -> None:
    s.experiment()
    populate(s)
    s.each("filter", FILTERS, lambda step, text: s.post(step, SEARCH, {**IDS, "filter": text}))


@CORPUS.scenario(since=NEWER)
def newer_filters(s: Script) -> None:
    s.experiment()
    populate(s)
    s.each("filter", NEWER_FILTERS, lambda step, text: s.post(step, SEARCH, {**IDS, "filter": text}))


@CORPUS.scenario()
def orders(s: Script) -> None:
    s.experiment()
    populate(s)

    def ordered(step: str, order: list[str]) -> None:
        # Ids are random, and differ on each side: what is in their order cannot be compared.
        open_order = ("runs",) if order and order[0].startswith(("run_id", "artifact_uri")) else ()
        s.post(step, SEARCH, {**IDS, "order_by": order}, unordered=open_order)

    s.each("order", ORDERS, ordered)


@CORPUS.scenario()
def order_is_a_text(s: Script) -> None:
    s.experiment()
    s.run()
    for step, value in (
        ("text", "metrics.loss"),
        ("null", None),
        ("number", 5),
        ("object", {"a": 1}),
        ("number in list", [5]),
        ("null in list", [None]),
        ("list in list", [["run_id"]]),
    ):
        s.post(step, SEARCH, {**IDS, "order_by": value})
        s.post(f"filter is a {step}", SEARCH, {**IDS, "filter": value})


@CORPUS.scenario()
def pages(s: Script) -> None:
    s.experiment()
    for number in range(7):
        s.run(f"r{number}", start_time=1700000000000 + number)
    open_token = {"loose": ("body.next_page_token",)}
    three = {**IDS, "max_results": 3}
    s.post("first", SEARCH, three, save={"two": "next_page_token"}, **open_token)
    s.post("second", SEARCH, {**three, "page_token": "{two}"}, save={"three": "next_page_token"}, **open_token)
    s.post("third", SEARCH, {**three, "page_token": "{three}"})
    s.post("second again", SEARCH, {**three, "page_token": "{two}"}, **open_token)
    s.post("second of other size", SEARCH, {**IDS, "max_results": 2, "page_token": "{two}"}, **open_token)
    s.post("exactly all", SEARCH, {**IDS, "max_results": 7})
    s.post("one less", SEARCH, {**IDS, "max_results": 6}, **open_token)
    for step, value in (
        ("0", 0), ("1", 1), ("negative", -1), ("50000", 50000), ("50001", 50001), ("int32 over", 2147483648),
        ("text", "3"), ("word", "x"), ("fraction", 1.5), ("whole float", 2.0), ("null", None), ("bool", True),
        ("list", [3]), ("empty", ""),
    ):  # fmt: skip
        s.post(f"size {step}", SEARCH, {**IDS, "max_results": value}, **open_token)
    for step, value in (
        ("empty", ""), ("null", None), ("number", 5), ("no base64", "!!"), ("no json", "bm9wZQ=="),
        ("of mlflow", "eyJvZmZzZXQiOiAyfQ=="), ("compact", "eyJvZmZzZXQiOjJ9"), ("past the end", "eyJvZmZzZXQiOiA1MDB9"),
        ("offset 0", "eyJvZmZzZXQiOiAwfQ=="), ("offset text", "eyJvZmZzZXQiOiAiMiJ9"), ("offset word", "eyJvZmZzZXQiOiAieCJ9"),
        ("offset negative", "eyJvZmZzZXQiOiAtMX0="), ("offset fraction", "eyJvZmZzZXQiOiAxLjV9"), ("list", "WzFd"),
        ("no offset", "e30="), ("no padding", "eyJvZmZzZXQiOiAyfQ"), ("url alphabet", "eyJvZmZzZXQiOiAyfQ__"),
    ):  # fmt: skip
        s.post(f"token {step}", SEARCH, {**three, "page_token": value}, **open_token)


@CORPUS.scenario()
def experiments_and_views(s: Script) -> None:
    s.experiment()
    s.experiment("other", "{u} other")
    s.run("a", start_time=1)
    s.run("b", start_time=2)
    s.run("c", exp="other", start_time=3)
    s.post("b deleted", "runs/delete", {"run_id": "{b}"})
    both = ["{exp}", "{other}"]
    for step, body in (
        ("both", {"experiment_ids": both}),
        ("twice the same", {"experiment_ids": ["{exp}", "{exp}"]}),
        ("one unknown", {"experiment_ids": ["{exp}", "99999"]}),
        ("unknown", {"experiment_ids": ["99999"]}),
        ("word", {"experiment_ids": ["abc"]}),
        ("word and one", {"experiment_ids": ["abc", "{exp}"]}),
        ("empty id", {"experiment_ids": [""]}),
        ("null id", {"experiment_ids": [None]}),
        ("number", {"experiment_ids": [99999]}),
        ("leading zero", {"experiment_ids": ["0{exp}"]}),
        ("beyond int64", {"experiment_ids": ["9223372036854775808"]}),
        ("beyond int32", {"experiment_ids": ["2147483648"]}),
        ("empty list", {"experiment_ids": []}),
        ("absent", {}),
        ("null", {"experiment_ids": None}),
        ("text", {"experiment_ids": "{exp}"}),
        ("camel case", {"experimentIds": ["{exp}"]}),
        ("bad filter in no experiment", {"experiment_ids": [], "filter": "x"}),
        ("active", {"experiment_ids": both, "run_view_type": "ACTIVE_ONLY"}),
        ("deleted", {"experiment_ids": both, "run_view_type": "DELETED_ONLY"}),
        ("all", {"experiment_ids": both, "run_view_type": "ALL"}),
        ("view 1", {"experiment_ids": both, "run_view_type": 1}),
        ("view 2", {"experiment_ids": both, "run_view_type": 2}),
        ("view 3", {"experiment_ids": both, "run_view_type": 3}),
        ("view 0", {"experiment_ids": both, "run_view_type": 0}),
        ("view 9", {"experiment_ids": both, "run_view_type": 9}),
        ("view as text of a number", {"experiment_ids": both, "run_view_type": "2"}),
        ("view unknown", {"experiment_ids": both, "run_view_type": "SOME"}),
        ("view in small letters", {"experiment_ids": both, "run_view_type": "all"}),
        ("view null", {"experiment_ids": both, "run_view_type": None}),
        ("view list", {"experiment_ids": both, "run_view_type": ["ALL"]}),
        ("view empty", {"experiment_ids": both, "run_view_type": ""}),
        ("view in camel case", {"experiment_ids": both, "runViewType": "ALL"}),
        ("unknown field", {"experiment_ids": both, "colour": "red"}),
    ):
        s.post(step, SEARCH, body)
    s.get("by GET", SEARCH, {"experiment_ids": "{exp}"})
    s.post("below ajax", "/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": both})
