"""Sends the same requests to Python MLflow and to Runledger, and compares every answer.

    python replay.py --reference http://127.0.0.1:5001 --ours http://127.0.0.1:5002 \\
        --mlflow 3.17.2 --store sqlite --area tracking --known ../known-differences.toml \\
        --report out.json

Both servers must be new. `--store` is ours: a folder is compared with a database of MLflow's too,
since that is what Runledger follows. One line per request; the program ends with
code 1 if a difference is neither known nor a case of "MLflow fails, ours refuses".
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import corpus
from compare import Comparer, body_value
from endpoints import OTHER, endpoint_of
from exchange import Answer, Side, query_text, take
from known import Known, KnownError
from plain import Names, parse
from script import NEWER, OLDEST, STORES, Call, Scenario
from verdict import FAILING, KNOWN, THEIR_5XX, Verdict, judge, short


# Where new ids stand: those of both sides are one thing, also if nothing uses them later.
CREATED = ("run.info.run_id", "model.info.model_id", "experiment_id")


@dataclass
class Played:
    """What one side answered to a scenario, and the names of its values."""

    answers: list[Answer]
    names: list[dict[str, str]]
    """After each request, what was saved from its answer."""


def main() -> None:
    """Replays the corpus and reports."""
    options = arguments()
    try:
        known = Known.load(options.known, options.mlflow, options.store)
    except KnownError as error:
        sys.exit(str(error))
    chosen = corpus.chosen(options.area)
    if not chosen:
        sys.exit(f"nothing to replay in {options.area}")
    reference, ours = Side("theirs", options.reference), Side("ours", options.ours)
    for side in (reference, ours):
        side.wait()
    roots = root_of(reference), root_of(ours)
    verdicts: list[Verdict] = []
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        for noun, scenario in scenarios(chosen, options):
            unique = f"{noun.replace('_', '-')} {scenario.name} {os.getpid():x}"
            plays = [
                pool.submit(play, side, scenario, unique, options.mlflow) for side in (reference, ours)
            ]
            theirs, own = (each.result() for each in plays)
            for verdict in judged(noun, scenario, (reference, ours), roots, theirs, own, known, options):
                tell(verdict, options)
                verdicts.append(verdict)
    reference.close()
    ours.close()
    stale = []
    if options.only is None:
        stale = known.stale({each.id for each in verdicts}, corpus.requests())
    for entry in stale:
        print(f"FAIL  replay: stale entry of known differences: {entry.id} {entry.field}")
    if options.report is not None:
        write_report(options, verdicts, [entry.id for entry in stale])
    failed = sum(each.verdict in FAILING for each in verdicts) + len(stale)
    counts = ", ".join(
        f"{sum(each.verdict == name for each in verdicts)} {name}"
        for name in sorted({each.verdict for each in verdicts})
    )
    seconds = time.monotonic() - began
    print(f"{len(verdicts)} requests in {seconds:.0f} s: {counts}; {len(stale)} stale entries")
    sys.exit(0 if verdicts and not failed else 1)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--reference", required=True, help="address of Python MLflow")
    parser.add_argument("--ours", required=True, help="address of Runledger")
    parser.add_argument("--mlflow", required=True, help="version of the reference, such as 3.17.2")
    parser.add_argument("--store", required=True, choices=STORES, help="the store of ours")
    parser.add_argument("--area", nargs="+", default=["tracking"], help="areas or nouns")
    parser.add_argument("--only", help="scenarios whose `noun/name` contains this; nothing is stale then")
    parser.add_argument("--known", type=Path, help="known-differences.toml")
    parser.add_argument("--report", type=Path, help="writes every verdict as JSON")
    parser.add_argument("--quiet", action="store_true", help="prints failures only")
    return parser.parse_args()


def scenarios(
    chosen: list[corpus.Corpus], options: argparse.Namespace
) -> Iterator[tuple[str, Scenario]]:
    """The scenarios that this version and store can be asked."""
    for each in chosen:
        for scenario in each.scenarios:
            if options.store not in scenario.stores or not has(options.mlflow, scenario.since):
                continue
            if options.only is None or options.only in f"{each.noun}/{scenario.name}":
                yield each.noun, scenario


def has(mlflow: str, since: str) -> bool:
    """Whether a version has what is there since `2.17` or `3`."""
    return since == OLDEST or (since == NEWER and int(mlflow.split(".", 1)[0]) >= 3)


def sent(call: Call, mlflow: str) -> bool:
    """Whether a request is sent to this version."""
    endpoint = endpoint_of(call.method, call.path)
    return has(mlflow, call.since) and (endpoint is None or has(mlflow, endpoint.since))


def play(side: Side, scenario: Scenario, unique: str, mlflow: str) -> Played:
    """Sends the requests of a scenario to one side."""
    values = {"u": unique}
    values |= {name: f"no-{name}" for call in scenario.calls for name in call.save}
    played = Played([], [])
    for call in scenario.calls:
        if not sent(call, mlflow):
            continue
        answer = side.send(call, values)
        # What an earlier step saved under the name must not stand in for what this one lacks.
        saved: dict[str, str] = {}
        values |= {name: f"no-{name}" for name in call.save}
        if call.save:
            try:
                body = parse(answer.body)
            except ValueError:
                body = None
            for name, path in call.save.items():
                if (value := take(body, path)) is not None:
                    saved[name] = value
        values |= saved
        played.answers.append(answer)
        played.names.append(saved)
    return played


def judged(
    noun: str,
    scenario: Scenario,
    sides: tuple[Side, Side],
    roots: tuple[str | None, str | None],
    theirs: Played,
    ours: Played,
    known: Known,
    options: argparse.Namespace,
) -> Iterator[Verdict]:
    """A verdict for each request of a scenario."""
    names = [
        Names(f"{side.host}:{side.port}", root) for side, root in zip(sides, roots, strict=True)
    ]
    calls = [call for call in scenario.calls if sent(call, options.mlflow)]
    for index, call in enumerate(calls):
        left, right = theirs.answers[index], ours.answers[index]
        for made, played in zip(names, (theirs, ours), strict=True):
            for name, value in played.names[index].items():
                made.save(name, value)
        for path in () if call.save else CREATED:
            ids = [take(body_value(answer), path) for answer in (left, right)]
            for made, value in zip(names, ids, strict=True):
                if None not in ids:
                    made.save(call.step, str(value))
        comparer = Comparer(*names, unordered=call.unordered, loose=call.loose)
        request = f"{noun}/{scenario.name}/{call.step}"
        differences = comparer.answers(left, right)
        verdict, still_open, reasons = judge(request, left, right, differences, known)
        endpoint = endpoint_of(call.method, call.path)
        yield Verdict(
            id=request,
            method=call.method,
            endpoint=endpoint.template if endpoint else OTHER,
            setup=call.setup,
            theirs=left.status,
            ours=right.status,
            verdict=verdict,
            asked=asked(call),
            answers=(short(left), short(right)),
            open=still_open,
            reasons=reasons,
        )


def asked(call: Call) -> str:
    """A request for people."""
    query = query_text(call.query)
    body = call.raw if call.raw is not None else call.body
    text = f"{call.method} {call.path}{'' if query is None else '?' + query}"
    text += f" {call.headers}" if call.headers else ""
    text += "" if body is None else f" {body if isinstance(body, str) else json.dumps(body, default=repr, ensure_ascii=False)}"
    return text if len(text) <= 400 else f"{text[:400]}… ({len(text)} characters)"


def root_of(side: Side) -> str | None:
    """Where a server keeps artifacts: the location of its default experiment, without the id."""
    answer = side.send(Call("root", "GET", "/api/2.0/mlflow/experiments/get", {"experiment_id": "0"}), {})
    try:
        location = take(parse(answer.body), "experiment.artifact_location")
    except ValueError:
        return None
    return location.removesuffix("0").rstrip("/") if location else None


def tell(verdict: Verdict, options: argparse.Namespace) -> None:
    """Prints the line of a request, and below it what is not explained."""
    if verdict.verdict in FAILING:
        print(f"FAIL  replay: {verdict.id} ({verdict.verdict}: {verdict.method} {verdict.endpoint})")
        lines = [f"asked: {verdict.asked}"]
        if verdict.theirs != verdict.ours:
            lines += [f"theirs: {verdict.answers[0]}", f"ours: {verdict.answers[1]}"]
        else:
            lines += map(str, verdict.open)
        print(textwrap.indent("\n".join(lines), "      "), flush=True)
    elif not options.quiet:
        note = {THEIR_5XX: f" ({verdict.theirs} there, {verdict.ours} here)", KNOWN: " (known)"}
        print(f"ok  replay: {verdict.id}{note.get(verdict.verdict, '')}", flush=True)


def write_report(options: argparse.Namespace, verdicts: list[Verdict], stale: list[str]) -> None:
    """Every verdict as JSON, for `table.py`."""
    requests = [
        {
            "id": each.id,
            "endpoint": each.endpoint,
            "method": each.method,
            "setup": each.setup,
            "status": {"theirs": each.theirs, "ours": each.ours},
            "verdict": each.verdict,
            "asked": each.asked,
            "answers": {"theirs": each.answers[0], "ours": each.answers[1]},
            "open": [{"field": d.field, "theirs": d.theirs, "ours": d.ours} for d in each.open],
            "reasons": [entry.reason for entry in each.reasons],
        }
        for each in verdicts
    ]
    report = {
        "mlflow": options.mlflow,
        "store": options.store,
        "areas": {each.noun: each.area for each in corpus.ALL},
        "stale": stale,
        "requests": requests,
    }
    options.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
