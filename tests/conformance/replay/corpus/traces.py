"""Traces of both generations: told by clients and by spans of OpenTelemetry, tags, assessments,
searches, metrics, deletion. `--area traces` replays them."""

from __future__ import annotations

from typing import Any

from script import NEWER, Corpus, Script

CORPUS = Corpus("traces", area="traces")

# Times of the answer that say when it was asked.
WHEN = ("body.assessment.create_time", "body.assessment.last_update_time")

T3 = "/api/3.0/mlflow/traces"
T2 = "traces"
TIME = "2026-01-01T00:00:00.500Z"
NANOS = 1_767_225_600_000_000_000


def _place(exp: str = "{exp}") -> dict[str, Any]:
    return {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": exp}}


def _start(s: Script, step: str, trace: str, **fields: Any) -> None:
    info = {"trace_id": trace, "trace_location": _place(), "request_time": TIME, "state": "OK"}
    s.post(step, T3, {"trace": {"trace_info": {**info, **fields}}})


def _export(s: Script, step: str, spans: list, resource: Any = None, **headers: Any) -> None:
    body = {"resourceSpans": [{"resource": resource or {}, "scopeSpans": [{"spans": spans}]}]}
    headers = {"x-mlflow-experiment-id": "{exp}", **headers}
    s.post(step, "/v1/traces", body, headers=headers)


def _span(trace: str, span: str, parent: str = "", **fields: Any) -> dict[str, Any]:
    times = {"startTimeUnixNano": str(NANOS), "endTimeUnixNano": str(NANOS + 1_500_000_000)}
    return {
        "traceId": trace * 16,
        "spanId": span * 8,
        "parentSpanId": parent * 8,
        "name": f"n{span}",
        **times,
        **fields,
    }


def _texts(**values: Any) -> list[dict[str, Any]]:
    def value(of: Any) -> dict[str, Any]:
        return {"stringValue": of} if isinstance(of, str) else {"intValue": str(of)}

    return [{"key": key.replace("__", "."), "value": value(of)} for key, of in values.items()]


@CORPUS.scenario(since=NEWER)
def start(s: Script) -> None:
    s.experiment()
    _start(s, "least", "tr-{exp}-a")
    everything = {
        "client_request_id": "c",
        "execution_duration": "1.5s",
        "request_preview": "in",
        "response_preview": "out",
        "trace_metadata": {"m": "v", "mlflow.trace.tokenUsage": '{"input_tokens": 3, "x": 1}'},
        "tags": {"mlflow.traceName": "n", "k": "v"},
    }
    _start(s, "everything", "tr-{exp}-b", **everything)
    _start(s, "merged", "tr-{exp}-b", state="ERROR", tags={"k": "w", "l": "x"})
    s.get("shown", T3 + "/tr-{exp}-b")
    s.get("shown as old", T2 + "/tr-{exp}-b/info", unordered=("trace_info.tags",))
    s.get("partly", T3 + "/get", {"trace_id": "tr-{exp}-b", "allow_partial": "true"})
    s.get("unknown", T3 + "/nope")
    s.get("unknown as old", T2 + "/nope/info")
    s.get("no id", T3 + "/get")
    s.post("infos", T3 + "/batchGetInfos", {"trace_ids": ["tr-{exp}-b", "nope"]})
    s.post("no infos", T3 + "/batchGetInfos", {})
    s.get("batch of unknown", T3 + "/batchGet", {"trace_ids": "nope"})
    s.get("batch of none", T3 + "/batchGet")
    for step, body in (("nothing", {}), ("empty", {"trace": {}}), ("a text", {"trace": "x"})):
        s.post(step, T3, body)
    _start(s, "elsewhere", "tr-{exp}-c", trace_location=_place("999999"))
    with_assessments = [
        {"assessment_name": "q", "source": {"source_type": "HUMAN", "source_id": "m"},
         "feedback": {"value": "yes"}},
    ]  # fmt: skip
    _start(s, "with an assessment", "tr-{exp}-d", assessments=with_assessments)


@CORPUS.scenario(since=NEWER)
def spans(s: Script) -> None:
    s.experiment()
    attributes = _texts(
        openinference__span__kind="LLM",
        input__value="hi",
        output__value='{"a": 1}',
        llm__token_count__prompt=3,
        llm__token_count__completion=4,
        session__id="s",
        user__id="u",
    )
    resource = {"attributes": _texts(service__name="svc", x=5)}
    _export(s, "root", [_span("a1", "b1", attributes=attributes)], resource)
    trace = "tr-" + "a1" * 16
    s.get("root shown", f"{T3}/{trace}")
    s.get("root whole", f"{T3}/get", {"trace_id": trace})
    late = {"startTimeUnixNano": str(NANOS - 10**9), "endTimeUnixNano": str(NANOS + 4 * 10**9)}
    child = _span("a1", "b2", "b1", attributes=_texts(llm__token_count__prompt=5), **late)
    _export(s, "child", [child])
    s.get("child shown", f"{T3}/{trace}")
    s.get("child whole", f"{T3}/batchGet", {"trace_ids": trace})
    s.get("file", "/ajax-api/2.0/mlflow/get-trace-artifact", {"request_id": trace})
    _export(s, "no root", [_span("a2", "b1", "c1")])
    s.get("no root shown", f"{T3}/tr-{'a2' * 16}")
    failed = {
        "status": {"code": 2, "message": "bad"},
        "events": [{"name": "e", "timeUnixNano": str(NANOS), "attributes": _texts(k="v", n=1)}],
        "links": [{"traceId": "a1" * 16, "spanId": "b1" * 8}],
    }
    _export(s, "failed", [_span("a3", "b1", **failed)])
    s.get("failed shown", f"{T3}/tr-{'a3' * 16}")
    s.get("failed whole", f"{T3}/get", {"trace_id": f"tr-{'a3' * 16}"})
    gen_ai = _texts(
        gen_ai__operation__name="chat",
        gen_ai__request__model="m",
        gen_ai__usage__input_tokens=1,
        gen_ai__usage__output_tokens=2,
    )
    _export(s, "gen ai", [_span("a4", "b1", attributes=gen_ai)])
    s.get("gen ai shown", f"{T3}/tr-{'a4' * 16}")
    s.get("gen ai whole", f"{T3}/get", {"trace_id": f"tr-{'a4' * 16}"})
    traceloop = _texts(
        traceloop__span__kind="tool",
        traceloop__entity__input='{"q": 1}',
        traceloop__entity__output="plain",
    )
    _export(s, "traceloop", [_span("a5", "b1", attributes=traceloop)])
    s.get("traceloop whole", f"{T3}/get", {"trace_id": f"tr-{'a5' * 16}"})
    _export(s, "no spans", [])
    _export(s, "bad trace id", [_span("", "b1")])
    s.post("no experiment", "/v1/traces", {"resourceSpans": []})
    kind = {"Content-Type": "text/plain", "x-mlflow-experiment-id": "{exp}"}
    s.call("a text", "POST", "/v1/traces", raw="x", headers=kind)
    search = {"locations": [_place()]}
    for step, filter_string in (
        ("of type", "span.type = 'LLM'"),
        ("of name", "span.name LIKE '%b2'"),
        ("of status", "status = 'ERROR'"),
        ("of attribute", "span.attributes.x = '5'"),
        ("of tokens", "trace.tokens.input > 2"),
    ):
        s.post(step, f"{T3}/search", {**search, "filter": filter_string})


@CORPUS.scenario(since=NEWER)
def search(s: Script) -> None:
    s.experiment()
    for number in range(4):
        _start(
            s,
            f"trace {number}",
            f"tr-{{exp}}-{number}",
            request_time=f"2026-01-01T00:00:0{number}Z",
            execution_duration=f"0.{number}s",
            state=("OK", "ERROR")[number % 2],
            tags={"k": f"v{number}", "mlflow.traceName": f"n{number}"},
            trace_metadata={"m": "x"},
        )
    here = {"locations": [_place()]}

    def of(step: str, filter_string: str) -> None:
        s.post(step, f"{T3}/search", {**here, "filter": filter_string})

    s.each(
        "filter",
        (
            "",
            "status = 'OK'",
            "trace.status != 'OK'",
            "status IN ('OK', 'ERROR')",
            "tags.k = 'v1'",
            "tag.k != 'v1'",
            "tags.k LIKE 'v%'",
            "tags.k ILIKE 'V2'",
            "tags.k RLIKE 'v[12]'",
            "metadata.m = 'x'",
            "name = 'n1'",
            "timestamp_ms > 1767225601000",
            "execution_time < 200",
            "request_id = 'x'",
            "tags.k",
            "bogus = 'x'",
            "status > 'OK'",
            "timestamp = 'x'",
            "tags.k = v1",
            "tags.k = 'v1' OR tags.k = 'v2'",
            "feedback.q = 'yes'",
            "metadata.nope IS NULL",
            "tags.k IS NOT NULL",
        ),
        of,
    )

    def by(step: str, order: list[str]) -> None:
        s.post(step, f"{T3}/search", {**here, "order_by": order})

    orders = (
        ["timestamp ASC"],
        ["execution_time DESC"],
        ["status", "timestamp_ms"],
        ["tags.k DESC"],
        ["name"],
        ["bogus"],
        ["timestamp SIDEWAYS"],
    )
    s.each("order", orders, by)
    for step, body in (
        ("nothing", {}),
        ("no places", {"locations": []}),
        ("too many", {**here, "max_results": 501}),
        ("none", {**here, "max_results": 0}),
        ("a token", {**here, "page_token": "x"}),
    ):
        s.post(step, f"{T3}/search", body)
    save = {"token": "next_page_token"}
    first = {**here, "max_results": 3}
    s.post("page 1", f"{T3}/search", first, save=save, loose=("body.next_page_token",))
    s.post("page 2", f"{T3}/search", {**here, "max_results": 3, "page_token": "{token}"})
    s.get("as old", T2, {"experiment_ids": "{exp}", "filter": "tags.k = 'v1'"})
    s.get("as old, ordered", T2, {"experiment_ids": "{exp}", "order_by": "timestamp ASC"})
    s.get("as old, nowhere", T2)
    s.get("as old, too many", T2, {"experiment_ids": "{exp}", "max_results": "501"})
    metrics = {"experiment_ids": ["{exp}"], "view_type": "TRACES"}
    for step, body in (
        ("metrics of nothing", {}),
        ("count", {"metric_name": "trace_count", "aggregations": [{"aggregation_type": "COUNT"}]}),
        (
            "count by status",
            {
                "metric_name": "trace_count",
                "aggregations": [{"aggregation_type": "COUNT"}],
                "dimensions": ["trace_status"],
            },
        ),
        (
            "latency",
            {
                "metric_name": "latency",
                "aggregations": [
                    {"aggregation_type": "AVG"},
                    {"aggregation_type": "PERCENTILE", "percentile_value": 50},
                ],
            },
        ),
        ("bad metric", {"metric_name": "x", "aggregations": [{"aggregation_type": "COUNT"}]}),
        ("no aggregations", {"metric_name": "trace_count", "aggregations": []}),
    ):
        s.post(step, f"{T3}/metrics", {**metrics, **body} if body else {})
    both = {"filter_string1": "status = 'OK'", "filter_string2": "tags.k = 'v2'"}
    correlation = f"{T3}/calculate-filter-correlation"
    s.post("correlation", correlation, {"experiment_ids": ["{exp}"], **both})
    s.post("correlation of nothing", correlation, {"experiment_ids": ["{exp}"]})


@CORPUS.scenario(since=NEWER)
def tags_and_deletion(s: Script) -> None:
    s.experiment()
    _start(s, "trace", "tr-{exp}")
    path = T3 + "/tr-{exp}/tags"
    for step, body in (
        ("set", {"key": "a", "value": "b"}),
        ("set again", {"key": "a", "value": "c"}),
        ("no key", {"value": "b"}),
        ("no value", {"key": "b"}),
        ("fixed", {"key": "mlflow.trace.spansLocation", "value": "b"}),
        ("bad key", {"key": "bad key!", "value": "b"}),
        ("long", {"key": "k" * 251, "value": "b"}),
    ):
        s.patch(step, path, body)
    s.get("shown", T3 + "/tr-{exp}")
    s.delete("delete", path, {"key": "a"})
    s.delete("delete again", path, {"key": "a"})
    s.delete("of unknown", T2 + "/nope/tags", {"key": "a"})
    here = {"experiment_id": "{exp}"}
    for step, body in (
        ("nothing", {}),
        ("by nothing", here),
        ("by both", {**here, "max_timestamp_millis": 5, "request_ids": ["a"]}),
        ("ids with most", {**here, "request_ids": ["a"], "max_traces": 1}),
        ("most of none", {**here, "max_timestamp_millis": 5, "max_traces": 0}),
        ("unknown", {**here, "request_ids": ["nope"]}),
        ("by time, none", {**here, "max_timestamp_millis": 5}),
        ("by id", {**here, "request_ids": ["tr-{exp}"]}),
    ):
        s.post(f"deletion {step}", f"{T3}/delete-traces", body)
    s.get("gone", T3 + "/tr-{exp}")


@CORPUS.scenario(since=NEWER)
def assessments(s: Script) -> None:
    s.experiment()
    _start(s, "trace", "tr-{exp}")
    path = T3 + "/tr-{exp}/assessments"
    human = {"source": {"source_type": "HUMAN", "source_id": "me"}}
    save = {"one": "assessment.assessment_id"}
    body = {"assessment_name": "q", **human, "feedback": {"value": True}, "rationale": "r"}
    s.post("feedback", path, {"assessment": {**body, "metadata": {"k": "v"}}}, save=save, loose=WHEN)
    s.get("shown", path + "/{one}", loose=WHEN)
    for step, body in (
        ("nothing", {}),
        ("empty", {"assessment": {}}),
        ("no value", {"assessment": {"assessment_name": "n", "feedback": {}}}),
        ("overrides unknown", {"assessment": {"assessment_name": "n", "overrides": "a-x", "feedback": {"value": 1}}}),
        ("expectation", {"assessment": {"assessment_name": "x", **human, "expectation": {"value": {"a": 1}}}}),
        ("error", {"assessment": {"assessment_name": "e", **human, "feedback": {"error": {"error_code": "c", "error_message": "m"}}}}),
    ):  # fmt: skip
        s.post(step, path, body, loose=WHEN)
    feedback = {"assessment": {"assessment_name": "n", "feedback": {"value": 1}}}
    s.post("of unknown trace", T3 + "/nope/assessments", feedback)
    for step, body in (
        ("rename", {"assessment": {"assessment_name": "new"}, "update_mask": "assessmentName"}),
        ("value", {"assessment": {"feedback": {"value": 2}}, "update_mask": "feedback"}),
        ("metadata", {"assessment": {"metadata": {"l": "w"}, "rationale": "s"}, "update_mask": "rationale,metadata"}),
        ("other kind", {"assessment": {"expectation": {"value": 2}}, "update_mask": "expectation"}),
        ("no change", {}),
    ):  # fmt: skip
        s.patch(step, path + "/{one}", body, loose=WHEN)
    s.get("unknown", path + "/zz")
    s.get("unknown of unknown", T3 + "/nope/assessments/{one}")
    s.delete("delete unknown", path + "/zz")
    s.delete("delete", path + "/{one}")
    s.get("deleted", path + "/{one}")


@CORPUS.scenario()
def old(s: Script) -> None:
    s.experiment()
    s.run()
    here = {"experiment_id": "{exp}", "timestamp_ms": 5}
    save = {"trace": "trace_info.request_id"}
    tags = [{"key": "a", "value": "b"}]
    metadata = [{"key": "m", "value": "v"}]
    s.post("start", T2, {**here, "tags": tags, "request_metadata": metadata}, save=save)
    s.patch("end", T2 + "/{trace}", {"timestamp_ms": 9, "status": "OK", "tags": tags})
    s.get("shown", T2 + "/{trace}/info")
    s.patch("tag", T2 + "/{trace}/tags", {"key": "c", "value": "d"})
    s.delete("no tag", T2 + "/{trace}/tags", {"key": "zz"})
    s.post("elsewhere", T2, {"experiment_id": "999999", "timestamp_ms": 5})
    s.post("nothing", T2, {})
    s.patch("end of unknown", T2 + "/nope", {"timestamp_ms": 5, "status": "OK"})
    s.get("found", T2, {"experiment_ids": "{exp}"}, unordered=("traces[0].tags",))
    s.get("unknown", T2 + "/nope/info")
    s.post("delete", T2 + "/delete-traces", {"experiment_id": "{exp}", "request_ids": ["{trace}"]})
    s.get("none", T2, {"experiment_ids": "{exp}"})


@CORPUS.scenario(since=NEWER)
def links(s: Script) -> None:
    s.experiment()
    s.run()
    _start(s, "trace", "tr-{exp}")
    for step, body in (
        ("to run", {"trace_ids": ["tr-{exp}"], "run_id": "{run}"}),
        ("again", {"trace_ids": ["tr-{exp}"], "run_id": "{run}"}),
        ("of none", {"trace_ids": [], "run_id": "{run}"}),
        ("of many", {"trace_ids": ["a"] * 101, "run_id": "{run}"}),
        ("no run", {"trace_ids": ["tr-{exp}"]}),
    ):
        s.post(step, T2 + "/link-to-run", body)
    prompt = {"prompt_versions": [{"name": "p", "version": "1"}]}
    s.post("to prompt", T2 + "/link-prompts", {"trace_id": "tr-{exp}", **prompt})
    s.post("of unknown", T2 + "/link-prompts", {"trace_id": "nope", **prompt})
    search = {"locations": [_place()], "filter": "trace.run_id = '{run}'"}
    s.post("found", f"{T3}/search", search)
    s.get("shown", T3 + "/tr-{exp}")
