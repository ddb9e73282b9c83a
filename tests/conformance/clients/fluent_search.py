"""`mlflow.search_runs`: the data frame with its columns and types, lists, filters and orders."""

from __future__ import annotations

import mlflow
import numpy
import pandas
from mlflow.entities import Metric, Param, RunTag, ViewType

from asking import refused
from checks import equal
from session import MLFLOW_3, Session

START = 1_700_000_000_000

RUNS = (
    # name, parameters, metrics, tags, status
    ("a", {"lr": "0.1", "depth": "3"}, {"loss": 0.5}, {"team": "red"}, "FINISHED"),
    ("b", {"lr": "0.2"}, {"loss": 0.25, "acc": 0.9}, {"team": "blue"}, "FAILED"),
    ("c", {}, {"acc": float("nan")}, {}, "RUNNING"),
    ("d", {"depth": "5"}, {"loss": -1.0}, {"team": "red", "odd name/1": "x"}, "KILLED"),
)

# The grammar of MLflow 2 does not have these.
NULL_FILTERS = (("params.lr IS NULL", "cd"), ("tags.team IS NOT NULL", "abd")) if MLFLOW_3 else ()


def run(session: Session) -> None:
    """Makes known runs, then asks for them as a frame and as a list."""
    runs = {name: _made(session, number) for number, (name, *_) in enumerate(RUNS)}
    names = {run_id: name for name, run_id in runs.items()}
    _frame(session, runs)
    _chosen(session, names)
    _where(session, names)
    _empty(session)


def _made(session: Session, number: int) -> str:
    name, params, metrics, tags, status = RUNS[number]
    client = session.client
    created = client.create_run(session.experiment_id, START + number * 1_000, run_name=name)
    run_id = created.info.run_id
    client.log_batch(
        run_id,
        [Metric(key, value, START, 0) for key, value in metrics.items()],
        [Param(key, value) for key, value in params.items()],
        [RunTag(key, value) for key, value in tags.items()],
    )
    if status != "RUNNING":
        client.set_terminated(run_id, status, START + number * 1_000 + 500)
    return run_id


def _frame(session: Session, runs: dict[str, str]) -> None:
    with session.check("the frame has a column for everything that any run has"):
        frame = mlflow.search_runs(order_by=["start_time ASC"])
        expected = {"run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"}
        expected |= {"metrics.loss", "metrics.acc", "params.lr", "params.depth"}
        expected |= {"tags.team", "tags.odd name/1", "tags.mlflow.runName"}
        equal(set(frame.columns), expected, "columns")
        equal(frame["run_id"].tolist(), list(runs.values()), "runs")
        equal(set(frame["experiment_id"]), {session.experiment_id}, "experiments")
        equal(frame["status"].tolist(), [status for *_, status in RUNS], "statuses")
        equal(frame["tags.mlflow.runName"].tolist(), list("abcd"), "names")

    with session.check("what a run does not have is NaN or None, and NaN is NaN"):
        _same(frame["metrics.loss"], [0.5, 0.25, numpy.nan, -1.0])
        _same(frame["metrics.acc"], [numpy.nan, 0.9, numpy.nan, numpy.nan])
        equal(frame["metrics.loss"].dtype, numpy.dtype("float64"), "type of metrics")
        equal(_plain(frame["params.lr"]), ["0.1", "0.2", None, None], "parameters")
        equal(_plain(frame["params.depth"]), ["3", None, None, "5"], "parameters")
        equal(_plain(frame["tags.odd name/1"]), [None, None, None, "x"], "tags")

    with session.check("times are in UTC to the millisecond, and a run that goes on has no end"):
        starts = [time.timestamp() * 1_000 for time in frame["start_time"]]
        equal([round(start) for start in starts], [START + n * 1_000 for n in range(4)], "starts")
        equal(str(frame["start_time"].dtype.tz), "UTC", "time zone")
        ends = frame["end_time"]
        equal(ends.isna().tolist(), [False, False, True, False], "without an end")
        equal(round(ends[3].timestamp() * 1_000), START + 3_500, "end")


