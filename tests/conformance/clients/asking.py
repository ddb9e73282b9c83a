"""Ways to ask that every suite needs: expecting a refusal, waiting with a bound, reading pages."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from mlflow.exceptions import MlflowException

from checks import equal
from session import Session


@contextmanager
def refused(code: str | None = None) -> Iterator[None]:
    """Raises unless the block is refused, with this error code if one is given."""
    try:
        yield
    except MlflowException as refusal:
        if code is not None:
            equal(refusal.error_code, code, f"error code of `{refusal.message}`")
    else:
        raise AssertionError(f"accepted, not refused with {code or 'any error'}")


def each_refused(code: str, asks: dict[str, Callable[[], Any]]) -> None:
    """Raises, naming those concerned, unless every one is refused with this error code."""
    wrong = []
    for name, ask in asks.items():
        try:
            with refused(code):
                ask()
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        raise AssertionError("; ".join(wrong))


def eventually(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """The first true answer of `condition`, which is asked again until the time is over."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def pages(fetch: Callable[[str | None], Any], size: int) -> list:
    """All entries behind a function from a token to a page; no page may be larger than `size`."""
    found: list = []
    token = None
    while True:
        page = fetch(token)
        if len(page) > size:
            raise AssertionError(f"{len(page)} entries in a page of {size}")
        found += page
        token = page.token
        if not token:
            return found
        if not page:
            raise AssertionError("an empty page with a token for the next one")


def history(session: Session, run_id: str, key: str) -> list[tuple[int, float]]:
    """The points of a metric as (step, value), by step."""
    points = session.client.get_metric_history(run_id, key)
    return sorted((point.step, point.value) for point in points)


def listing(session: Session, run_id: str, path: str | None = None) -> list[str]:
    """The paths of one level of artifacts in the server's order, folders with a slash."""
    entries = session.client.list_artifacts(run_id, path)
    return [f"{entry.path}/" if entry.is_dir else entry.path for entry in entries]
