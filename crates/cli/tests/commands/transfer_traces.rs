//! `runledger export` and `runledger import` of traces.

use std::collections::BTreeMap;
use std::fs;

use runledger_entities::{
    Assessment, AssessmentId, AssessmentSource, AssessmentValue, ExperimentId, SourceType, Span,
    Trace, TraceId, TraceInfo, TraceState, trace_keys,
};
use runledger_protocol::otlp::{self, Encoding};
use serde_json::Value;

use super::experiments::create;
use super::world::{Kind, World};

const ID: &str = "tr-0123456789abcdef0123456789abcdef";

/// A root with a child, as a server reads them.
fn spans() -> Vec<Span> {
    let body = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [
        {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a1",
         "name": "ask", "startTimeUnixNano": "1700000000000000000",
         "endTimeUnixNano": "1700000000250000000",
         "attributes": [
            {"key": "mlflow.spanType", "value": {"stringValue": "LLM"}},
            {"key": "mlflow.spanInputs", "value": {"stringValue": "what?"}}],
         "status": {"code": 1}},
        {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a2",
         "parentSpanId": "00000000000000a1", "name": "look up",
         "startTimeUnixNano": "1700000000100000000", "endTimeUnixNano": "1700000000200000000",
         "status": {"code": 2, "message": "nothing"}}
    ]}]}]}"#;
    otlp::read(body.as_bytes(), Encoding::Json).unwrap().spans
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn info(experiment: ExperimentId, run: &str) -> TraceInfo {
    TraceInfo {
        trace_id: TraceId::new(ID),
        experiment_id: experiment,
        request_time: 1_700_000_000_000,
        execution_duration: Some(250),
        state: TraceState::Ok,
        client_request_id: Some("c-1".to_owned()),
        request_preview: Some("what?".to_owned()),
        response_preview: Some("that".to_owned()),
        metadata: map(&[(trace_keys::SOURCE_RUN, run), ("version", "7")]),
        tags: map(&[(trace_keys::NAME, "ask"), ("team", "é")]),
        assessments: Vec::new(),
    }
}

fn assessment(json: &str, overrides: Option<AssessmentId>) -> Assessment {
    Assessment {
        assessment_id: AssessmentId::random(),
        trace_id: TraceId::new(ID),
        span_id: None,
        name: "correct".to_owned(),
        source: AssessmentSource {
            source_type: SourceType::Human,
            source_id: Some("ada".to_owned()),
        },
        value: AssessmentValue::Feedback {
            json: json.to_owned(),
            error: None,
        },
        rationale: Some("so".to_owned()),
        metadata: BTreeMap::new(),
        create_time: 0,
        last_update_time: 0,
        overrides,
        valid: true,
    }
}

/// A trace of a run, with spans and an assessment that took the place of another.
fn fill(world: &World) {
    let x = create(world, "moved");
    let run = world.run(&x, "source");
    let experiment: ExperimentId = x.parse().unwrap();
    world.ask(async |client| {
        let traces = client.traces();
        traces.log_spans(experiment, spans()).await.unwrap();
        traces.start_trace(info(experiment, &run)).await.unwrap();
        let first = client.log_assessment(assessment("false", None)).await;
        let first = first.unwrap().assessment_id;
        let second = assessment("true", Some(first));
        client.log_assessment(second).await.unwrap();
    });
}

/// The trace, without what is the store's own; and the run in which it began.
fn read(world: &World) -> (Trace, String) {
    let mut trace = world.ask(async |client| client.get_trace(&TraceId::new(ID)).await.unwrap());
    trace.info.experiment_id = ExperimentId::DEFAULT;
    trace.info.tags.remove(trace_keys::ARTIFACT_LOCATION);
    let run = trace.info.metadata.remove(trace_keys::SOURCE_RUN);
    (trace, run.unwrap())
}

/// What is assessed, with whether it counts.
fn assessed(trace: &mut Trace) -> Vec<(AssessmentValue, Option<String>, bool)> {
    let mut assessments = std::mem::take(&mut trace.info.assessments);
    assessments.sort_by_key(|assessment| assessment.overrides.is_some());
    let [first, second] = &assessments[..] else {
        panic!("{assessments:?}");
    };
    assert_eq!(second.overrides.as_ref(), Some(&first.assessment_id));
    assessments
        .into_iter()
        .map(|it| (it.value, it.rationale, it.valid))
        .collect()
}

fn done(text: &str) -> [u64; 3] {
    let done: Value = serde_json::from_str(text).unwrap();
    ["runs", "traces", "traces_before"].map(|name| done[name].as_u64().unwrap())
}

