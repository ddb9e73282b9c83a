"""Tests of the replay itself: every kind of difference that it must see is planted once.

    python selftest.py
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock

import corpus
import filters
import replay
import table
from compare import Comparer, Difference
from endpoints import ENDPOINTS, endpoint_of
from exchange import Answer, fill, query_text, take
from grammar import Grammar
from known import Known, KnownError
from plain import Names
from script import Corpus, Script
from verdict import judge

RUN_A, RUN_B = "a" * 31 + "1", "b" * 31 + "2"


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON."""
    named = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return Answer(status, named, body if isinstance(body, bytes) else json.dumps(body).encode())


def differences(theirs: Any, ours: Any, **options: Any) -> list[str]:
    """The fields that differ between two bodies or answers; run `a…` of theirs is `b…` of ours."""
    left, right = Names("host:1", "root-a"), Names("host:2", "root-b")
    for names, run, experiment in ((left, RUN_A, "3"), (right, RUN_B, "4")):
        names.save("run", run)
        names.save("exp", experiment)
    pair = [each if isinstance(each, Answer) else answer(each) for each in (theirs, ours)]
    return [each.field for each in Comparer(left, right, **options).answers(*pair)]


class Comparing(unittest.TestCase):
    """What is a difference, and what is none."""

    def test_equal_answers_have_none(self) -> None:
        self.assertEqual(differences({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}), [])

    def test_status(self) -> None:
        self.assertEqual(differences(answer({}, 200), answer({}, 201)), ["status"])

    def test_headers(self) -> None:
        for name in ("content_type", "content_disposition", "x_content_type_options", "location", "etag"):
            with self.subTest(name):
                field = f"header.{name.replace('_', '-')}"
                expected = [field] if name != "content_type" else [field, "body"]
                self.assertEqual(differences(answer({}), answer({}, **{name: "x/y"})), expected)

    def test_headers_in_other_words(self) -> None:
        self.assertEqual(
            differences(
                answer({}, content_type="application/json;charset=UTF-8", allow="GET, POST"),
                answer({}, content_type="application/json; charset=utf-8", allow="POST,GET"),
            ),
            [],
        )

    def test_absent_is_no_default(self) -> None:
        for default in ("", 0, None, False, [], {}):
            with self.subTest(default):
                self.assertEqual(differences({"a": default}, {}), ["body.a"])
                self.assertEqual(differences({}, {"a": default}), ["body.a"])

    def test_kinds_of_values(self) -> None:
        pairs = ((1, 1.0), (1, "1"), (0, False), (0.0, -0.0), (1, True), (None, ""), ([], {}), ("a", "A"), (0.1, 0.2))
        for left, right in pairs:
            with self.subTest(f"{left!r} {right!r}"):
                self.assertEqual(differences({"a": left}, {"a": right}), ["body.a"])

    def test_a_token_is_no_text(self) -> None:
        self.assertEqual(differences(answer(b'{"a": NaN}'), answer(b'{"a": "NaN"}')), ["body.a"])
        self.assertEqual(differences(answer(b'{"a": NaN}'), answer(b'{"a": NaN}')), [])
        self.assertEqual(differences(answer(b'{"a": Infinity}'), answer(b'{"a": -Infinity}')), ["body.a"])

    def test_a_repeated_key(self) -> None:
        found = differences(answer(b'{"a": 1}'), answer(b'{"a": 2, "a": 1}'))
        self.assertEqual(found, ["body.<repeated keys>"])

    def test_order_counts(self) -> None:
        self.assertEqual(differences({"runs": [1, 2]}, {"runs": [2, 1]}), ["body.runs[0]", "body.runs[1]"])

    def test_order_that_is_open(self) -> None:
        one = {"run": {"data": {"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]}}}
        other = {"run": {"data": {"tags": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}]}}}
        self.assertEqual(differences(one, other), [])
        other["run"]["data"]["tags"][0]["value"] = "3"
        self.assertEqual(differences(one, other), ["body.run.data.tags[1].value"])
        self.assertEqual(differences({"x": [1, 2]}, {"x": [2, 1]}, unordered=("x",)), [])

    def test_an_open_list_in_an_open_list(self) -> None:
        def run(*tags: str) -> dict[str, Any]:
            return {"tags": [{"key": tag} for tag in tags]}

        def inputs(*each: dict[str, Any]) -> dict[str, Any]:
            return {"run": {"inputs": {"dataset_inputs": list(each)}}}

        self.assertEqual(differences(inputs(run("a", "b"), run("c")), inputs(run("c"), run("b", "a"))), [])

    def test_longer_lists(self) -> None:
        self.assertEqual(differences({"a": [1]}, {"a": [1, 2]}), ["body.a[1]"])

    def test_times_near_now(self) -> None:
        now = int(time.time() * 1000)
        self.assertEqual(differences({"t": now}, {"t": now - 5000}), [])
        self.assertEqual(differences({"t": now}, {"t": 0}), ["body.t"])
        self.assertEqual(differences({"t": now}, {"t": now / 1000}), ["body.t"])
        self.assertEqual(differences({"t": 1700000000000}, {"t": 1700000000001}), ["body.t"])
        self.assertEqual(differences({"t": now}, {"t": str(now)}), ["body.t"])

    def test_generated_names(self) -> None:
        self.assertEqual(differences({"run_name": "big-cat-12"}, {"run_name": "sad-dog-345"}), [])
        self.assertEqual(differences({"run_name": "big-cat-12"}, {"run_name": ""}), ["body.run_name"])
        self.assertEqual(differences({"run_name": "big-cat-12"}, {"run_name": "cat 12"}), ["body.run_name"])
        self.assertEqual(differences({"message": "big-cat-12"}, {"message": "sad-dog-345"}), ["body.message"])

    def test_saved_values(self) -> None:
        self.assertEqual(differences({"run_id": RUN_A}, {"run_id": RUN_B}), [])
        self.assertEqual(differences({"m": f"no {RUN_A}!"}, {"m": f"no {RUN_B}!"}), [])
        self.assertEqual(differences({"run_id": RUN_A}, {"run_id": RUN_A}), ["body.run_id"])
        self.assertEqual(differences({"experiment_id": "3"}, {"experiment_id": "4"}), [])
        self.assertEqual(differences({"experiment_id": "3"}, {"experiment_id": "3"}), ["body.experiment_id"])
        self.assertEqual(differences({"root_uri": f"root-a/3/{RUN_A}/x"}, {"root_uri": f"root-b/4/{RUN_B}/x"}), [])
        self.assertEqual(differences({"a": "http://host:1/x"}, {"a": "http://host:2/x"}), [])

    def test_numbers_in_messages_are_not_ids(self) -> None:
        self.assertEqual(differences({"message": "no 3"}, {"message": "no 4"}), [])
        self.assertEqual(differences({"value": "3"}, {"value": "3"}), [])
        self.assertEqual(differences({"value": "3"}, {"value": "4"}), ["body.value"])
        self.assertEqual(differences({"message": "at most 3"}, {"message": "at most 3"}), [])
        self.assertEqual(differences({"message": "at most 3"}, {"message": "at most 5"}), ["body.message"])

    def test_unsaved_ids_are_told_apart(self) -> None:
        one, two = "c" * 32, "d" * 32
        self.assertEqual(differences({"a": one, "b": two}, {"a": two, "b": one}), [])
        self.assertEqual(differences({"a": one, "b": one}, {"a": one, "b": two}), ["body.b"])
        self.assertEqual(differences({"a": f"m-{one}"}, {"a": one}), ["body.a"])

    def test_sets_in_messages(self) -> None:
        self.assertEqual(differences({"m": "one of {'a', 'b'}"}, {"m": "one of {'b', 'a'}"}), [])
        self.assertEqual(differences({"m": "one of {'a', 'b'}"}, {"m": "one of {'b', 'c'}"}), ["body.m"])

    def test_loose_fields_must_be_there(self) -> None:
        self.assertEqual(differences({"token": "x"}, {"token": "y"}, loose=("body.token",)), [])
        self.assertEqual(differences({"token": "x"}, {}, loose=("body.token",)), ["body.token"])

    def test_bodies_that_are_no_json(self) -> None:
        def text(body: bytes, kind: str = "text/plain") -> Answer:
            return Answer(200, {"content-type": kind}, body)

        self.assertEqual(differences(text(b"OK"), text(b"OK")), [])
        self.assertEqual(differences(text(b"OK"), text(b"no")), ["body"])
        self.assertEqual(differences(text(b"\xff\x00"), text(b"\xff\x01")), ["body"])
        self.assertEqual(differences(text(b""), text(b"x")), ["body"])
        self.assertEqual(differences(text(b"<p>", "text/html"), text(b"<b>", "text/html")), [])
        self.assertEqual(differences(text(b"{", "application/json"), answer({})), ["body"])


class Judging(unittest.TestCase):
    """Which differences count."""

    def judged(self, theirs: Answer, ours: Answer, entries: str = "") -> str:
        found = Comparer(Names("host:1", None), Names("host:2", None)).answers(theirs, ours)
        return judge("noun/scenario/step", theirs, ours, found, known(entries))[0]

    def test_same(self) -> None:
        self.assertEqual(self.judged(answer({}), answer({})), "same")

    def test_unexplained(self) -> None:
        self.assertEqual(self.judged(answer({"a": 1}), answer({"a": 2})), "unexplained")
        self.assertEqual(self.judged(answer({}, 400), answer({}, 200)), "unexplained")

    def test_no_answer_is_never_right(self) -> None:
        gone = Answer(0, {}, b"ConnectionResetError")
        self.assertEqual(self.judged(gone, gone), "unexplained")
        self.assertEqual(self.judged(gone, answer({})), "unexplained")
        self.assertEqual(self.judged(answer({}, 500), gone), "unexplained")
        entry = 'id = "*"\nreason = "r"'
        self.assertEqual(self.judged(gone, answer({}), entry), "known")
        self.assertEqual(self.judged(answer({}, 500), gone, entry), "unexplained")

    def test_their_failure_excuses_a_refusal_only(self) -> None:
        self.assertEqual(self.judged(answer({}, 500), answer({}, 400)), "their 5xx")
        self.assertEqual(self.judged(answer({}, 500), answer({}, 200)), "unexplained")
        self.assertEqual(self.judged(answer({}, 400), answer({}, 500)), "unexplained")
        self.assertEqual(self.judged(answer({}, 200), answer({}, 400)), "unexplained")

    def test_other_words(self) -> None:
        def refusal(code: str, message: str, status: int = 400) -> Answer:
            return answer({"error_code": code, "message": message}, status)

        self.assertEqual(self.judged(refusal("X", "a"), refusal("X", "b")), "message")
        self.assertEqual(self.judged(refusal("X", "a"), refusal("Y", "b")), "unexplained")
        self.assertEqual(self.judged(refusal("X", "a"), refusal("X", "b", 404)), "unexplained")
        entry = 'id = "*"\nfield = "body.message"\nclass = "message"\nreason = "r"'
        self.assertEqual(self.judged(refusal("X", "a"), refusal("X", "b"), entry), "known")
        self.assertEqual(self.judged(refusal("X", "a"), refusal("Y", "b"), entry), "unexplained")

    def test_known(self) -> None:
        entry = 'id = "noun/*/step"\nfield = "body.a"\ntheirs = 1\nours = 2\nreason = "r"'
        self.assertEqual(self.judged(answer({"a": 1}), answer({"a": 2}), entry), "known")
        self.assertEqual(self.judged(answer({"a": 1}), answer({"a": 3}), entry), "unexplained")
        self.assertEqual(self.judged(answer({"a": 1.0}), answer({"a": 2}), entry), "unexplained")
        self.assertEqual(self.judged(answer({"a": 1, "b": 1}), answer({"a": 2}), entry), "unexplained")
        other = entry.replace("noun/", "other/")
        self.assertEqual(self.judged(answer({"a": 1}), answer({"a": 2}), other), "unexplained")


def known(entries: str, mlflow: str = "3.17.2", store: str = "sqlite") -> Known:
    """The known differences of a text that has entries parted by empty lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "known.toml")
        parts = [part for part in entries.split("\n\n") if part.strip()]
        path.write_text("".join(f"[[known]]\n{part}\n" for part in parts), encoding="utf-8")
        return Known.load(path, mlflow, store)


class KnownDifferences(unittest.TestCase):
    """The file of known differences."""

    ENTRY = 'id = "noun/a/b"\nfield = "body.x"\nreason = "r"'
    DIFFERENCE = Difference("body.x", 1, 2)

    def test_an_unused_entry_is_stale(self) -> None:
        self.assertEqual(len(known(self.ENTRY).stale({"noun/a/b"}, {"noun/a/b", "other/a/b"})), 1)

    def test_an_older_version_need_not_use_what_is_for_all(self) -> None:
        replayed = {"noun/a/b"}
        self.assertEqual(known(self.ENTRY, "2.17.2").stale(replayed, replayed), [])
        own = known(f'{self.ENTRY}\nmlflow = "2.17.2"', "2.17.2")
        self.assertEqual(len(own.stale(replayed, replayed)), 1)

    def test_a_used_entry_is_not(self) -> None:
        entries = known(self.ENTRY)
        self.assertIsNotNone(entries.explain("noun/a/b", self.DIFFERENCE, None))
        self.assertEqual(entries.stale({"noun/a/b"}, {"noun/a/b"}), [])

    def test_each_id_of_a_list_must_be_used(self) -> None:
        entries = known('id = ["noun/a/b", "noun/a/c"]\nreason = "r"')
        self.assertIsNotNone(entries.explain("noun/a/b", self.DIFFERENCE, None))
        self.assertEqual([entry.id for entry in entries.stale({"noun/a/b", "noun/a/c"}, set())], ["noun/a/c"])

    def test_texts_are_patterns(self) -> None:
        entries = known('id = "*"\ntheirs = "(sqlite3.*"\nreason = "r"')
        self.assertIsNotNone(entries.explain("x/y/z", Difference("body.m", "(sqlite3.Error) [a]", ""), None))
        self.assertIsNone(entries.explain("x/y/z", Difference("body.m", "no (sqlite3.Error)", ""), None))

    def test_what_was_not_replayed_is_not_stale(self) -> None:
        self.assertEqual(known(self.ENTRY).stale({"other/a/b"}, {"noun/a/b", "other/a/b"}), [])

    def test_a_request_that_does_not_exist_is_stale(self) -> None:
        self.assertEqual(len(known(self.ENTRY).stale({"other/a/b"}, {"other/a/b"})), 1)

    def test_versions_and_stores(self) -> None:
        for line, version, store, count in (
            ('mlflow = "3.17.2"', "3.17.2", "sqlite", 1),
            ('mlflow = "3.17.2"', "2.17.2", "sqlite", 0),
            ('store = "file"', "3.17.2", "file", 1),
            ('store = "file"', "3.17.2", "sqlite", 0),
            ('store = ["sqlite", "file"]', "3.17.2", "file", 1),
            ('store = ["sqlite", "file"]', "3.17.2", "postgres", 0),
        ):
            with self.subTest(f"{line} {version} {store}"):
                self.assertEqual(len(known(f"{self.ENTRY}\n{line}", version, store).entries), count)

    def test_mistakes_are_refused(self) -> None:
        for wrong in (
            'id = "noun/a/b"\nfield = "body"',
            'field = "body"\nreason = "r"',
            f'{self.ENTRY}\ncolour = "red"',
            'id = "noun/b"\nfield = "body"\nreason = "r"',
            "id = ",
        ):
            with self.subTest(wrong), self.assertRaises(KnownError):
                known(wrong)

    def test_an_index_in_a_field_is_no_set(self) -> None:
        entries = known('id = "*"\nfield = "body.a[0].*"\nreason = "r"')
        self.assertIsNotNone(entries.explain("x/y/z", Difference("body.a[0].b", 1, 2), None))
        self.assertIsNone(entries.explain("x/y/z", Difference("body.a0.b", 1, 2), None))


class Writing(unittest.TestCase):
    """The words of the corpus, and the corpus itself."""

    def test_placeholders(self) -> None:
        values = {"run": "r1"}
        self.assertEqual(fill({"a{run}": ["{run}", "{other}", "{}", 1]}, values), {"ar1": ["r1", "{other}", "{}", 1]})
        self.assertEqual(take({"a": [{"b": 5}]}, "a.0.b"), "5")
        self.assertIsNone(take({"a": []}, "a.0.b"))
        self.assertEqual(query_text([("a", "1"), ("a", "ü")]), "a=1&a=%C3%BC")

    def test_steps_are_named_once(self) -> None:
        script = Script()
        script.get("one", "x")
        with self.assertRaises(ValueError):
            script.get("one", "y")
        with self.assertRaises(ValueError):
            script.get("a/b", "y")

    def test_saved_names_are_used(self) -> None:
        """A placeholder without a value would be sent as it is."""
        for each in corpus.ALL:
            for scenario in each.scenarios:
                names = {"u"}
                for call in scenario.calls:
                    sent = json.dumps([call.path, call.query, call.body, str(call.raw)], default=str)
                    for name in replay_names(sent):
                        self.assertIn(name, names, f"{each.noun}/{scenario.name}/{call.step}")
                    names |= set(call.save)

    def test_every_endpoint_is_asked(self) -> None:
        asked = {
            endpoint_of(call.method, call.path)
            for each in corpus.ALL
            for scenario in each.scenarios
            for call in scenario.calls
        }
        self.assertEqual([endpoint for endpoint in ENDPOINTS if endpoint not in asked], [])

    def test_the_same_seed_makes_the_same_filters(self) -> None:
        def made(seed: int) -> list[str]:
            grammar = Grammar(random.Random(seed))
            return [grammar.filter() for _ in range(50)]

        self.assertEqual(made(1), made(1))
        self.assertNotEqual(made(1), made(2))


def replay_names(text: str) -> list[str]:
    """The placeholders in a text that look like those of scenarios."""
    from exchange import _PLACEHOLDER

    return _PLACEHOLDER.findall(text)


class Server(ThreadingHTTPServer):
    """A server that knows one experiment, and is wrong about what it is told to be."""

    def __init__(self, wrong: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.wrong = wrong

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Answers everything with one object."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:  # noqa: N802 - the name is given
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wrong = self.server.wrong != "" and self.server.wrong in self.path
        body = json.dumps({"experiment_id": "7", "value": "wrong" if wrong else "right"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextlib.contextmanager
def served(wrong: str = "") -> Iterator[Server]:
    """A server that runs as long as the block."""
    server = Server(wrong)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


TINY = Corpus("tiny")


@TINY.scenario()
def _reading(s: Script) -> None:
    s.experiment()
    s.get("get", "experiments/get", {"experiment_id": "{exp}"})
    s.get("other", "runs/get", {"run_id": "x"})


class Replaying(unittest.TestCase):
    """The program against servers of this file."""

    def replay(self, wrong: str, entries: str = "", only: str | None = None) -> tuple[int, str, dict[str, Any]]:
        with tempfile.TemporaryDirectory() as folder, served() as right, served(wrong) as ours:
            path, report = Path(folder, "known.toml"), Path(folder, "report.json")
            path.write_text(entries, encoding="utf-8")
            argv = ["replay.py", "--reference", right.url, "--ours", ours.url, "--mlflow", "3.17.2"]
            argv += ["--store", "sqlite", "--area", "tiny", "--known", str(path), "--report", str(report)]
            argv += ["--only", only] if only else []
            output = io.StringIO()
            with (
                mock.patch.object(sys, "argv", argv),
                mock.patch.object(corpus, "ALL", [TINY]),
                contextlib.redirect_stdout(output),
                self.assertRaises(SystemExit) as ended,
            ):
                replay.main()
            made = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
            return ended.exception.code, output.getvalue(), made

    KNOWN = '[[known]]\nid = "tiny/reading/other"\nfield = "body.value"\nreason = "r"\n'

    def test_equal_servers_pass(self) -> None:
        code, output, report = self.replay("")
        self.assertEqual(code, 0, output)
        self.assertEqual(output.count("ok  replay: "), 3)
        self.assertEqual({each["verdict"] for each in report["requests"]}, {"same"})

    def test_a_difference_fails(self) -> None:
        code, output, report = self.replay("runs/get")
        self.assertEqual(code, 1)
        self.assertIn("FAIL  replay: tiny/reading/other", output)
        self.assertIn("body.value: theirs 'right', ours 'wrong'", output)
        self.assertEqual(report["requests"][2]["endpoint"], "/mlflow/runs/get")
        self.assertEqual(report["requests"][2]["verdict"], "unexplained")

    def test_a_known_difference_passes(self) -> None:
        code, output, report = self.replay("runs/get", self.KNOWN)
        self.assertEqual(code, 0, output)
        self.assertEqual(report["requests"][2]["verdict"], "known")

    def test_a_stale_entry_fails(self) -> None:
        code, output, report = self.replay("", self.KNOWN)
        self.assertEqual(code, 1)
        self.assertIn("FAIL  replay: stale entry", output)
        self.assertEqual(report["stale"], ["tiny/reading/other"])

    def test_a_part_of_a_run_has_no_stale_entries(self) -> None:
        self.assertEqual(self.replay("", self.KNOWN, only="tiny/reading")[0], 0)

    def test_nothing_replayed_fails(self) -> None:
        self.assertEqual(self.replay("", only="no such scenario")[0], 1)

    def test_a_server_that_is_not_there_fails(self) -> None:
        from exchange import Side
        from script import Call

        found = Side("ours", "http://127.0.0.1:1").send(Call("x", "GET", "/"), {})
        self.assertEqual(found.status, 0)


class Filters(unittest.TestCase):
    """The verdict of one generated search."""

    def test_judging(self) -> None:
        none = Known([])
        self.assertEqual(filters.judge("f/runs/1", ["a", "b"], ["a", "b"], none), "")
        self.assertIsNone(filters.judge("f/runs/1", ["a", "b"], ["b", "a"], none))
        self.assertIsNone(filters.judge("f/runs/1", ["a"], "400 INVALID_PARAMETER_VALUE", none))
        self.assertIsNone(filters.judge("f/runs/1", "400 X", "400 Y", none))
        self.assertEqual(filters.judge("f/runs/1", "500", "400 X", none), "their 5xx")
        self.assertIsNone(filters.judge("f/runs/1", "500", ["a"], none))


class Tables(unittest.TestCase):
    """The table in a document."""

    REPORT = {
        "mlflow": "3.17.2",
        "store": "sqlite",
        "areas": {"runs": "tracking"},
        "requests": [
            {"id": "runs/a/b", "endpoint": "/mlflow/runs/get", "method": "GET", "status": {"ours": 200}, "verdict": "same"},
            {"id": "runs/a/c", "endpoint": "/mlflow/runs/get", "method": "GET", "status": {"ours": 400}, "verdict": "their 5xx"},
            {"id": "runs/a/d", "endpoint": "(no endpoint)", "method": "PUT", "status": {"ours": 404}, "verdict": "unexplained"},
        ],
    }

    def test_counts(self) -> None:
        text = table.tables([self.REPORT])
        self.assertIn("| 3.17.2 | sqlite | tracking | 3 | 1 | 1 | 0 | 1 |", text)
        self.assertIn("| GET | `/mlflow/runs/get` | 2 | 200: 1, 400: 1 | 1 | 1 | 0 | 0 |", text)

    def test_placing(self) -> None:
        document = f"a\n{table.BEGIN}\nold\n{table.END}\nb\n"
        self.assertEqual(table.placed(document, "new\n"), f"a\n{table.BEGIN}\nnew\n{table.END}\nb\n")
        for wrong in ("", table.BEGIN, f"{table.END}{table.BEGIN}", document * 2):
            with self.subTest(wrong), self.assertRaises(ValueError):
                table.placed(wrong, "new\n")


if __name__ == "__main__":
    unittest.main()
