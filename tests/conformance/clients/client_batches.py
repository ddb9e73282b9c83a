"""`MlflowClient.log_batch` beyond the size of one request, and whole histories read back."""

from __future__ import annotations

from typing import Any

from mlflow.entities import Metric, Param, RunTag

from asking import refused
from checks import equal, same_entries
from session import MLFLOW_3, Session

TIME = 1_700_000_000_000


def run(session: Session) -> None:
    """Writes more than one request holds, bad batches, and histories of several runs."""
    _many(session)
    _bad(session)
    _history(session)
    _histories(session)
    if MLFLOW_3:
        _intervals(session)


def _many(session: Session) -> None:
    client = session.client
    with session.check("log_batch of 3,500 metrics, 250 parameters and 230 tags arrives whole"):
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_batch(
            run_id,
            [Metric("loss", step / 7, TIME + step, step) for step in range(3_000)]
            + [Metric(f"m{number:03}", float(number), TIME, 0) for number in range(500)],
            [Param(f"p{number:03}", f"v{number}") for number in range(250)],
            [RunTag(f"t{number:03}", f"w{number}") for number in range(230)],
        )
        data = client.get_run(run_id).data
        metrics = {f"m{number:03}": float(number) for number in range(500)}
        same_entries(data.metrics, metrics | {"loss": 2_999 / 7}, "metrics")
        params = {f"p{number:03}": f"v{number}" for number in range(250)}
        same_entries(data.params, params, "parameters")
        tags = {key: value for key, value in data.tags.items() if not key.startswith("mlflow.")}
        same_entries(tags, {f"t{number:03}": f"w{number}" for number in range(230)}, "tags")

    with session.check("its history has every point, in order of time"):
        points = client.get_metric_history(run_id, "loss")
        found = [(point.timestamp, point.step, point.value) for point in points]
        equal(found, [(TIME + step, step, step / 7) for step in range(3_000)], "points")

    with session.check("a request of more than 1,000 metrics or 100 parameters is refused"):
        metric = {"key": "m", "value": 1, "timestamp": 1, "step": 0}
        for body in (
            {"metrics": [metric | {"step": step} for step in range(1_001)]},
            {"params": [{"key": f"q{number}", "value": "v"} for number in range(101)]},
            {"tags": [{"key": f"u{number}", "value": "v"} for number in range(101)]},
        ):
            status, answer = session.post(
                "/api/2.0/mlflow/runs/log-batch", {"run_id": run_id} | body
            )
            (what,) = body
            expected = (what, 400, "INVALID_PARAMETER_VALUE")
            equal((what, status, answer.get("error_code")), expected)

    with session.check("a batch of nothing changes nothing"):
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_batch(run_id)
        status, answer = session.post("/api/2.0/mlflow/runs/log-batch", {"run_id": run_id})
        equal((status, answer), (200, {}), "request of nothing")
        equal(client.get_run(run_id).data.metrics, {}, "metrics")


