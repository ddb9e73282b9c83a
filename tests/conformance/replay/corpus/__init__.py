"""All requests that are replayed, one module per noun.

A module in this folder that has a `CORPUS` is part of it; nothing has to be listed.
"""

from __future__ import annotations

import importlib
import pkgutil

from script import Corpus

ALL: list[Corpus] = [
    importlib.import_module(f"{__name__}.{module.name}").CORPUS
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name)
    if not module.name.startswith("_")
]


def chosen(names: list[str]) -> list[Corpus]:
    """The nouns of these areas, or of these names."""
    return [corpus for corpus in ALL if corpus.area in names or corpus.noun in names]


def requests() -> set[str]:
    """The ids of all requests, of every area, version and store."""
    return {
        f"{corpus.noun}/{scenario.name}/{call.step}"
        for corpus in ALL
        for scenario in corpus.scenarios
        for call in scenario.calls
    }
