"""Writes the table of a replay into a document.

    python table.py report-3.17.2-sql.json … --into docs/compatibility.md [--check]

What lies between `<!-- replay:begin -->` and `<!-- replay:end -->` is replaced; `--check` writes
nothing, and ends with code 1 if the document would change.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Iterable

BEGIN, END = "<!-- replay:begin -->", "<!-- replay:end -->"
VERDICTS = ("same", "their 5xx", "known", "message", "unexplained")


def main() -> None:
    """Reads reports, writes the document."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--into", required=True, type=Path, help="a document with both markers")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in options.reports]
    before = options.into.read_text(encoding="utf-8")
    try:
        after = placed(before, tables(reports))
    except ValueError as error:
        sys.exit(f"{options.into}: {error}")
    if options.check:
        sys.exit(0 if before == after else f"{options.into} is out of date: run table.py without --check")
    options.into.write_text(after, encoding="utf-8")


def placed(document: str, text: str) -> str:
    """The document with a new text between its markers; raises `ValueError` without them."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"needs one {BEGIN} and one {END}")
    head, rest = document.split(BEGIN)
    if END not in rest:
        raise ValueError(f"{END} stands before {BEGIN}")
    return f"{head}{BEGIN}\n{text}{END}{rest.split(END)[1]}"


def tables(reports: list[dict[str, Any]]) -> str:
    """Both tables: a row per report and area, and a row per endpoint over all reports."""
    return "\n".join([*totals(reports), "", *endpoints(reports), ""])


def totals(reports: list[dict[str, Any]]) -> Iterable[str]:
    """How each area came out with each version and store."""
    yield f"| MLflow | store | area | requests | {' | '.join(_shown(reports))} |"
    yield f"|---|---|---|---|{'---|' * len(_shown(reports))}"
    for report in reports:
        areas = sorted({_area(report, request) for request in report["requests"]})
        for area in areas:
            requests = [each for each in report["requests"] if _area(report, each) == area]
            counts = Counter(each["verdict"] for each in requests)
            cells = [str(counts[verdict]) for verdict in _shown(reports)]
            yield (
                f"| {report['mlflow']} | {report['store']} | {area} | {len(requests)} | "
                f"{' | '.join(cells)} |"
            )


def endpoints(reports: list[dict[str, Any]]) -> Iterable[str]:
    """What each endpoint answered, and how often as MLflow."""
    yield f"| method | path | requests | our statuses | {' | '.join(_shown(reports))} |"
    yield f"|---|---|---|---|{'---|' * len(_shown(reports))}"
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for report in reports:
        for request in report["requests"]:
            method = request["method"] if request["endpoint"].startswith("/") else ""
            rows.setdefault((request["endpoint"], method), []).append(request)
    for (endpoint, method), requests in sorted(rows.items()):
        statuses = Counter(request["status"]["ours"] for request in requests)
        counts = Counter(request["verdict"] for request in requests)
        shown = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
        path = f"`{endpoint}`" if method else endpoint
        cells = [str(counts[verdict]) for verdict in _shown(reports)]
        yield f"| {method} | {path} | {len(requests)} | {shown} | {' | '.join(cells)} |"


def _shown(reports: list[dict[str, Any]]) -> list[str]:
    """The columns: `message` only if there is one."""
    found = {request["verdict"] for report in reports for request in report["requests"]}
    return [verdict for verdict in VERDICTS if verdict != "message" or verdict in found]


def _area(report: dict[str, Any], request: dict[str, Any]) -> str:
    return report["areas"].get(request["id"].split("/")[0], "other")


if __name__ == "__main__":
    main()
