"""Search of logged models: filters, orders, pages, data sets, lists and frames."""

from __future__ import annotations

import mlflow
from mlflow.entities import Metric

from asking import pages, refused
from checks import equal
from session import Session

MODELS = (
    # name, type, parameters, tags, accuracy on the data sets "train" and "test"
    ("tree", "Tree", {"depth": "3"}, {"team": "red"}, (0.9, 0.5)),
    ("tree", "Tree", {"depth": "5"}, {"team": "blue"}, (0.95, 0.4)),
    ("forest", "Tree", {"depth": "3", "trees": "10"}, {"team": "red"}, (0.8, 0.6)),
    ("line", "Linear", {}, {}, (None, 0.3)),
    ("empty", "Linear", {"depth": "3"}, {"team": "Red"}, (None, None)),
)

FILTERS = (
    ("", {0, 1, 2, 3, 4}),
    ("name = 'tree'", {0, 1}),
    ("name != 'tree'", {2, 3, 4}),
    ("name LIKE '%re%'", {0, 1, 2}),
    ("name ILIKE 'TREE'", {0, 1}),
    ("attributes.model_type = 'Linear'", {3, 4}),
    ("params.depth = '3'", {0, 2, 4}),
    ("params.depth = '3' AND params.trees = '10'", {2}),
    ("tags.team = 'red'", {0, 2}),
    ("tags.team ILIKE 'red' AND params.depth = '3'", {0, 2, 4}),
    ("metrics.acc > 0.85", {0, 1}),
    ("metrics.acc <= 0.4", {1, 3}),
    ("metrics.acc > 0.5 AND tags.team = 'red' AND name = 'forest'", {2}),
    ("name = 'nothing'", set()),
)


def run(session: Session) -> None:
    """Makes known models, then asks for them in every way."""
    ids = [_made(session, number) for number in range(len(MODELS))]
    _filters(session, ids)
    _data(session, ids)
    _orders(session, ids)
    _pages(session, ids)
    _frames(session, ids)


def _made(session: Session, number: int) -> str:
    name, kind, params, tags, values = MODELS[number]
    client = session.client
    model_id = client.create_logged_model(
        session.experiment_id, name=name, params=params, tags=tags, model_type=kind
    ).model_id
    run_id = client.create_run(session.experiment_id).info.run_id
    for step, (data, value) in enumerate(zip(("train", "test"), values, strict=True)):
        if value is not None:
            client.log_batch(
                run_id,
                [
                    Metric(
                        "acc",
                        value,
                        1_000,
                        step,
                        model_id=model_id,
                        dataset_name=data,
                        dataset_digest=f"{data} 1",
                    )
                ],
            )
    client.finalize_logged_model(model_id, "READY")
    return model_id


def _filters(session: Session, ids: list[str]) -> None:
    for filter_string, expected in FILTERS:
        with session.check(f"search models: {filter_string or 'all'}"):
            found = session.client.search_logged_models([session.experiment_id], filter_string)
            equal({ids.index(model.model_id) for model in found}, expected, "models")

    with session.check("search models: a bad filter is refused"):
        for bad in ("name >", "params.depth > '3'", "name = 'a' OR name = 'b'", "what.is = 'it'"):
            with refused("INVALID_PARAMETER_VALUE"):
                session.client.search_logged_models([session.experiment_id], bad)

    with session.check("search models: those of the experiments that are named, and no others"):
        other = session.client.create_experiment(f"{session.experiment_name} other")
        elsewhere = session.client.create_logged_model(other, name="tree").model_id
        found = session.client.search_logged_models([other], "name = 'tree'")
        equal([model.model_id for model in found], [elsewhere], "of the other")
        found = session.client.search_logged_models([session.experiment_id, other], "name = 'tree'")
        equal({model.model_id for model in found}, {*ids[:2], elsewhere}, "of both")


