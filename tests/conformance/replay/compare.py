"""Finds every difference between two answers.

Status, the headers that clients read, and the JSON field by field: an absent field is not one
with its default, `1` is not `1.0`, and the order of a list counts unless it is declared open.
Two things may differ: times near now, and generated names, if both sides have one.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from exchange import Answer
from globs import fits
from plain import UNORDERED, Names, parse, sort_key

ABSENT = "<absent>"

# Compared whenever one side has them.
HEADERS = (
    "content-type",
    "content-disposition",
    "content-range",
    "accept-ranges",
    "cache-control",
    "location",
    "allow",
    "x-content-type-options",
    "x-frame-options",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "www-authenticate",
)
# Their values depend on the file's time.
PRESENT_HEADERS = ("etag", "last-modified")

NEAR_NOW = 10 * 60 * 1000
GENERATED = re.compile(r"[a-z]+-[a-z]+-\d{1,4}\Z")


@dataclass(frozen=True)
class Difference:
    """One field that is not the same, with what each side has there."""

    field: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.field}: theirs {shown(self.theirs)}, ours {shown(self.ours)}"


@dataclass
class Comparer:
    """Compares the answers of one scenario, whose names both sides share."""

    theirs: Names
    ours: Names
    unordered: tuple[str, ...] = ()
    loose: tuple[str, ...] = ()
    found: list[Difference] = field(default_factory=list)

    def answers(self, theirs: Answer, ours: Answer) -> list[Difference]:
        """All differences, in the order status, headers, body."""
        self.found = []
        self._leaf("status", theirs.status, ours.status)
        self._headers(theirs, ours)
        self._bodies(theirs, ours)
        return [
            each
            for each in self.found
            if not (
                any(fits(pattern, each.field) for pattern in self.loose)
                and ABSENT not in (each.theirs, each.ours)
            )
        ]

    def _headers(self, theirs: Answer, ours: Answer) -> None:
        for name in HEADERS:
            self._leaf(
                f"header.{name}",
                self._header(name, theirs.headers.get(name), self.theirs),
                self._header(name, ours.headers.get(name), self.ours),
            )
        for name in PRESENT_HEADERS:
            self._leaf(
                f"header.{name}",
                "<there>" if name in theirs.headers else ABSENT,
                "<there>" if name in ours.headers else ABSENT,
            )

    def _header(self, name: str, value: str | None, names: Names) -> str:
        if value is None:
            return ABSENT
        if name == "content-type":
            value = re.sub(r"\s*;\s*", "; ", value.lower())
        elif name == "allow":
            value = ", ".join(sorted(part.strip() for part in value.split(",")))
        return names.text(value)

    def _bodies(self, theirs: Answer, ours: Answer) -> None:
        left, right = body_value(theirs), body_value(ours)
        if isinstance(left, dict | list) and isinstance(right, dict | list):
            # Equal as they are: numbers in a message need not be ids.
            if not (isinstance(left, dict) and isinstance(right, dict)):
                same_message = False
            else:
                same_message = left.get("message", ABSENT) == right.get("message", None)
            left, right = self.theirs.json(left), self.ours.json(right)
            if same_message:
                left["message"] = right["message"]
        elif isinstance(left, str) and isinstance(right, str):
            left, right = self.theirs.text(left), self.ours.text(right)
        self._values("body", self._sorted("", left), self._sorted("", right))

    def _values(self, path: str, left: Any, right: Any) -> None:
        if isinstance(left, dict) and isinstance(right, dict):
            for key in [*left, *(key for key in right if key not in left)]:
                self._values(f"{path}.{key}", left.get(key, ABSENT), right.get(key, ABSENT))
        elif isinstance(left, list) and isinstance(right, list):
            for index in range(max(len(left), len(right))):
                self._values(
                    f"{path}[{index}]",
                    left[index] if index < len(left) else ABSENT,
                    right[index] if index < len(right) else ABSENT,
                )
        else:
            self._leaf(path, left, right)

    def _sorted(self, path: str, value: Any) -> Any:
        """A value with its open lists in one order, the inner ones first."""
        if isinstance(value, dict):
            return {key: self._sorted(f"{path}.{key}" if path else key, value[key]) for key in value}
        if isinstance(value, list):
            items = [self._sorted(f"{path}[{index}]", item) for index, item in enumerate(value)]
            is_open = any(fits(pattern, path) for pattern in (*UNORDERED, *self.unordered))
            return sorted(items, key=sort_key) if is_open else items
        return value

    def _leaf(self, path: str, left: Any, right: Any) -> None:
        if type(left) is type(right) and repr(left) == repr(right):
            return
        if _both_now(left, right) or _both_generated(path, left, right):
            return
        self.found.append(Difference(path, left, right))


def body_value(answer: Answer) -> Any:
    """The body as JSON, text, `<html>`, or `ABSENT` if it is empty."""
    if not answer.body:
        return ABSENT
    kind = answer.headers.get("content-type", "")
    if "json" in kind:
        try:
            return parse(answer.body)
        except ValueError:
            return f"<no JSON: {answer.body[:200]!r}>"
    if "html" in kind:
        return "<html>"
    try:
        return answer.body.decode()
    except UnicodeDecodeError:
        return f"<{len(answer.body)} bytes {answer.body[:40].hex()}…>"


def shown(value: Any) -> str:
    """A value for people, cut to a line."""
    text = value if value == ABSENT else repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


def _both_now(left: Any, right: Any) -> bool:
    now = time.time() * 1000
    return all(
        isinstance(value, int) and not isinstance(value, bool) and abs(now - value) < NEAR_NOW
        for value in (left, right)
    )


def _both_generated(path: str, left: Any, right: Any) -> bool:
    if not path.endswith((".run_name", ".name", ".value", ".runName")):
        return False
    return all(
        type(value) is str and GENERATED.match(value) is not None for value in (left, right)
    )
