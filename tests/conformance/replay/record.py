"""Writes entries of known differences for an older MLflow: where a newer one answers as ours.

    python record.py out-2.17.2-sqlite.json --newer out-3.17.2-sqlite.json >> ../known-differences.toml

Both are reports of `replay.py`. Only requests that the newer report does not count as failed get
an entry; what is left after that is printed to standard error, and is to be looked at. Fields that
differ in many answers alike get one entry for all of them, the others a list of requests.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Iterator

from compare import ABSENT
from globs import fits
from verdict import FAILING

# From so many requests on, a difference is one of the version and not of a request.
FAMILY = 15
REASON = "settled with 3.17.2, which answers as ours or differs for a reason"

# A field, and the JSON of what each side has there.
Key = tuple[str, str, str]


def main() -> None:
    """Reads two reports, prints entries."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("report", type=Path)
    parser.add_argument("--newer", required=True, type=Path)
    options = parser.parse_args()
    report = json.loads(options.report.read_text(encoding="utf-8"))
    newer = json.loads(options.newer.read_text(encoding="utf-8"))
    settled = {each["id"] for each in newer["requests"] if each["verdict"] not in FAILING}
    failed = [each for each in report["requests"] if each["verdict"] in FAILING]
    open_ids = [each["id"] for each in failed if each["id"] not in settled]
    known = [each for each in failed if each["id"] in settled]
    families = family_keys(known)
    scope = {"mlflow": report["mlflow"], "store": report["store"]}
    for field, theirs, ours in sorted(families):
        print(entry(["*"], scope | {"field": field, "theirs": json.loads(theirs), "ours": json.loads(ours)}))
    lists: dict[str, list[str]] = defaultdict(list)
    for each in known:
        if any(key_of(difference) not in families for difference in each["open"]):
            lists["/".join(each["id"].split("/")[:2])].append(each["id"])
    for ids in lists.values():
        print(entry(list(shortened(ids, [each["id"] for each in report["requests"]])), scope))
    for request in open_ids:
        print(f"not settled by {newer['mlflow']}: {request}", file=sys.stderr)


def family_keys(requests: list[dict[str, Any]]) -> set[Key]:
    """The differences that many requests have alike: a field that one version has and one has not."""
    seen: dict[Key, set[str]] = defaultdict(set)
    for request in requests:
        # Where the status differs, all of the answer does.
        if request["status"]["theirs"] != request["status"]["ours"]:
            continue
        for difference in request["open"]:
            key = key_of(difference)
            if key is not None:
                seen[key].add(request["id"])
    return {key for key, ids in seen.items() if len(ids) >= FAMILY}


def key_of(difference: dict[str, Any]) -> Key | None:
    """A difference without its indexes, if one side has the field and the other has not."""
    theirs, ours = difference["theirs"], difference["ours"]
    if ABSENT not in (theirs, ours):
        return None
    if not all(isinstance(value, str) or value in ({}, []) for value in (theirs, ours)):
        return None
    texts = json.dumps(theirs), json.dumps(ours)
    # Words and empty objects; not messages, and not all that an answer holds.
    if max(map(len, texts)) > 40 or difference["field"] == "body.message":
        return None
    return re.sub(r"\[\d+\]", "[*]", difference["field"]), *texts


def shortened(ids: list[str], everything: list[str]) -> Iterator[str]:
    """Ids, with one pattern for a step and those that only look at it."""
    left = set(ids)
    for each in ids:
        if each not in left:
            continue
        pattern = f"{each}, *"
        looked = {other for other in everything if fits(pattern, other)}
        left -= {each}
        yield each
        if looked and looked <= left:
            left -= looked
            yield pattern


def entry(ids: list[str], fields: dict[str, Any]) -> str:
    """The text of an entry."""
    shown = json.dumps(ids[0], ensure_ascii=False)
    if len(ids) > 1:
        lines = "".join(f"    {json.dumps(each, ensure_ascii=False)},\n" for each in ids)
        shown = f"[\n{lines}]"
    rest = "".join(
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in (fields | {"reason": REASON}).items()
    )
    return f"\n[[known]]\nid = {shown}\n{rest}".rstrip()


if __name__ == "__main__":
    main()