def _data(session: Session, ids: list[str]) -> None:
    def search(filter_string: str | None, *names: str) -> set[int]:
        found = session.client.search_logged_models(
            [session.experiment_id],
            filter_string,
            datasets=[{"dataset_name": name, "dataset_digest": f"{name} 1"} for name in names],
        )
        return {ids.index(model.model_id) for model in found}

    with session.check("search models: by metrics on the data sets that are named"):
        equal(search("metrics.acc > 0.5", "train"), {0, 1, 2}, "on train")
        equal(search("metrics.acc > 0.5", "test"), {2}, "on test")
        equal(search("metrics.acc < 0.45", "train", "test"), {1, 3}, "on either")
        equal(search(None, "train"), {0, 1, 2}, "with any metric on train")
        equal(search(None, "none"), set(), "on data that is not there")

    with session.check("search models: a data set without a name is refused"):
        status, answer = session.post(
            "/api/2.0/mlflow/logged-models/search",
            {
                "experiment_ids": [session.experiment_id],
                "datasets": [{"dataset_digest": "train 1"}],
            },
        )
        equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), "refusal")


def _orders(session: Session, ids: list[str]) -> None:
    def search(*order: dict) -> list[int]:
        found = session.client.search_logged_models([session.experiment_id], order_by=list(order))
        return [ids.index(model.model_id) for model in found]

    train = {"dataset_name": "train", "dataset_digest": "train 1"}
    test = {"dataset_name": "test", "dataset_digest": "test 1"}
    oldest = {"field_name": "creation_timestamp", "ascending": True}
    with session.check("models are ordered by attributes, and by metrics on one of the data sets"):
        by_name = search({"field_name": "name", "ascending": True}, oldest)
        equal([MODELS[n][0] for n in by_name], ["empty", "forest", "line", "tree", "tree"], "name")
        acc = {"field_name": "metrics.acc"}
        equal(search(acc | train | {"ascending": False})[:3], [1, 0, 2], "falling on train")
        equal(search(acc | test | {"ascending": True}), [3, 1, 0, 2, 4], "rising on test")
        equal(search(acc | test | {"ascending": False}), [2, 0, 1, 3, 4], "falling on test")

    with session.check("an order by what does not exist is refused"):
        for field in ("colour", "params.depth", "tags.team"):
            with refused("INVALID_PARAMETER_VALUE"):
                search({"field_name": field})


def _pages(session: Session, ids: list[str]) -> None:
    def found(size: int, filter_string: str = "") -> list[str]:
        entries = pages(
            lambda token: session.client.search_logged_models(
                [session.experiment_id],
                filter_string,
                max_results=size,
                order_by=[{"field_name": "name"}, {"field_name": "model_id"}],
                page_token=token,
            ),
            size,
        )
        return [model.model_id for model in entries]

    with session.check("pages of models hold every one once, in order"):
        whole = found(50)
        equal(sorted(whole), sorted(ids), "models in one page")
        for size in (1, 2, 4, 5):
            equal(found(size), whole, f"models in pages of {size}")
        expected = [model_id for model_id in whole if model_id in ids[:2]]
        equal(found(1, "name = 'tree'"), expected, "pages of a filter")

    with session.check("a token of another search is refused"):
        page = session.client.search_logged_models([session.experiment_id], max_results=1)
        with refused("INVALID_PARAMETER_VALUE"):
            session.client.search_logged_models(
                [session.experiment_id], "name = 'tree'", max_results=1, page_token=page.token
            )


def _frames(session: Session, ids: list[str]) -> None:
    with session.check("mlflow.search_logged_models gives a list, of as many as are asked for"):
        newest = [{"field_name": "creation_timestamp", "ascending": False}]
        found = mlflow.search_logged_models(output_format="list", order_by=newest)
        equal({model.model_id for model in found}, set(ids), "models of the active experiment")
        found = mlflow.search_logged_models(output_format="list", max_results=2)
        equal(len(found), 2, "models when two were asked for")

    with session.check("mlflow.search_logged_models gives a frame with a column for each field"):
        frame = mlflow.search_logged_models(filter_string="name = 'forest'")
        (row,) = frame.to_dict("records")
        equal((row["model_id"], row["name"], row["model_type"]), (ids[2], "forest", "Tree"))
        equal((str(row["status"]), row["params"]), ("READY", {"depth": "3", "trees": "10"}))
        values = sorted((m.dataset_name, m.value) for m in row["metrics"])
        equal(values, [("test", 0.6), ("train", 0.8)], "metrics")
