"""Makes answers of two servers comparable: what must differ gets the same name on both sides.

- saved values become `<name>`, other identifiers `<id 1>`, `<id 2>`, … in the order in which they
  were first seen in the scenario
- the place of artifacts becomes `<root>`, the server's address `<server>`
- lists whose order MLflow leaves open are sorted by key, and so are sets in messages

Times and generated names are left as they are: whether two of them may differ is decided when
they stand side by side, in `compare`.
"""

from __future__ import annotations

import json
import re
from typing import Any

# Lists that come in the order of the database.
UNORDERED = (
    "*.data.metrics",
    "*.data.params",
    "*.data.tags",
    "*.info.tags",
    "*experiment.tags",
    "experiments[*].tags",
    "*.dataset_inputs",
    "*.dataset_inputs[*].tags",
    "*.model_inputs",
    "*.model_outputs",
    "*.registrations",
)

# Of runs and models, and of webhooks.
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:(?:m-)?[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?![0-9A-Za-z])"
)
_EXPERIMENT_FIELDS = ("experiment_id", "experiment_ids", "experimentId")
# Python prints a set of texts in any order.
_SET = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")
# Texts in which the number of an experiment may stand, and where. Elsewhere `7` is a value.
_WITH_EXPERIMENTS = ("message", "detail", "artifact_uri", "artifact_location", "root_uri")
_EXPERIMENT_IN_TEXT = r"(?<![\w.-]){}(?![\w-]|\.\d)"
# In a trace's id or a path below the root it is one wherever that stands.
_EXPERIMENT_IN_NAME = r"(\btr-|<root>/){}(?!\w)"


class Token(str):
    """A bare word that is no JSON: `NaN`, `Infinity`, `-Infinity`."""

    def __repr__(self) -> str:
        return f"the token {str(self)}"


class Repeated(str):
    """Stands in an object that has a key twice."""


def parse(body: bytes) -> Any:
    """The JSON of a body; raises `ValueError` if it is none."""

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            made["<repeated keys>"] = Repeated([key for key, _ in found])
        return made

    return json.loads(body, parse_constant=Token, object_pairs_hook=pairs)


class Names:
    """What the values of one side are called, for one scenario."""

    def __init__(self, server: str, root: str | None) -> None:
        self.server, self.root = server, root
        self.long: dict[str, str] = {}
        self.short: dict[str, str] = {}
        self.found: dict[str, str] = {}

    def save(self, name: str, value: str) -> None:
        """Calls a value `<name>` from now on."""
        if len(value) >= 12:
            self.long.setdefault(value, f"<{name}>")
        elif value:
            self.short.setdefault(value, f"<{name}>")

    def text(self, value: str, field: str = "") -> str:
        """A text with names in place of values."""
        if field in _EXPERIMENT_FIELDS and value in self.short:
            return self.short[value]
        value = value.replace(self.server, "<server>")
        for known in sorted(self.long, key=len, reverse=True):
            value = value.replace(known, self.long[known])
        value = _ID.sub(lambda match: self._numbered(match[0]), value)
        value = _SET.sub(lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", value)
        if self.root:
            value = value.replace(self.root, "<root>")
        for known, name in self.short.items():
            if known.isdigit():
                value = re.sub(_EXPERIMENT_IN_NAME.format(known), rf"\g<1>{name}", value)
                if field in _WITH_EXPERIMENTS:
                    value = re.sub(_EXPERIMENT_IN_TEXT.format(known), name, value)
        return value

    def _numbered(self, found: str) -> str:
        kind = "model" if found.startswith("m-") else "id"
        return self.found.setdefault(found, f"<{kind} {len(self.found) + 1}>")

    def json(self, value: Any, field: str = "") -> Any:
        """A JSON value with names in all its texts, and in the keys of objects."""
        if type(value) is str:
            return self.text(value, field)
        if isinstance(value, list):
            return [self.json(item, field) for item in value]
        if isinstance(value, dict):
            # In order of the keys, so that ids are numbered alike on both sides.
            return {self.text(key): self.json(value[key], key) for key in sorted(value)}
        return value


def sort_key(item: Any) -> tuple[str, str]:
    """By `key`, or by the name of a run or model; then by all of it."""
    key = ""
    if isinstance(item, dict):
        info = item.get("info")
        named = info if isinstance(info, dict) else item
        key = str(named.get("key") or named.get("run_name") or named.get("name") or "")
    return (key, json.dumps(item, sort_keys=True, default=repr))
