"""System metrics: switched on by run or for all, sampled often, named by node, and resumed."""

from __future__ import annotations

import mlflow

from asking import eventually
from checks import equal
from session import Session

INTERVAL = 0.2

KEYS = {
    "cpu_utilization_percentage",
    "system_memory_usage_megabytes",
    "system_memory_usage_percentage",
    "disk_usage_percentage",
    "disk_usage_megabytes",
    "disk_available_megabytes",
    "network_receive_megabytes",
    "network_transmit_megabytes",
}


def run(session: Session) -> None:
    """Lets runs measure the machine that they run on."""
    with session.check("this environment has psutil, without which nothing is measured"):
        import psutil

        equal(hasattr(psutil, "cpu_percent"), True, "is the real one")

    mlflow.set_system_metrics_sampling_interval(INTERVAL)
    mlflow.set_system_metrics_samples_before_logging(1)
    try:
        _by_run(session)
        _by_node(session)
        _for_all(session)
    finally:
        mlflow.disable_system_metrics_logging()
        mlflow.set_system_metrics_sampling_interval(None)
        mlflow.set_system_metrics_samples_before_logging(None)
        mlflow.set_system_metrics_node_id(None)


def _by_run(session: Session) -> None:
    with session.check("log_system_metrics=True logs use of processor, memory, disk and network"):
        with mlflow.start_run(log_system_metrics=True) as active:
            run_id = active.info.run_id
            _points(session, run_id, "system/cpu_utilization_percentage", 3)
            mlflow.log_metric("own", 1.0)
        metrics = mlflow.get_run(run_id).data.metrics
        equal(metrics.pop("own"), 1.0, "metric of the run's own")
        # A machine with a graphics card has more.
        missing = {f"system/{key}" for key in KEYS} - metrics.keys()
        equal(missing, set(), "missing metrics")
        equal({key for key in metrics if not key.startswith("system/")}, set(), "other metrics")
        for key, value in metrics.items():
            if key.endswith("percentage") and not 0 <= value <= 100:
                raise AssertionError(f"{key} is {value}")
        equal(metrics["system/system_memory_usage_megabytes"] > 0, True, "memory is used")

    with session.check("their steps count up from 0, one for each time"):
        points = session.client.get_metric_history(run_id, "system/cpu_utilization_percentage")
        steps = sorted(point.step for point in points)
        equal(steps, list(range(len(steps))), "steps")
        times = [point.timestamp for point in sorted(points, key=lambda point: point.step)]
        equal(times, sorted(times), "times in the order of the steps")

    with session.check("a run that is resumed counts on"):
        before = len(steps)
        with mlflow.start_run(run_id=run_id, log_system_metrics=True):
            points = _points(session, run_id, "system/cpu_utilization_percentage", before + 2)
        found = sorted(point.step for point in points)
        # 2.17 asks one metric for its last step; a batch that was cut off by the end lacks some.
        equal(found[:before], steps, "steps of before")
        equal(found[before] >= before, True, f"steps {found} go on after {before - 1}")
        equal(len(set(found)), len(found), "no step twice")


def _by_node(session: Session) -> None:
    with session.check("metrics of a node have its name in theirs"):
        mlflow.set_system_metrics_node_id("node-7")
        try:
            with mlflow.start_run(log_system_metrics=True) as active:
                key = "system/node-7/disk_available_megabytes"
                points = _points(session, active.info.run_id, key, 1)
        finally:
            mlflow.set_system_metrics_node_id(None)
        equal(points[0].value > 0, True, "space on the disk")


def _for_all(session: Session) -> None:
    with session.check("enable_system_metrics_logging does it for every run that does not say no"):
        mlflow.enable_system_metrics_logging()
        try:
            with mlflow.start_run() as measured:
                _points(session, measured.info.run_id, "system/disk_usage_percentage", 1)
            with mlflow.start_run(log_system_metrics=False) as silent:
                equal(_monitored(silent.info.run_id), False, "the silent run is measured")
        finally:
            mlflow.disable_system_metrics_logging()
        with mlflow.start_run() as after:
            equal(_monitored(after.info.run_id), False, "a run after the end is measured")
        for quiet in (silent, after):
            equal(mlflow.get_run(quiet.info.run_id).data.metrics, {}, "metrics of a silent run")


def _points(session: Session, run_id: str, key: str, count: int) -> list:
    def found() -> list:
        points = session.client.get_metric_history(run_id, key)
        return points if len(points) >= count else []

    return eventually(found, f"{count} points of {key}")


def _monitored(run_id: str) -> bool:
    """Whether the client measures for a run: no wait would show that it does not."""
    from mlflow.tracking import fluent

    return run_id in fluent.run_id_to_system_metrics_monitor
