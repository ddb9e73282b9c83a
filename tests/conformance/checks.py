"""Named checks that print one line each and are counted.

A check that fails does not stop the session: the rest still tells something.
"""

from __future__ import annotations

import sys
import textwrap
import traceback
from contextlib import contextmanager
from typing import Any, Iterator


class Checks:
    """The checks of one program, told apart from those of others by `subject`."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.passed = 0
        self.failed = 0

    @contextmanager
    def check(self, name: str) -> Iterator[None]:
        """Prints `ok  subject: name` if the block ends, `FAIL  …` with the reason if it raises."""
        try:
            yield
        except Exception:
            self.failed += 1
            print(f"FAIL  {self.subject}: {name}")
            print(textwrap.indent(traceback.format_exc(), "      "), end="", flush=True)
        else:
            self.passed += 1
            print(f"ok  {self.subject}: {name}", flush=True)

    def finish(self) -> None:
        """Prints the counts and ends the program: code 1 if a check failed or none ran."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.failed == 0 and self.passed > 0 else 1)


def equal(found: Any, expected: Any, what: str = "value") -> None:
    """Raises with both sides, shortened, unless they are equal."""
    if found != expected:
        raise AssertionError(f"{what}: expected {_short(expected)}, found {_short(found)}")


def same_entries(found: dict, expected: dict, what: str) -> None:
    """Like `equal` for two dictionaries, but names only the entries that differ."""
    keys = [key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)]
    if keys:
        lines = [
            f"{key}: expected {_short(expected.get(key))}, found {_short(found.get(key))}"
            for key in sorted(keys, key=str)[:10]
        ]
        raise AssertionError(f"{what}: {len(keys)} entries differ: " + "; ".join(lines))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}… ({len(text)} characters)"
