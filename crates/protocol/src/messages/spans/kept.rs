//! Kept spans as spans to keep elsewhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runledger_entities::{Span, SpanStatus, StoredSpan, TraceId};

use super::{
    Content,
    client::{UnsendableSpan, request},
};
use crate::otlp::{self, Encoding};

/// Spans of a trace, at most [`otlp::MAX_SPANS`], with what a server reads from them that is
/// sent them. Each has the content that it was kept with.
///
/// # Errors
/// The first span that could not be sent to a server.
pub fn kept(trace: &TraceId, spans: &[StoredSpan]) -> Result<Vec<Span>, UnsendableSpan> {
    if spans.is_empty() {
        return Ok(Vec::new());
    }
    let plain = spans.iter().map(|span| plain(trace, span));
    let plain = plain.collect::<Result<Vec<_>, _>>()?;
    let received = otlp::read(&request(&plain)?, Encoding::Protobuf);
    let received = received.map_err(|error| UnsendableSpan::Refused {
        reason: error.to_string(),
    })?;
    let mut read = received.spans;
    for (span, kept) in read.iter_mut().zip(spans) {
        span.content.clone_from(&kept.content);
    }
    Ok(read)
}

/// A span with what a request says of it, beside its content.
fn plain(trace: &TraceId, kept: &StoredSpan) -> Result<Span, UnsendableSpan> {
    let content = Content::read(kept).ok_or_else(|| UnsendableSpan::Content {
        span_id: String::new(),
        reason: "it is no JSON of a span".to_owned(),
    })?;
    let id = |text: &str| {
        let bytes = STANDARD.decode(text).map_err(|_| UnsendableSpan::Ids {
            trace_id: trace.to_string(),
            span_id: text.to_owned(),
        });
        bytes.map(|bytes| otlp::hex(&bytes))
    };
    let span_id = id(&content.span_id)?;
    let parent = content.parent_span_id.as_deref();
    let parent_id = parent.filter(|text| !text.is_empty()).map(id).transpose()?;
    let nanos = |time: u64| {
        i64::try_from(time).map_err(|_| UnsendableSpan::Time {
            span_id: span_id.clone(),
        })
    };
    let start_time_unix_nano = nanos(content.start_time_unix_nano)?;
    let end_time_unix_nano = nanos(content.end_time_unix_nano.unwrap_or_default())?;
    let status = [SpanStatus::Ok, SpanStatus::Error]
        .into_iter()
        .find(|status| status.otlp_name() == content.status.code)
        .unwrap_or_default();
    Ok(Span {
        trace_id: trace.clone(),
        span_id,
        parent_id,
        name: content.name,
        span_type: None,
        status,
        start_time_unix_nano,
        end_time_unix_nano,
        content: kept.content.clone(),
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_span_is_the_one_that_was_sent() {
        let body = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [
            {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a1",
             "name": "root", "startTimeUnixNano": "5", "endTimeUnixNano": "1700000000000000007",
             "attributes": [
                {"key": "mlflow.spanType", "value": {"stringValue": "LLM"}},
                {"key": "session.id", "value": {"stringValue": "s"}}],
             "status": {"code": 2, "message": "out of luck"}},
            {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a2",
             "parentSpanId": "00000000000000a1", "name": "child", "startTimeUnixNano": "6"}
        ]}]}]}"#;
        let sent = otlp::read(body.as_bytes(), Encoding::Json).unwrap().spans;
        let stored: Vec<StoredSpan> = sent
            .iter()
            .map(|span| StoredSpan {
                content: span.content.clone(),
            })
            .collect();
        assert_eq!(kept(&sent[0].trace_id, &stored), Ok(sent));
        assert_eq!(kept(&TraceId::new("tr-1"), &[]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        let trace = TraceId::new("tr-0123456789abcdef0123456789abcdef");
        for content in ["{", "7", r#"{"span_id": "?"}"#, r#"{"span_id": "AA=="}"#] {
            let span = StoredSpan {
                content: content.to_owned(),
            };
            assert!(kept(&trace, &[span]).is_err(), "{content}");
        }
    }
}
