//! Traces by the client, on a server, a database and a folder.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runledger::entities::{
    Assessment, AssessmentId, AssessmentSource, AssessmentValue, Coded, ErrorCode, ExperimentId,
    SourceType, TraceId, TraceInfo, TraceState, trace_keys,
};
use runledger::store::{StoreError, TraceStore};
use runledger::{RestOptions, RestStore};
use runledger_protocol::messages::traces;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::proxy;
use crate::world::everywhere;

const HERE: ExperimentId = ExperimentId::DEFAULT;

fn told(id: &str) -> TraceInfo {
    TraceInfo {
        trace_id: TraceId::new(id),
        experiment_id: HERE,
        request_time: 1_700_000_000_000,
        execution_duration: Some(1_500),
        state: TraceState::Ok,
        client_request_id: None,
        request_preview: Some("hi".to_owned()),
        response_preview: None,
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        assessments: Vec::new(),
    }
}

fn ada() -> AssessmentSource {
    AssessmentSource {
        source_type: SourceType::Human,
        source_id: Some("ada".to_owned()),
    }
}

#[test]
fn traces_are_found_judged_and_deleted() {
    everywhere(|client| async move {
        let ids = ["tr-1", "tr-2", "tr-3"].map(TraceId::new);
        for id in &ids {
            client.traces().start_trace(told(id.as_str())).await?;
        }
        let first = &ids[0];
        client.set_trace_tag(first, "team", "vision").await?;
        let found = client.search_traces(&[HERE], "tags.team = 'vision'", &[], 10);
        assert_eq!(found.await?[0].trace_id, *first);
        let two = client
            .search_traces(&[HERE], "execution_time > 1000", &["request_id DESC"], 2)
            .await?;
        let names: Vec<&str> = two.iter().map(|info| info.trace_id.as_str()).collect();
        assert_eq!(names, ["tr-3", "tr-2"]);
        let trace = client.get_trace(first).await?;
        assert_eq!(trace.info.request_preview.as_deref(), Some("hi"));
        assert_eq!(trace.spans, []);

        let quality = client.log_feedback(first, "quality", 5, ada()).await?;
        let AssessmentValue::Feedback { json, .. } = &quality.value else {
            panic!("{quality:?}");
        };
        assert_eq!(json, "5.0");
        assert!(quality.create_time > 1_700_000_000_000);
        let answer = json!({"capital": "Paris"});
        client
            .log_expectation(first, "answer", answer, ada())
            .await?;
        let read = client.get_assessment(first, &quality.assessment_id).await?;
        assert_eq!(read, quality);
        let found = client.search_traces(&[HERE], "feedback.quality > 4", &[], 10);
        assert_eq!(found.await?.len(), 1);
        let info = client.get_trace_info(first).await?;
        assert_eq!(info.assessments.len(), 2);
        client
            .delete_assessment(first, &quality.assessment_id)
            .await?;

        assert_eq!(client.delete_traces(HERE, &ids[..1]).await?, 1);
        let until = client.delete_traces_until(HERE, 1_700_000_000_000, None);
        assert_eq!(until.await?, 2);
        let error = client.get_trace(first).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::ResourceDoesNotExist));
        Ok(())
    });
}

#[test]
fn what_cannot_be_is_refused() {
    everywhere(|client| async move {
        client.traces().start_trace(told("tr-1")).await?;
        let id = TraceId::new("tr-1");
        let nothing = client.log_expectation(&id, "answer", json!(null), ada());
        let error = nothing.await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::InvalidParameterValue));
        let error = client.traces().get_trace_info(&TraceId::new("nope")).await;
        let error = error.unwrap_err();
        assert!(matches!(error, StoreError::NotFound { .. }), "{error:?}");
        assert_eq!(error.code(), ErrorCode::ResourceDoesNotExist);
        Ok(())
    });
}

/// What asks the server at this address, and asks once more at once.
fn asking(address: std::net::SocketAddr) -> RestStore {
    let options = RestOptions {
        max_retries: 1,
        backoff_jitter: Duration::from_millis(1),
        ..RestOptions::default()
    };
    RestStore::new(&format!("http://{address}"), options).unwrap()
}

/// Servers give an assessment without an id another one each time that it is told.
#[test]
fn what_is_told_again_has_the_same_assessments() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let told_bodies = Arc::clone(&bodies);
    let answer = String::from_utf8(traces::info(&told("tr-1"))).unwrap();
    let address = proxy::answering(move |request| {
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let mut bodies = told_bodies.lock().unwrap();
        bodies.push(body.to_owned());
        match bodies.len() {
            1 => proxy::response("503 Service Unavailable", ""),
            _ => proxy::response("200 OK", &answer),
        }
    });
    let mut info = told("tr-1");
    info.assessments.push(Assessment {
        assessment_id: AssessmentId::new(""),
        trace_id: info.trace_id.clone(),
        span_id: None,
        name: "quality".to_owned(),
        source: ada(),
        value: AssessmentValue::Feedback {
            json: "5.0".to_owned(),
            error: None,
        },
        rationale: None,
        metadata: BTreeMap::new(),
        create_time: 0,
        last_update_time: 0,
        overrides: None,
        valid: true,
    });
    let runtime = Runtime::new().unwrap();
    let store = asking(address);
    let started = store.start_trace(info);
    runtime.block_on(started).unwrap();
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    assert!(
        !bodies[0].contains(r#""assessment_id":"""#),
        "{}",
        bodies[0]
    );
}

#[test]
fn spans_of_several_traces_are_read_one_after_the_other() {
    let mut infos = ["tr-1", "tr-2"].map(told);
    for info in &mut infos {
        let (key, place) = (trace_keys::SPANS_LOCATION, trace_keys::IN_STORE);
        info.tags.insert(key.to_owned(), place.to_owned());
    }
    let ids = infos.clone().map(|info| info.trace_id);
    let answer = String::from_utf8(traces::infos(&infos)).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let address = proxy::answering(move |request| {
        if request.contains("/batchGetInfos") {
            return proxy::response("200 OK", &answer);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        // More than the spans of all traces may have.
        "HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n{".to_owned()
    });
    let runtime = Runtime::new().unwrap();
    let store = asking(address);
    let read = store.get_traces(ids.to_vec(), None);
    let error = runtime.block_on(read).unwrap_err();
    assert_eq!(error.to_string(), StoreError::too_many_spans().to_string());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}
