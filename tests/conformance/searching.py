"""Search: filters, orders and pages over runs whose answers are known, and over experiments."""

from __future__ import annotations

import math

import mlflow
import numpy
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag, ViewType

from checks import equal
from session import Session

RUNS = (
    # name, loss, learning rate, team, status
    ("alpha", 0.5, "0.1", "red", "FINISHED"),
    ("beta", 0.25, "0.01", "blue", "FINISHED"),
    ("gamma", math.nan, "0.1", "Red", "FAILED"),
    ("delta", None, "1e-3", None, "FINISHED"),
    ("epsilon", -2.0, "0.2", "blue_1", "KILLED"),
    ("zeta", 3e10, None, "100%", "FINISHED"),
)

FILTERS = (
    ("metrics.loss < 1", {"alpha", "beta", "epsilon"}),
    ("metrics.loss <= 0.25 and params.lr = '0.01'", {"beta"}),
    ("metrics.`loss` >= 3e10", {"zeta"}),
    ("params.lr != '0.1'", {"beta", "delta", "epsilon"}),
    ("params.lr LIKE '0.%'", {"alpha", "beta", "gamma", "epsilon"}),
    ("params.lr = '1e-3'", {"delta"}),
    ("tags.team = 'red'", {"alpha"}),
    ("tags.team ILIKE 'RED'", {"alpha", "gamma"}),
    ('tags."team" = "blue"', {"beta"}),
    ("tags.team != 'blue'", {"alpha", "gamma", "epsilon", "zeta"}),
    ("attributes.status = 'FAILED'", {"gamma"}),
    ("status != 'FINISHED'", {"gamma", "epsilon"}),
    ("run_name LIKE '%eta'", {"beta", "zeta"}),
    ("attributes.run_name = 'alpha'", {"alpha"}),
    ("attributes.start_time >= 1700000000004", {"epsilon", "zeta"}),
    ("start_time < 1700000000002", {"alpha", "beta"}),
    ("dataset.name = 'plain' and dataset.context = 'train'", {"beta"}),
    ("tags.team = 'nobody'", set()),
)

ORDERS = (
    (["metrics.loss ASC"], ["epsilon", "beta", "alpha", "zeta", "gamma", "delta"]),
    (["metrics.loss DESC"], ["zeta", "alpha", "beta", "epsilon", "gamma", "delta"]),
    (["attributes.start_time ASC"], [name for name, *_ in RUNS]),
    ([], [name for name, *_ in reversed(RUNS)]),
    (["params.lr DESC", "start_time"], ["delta", "epsilon", "alpha", "gamma", "beta", "zeta"]),
    (["status", "run_name DESC"], ["gamma", "zeta", "delta", "beta", "alpha", "epsilon"]),
)


def run(session: Session) -> None:
    """Makes known runs in an experiment of their own and asks for them in many ways."""
    experiment_id = session.client.create_experiment(f"{session.experiment_name} search")
    names: dict[str, str] = {}
    with session.check("runs are created with given times, values and statuses"):
        for offset, (name, loss, rate, team, status) in enumerate(RUNS):
            created = session.client.create_run(
                experiment_id, start_time=1_700_000_000_000 + offset, run_name=name
            )
            names[created.info.run_id] = name
            session.client.log_batch(
                created.info.run_id,
                [] if loss is None else [Metric("loss", loss, 1, 0)],
                [] if rate is None else [Param("lr", rate)],
                [] if team is None else [RunTag("team", team)],
            )
            if name == "beta":
                dataset = mlflow.data.from_numpy(numpy.arange(4), name="plain")
                tags = [InputTag("mlflow.data.context", "train")]
                session.client.log_inputs(
                    created.info.run_id, [DatasetInput(dataset._to_mlflow_entity(), tags)]
                )
            session.client.set_terminated(created.info.run_id, status, 1_700_000_001_000)

    def search(filter_string: str = "", **options) -> list[str]:
        page = session.client.search_runs([experiment_id], filter_string, **options)
        return [names[found.info.run_id] for found in page]

    for filter_string, expected in FILTERS:
        with session.check(f"search runs: {filter_string}"):
            equal(set(search(filter_string)), expected, "runs")
    with session.check("search runs: run_id IN (…)"):
        chosen = [run_id for run_id, name in names.items() if name in ("alpha", "zeta")]
        listed = ", ".join(f"'{run_id}'" for run_id in chosen)
        equal(set(search(f"attributes.run_id IN ({listed})")), {"alpha", "zeta"}, "runs")
    for order, expected in ORDERS:
        with session.check(f"search runs in order: {', '.join(order) or 'newest first'}"):
            equal(search(order_by=order), expected, "runs")

    with session.check("search runs page by page, each run once and in order"):
        found: list[str] = []
        token = None
        while True:
            page = session.client.search_runs(
                [experiment_id], order_by=["metrics.loss ASC"], max_results=2, page_token=token
            )
            found += [names[entry.info.run_id] for entry in page]
            token = page.token
            if not token:
                break
        equal(found, ORDERS[0][1], "runs")

    with session.check("search runs: a bad filter is refused with the reason"):
        for bad in (
            "metrics.loss >",
            "loss ! 3",
            "params.lr > '3' or params.lr = '1'",
            "metrics.loss = 'a'",
        ):
            status, answer = session.post(
                "/api/2.0/mlflow/runs/search", {"experiment_ids": [experiment_id], "filter": bad}
            )
            equal((bad, status, answer.get("error_code")), (bad, 400, "INVALID_PARAMETER_VALUE"))

    with session.check("search runs: active, deleted and all"):
        gone = next(run_id for run_id, name in names.items() if name == "delta")
        session.client.delete_run(gone)
        equal("delta" in search(), False, "deleted run among the active ones")
        equal(search(run_view_type=ViewType.DELETED_ONLY), ["delta"], "deleted runs")
        equal(len(search(run_view_type=ViewType.ALL)), len(RUNS), "count of all runs")
        session.client.restore_run(gone)
        equal("delta" in search(), True, "restored run among the active ones")
