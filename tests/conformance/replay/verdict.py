"""What is said of a request whose answers were compared.

| verdict | meaning |
|---|---|
| same | no difference |
| their 5xx | MLflow fails (5xx) where ours refuses the request (4xx), as is the rule here |
| known | every difference stands in the file of known ones |
| message | both refuse with the same status and code, in other words; not known |
| unexplained | anything else |

The last two fail a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from compare import Difference, body_value, shown
from exchange import Answer
from known import Entry, Known

SAME, THEIR_5XX, KNOWN, MESSAGE, UNEXPLAINED = "same", "their 5xx", "known", "message", "unexplained"
FAILING = (MESSAGE, UNEXPLAINED)


@dataclass
class Verdict:
    """One request, judged."""

    id: str
    method: str
    endpoint: str
    setup: bool
    theirs: int
    ours: int
    verdict: str
    asked: str
    """The request, with placeholders, cut to a line."""
    answers: tuple[str, str]
    """Both answers in short, theirs first."""
    open: list[Difference] = field(default_factory=list)
    """Differences that nothing explains."""
    reasons: list[Entry] = field(default_factory=list)


def judge(
    request: str, theirs: Answer, ours: Answer, differences: list[Difference], known: Known
) -> tuple[str, list[Difference], list[Entry]]:
    """The verdict, the differences left open, and the entries that explained the others."""
    # Nothing excuses no answer of ours. MLflow has broken connections, which an entry may name.
    if ours.status == 0:
        return UNEXPLAINED, differences or [Difference("status", theirs.status, ours.status)], []
    if not differences:
        return SAME, [], []
    if theirs.status >= 500 and 400 <= ours.status < 500:
        return THEIR_5XX, [], []
    kind = MESSAGE if _only_words(theirs, ours, differences) else None
    left: list[Difference] = []
    reasons: list[Entry] = []
    for difference in differences:
        entry = known.explain(request, difference, kind)
        if entry is None:
            left.append(difference)
        elif entry not in reasons:
            reasons.append(entry)
    if not left:
        return KNOWN, [], reasons
    return kind or UNEXPLAINED, left, reasons


def short(answer: Answer) -> str:
    """Status and body of an answer in a line: of an error, its code and its message."""
    value = body_value(answer)
    if isinstance(value, dict) and "error_code" in value:
        return f"{answer.status} {value['error_code']}: {shown(value.get('message'))}"
    return f"{answer.status} {shown(value)}"


def _only_words(theirs: Answer, ours: Answer, differences: list[Difference]) -> bool:
    if theirs.status != ours.status or not 400 <= ours.status < 500:
        return False
    left, right = body_value(theirs), body_value(ours)
    return (
        isinstance(left, dict)
        and isinstance(right, dict)
        and left.get("error_code") == right.get("error_code") is not None
        and all(difference.field == "body.message" for difference in differences)
    )
