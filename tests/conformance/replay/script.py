"""The words in which a corpus is written: scenarios, and the requests in them.

A scenario is a list of requests in order. `save` names parts of an answer; a later request has
them in place of `{name}`, in its path, query, headers and body. Each side has its own values.

    @scenario()
    def rename(s):
        s.experiment()
        s.post("renamed", "experiments/update", {"experiment_id": "{exp}", "new_name": "{u} b"})

`{u}` is a text of the scenario's own, the same on both sides, for names that must be new. A
placeholder that nothing was saved for is left as it is; requests that need a value which an
answer did not have get `no-<name>` in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Iterable

API = "/api/2.0/mlflow/"
AJAX = "/ajax-api/2.0/mlflow/"
JSON = {"Content-Type": "application/json"}

# What a server can keep its data in.
DATABASES = ("sqlite", "postgres", "mariadb")
STORES = (*DATABASES, "file")

# Where a step begins to exist. Our server answers as the newest; what an older one lacks is left out.
OLDEST, NEWER = "2.17", "3"

_STEP = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9.,_ -]*\Z")


@dataclass(frozen=True)
class Call:
    """One request, and what of its answer is kept or not compared."""

    step: str
    method: str
    path: str
    query: Any = None
    """Pairs or a dictionary, encoded; a text is sent as it is."""
    body: Any = None
    """A JSON value. `raw` is sent as it is instead."""
    raw: str | bytes | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    """Beside those that a body of JSON has; `None` takes one away."""
    save: dict[str, str] = field(default_factory=dict)
    unordered: tuple[str, ...] = ()
    """Patterns of lists in the answer whose order MLflow leaves open, as `dataset_summaries`."""
    loose: tuple[str, ...] = ()
    """Patterns of fields that need only be there on both sides, such as `body.message`."""
    since: str = OLDEST
    setup: bool = False
    """Whether it only prepares what others look at."""


@dataclass(frozen=True)
class Scenario:
    """Requests that depend on each other, and on nothing else."""

    name: str
    calls: tuple[Call, ...]
    since: str = OLDEST
    stores: tuple[str, ...] = STORES


class Script:
    """Collects the requests of one scenario."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def call(self, step: str, method: str, path: str, **options: Any) -> None:
        """Adds a request. A path that begins with no `/` is below `/api/2.0/mlflow/`."""
        if not _STEP.match(step):
            raise ValueError(f"a step's name has letters, digits and ' .,_-': {step!r}")
        if any(step == call.step for call in self.calls):
            raise ValueError(f"two steps are named {step!r}")
        path = path if path.startswith("/") else API + path
        self.calls.append(Call(step, method, path, **options))

    def post(self, step: str, path: str, body: Any = None, **options: Any) -> None:
        """A POST of JSON."""
        self.call(step, "POST", path, body=body, **options)

    def patch(self, step: str, path: str, body: Any = None, **options: Any) -> None:
        """A PATCH of JSON."""
        self.call(step, "PATCH", path, body=body, **options)

    def delete(self, step: str, path: str, body: Any = None, **options: Any) -> None:
        """A DELETE, of JSON if there is a body."""
        self.call(step, "DELETE", path, body=body, **options)

    def get(self, step: str, path: str, query: Any = None, **options: Any) -> None:
        """A GET."""
        self.call(step, "GET", path, query=query, **options)

    def put(self, step: str, path: str, raw: str | bytes, **options: Any) -> None:
        """A PUT of bytes."""
        self.call(step, "PUT", path, raw=raw, **options)

    def each(self, step: str, values: Iterable[Any], add: Callable[[str, Any], None]) -> None:
        """Calls `add` with a numbered step for each value: `step 01`, `step 02`, …"""
        for number, value in enumerate(values, 1):
            add(f"{step} {number:02}", value)

    # What most scenarios begin with.

    def experiment(self, save: str = "exp", name: str = "{u}", **fields: Any) -> None:
        """A new experiment, kept as `{exp}`."""
        self.post(
            f"new experiment {save}",
            "experiments/create",
            {"name": name, **fields},
            save={save: "experiment_id"},
            setup=True,
        )

    def run(self, save: str = "run", exp: str = "exp", **fields: Any) -> None:
        """A new run named as it is kept, by default `{run}`."""
        body = {
            "experiment_id": f"{{{exp}}}",
            "start_time": 1700000000000,
            "run_name": save,
            **fields,
        }
        self.post(f"new run {save}", "runs/create", body, save={save: "run.info.run_id"}, setup=True)

    def model(self, save: str = "model", exp: str = "exp", **fields: Any) -> None:
        """A new logged model, kept as `{model}`."""
        body = {"experiment_id": f"{{{exp}}}", "name": save, **fields}
        path = "logged-models"
        self.post(f"new model {save}", path, body, save={save: "model.info.model_id"}, setup=True)

    def show(self, step: str, run: str = "run", **options: Any) -> None:
        """Reads a run."""
        self.get(step, "runs/get", {"run_id": f"{{{run}}}"}, **options)


Builder = Callable[[Script], None]


class Corpus:
    """The scenarios of one module.

    A module of the folder `corpus` has one, named `CORPUS`; that is all that it needs to be found.
    """

    def __init__(self, noun: str, area: str = "tracking") -> None:
        self.noun = noun
        self.area = area
        self.scenarios: list[Scenario] = []

    def scenario(
        self, since: str = OLDEST, stores: tuple[str, ...] = STORES
    ) -> Callable[[Builder], Builder]:
        """Adds the scenario that a function writes; it is named as the function, with `-`."""

        def add(builder: Builder) -> Builder:
            name = builder.__name__.strip("_").replace("_", "-")
            if any(name == known.name for known in self.scenarios):
                raise ValueError(f"{self.noun} has two scenarios {name!r}")
            script = Script()
            builder(script)
            self.scenarios.append(Scenario(name, tuple(script.calls), since, stores))
            return builder

        return add
