"""Asks two servers the same thousands of generated searches, and compares what they find.

    python filters.py --reference http://127.0.0.1:5001 --ours http://127.0.0.1:5002 \\
        --reference-store sqlite --ours-store sqlite [--count 2000] [--seed 1] [--known FILE --mlflow 3.17.2]

Both get the same seeded population of runs, experiments and logged models. For each search the
names in their order are compared, or the code of the error. Where MLflow fails (5xx), or answers
with the words of its database, a refusal (4xx) is right. One line per search; the program ends with code 1 if one differs.
"""

from __future__ import annotations

import argparse
import random
import sys
import textwrap
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import population
from compare import Difference, body_value
from exchange import Side
from grammar import Grammar
from known import Known, KnownError
from plain import parse
from script import STORES, Call

# Of a hundred searches, how many are for what.
SHARES = (("runs", 60), ("experiments", 20), ("models", 20))


@dataclass
class World:
    """One server with its population."""

    side: Side
    ids: dict[str, str]

    def search(self, kind: str, body: dict[str, Any]) -> list[str] | str:
        """The names that were found in order, or the code of an error."""
        answer = self.side.send(Call("search", "POST", population.PATHS[kind], body=body), self.ids)
        if answer.status != 200:
            value = body_value(answer)
            code = value.get("error_code", "") if isinstance(value, dict) else ""
            return f"{answer.status} {code}".strip()
        return population.names(kind, parse(answer.body))


def main() -> None:
    """Populates, searches, compares."""
    options = arguments()
    try:
        known = Known.load(options.known, options.mlflow, options.ours_store)
    except KnownError as error:
        sys.exit(str(error))
    began = time.monotonic()
    unique = f"f{time.time_ns():x}"
    with ThreadPoolExecutor(2) as pool:
        making = [
            pool.submit(populated, Side(name, url), unique, options)
            for name, url in (("theirs", options.reference), ("ours", options.ours))
        ]
        theirs, ours = (each.result() for each in making)
        failed = 0
        seen: Counter[str] = Counter()
        for kind, number, body in searches(options, unique):
            found = [pool.submit(world.search, kind, body) for world in (theirs, ours)]
            left, right = (each.result() for each in found)
            verdict = judge(f"filters/{kind}/{number:04}", left, right, known)
            seen[verdict or ("refused" if isinstance(right, str) else "found some" if right else "found none")] += 1
            if verdict is not None:
                note = f" ({verdict})" if verdict else ""
                print(f"ok  filters: {kind} {number:04}{note}")
                continue
            failed += 1
            print(f"FAIL  filters: {kind} {number:04}")
            lines = (f"asked: {asked(body)}", f"theirs: {left}", f"ours:   {right}")
            print(textwrap.indent("\n".join(lines), "      "), flush=True)
    seconds = time.monotonic() - began
    counts = ", ".join(f"{count} {what}" for what, count in sorted(seen.items()))
    print(f"{seen.total()} searches in {seconds:.0f} s: {failed} differ; {counts}")
    sys.exit(0 if seen["found some"] and not failed else 1)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--reference", required=True, help="address of Python MLflow")
    parser.add_argument("--ours", required=True, help="address of Runledger")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mlflow", default="3.17.2", help="version of the reference")
    parser.add_argument("--reference-store", choices=STORES, default="sqlite")
    parser.add_argument("--ours-store", choices=STORES, default="sqlite")
    parser.add_argument("--known", type=Path, help="known-differences.toml, ids `filters/<kind>/<number>`")
    return parser.parse_args()


def populated(side: Side, unique: str, options: argparse.Namespace) -> World:
    """A server with the population of a seed in experiments of this run's own."""
    side.wait()
    rng = random.Random(options.seed)
    ids = population.make(side.send, unique, rng, has_models(options), finite(options))
    return World(side, ids)


def has_models(options: argparse.Namespace) -> bool:
    """Whether there are logged models, which 2.17 has not."""
    return not options.mlflow.startswith("2.")


def finite(options: argparse.Namespace) -> bool:
    """Whether infinities are left out: folders and databases keep them in different ways."""
    return options.reference_store != options.ours_store


def searches(options: argparse.Namespace, unique: str) -> list[tuple[str, int, dict[str, Any]]]:
    """The searches in order."""
    rng = random.Random(options.seed)
    made: list[tuple[str, int, dict[str, Any]]] = []
    makers: dict[str, Callable[[Grammar], dict[str, Any]]] = {
        "runs": lambda grammar: {
            "experiment_ids": ["{exp}"],
            "filter": grammar.filter(),
            "order_by": grammar.order(),
            "max_results": 1000,
        },
        "experiments": lambda grammar: {
            "filter": f"name LIKE '{unique}%' AND {grammar.filter()}",
            # By default the newest come first, and of a millisecond the smallest id; in folders ids
            # are random.
            "order_by": [*grammar.order(), "name"][:1],
            "max_results": 1000,
        },
        "models": lambda grammar: {
            "experiment_ids": ["{exp}"],
            "filter": grammar.filter(),
            "order_by": [{"field_name": "name", "ascending": rng.random() < 0.5}],
            "max_results": 50,
        },
    }
    for kind, share in SHARES:
        if kind == "models" and not has_models(options):
            continue
        words = population.vocabulary(kind, unique, has_models(options), finite(options))
        grammar = Grammar(rng, words)
        for number in range(1, options.count * share // 100 + 1):
            made.append((kind, number, makers[kind](grammar)))
    return made


def judge(request: str, left: list[str] | str, right: list[str] | str, known: Known) -> str | None:
    """`""` if both are the same, the reason if they may differ, else `None`."""
    if left == right:
        return ""
    if isinstance(left, str) and isinstance(right, str):
        if left.startswith("5") and right.startswith("4"):
            return "their 5xx"
        # The code that MLflow gives to what its database refuses, SQL included.
        if left == "400 BAD_REQUEST" and right == "400 INVALID_PARAMETER_VALUE":
            return "their database"
    entry = known.explain(request, Difference("found", left, right), None)
    return None if entry is None else "known"


def asked(body: dict[str, Any]) -> str:
    """A search for people."""
    return f"{body['filter']!r} order by {body['order_by']}"


if __name__ == "__main__":
    main()