def _chosen(session: Session, names: dict[str, str]) -> None:
    def search(filter_string: str = "", **options) -> list[str]:
        options = {"order_by": ["start_time ASC"]} | options
        found = mlflow.search_runs(filter_string=filter_string, output_format="list", **options)
        return [names[entry.info.run_id] for entry in found]

    with session.check("filters on metrics, parameters, tags, attributes and times"):
        for filter_string, expected in (
            ("metrics.loss < 0.5", "bd"),
            ("metrics.acc > 0", "b"),
            ("params.lr = '0.1'", "a"),
            ("params.depth != '3'", "d"),
            ("tags.team = 'red' AND metrics.loss > 0", "a"),
            ("tags.`odd name/1` = 'x'", "d"),
            ("status = 'RUNNING'", "c"),
            ("attributes.status != 'FINISHED' AND metrics.loss < 1", "bd"),
            ("run_name LIKE '%'", "abcd"),
            ("params.lr LIKE '0.%' AND run_name ILIKE 'B'", "b"),
            (f"start_time > {START + 1_000}", "cd"),
            (f"end_time <= {START + 1_500}", "ab"),
            *NULL_FILTERS,
        ):
            equal((filter_string, search(filter_string)), (filter_string, list(expected)))

    with session.check("orders by metric, parameter, attribute and more than one of them"):
        for order, expected in (
            (["metrics.loss ASC"], "dbac"),
            (["metrics.loss DESC"], "abdc"),
            (["tags.team ASC", "metrics.loss DESC"], "badc"),
            (["attributes.end_time DESC"], "dbac"),
            (["run_name DESC"], "dcba"),
        ):
            equal((order, search(order_by=order)), (order, list(expected)))

    with session.check("max_results keeps the first ones, as a frame and as a list"):
        equal(search(max_results=3), list("abc"), "list")
        frame = mlflow.search_runs(max_results=1, order_by=["metrics.loss ASC"])
        equal([names[run_id] for run_id in frame["run_id"]], ["d"], "frame")
        # Columns come from the runs that were found, not from all of the experiment.
        equal("params.lr" in frame.columns, False, "column of another run")

    with session.check("deleted runs are found when asked for"):
        gone = next(run_id for run_id, name in names.items() if name == "b")
        mlflow.delete_run(gone)
        equal(search(), list("acd"), "active")
        equal(search(run_view_type=ViewType.DELETED_ONLY), ["b"], "deleted")
        equal(search(run_view_type=ViewType.ALL), list("abcd"), "all")
        session.client.restore_run(gone)
        equal(search(), list("abcd"), "restored")

    with session.check("a filter that cannot be read is refused"):
        for bad in ("metrics.loss <", "loss.metrics = 1", "params.lr = 0.1", "status > 'A'"):
            with refused("INVALID_PARAMETER_VALUE"):
                search(bad)


def _where(session: Session, names: dict[str, str]) -> None:
    other = session.client.create_experiment(f"{session.experiment_name} other")
    elsewhere = session.client.create_run(other, START + 9_000, run_name="e").info.run_id
    names = names | {elsewhere: "e"}

    def search(**options) -> list[str]:
        frame = mlflow.search_runs(order_by=["start_time ASC"], **options)
        return [names[run_id] for run_id in frame["run_id"] if run_id in names]

    with session.check("experiments are chosen by id, by name, all, or the active one"):
        equal(search(), list("abcd"), "the active one")
        equal(search(experiment_ids=[other]), ["e"], "by id")
        equal(search(experiment_ids=[session.experiment_id, other]), list("abcde"), "by two ids")
        name = f"{session.experiment_name} other"
        equal(search(experiment_names=[name]), ["e"], "by name")
        equal(search(experiment_names=[name, "no such experiment"]), ["e"], "by two names")
        everywhere = search(
            search_all_experiments=True, filter_string=f"start_time <= {START + 9_000}"
        )
        equal([name for name in everywhere if name in "abcde"], list("abcde"), "all experiments")
        with refused("INVALID_PARAMETER_VALUE"):
            search(experiment_ids=[other], experiment_names=[name])


def _empty(session: Session) -> None:
    with session.check("a search that finds nothing is an empty frame with its columns"):
        frame = mlflow.search_runs(filter_string="tags.team = 'nobody'")
        equal(len(frame), 0, "rows")
        expected = ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
        equal(list(frame.columns), expected, "columns")
        equal(mlflow.search_runs(experiment_names=["no such"], output_format="list"), [], "list")


def _plain(column: pandas.Series) -> list:
    return [None if pandas.isna(value) else value for value in column]


def _same(column: pandas.Series, expected: list[float]) -> None:
    if not numpy.array_equal(column.to_numpy(), numpy.array(expected), equal_nan=True):
        raise AssertionError(f"expected {expected}, found {column.tolist()}")
