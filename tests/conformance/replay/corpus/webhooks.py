"""Webhooks of the model registry: made, listed, changed and deleted. `--area registry` replays them.

None is active, and none is tested: nothing is sent from here (`tests/tests/webhooks.rs` does that).
Their hosts are addresses, so that nobody asks a name server.
"""

from __future__ import annotations

from typing import Any

from script import DATABASES, NEWER, Corpus, Script

CORPUS = Corpus("webhooks", area="registry")

EVENT = {"entity": "PROMPT_TAG", "action": "SET"}
URL = "https://1.1.1.1/hook"
ID = {"hook": "webhook.webhook_id"}


def _body(**changes: Any) -> dict[str, Any]:
    whole = {"name": "w", "url": URL, "events": [EVENT], "status": "DISABLED", **changes}
    return {key: value for key, value in whole.items() if value != "absent"}


def _create(s: Script, step: str, save: bool = False, **changes: Any) -> None:
    s.post(step, "webhooks", _body(**changes), save=ID if save else {})


@CORPUS.scenario(since=NEWER, stores=DATABASES)
def create(s: Script) -> None:
    _create(s, "plain", save=True)
    s.get("plain, shown", "webhooks/{hook}")
    _create(s, "same name")
    s.each("name", ["", None, 5, "-a", "a-", "a b", "é", "a\n", "A.b_c-1", "a" * 63, "a" * 64],
           lambda step, name: _create(s, step, name=name))  # fmt: skip
    s.each(
        "url",
        ["", None, 5, "  ", "absent", "http://1.1.1.1/", "ftp://x/", "x", "//x/y", "https://",
         "https:///x", "HTTPS://1.1.1.1/", "https://u:p@1.1.1.1:8443/x?y=z", "https://127.0.0.1/",
         "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://0/",
         "https://127.1/", "https://100.64.0.1/", "https://[fd00::1]/", "https://2130706433/"],
        lambda step, url: _create(s, step, url=url),
    )  # fmt: skip
    s.each("description", ["", None, 5, "# Größe 🚀\n"],
           lambda step, text: _create(s, step, description=text))  # fmt: skip
    s.each("status", ["ACTIVE ", None, 1, 2, 7, "DISABLED"],
           lambda step, status: _create(s, step, status=status))  # fmt: skip
    s.each("secret", ["", None, 5], lambda step, secret: _create(s, step, secret=secret))


@CORPUS.scenario(since=NEWER, stores=DATABASES)
def events(s: Script) -> None:
    s.each(
        "events",
        ["absent", [], None, "x", ["x"], [{}], [{"entity": "PROMPT"}], [{"action": "SET"}],
         [{"entity": "prompt", "action": "created"}], [{"entity": "PROMPT", "action": "SET"}],
         [{"entity": "MODEL_VERSION_TAG", "action": "CREATED"}], [{"entity": 7, "action": 4}],
         [{"entity": 0, "action": 1}], [{"entity": "BUDGET_POLICY", "action": "EXCEEDED"}]],
        lambda step, events: _create(s, step, events=events),
    )  # fmt: skip
    many = [
        {"entity": "PROMPT_TAG", "action": "SET"},
        {"entity": "MODEL_VERSION", "action": "CREATED"},
        {"entity": "PROMPT_TAG", "action": "DELETED"},
    ]
    s.post("many", "webhooks", _body(events=many), unordered=("webhook.events",))
    twice = _body(events=[EVENT, EVENT])
    s.post("twice", "webhooks", twice, loose=("body.message",))


@CORPUS.scenario(since=NEWER, stores=DATABASES)
def update(s: Script) -> None:
    _create(s, "new", save=True, description="d")
    s.each(
        "change",
        [{}, {"name": ""}, {"name": "-"}, {"name": 5}, {"name": "v"}, {"description": "new"},
         {"description": ""}, {"description": None}, {"url": ""}, {"url": "ftp://x"},
         {"url": "https://1.0.0.1/"}, {"url": "https://127.0.0.1/"}, {"events": []},
         {"events": [{"entity": "PROMPT", "action": "CREATED"}]},
         {"events": [{"entity": "PROMPT", "action": "SET"}]}, {"status": "BOGUS"}, {"status": 0},
         {"status": "DISABLED"}, {"name": "-", "url": "ftp://x"}],
        lambda step, body: s.patch(step, "webhooks/{hook}", body),
    )  # fmt: skip
    s.get("shown", "webhooks/{hook}")
    s.patch("missing", "webhooks/nope", {"name": "-"})
    s.patch("missing, wrong type", "webhooks/nope", {"name": 5})


@CORPUS.scenario(since=NEWER, stores=DATABASES)
def lists(s: Script) -> None:
    _create(s, "new", save=True, name="listed")
    token = ("body.next_page_token",)
    s.get("one", "webhooks", {"max_results": 1}, loose=token)
    s.get("one, below ajax", "/ajax-api/2.0/mlflow/webhooks", {"max_results": 1}, loose=token)
    s.each("max_results", [-1, 1001, "x", ""],
           lambda step, most: s.get(step, "webhooks", {"max_results": most}))  # fmt: skip
    s.get("token", "webhooks", {"page_token": "x"})


@CORPUS.scenario(since=NEWER, stores=DATABASES)
def delete(s: Script) -> None:
    _create(s, "new", save=True)
    s.delete("deleted", "webhooks/{hook}")
    s.delete("deleted again", "webhooks/{hook}")
    s.get("deleted, shown", "webhooks/{hook}")
    s.patch("deleted, changed", "webhooks/{hook}", {})
    s.post("deleted, tested", "webhooks/{hook}/test", {})
    s.delete("missing", "webhooks/nope")
    s.get("missing, shown", "webhooks/nope")
    event = {"event": {"entity": "PROMPT", "action": "SET"}}
    s.post("tested with no event that there is", "webhooks/nope/test", event)
