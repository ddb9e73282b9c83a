//! Traces: the bytes of both versions of MLflow, and what is no trace.

use std::collections::BTreeMap;

use runledger_entities::{
    Assessment, AssessmentError, AssessmentId, AssessmentSource, AssessmentValue, SourceType, Span,
    SpanStatus, TraceId, TraceInfo, TraceState, trace_keys,
};

use super::*;
use crate::folder::assessments::{put_assessment, read_assessment};
use crate::folder::spans::{append_spans, read_spans};
use crate::folder::traces::{create_trace, read_trace, update_trace};
use crate::layout::TraceFolder;

/// As MLflow 3.17.2 writes it.
const NEWER: &str = "client_request_id: c1
execution_duration_ms: 1000
request_preview: '{\"x\": 1}'
request_time: '2023-11-14T22:13:20.123Z'
response_preview: hé
state: OK
trace_id: tr-1
trace_location:
  mlflow_experiment:
    experiment_id: '7'
  type: MLFLOW_EXPERIMENT
";

/// As MLflow 2.17.2 writes it.
const OLDER: &str = "execution_time_ms: null
experiment_id: '7'
request_id: tr-1
status: TRACE_STATUS_UNSPECIFIED
timestamp_ms: 1700000000123
";

/// As MLflow 3.17.2 writes it.
const ASSESSMENT: &str = "assessment_id: a-1
assessment_name: f55
create_time: '2026-11-27T04:01:09.022Z'
feedback:
  error:
    error_code: CODE
  value:
    a:
      q: null
    z: 1.0
last_update_time: '2026-11-27T04:01:09Z'
metadata:
  k: '1'
overrides: a-0
rationale: 'why

  so'
source:
  source_id: ada
  source_type: HUMAN
span_id: s1
trace_id: tr-1
valid: true
";

fn info() -> TraceInfo {
    TraceInfo {
        trace_id: TraceId::new("tr-1"),
        experiment_id: ExperimentId(7),
        request_time: 1_700_000_000_123,
        execution_duration: None,
        state: TraceState::Unspecified,
        client_request_id: None,
        request_preview: None,
        response_preview: None,
        metadata: BTreeMap::from([("m".to_owned(), "v".to_owned())]),
        tags: BTreeMap::from([("a/b".to_owned(), String::new())]),
        assessments: Vec::new(),
    }
}

fn told() -> TraceInfo {
    TraceInfo {
        execution_duration: Some(1000),
        state: TraceState::Ok,
        client_request_id: Some("c1".to_owned()),
        request_preview: Some("{\"x\": 1}".to_owned()),
        response_preview: Some("hé".to_owned()),
        ..info()
    }
}

fn span(id: &str, parent: Option<&str>, start: i64) -> Span {
    Span {
        trace_id: TraceId::new("tr-1"),
        span_id: id.to_owned(),
        parent_id: parent.map(str::to_owned),
        name: "n".to_owned(),
        span_type: None,
        status: SpanStatus::Error,
        start_time_unix_nano: start,
        end_time_unix_nano: 0,
        content: "{\"é\": \"\\n\"}".to_owned(),
        token_usage: None,
        cost: None,
        model_name: None,
        model_provider: None,
        session_id: None,
        user_id: None,
        request_preview: None,
        response_preview: None,
        trace_tags: Vec::new(),
        resource_tags: Vec::new(),
    }
}

impl World {
    fn create(&self, info: &TraceInfo) -> TraceFolder {
        let experiment = self.root.experiment(ExperimentId(7)).unwrap();
        create_trace(&experiment, info, |_| Ok(()), Sync::Process).unwrap()
    }

    /// Where a file of the trace is.
    fn of_trace(&self, name: &str) -> PathBuf {
        self.directory
            .path()
            .join("mlruns/7/traces/tr-1")
            .join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.of_trace(name)).unwrap()
    }
}

fn read_info(trace: &TraceFolder) -> TraceInfo {
    read_trace(trace, &mut Scratch::default()).unwrap().info
}

#[test]
fn a_trace_has_the_form_that_most_versions_read() {
    for (info, text) in [(told(), NEWER), (info(), OLDER)] {
        let world = World::new();
        let trace = world.create(&info);
        assert_eq!(world.text("trace_info.yaml"), text);
        assert_eq!(world.text("request_metadata/m"), "v");
        assert_eq!(world.text("tags/a/b"), "");
        assert_eq!(read_info(&trace), info);
    }
}

#[test]
fn a_preview_makes_an_older_form_a_newer_one_which_it_stays() {
    let world = World::new();
    let trace = world.create(&info());
    for info in [told(), info()] {
        let stored = read_trace(&trace, &mut Scratch::default()).unwrap();
        update_trace(&trace, &stored, &info, Sync::Process).unwrap();
        assert!(world.text("trace_info.yaml").contains("\ntrace_id: tr-1\n"));
        assert_eq!(read_info(&trace), info);
    }
}

#[test]
fn a_trace_of_another_id_or_state_is_none() {
    let world = World::new();
    let trace = world.create(&info());
    for (old, new) in [
        ("request_id: tr-1", "request_id: tr-2"),
        ("TRACE_STATUS_UNSPECIFIED", "DONE"),
        ("1700000000123", "soon"),
    ] {
        fs::write(world.of_trace("trace_info.yaml"), OLDER.replace(old, new)).unwrap();
        let read = read_trace(&trace, &mut Scratch::default());
        let error = read.unwrap_err().to_string();
        assert!(error.contains("7/traces/tr-1/trace_info.yaml"), "{error}");
    }
}