fn source_run(world: &World) -> String {
    let runs = world.ok(&["runs", "search", "-n", "moved", "--json"]);
    let runs: Value = serde_json::from_str(&runs).unwrap();
    runs["runs"][0]["info"]["run_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn traces_go_from_every_store_into_every_other() {
    let kinds = [Kind::Folder, Kind::Database, Kind::Server];
    for (from, into) in kinds.into_iter().zip(kinds.into_iter().cycle().skip(1)) {
        let (source, target) = (World::of(from), World::of(into));
        fill(&source);
        let archive = source.path().join("archive");
        let archive = archive.to_str().unwrap();
        let export = ["export", archive, "-n", "moved", "--json"];
        assert_eq!(done(&source.ok(&export)), [1, 1, 0]);
        let import = ["import", archive, "--json"];
        assert_eq!(done(&target.ok(&import)), [1, 1, 0]);
        assert_eq!(done(&target.ok(&import)), [0, 0, 1], "all is there");
        let ((mut before, _), (mut after, run)) = (read(&source), read(&target));
        assert_eq!(run, source_run(&target));
        assert_eq!(before.spans.len(), 2);
        assert_eq!(assessed(&mut before), assessed(&mut after));
        assert_eq!(before, after, "{from:?} into {into:?}");
    }
}

#[test]
fn a_trace_that_was_cut_short_is_read_anew() {
    let (source, target) = (World::of(Kind::Folder), World::of(Kind::Database));
    fill(&source);
    source.ok(&["export", "archive", "-n", "moved"]);
    let archive = source.path().join("archive");
    let import = ["import", archive.to_str().unwrap(), "--json"];
    target.ok(&[&import[..], &["--no-traces"]].concat());
    let experiment = target.ask(async |client| {
        let experiment = client.experiment_named("moved").await.unwrap();
        experiment.experiment_id
    });
    // Its spans, and then nothing.
    target.ask(async |client| {
        let logged = client.traces().log_spans(experiment, spans());
        logged.await.unwrap();
    });
    assert_eq!(done(&target.ok(&import)), [0, 1, 0]);
    // What is known about it, and one assessment of two.
    target.ask(async |client| {
        let (id, key) = (TraceId::new(ID), "runledger.import.incomplete");
        client.set_trace_tag(&id, key, "true").await.unwrap();
    });
    assert_eq!(done(&target.ok(&import)), [0, 1, 0]);
    let (mut trace, _) = read(&target);
    assert_eq!(assessed(&mut trace).len(), 2);
    assert!(!trace.info.tags.contains_key("runledger.import.incomplete"));
    assert_eq!(trace.spans.len(), 2);
}

#[test]
fn a_trace_of_another_experiment_is_left_alone() {
    let world = World::of(Kind::Database);
    fill(&world);
    world.ok(&["export", "archive", "-n", "moved"]);
    let text = world.ok(&["import", "archive", "-n", "copy", "--json"]);
    assert_eq!(done(&text), [1, 0, 0]);
    assert!(text.contains("other experiments"), "{text}");
    // Without traces none are written.
    let export = ["export", "without", "-n", "moved", "--no-traces", "--json"];
    assert_eq!(done(&world.ok(&export)), [1, 0, 0]);
}

#[test]
fn files_of_traces_are_checked() {
    let (source, target) = (World::of(Kind::Database), World::of(Kind::Folder));
    fill(&source);
    source.ok(&["export", "archive", "-n", "moved"]);
    let archive = source.path().join("archive");
    let experiment = archive.read_dir().unwrap().next().unwrap().unwrap();
    let traces = experiment.path().join("traces");
    let import = ["import", archive.to_str().unwrap()];
    for (name, text, what) in [
        (format!("{ID}.spans.json"), "{", "no file of spans"),
        (
            format!("{ID}.spans.json"),
            r#"{"spans": [7]}"#,
            "no JSON of a span",
        ),
        (format!("{ID}.json"), "{}", "cannot be read"),
    ] {
        let path = traces.join(&name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, text).unwrap();
        let said = target.fails(&import, 1);
        assert!(said.contains(&name) && said.contains(what), "{said}");
        fs::write(&path, whole).unwrap();
    }
    let other = traces.join("tr-1.json");
    fs::copy(traces.join(format!("{ID}.json")), &other).unwrap();
    let said = target.fails(&import, 1);
    assert!(said.contains("named after it"), "{said}");
    fs::remove_file(&other).unwrap();
    target.ok(&import);
}