def _bad(session: Session) -> None:
    client = session.client
    run_id = client.create_run(session.experiment_id).info.run_id
    with session.check("a parameter twice in a batch is refused if its values differ"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.log_batch(run_id, params=[Param("p", "1"), Param("p", "2")])
        equal(client.get_run(run_id).data.params, {}, "parameters")

    with session.check("a point that is logged twice is stored once"):
        point = Metric("m", 1.0, TIME, 1)
        client.log_batch(run_id, [point, point, Metric("m", 2.0, TIME, 1)])
        client.log_batch(run_id, [point])
        points = client.get_metric_history(run_id, "m")
        equal(sorted(entry.value for entry in points), [1.0, 2.0], "values")

    with session.check("the last of a tag twice in a batch stays"):
        client.log_batch(run_id, tags=[RunTag("t", "1"), RunTag("t", "2")])
        equal(client.get_run(run_id).data.tags["t"], "2", "tag")

    with session.check("log_batch is refused for runs that are deleted or do not exist"):
        with refused("RESOURCE_DOES_NOT_EXIST"):
            client.log_batch("0" * 32, [Metric("m", 1.0, TIME, 0)])
        client.delete_run(run_id)
        with refused("INVALID_PARAMETER_VALUE"):
            client.log_batch(run_id, [Metric("m", 1.0, TIME, 5)])


def _history(session: Session) -> None:
    client = session.client
    with session.check("a history is ordered by time, then step, then value, and ties to its key"):
        run_id = client.create_run(session.experiment_id).info.run_id
        points = [(3, 1, 0.5), (1, 9, 0.25), (3, 0, 2.0), (3, 1, -1.0), (2, -4, 1.0)]
        client.log_batch(
            run_id,
            [Metric("m", value, TIME + time, step) for time, step, value in points]
            + [Metric("n", 7.0, TIME, 0), Metric("m/n", 8.0, TIME, 0)],
        )
        found = client.get_metric_history(run_id, "m")
        expected = [(TIME + time, step, value) for time, step, value in sorted(points)]
        equal([(p.timestamp, p.step, p.value) for p in found], expected, "points")
        equal({point.key for point in found}, {"m"}, "keys")
        (only,) = client.get_metric_history(run_id, "m/n")
        equal((only.key, only.value), ("m/n", 8.0), "key with a slash")
        equal(list(client.get_metric_history(run_id, "none")), [], "key that is not there")


def _runs_with_histories(session: Session) -> list[str]:
    runs = []
    for offset in range(3):
        run_id = session.client.create_run(session.experiment_id).info.run_id
        session.client.log_batch(
            run_id,
            [Metric("m", offset + step / 100, TIME + step, step) for step in range(0, 300, 3)],
        )
        runs.append(run_id)
    return sorted(runs)


def _histories(session: Session) -> None:
    runs = _runs_with_histories(session)
    route = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"

    def bulk(**query: Any) -> tuple[int, Any]:
        return session.get(route, **query)

    with session.check("histories of several runs come in one answer, run by run"):
        status, answer = bulk(run_id=runs, metric_key="m")
        equal(status, 200, f"status of {str(answer)[:200]}")
        expected = [
            (run_id, point.timestamp, point.step, point.value)
            for run_id in runs
            for point in session.client.get_metric_history(run_id, "m")
        ]
        found = [
            (entry["run_id"], int(entry["timestamp"]), int(entry["step"]), entry["value"])
            for entry in answer["metrics"]
        ]
        equal(found, expected, "points")

    with session.check("such an answer keeps to max_results, and needs runs and a key"):
        status, answer = bulk(run_id=runs, metric_key="m", max_results=150)
        equal((status, len(answer["metrics"])), (200, 150), "points")
        for query in (
            {"metric_key": "m"},
            {"run_id": runs},
            {"run_id": ["x"] * 101, "metric_key": "m"},
        ):
            status, answer = bulk(**query)
            equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), str(query)[:60])


def _intervals(session: Session) -> None:
    runs = _runs_with_histories(session)
    route = "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval"

    def interval(**query: Any) -> tuple[int, Any]:
        return session.get(route, run_ids=runs, metric_key="m", **query)

    with session.check("thinned histories keep the first and last steps, the same for all runs"):
        status, answer = interval(max_results=10)
        equal(status, 200, f"status of {str(answer)[:200]}")
        steps = {run_id: [] for run_id in runs}
        for entry in answer["metrics"]:
            steps[entry["run_id"]].append(int(entry["step"]))
        first = steps[runs[0]]
        equal(steps, dict.fromkeys(runs, first), "steps of the runs")
        equal((first[0], first[-1]), (0, 297), "first and last")
        equal(10 <= len(first) <= 12, True, f"{len(first)} steps when 10 were asked for")

    with session.check("thinned histories keep to the steps that are asked for"):
        status, answer = interval(max_results=2_500, start_step=30, end_step=60)
        found = sorted({int(entry["step"]) for entry in answer["metrics"]})
        equal((status, found), (200, list(range(30, 61, 3))), "steps")
        for query in ({"start_step": 5}, {"start_step": 9, "end_step": 1}, {"max_results": 2_501}):
            status, answer = interval(**query)
            equal((status, answer["error_code"]), (400, "INVALID_PARAMETER_VALUE"), str(query))