#[test]
fn an_id_that_leads_elsewhere_is_refused() {
    let world = World::new();
    let experiment = world.root.experiment(ExperimentId(7)).unwrap();
    for id in ["..", "../x", "a/b", ".tmp-1", "", "a\0b", "a.b"] {
        let info = TraceInfo {
            trace_id: TraceId::new(id),
            ..info()
        };
        let made = create_trace(&experiment, &info, |_| Ok(()), Sync::Process);
        assert!(made.is_err(), "{id}");
        assert!(world.root.find_trace(&TraceId::new(id), None).is_err());
    }
    assert!(!world.of_trace("..").exists());
}

#[test]
fn an_assessment_is_written_as_mlflow_writes_it() {
    let world = World::new();
    let trace = world.create(&info());
    let assessment = Assessment {
        assessment_id: AssessmentId::new("a-1"),
        trace_id: TraceId::new("tr-1"),
        span_id: Some("s1".to_owned()),
        name: "f55".to_owned(),
        source: AssessmentSource {
            source_type: SourceType::Human,
            source_id: Some("ada".to_owned()),
        },
        value: AssessmentValue::Feedback {
            json: "{\"a\": {\"q\": null}, \"z\": 1.0}".to_owned(),
            error: Some(AssessmentError {
                error_code: "CODE".to_owned(),
                ..AssessmentError::default()
            }),
        },
        rationale: Some("why\nso".to_owned()),
        metadata: BTreeMap::from([("k".to_owned(), "1".to_owned())]),
        create_time: 1_795_752_069_022,
        last_update_time: 1_795_752_069_000,
        overrides: Some(AssessmentId::new("a-0")),
        valid: true,
    };
    put_assessment(&trace, &assessment, Sync::Process).unwrap();
    assert_eq!(world.text("assessments/a-1.yaml"), ASSESSMENT);
    let read = read_assessment(&trace, &assessment.assessment_id, &mut Vec::new());
    assert_eq!(read.unwrap(), assessment);
    // One that nobody can read costs the others nothing.
    fs::write(world.of_trace("assessments/a-2.yaml"), "feedback: 1").unwrap();
    assert_eq!(read_info(&trace).assessments, [assessment]);
    let escape = AssessmentId::new("../../x");
    assert!(read_assessment(&trace, &escape, &mut Vec::new()).is_err());
}

#[test]
fn an_expectation_that_is_no_scalar_is_kept_as_text() {
    let world = World::new();
    let trace = world.create(&info());
    for (json, text) in [
        (
            "{\"z\": 1, \"a\": 2}",
            "    value: '{\"z\": 1, \"a\": 2}'\n",
        ),
        ("5.0", "expectation:\n  value: 5.0\n"),
        ("\"yes\"", "expectation:\n  value: 'yes'\n"),
    ] {
        let assessment = Assessment {
            assessment_id: AssessmentId::new("a-1"),
            trace_id: TraceId::new("tr-1"),
            span_id: None,
            name: "e".to_owned(),
            source: AssessmentSource::default(),
            value: AssessmentValue::Expectation {
                json: json.to_owned(),
            },
            rationale: None,
            metadata: BTreeMap::new(),
            create_time: 1,
            last_update_time: 1,
            overrides: None,
            valid: true,
        };
        put_assessment(&trace, &assessment, Sync::Process).unwrap();
        let written = world.text("assessments/a-1.yaml");
        assert!(written.contains(text), "{written}");
        assert_eq!(read_info(&trace).assessments, [assessment]);
    }
}

#[test]
fn spans_come_back_and_a_torn_line_costs_only_itself() {
    let world = World::new();
    let trace = world.create(&info());
    let spans = [span("b", Some("a"), 2), span("a", None, 5)];
    append_spans(&trace, spans.iter(), Sync::Process).unwrap();
    let path = world.of_trace("spans.jsonl");
    let mut lines = fs::read(&path).unwrap();
    lines.extend_from_slice(b"{\"span_id\": \"c\", \"nam");
    fs::write(&path, lines).unwrap();
    let mut again = spans[0].clone();
    again.content.push(' ');
    append_spans(&trace, std::iter::once(&again), Sync::Process).unwrap();
    assert_eq!(
        read_spans(&trace, u64::MAX).unwrap(),
        [spans[1].clone(), again.clone()]
    );
    // A span that is told again counts once.
    let bytes = (spans[1].content.len() + again.content.len()) as u64;
    assert!(read_spans(&trace, bytes).is_ok());
    assert!(read_spans(&trace, bytes - 1).is_err());
    let place = read_info(&trace).tags.remove(trace_keys::SPANS_LOCATION);
    assert_eq!(place.as_deref(), Some(trace_keys::IN_STORE));
    assert!(!world.of_trace("tags/mlflow.trace.spansLocation").exists());
}

#[test]
fn spans_that_are_no_file_or_have_no_end_are_an_error() {
    type Make = fn(&Path);
    let makers: [Make; 3] = [
        |path| fs::create_dir(path).unwrap(),
        |path| std::os::unix::fs::symlink("trace_info.yaml", path).unwrap(),
        |path| fs::File::create(path).unwrap().set_len(1 << 30).unwrap(),
    ];
    for make in makers {
        let world = World::new();
        let trace = world.create(&info());
        make(&world.of_trace("spans.jsonl"));
        let error = read_spans(&trace, u64::MAX).unwrap_err().to_string();
        assert!(error.contains("7/traces/tr-1/spans.jsonl"), "{error}");
    }
}
