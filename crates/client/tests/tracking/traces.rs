//! Traces by the client, on a server, a database and a folder.

use std::collections::BTreeMap;

use runledger::entities::{
    AssessmentSource, AssessmentValue, Coded, ErrorCode, ExperimentId, SourceType, TraceId,
    TraceInfo, TraceState,
};
use runledger::store::StoreError;
use serde_json::json;

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
