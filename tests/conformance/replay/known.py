"""Known differences: which ones are meant, and why. See `known-differences.toml`.

    [[known]]
    id = "experiments/rename/*"     # noun/scenario/step; * and ? as in file names
    mlflow = "3.17.2"               # left out: every version
    store = "sql"                   # left out: every store
    field = "body.message"          # as printed; * and ? too
    theirs = "…"                    # left out: any value; the same for ours
    class = "message"               # only where both refuse with one code in other words
    reason = "…"

An entry that explains nothing in a run that it applies to is stale, and an error.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compare import Difference
from globs import fits

_FIELDS = {"id", "mlflow", "store", "field", "theirs", "ours", "class", "reason"}
_ANY = object()


class KnownError(Exception):
    """The file of known differences cannot be used."""


@dataclass(eq=False)
class Entry:
    """One difference, or a family of them, and its reason."""

    id: str
    field: str
    reason: str
    mlflow: str | None = None
    store: str | None = None
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

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    @classmethod
    def load(cls, path: Path | None, mlflow: str, store: str) -> Known:
        """Those of a file that apply to a version and a store; raises `KnownError`."""
        if path is None:
            return cls([])
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KnownError(f"cannot read {path}: {error}") from error
        entries = [_entry(path, number, raw) for number, raw in enumerate(data.get("known", []), 1)]
        return cls(
            [
                entry
                for entry in entries
                if entry.mlflow in (None, mlflow) and entry.store in (None, store)
            ]
        )

    def explain(self, request: str, difference: Difference, kind: str | None) -> Entry | None:
        """The first entry that explains a difference, which counts as used."""
        for entry in self.entries:
            if entry.explains(request, difference, kind):
                entry.used += 1
                return entry
        return None

    def stale(self, nouns_run: set[str], all_nouns: set[str]) -> list[Entry]:
        """Entries that explained nothing, although what they name was replayed or does not exist."""
        return [
            entry
            for entry in self.entries
            if entry.used == 0
            and (
                any(fits(entry.id.split("/")[0], noun) for noun in nouns_run)
                or not any(fits(entry.id.split("/")[0], noun) for noun in all_nouns)
            )
        ]


def _entry(path: Path, number: int, raw: dict[str, Any]) -> Entry:
    unknown = raw.keys() - _FIELDS
    missing = {"id", "field", "reason"} - raw.keys()
    if unknown or missing:
        what = f"unknown {sorted(unknown)}" if unknown else f"no {sorted(missing)}"
        raise KnownError(f"{path}: entry {number}: {what}")
    if raw["id"].count("/") not in (0, 2):
        raise KnownError(f"{path}: entry {number}: an id is noun/scenario/step: {raw['id']!r}")
    return Entry(
        id=raw["id"],
        field=raw["field"],
        reason=raw["reason"],
        mlflow=raw.get("mlflow"),
        store=raw.get("store"),
        kind=raw.get("class"),
        theirs=raw.get("theirs", _ANY),
        ours=raw.get("ours", _ANY),
    )


def _same(expected: Any, found: Any) -> bool:
    if expected is _ANY:
        return True
    if isinstance(expected, str) and isinstance(found, str):
        return expected == found
    return repr(expected) == repr(found)
