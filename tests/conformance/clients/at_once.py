"""Many at once: threads and processes that log, child runs, and races for one name."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from asking import history
from checks import equal
from session import MLFLOW_3, Session

THREADS = 8
STEPS = 40


def run(session: Session) -> None:
    """Starts threads and processes, and counts what they left behind."""
    _runs_of_threads(session)
    _run_of_many_threads(session)
    if MLFLOW_3:
        _fluent_threads(session)
    _children(session)
    _one_name(session)
    _processes(session)


def _runs_of_threads(session: Session) -> None:
    def work(number: int) -> str:
        client = MlflowClient()
        run_id = client.create_run(session.experiment_id, run_name=f"thread {number}").info.run_id
        client.log_param(run_id, "number", number)
        for step in range(STEPS):
            client.log_metric(run_id, "m", number + step / STEPS, step=step)
        client.set_terminated(run_id)
        return run_id

    with session.check(f"{THREADS} threads with a client and a run each do not mix"):
        with ThreadPoolExecutor(THREADS) as pool:
            runs = list(pool.map(work, range(THREADS)))
        for number, run_id in enumerate(runs):
            expected = [(step, number + step / STEPS) for step in range(STEPS)]
            equal(history(session, run_id, "m"), expected, f"points of thread {number}")
            found = session.client.get_run(run_id)
            equal(found.data.params, {"number": str(number)}, "parameters")
            equal((found.info.run_name, found.info.status), (f"thread {number}", "FINISHED"))


def _run_of_many_threads(session: Session) -> None:
    run_id = session.client.create_run(session.experiment_id).info.run_id
    # MLflow's own server may fail where two threads are the first to set one tag or parameter.
    session.client.set_tag(run_id, "shared", "nobody")
    session.client.log_param(run_id, "shared", "equal for all")

    def work(number: int) -> None:
        client = MlflowClient()
        client.log_param(run_id, f"p{number}", number)
        client.set_tag(run_id, f"t{number}", number)
        client.set_tag(run_id, "shared", number)
        client.log_param(run_id, "shared", "equal for all")
        for step in range(STEPS):
            client.log_metric(run_id, f"m{number}", step, step=step)
            client.log_metric(run_id, "shared", number, step=step * THREADS + number)

    with session.check(f"{THREADS} threads log into one run, and nothing is lost"):
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, range(THREADS)))
        found = session.client.get_run(run_id).data
        params = {f"p{number}": str(number) for number in range(THREADS)}
        equal(found.params, params | {"shared": "equal for all"}, "parameters")
        tags = {f"t{number}": str(number) for number in range(THREADS)}
        equal({key: found.tags.get(key) for key in tags}, tags, "tags")
        equal(found.tags["shared"] in {str(n) for n in range(THREADS)}, True, "shared tag")
        for number in range(THREADS):
            expected = [(step, float(step)) for step in range(STEPS)]
            equal(history(session, run_id, f"m{number}"), expected, f"points of m{number}")
        expected = [(step, float(step % THREADS)) for step in range(STEPS * THREADS)]
        equal(history(session, run_id, "shared"), expected, "points of the shared metric")
        equal(found.metrics["shared"], float(THREADS - 1), "latest value is that of the last step")


def _fluent_threads(session: Session) -> None:
    barrier = threading.Barrier(THREADS)

    def work(number: int) -> str:
        with mlflow.start_run(run_name=f"fluent {number}") as active:
            barrier.wait(30)
            mlflow.log_param("number", number)
            mlflow.log_metrics({"a": number, "b": -number}, step=number)
            equal(mlflow.active_run().info.run_id, active.info.run_id, "active run of the thread")
            return active.info.run_id

    with session.check("threads have an active run each"):
        with ThreadPoolExecutor(THREADS) as pool:
            runs = list(pool.map(work, range(THREADS)))
        equal(len(set(runs)), THREADS, "runs")
        for number, run_id in enumerate(runs):
            data = mlflow.get_run(run_id).data
            expected = ({"number": str(number)}, {"a": number, "b": -number})
            equal((data.params, data.metrics), expected, f"values of thread {number}")


def _children(session: Session) -> None:
    with session.check("threads make child runs of one parent, and all are found below it"):
        with mlflow.start_run(run_name="sweep") as parent:

            def work(number: int) -> str:
                client = MlflowClient()
                child = client.create_run(
                    session.experiment_id,
                    tags={"mlflow.parentRunId": parent.info.run_id},
                    run_name=f"trial {number}",
                )
                client.log_metric(child.info.run_id, "score", number * number)
                client.set_terminated(child.info.run_id)
                return child.info.run_id

            with ThreadPoolExecutor(THREADS) as pool:
                children = list(pool.map(work, range(12)))
        found = mlflow.search_runs(
            filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
            order_by=["metrics.score DESC"],
        )
        equal(found["run_id"].tolist(), children[::-1], "children by score")
        equal(found["metrics.score"].tolist()[:2], [121.0, 100.0], "best scores")


def _one_name(session: Session) -> None:
    name = f"{session.experiment_name} race"
    barrier = threading.Barrier(THREADS)

    def work(_: int) -> str:
        client = MlflowClient()
        barrier.wait(30)
        try:
            return client.create_experiment(name)
        except MlflowException as refusal:
            return refusal.error_code

    with session.check(f"of {THREADS} threads that make one experiment, one makes it"):
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(work, range(THREADS)))
        refusals = [answer for answer in answers if answer == "RESOURCE_ALREADY_EXISTS"]
        equal(len(refusals), THREADS - 1, f"refusals among {answers}")
        (made,) = set(answers) - set(refusals)
        equal(session.client.get_experiment_by_name(name).experiment_id, made, "experiment")


def _processes(session: Session) -> None:
    name = f"{session.experiment_name} processes"
    # The clients themselves lose a race to make it: 2.17 raises, 3.17 goes on in another one.
    made = session.client.create_experiment(name)
    with session.check("processes that set one experiment and train in it share it"):
        with mlflow.start_run(run_name="of processes") as parent:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(2, mp_context=context) as pool:
                tasks = [(session.url, name, number) for number in range(4)]
                answers = list(pool.map(_trained, tasks))
        equal({found for found, _ in answers}, {made}, "experiments")
        runs = session.client.search_runs([made], order_by=["params.number"])
        equal([each.data.params["number"] for each in runs], list("0123"), "runs")
        equal({each.info.run_id for each in runs}, {run_id for _, run_id in answers}, "run ids")
        for number, (_, run_id) in enumerate(answers):
            expected = [(step, float(number + step)) for step in range(STEPS)]
            equal(history(session, run_id, "m"), expected, f"points of task {number}")
            artifact = mlflow.artifacts.load_text(f"runs:/{run_id}/who.txt")
            equal(artifact, f"task {number}", "artifact")
        equal(mlflow.get_run(parent.info.run_id).info.status, "FINISHED", "run of this process")


def _trained(task: tuple[str, str, int]) -> tuple[str, str]:
    """Runs in another process: one run of its own, in the experiment of that name."""
    url, name, number = task
    mlflow.set_tracking_uri(url)
    experiment = mlflow.set_experiment(name)
    with mlflow.start_run() as active:
        mlflow.log_param("number", number)
        for step in range(STEPS):
            mlflow.log_metric("m", number + step, step=step)
        mlflow.log_text(f"task {number}", "who.txt")
    return experiment.experiment_id, active.info.run_id
