"""Patterns of ids and fields: `*` and `?` as in file names, `[0]` is an index and nothing more."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache


def fits(glob: str, text: str) -> bool:
    """Whether all of a text fits a pattern."""
    return _pattern(glob).match(text) is not None


@lru_cache(maxsize=None)
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(translate(glob.replace("[", "[[]")))
