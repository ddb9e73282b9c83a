"""Known differences: which ones are meant, and why. See `known-differences.toml`.

    [[known]]
    id = "experiments/rename/*"     # noun/scenario/step, or a list of them; * and ? as in file names
    mlflow = "3.17.2"               # left out: every version
    store = "sqlite"                # or a list of them; left out: every store
    field = "body.message"          # as printed, with * and ?; left out: all of the answer
    theirs = "…"                    # left out: any value; texts with * and ?; the same for ours
    class = "message"               # only where both refuse with one code in other words
    reason = "…"

An entry that explains nothing in a run that it applies to is stale, and an error. In a list of
ids, each must explain something.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compare import Difference
from globs import fits
from script import STORES

_FIELDS = {"id", "mlflow", "store", "field", "theirs", "ours", "class", "reason"}
_ANY = object()

# The version whose answers are ours.
FOLLOWED = "3.17.2"


class KnownError(Exception):
    """The file of known differences cannot be used."""


@dataclass(eq=False)
class Entry:
    """One difference, or a family of them, and its reason."""

    id: str
    field: str
    reason: str
    mlflow: str | None = None
    stores: list[str] | None = None
    kind: str | None = None
    theirs: Any = _ANY
    ours: Any = _ANY
    used: int = 0

    def explains(self, request: str, difference: Difference, kind: str | None) -> bool:
        """Whether this difference of a request is meant."""
        return (
            fits(self.id, request)
            and fits(self.field, difference.field)
            and self.kind in (None, kind)
            and _same(self.theirs, difference.theirs)
            and _same(self.ours, difference.ours)
        )


class Known:
    """The entries that apply to one run."""

    def __init__(self, entries: list[Entry], mlflow: str = FOLLOWED) -> None:
        self.entries = entries
        self.mlflow = mlflow

    @classmethod
    def load(cls, path: Path | None, mlflow: str, store: str) -> Known:
        """Those of a file that apply to a version and a store; raises `KnownError`."""
        if path is None:
            return cls([])
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KnownError(f"cannot read {path}: {error}") from error
        entries = [
            entry
            for number, raw in enumerate(data.get("known", []), 1)
            for entry in _entries(path, number, raw)
        ]
        return cls(
            [
                entry
                for entry in entries
                if entry.mlflow in (None, mlflow) and (entry.stores is None or store in entry.stores)
            ],
            mlflow,
        )

    def explain(self, request: str, difference: Difference, kind: str | None) -> Entry | None:
        """The first entry that explains a difference, which counts as used."""
        for entry in self.entries:
            if entry.explains(request, difference, kind):
                entry.used += 1
                return entry
        return None

    def stale(self, replayed: set[str], corpus: set[str]) -> list[Entry]:
        """Entries that explained nothing, although a request that they name was replayed.

        So is one that names no request of the corpus. One for every version need explain nothing
        of those that ours does not follow, and one of `filters.py` nothing here. Of entries for all
        requests nothing is said where but a small part of these was replayed.
        """
        is_part = len(replayed) * 2 < len(corpus)
        return [
            entry
            for entry in self.entries
            if entry.used == 0
            and not entry.id.startswith("filters/")
            and not (entry.id == "*" and is_part)
            and (entry.mlflow is not None or self.mlflow == FOLLOWED)
            and (
                any(fits(entry.id, request) for request in replayed)
                or not any(fits(entry.id, request) for request in corpus)
            )
        ]


def _entries(path: Path, number: int, raw: dict[str, Any]) -> list[Entry]:
    """One entry for each id; raises `KnownError` if something in it is not understood."""
    unknown = raw.keys() - _FIELDS
    missing = {"id", "reason"} - raw.keys()
    if unknown or missing:
        what = f"unknown {sorted(unknown)}" if unknown else f"no {sorted(missing)}"
        raise KnownError(f"{path}: entry {number}: {what}")
    ids = raw["id"] if isinstance(raw["id"], list) else [raw["id"]]
    stores = raw.get("store")
    if isinstance(stores, str):
        stores = [stores]
    if stores is not None and not set(STORES).issuperset(stores):
        raise KnownError(f"{path}: entry {number}: unknown store in {stores}")
    for each in ids:
        if each != "*" and each.count("/") != 2:
            raise KnownError(f"{path}: entry {number}: an id is noun/scenario/step: {each!r}")
    return [
        Entry(
            id=each,
            field=raw.get("field", "*"),
            reason=raw["reason"],
            mlflow=raw.get("mlflow"),
            stores=stores,
            kind=raw.get("class"),
            theirs=raw.get("theirs", _ANY),
            ours=raw.get("ours", _ANY),
        )
        for each in ids
    ]


def _same(expected: Any, found: Any) -> bool:
    if expected is _ANY:
        return True
    if isinstance(expected, str) and isinstance(found, str):
        return fits(expected, found)
    return repr(expected) == repr(found)
