//! Traces in the messages of MLflow 2.14 and later 2.x.

use std::collections::BTreeMap;

use runledger_entities::{TraceId, TraceInfo, TraceState};
use runledger_store::StoreError;
use serde_json::{Value, json};

use super::answers::{self, Read};
use super::refusal::unreadable;

/// Pairs as a list.
pub(super) fn pairs(map: &BTreeMap<String, String>) -> Value {
    let pair = |(key, value)| json!({"key": key, "value": value});
    Value::Array(map.iter().map(pair).collect())
}

/// A trace without its spans; these messages have neither previews nor assessments.
pub(super) fn info(value: &Value) -> Result<TraceInfo, StoreError> {
    let state = TraceState::from_name(&answers::text(value, "status"));
    let state = state.ok_or_else(|| unreadable("status"))?;
    let duration = answers::maybe_int(value, "execution_time_ms")?;
    Ok(TraceInfo {
        trace_id: TraceId::new(answers::text(value, "request_id")),
        experiment_id: answers::experiment_id(value)?,
        request_time: answers::int(value, "timestamp_ms")?,
        // 0 while it goes on.
        execution_duration: duration.filter(|time| *time != 0 || !state.is_open()),
        state,
        client_request_id: None,
        request_preview: None,
        response_preview: None,
        metadata: map(value, "request_metadata")?,
        tags: map(value, "tags")?,
        assessments: Vec::new(),
    })
}

fn map(value: &Value, name: &str) -> Read<BTreeMap<String, String>> {
    let pairs = answers::list(value, name, |pair| {
        Ok((answers::text(pair, "key"), answers::text(pair, "value")))
    })?;
    Ok(pairs.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_of_mlflow_2_is_read() {
        let value = json!({
            "request_id": "tr-1", "experiment_id": "7", "timestamp_ms": 5, "execution_time_ms": 0,
            "status": "IN_PROGRESS", "tags": [{"key": "k", "value": "v"}]
        });
        let read = info(&value).expect("it is a trace");
        assert_eq!((read.request_time, read.execution_duration), (5, None));
        assert_eq!(read.tags["k"], "v");
        let mut ended = value;
        ended["status"] = json!("OK");
        assert_eq!(info(&ended).expect("a trace").execution_duration, Some(0));
        assert!(info(&json!({"request_id": "tr-1"})).is_err());
    }
}
