//! Spans as a client sends them: a request of OpenTelemetry's protocol, in protobuf.
//!
//! MLflow 3.17 reads the ids of links in JSON as other ids, and 3.4 no JSON at all.

use runledger_entities::{Span, SpanStatus, Tag};

use super::{Attached, Attributes, Events, Status, hex};
use crate::{
    json::{
        repair,
        write::{self, Object},
    },
    otlp,
};

/// A span that has no form in OpenTelemetry's protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsendableSpan {
    /// Its ids, or that of its parent, are none of OpenTelemetry's.
    #[error(
        "The span '{span_id}' of the trace '{trace_id}' cannot be sent: the id of a trace is 'tr-' \
         and 32 hexadecimal digits in lower case, and those of a span and its parent are 16."
    )]
    Ids {
        /// The trace.
        trace_id: String,
        /// The span.
        span_id: String,
    },
    /// Its content cannot be read.
    #[error("The content of the span '{span_id}' is no span as JSON: {reason}")]
    Content {
        /// The span.
        span_id: String,
        /// Why.
        reason: String,
    },
    /// Values in one of the spans are nested too deeply.
    #[error("Values of these spans are nested too deeply to be sent.")]
    TooDeep,
    /// A server would refuse them.
    #[error("These spans would be refused: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
    /// It begins or ends before 1970.
    #[error("The span '{span_id}' begins or ends before 1970, which cannot be sent.")]
    Time {
        /// The span.
        span_id: String,
    },
}

/// A kept span. Attributes and events are rewritten as they are read.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Content {
    name: String,
    status: Status,
    attributes: Attributes,
    events: Events,
    links: Option<Vec<Attached>>,
}

/// A span that is read, with its times.
struct Sent<'s> {
    span: &'s Span,
    trace_id: &'s str,
    content: Content,
    start: u64,
    end: u64,
}

/// The request that keeps these spans, each as its content says: of the other fields its
/// ids, its times and its resource are sent, and from its content a server reads the
/// others again.
///
/// # Errors
/// The first span that cannot be sent; nothing is then.
pub fn request(spans: &[Span]) -> Result<Vec<u8>, UnsendableSpan> {
    let sent: Vec<Sent<'_>> = spans.iter().map(Sent::read).collect::<Result<_, _>>()?;
    // In their order: of equal spans the last one stays.
    let groups: Vec<&[Sent<'_>]> = sent
        .chunk_by(|a, b| a.span.resource_tags == b.span.resource_tags)
        .collect();
    let json = write::object(|o| {
        o.full_list("resource_spans", &groups, |o, group| {
            let tags = group
                .first()
                .map(|first| first.span.resource_tags.as_slice());
            o.object("resource", |o| {
                o.list("attributes", tags.unwrap_or_default(), write_tag);
            });
            o.full_list("scope_spans", &[group], |o, group| {
                o.full_list("spans", group, |o, span| span.write(o));
            });
        });
    });
    otlp::to_protobuf(&json).ok_or(UnsendableSpan::TooDeep)
}

fn write_tag(o: &mut Object<'_>, tag: &Tag) {
    o.text("key", &tag.key);
    o.object("value", |o| o.text("string_value", &tag.value));
}

impl<'s> Sent<'s> {
    fn read(span: &'s Span) -> Result<Self, UnsendableSpan> {
        let trace_id = span.trace_id.as_str().strip_prefix("tr-");
        let trace_id = trace_id.filter(|id| is_hex(id, 32));
        let parent = span.parent_id.as_deref();
        let has_ids = is_hex(&span.span_id, 16) && parent.is_none_or(|id| is_hex(id, 16));
        let Some(trace_id) = trace_id.filter(|_| has_ids) else {
            return Err(UnsendableSpan::Ids {
                trace_id: span.trace_id.to_string(),
                span_id: span.span_id.clone(),
            });
        };
        let span_id = || span.span_id.clone();
        let time = |nanos: i64| {
            let time = u64::try_from(nanos);
            time.map_err(|_| UnsendableSpan::Time { span_id: span_id() })
        };
        let read = serde_json::from_str::<Content>(&span.content);
        let content = read.or_else(|error| {
            let repaired = repair::for_readers(&span.content);
            let read = repaired.and_then(|text| serde_json::from_slice(&text).ok());
            read.ok_or_else(|| UnsendableSpan::Content {
                span_id: span_id(),
                reason: error.to_string(),
            })
        })?;
        Ok(Self {
            span,
            trace_id,
            content,
            start: time(span.start_time_unix_nano)?,
            end: time(span.end_time_unix_nano)?,
        })
    }

    fn write(&self, o: &mut Object<'_>) {
        let (span, content) = (self.span, &self.content);
        o.text("trace_id", self.trace_id);
        o.text("span_id", &span.span_id);
        o.maybe_text("parent_span_id", span.parent_id.as_deref());
        let name = Some(&content.name).filter(|name| !name.is_empty());
        o.text("name", name.unwrap_or(&span.name));
        // 64 bits are a text in JSON of protobuf.
        o.text("start_time_unix_nano", &self.start.to_string());
        o.text("end_time_unix_nano", &self.end.to_string());
        for (key, list) in [
            ("attributes", &content.attributes.0),
            ("events", &content.events.0),
        ] {
            if !list.is_empty() {
                o.raw(key, list);
            }
        }
        let links = content.links.iter().flatten();
        let links: Vec<Link<'_>> = links.filter_map(Link::of).collect();
        o.list("links", &links, |o, link| link.write(o));
        o.object("status", |o| {
            let message = content.status.message.as_deref();
            o.maybe_text("message", message.filter(|text| !text.is_empty()));
            if span.status != SpanStatus::Unset {
                o.text("code", span.status.otlp_name());
            }
        });
    }
}

/// A link to a span that has ids of OpenTelemetry's.
struct Link<'c> {
    trace_id: String,
    span_id: String,
    attributes: &'c [u8],
}

impl<'c> Link<'c> {
    fn of(link: &'c Attached) -> Option<Self> {
        let trace = link.trace_id.rsplit('/').next()?;
        let trace = hex::<16>(trace.strip_prefix("tr-").unwrap_or(trace))?;
        Some(Self {
            trace_id: crate::otlp::hex(&trace),
            span_id: crate::otlp::hex(&hex::<8>(&link.span_id)?),
            attributes: &link.attributes.0,
        })
    }

    fn write(&self, o: &mut Object<'_>) {
        o.text("trace_id", &self.trace_id);
        o.text("span_id", &self.span_id);
        if !self.attributes.is_empty() {
            o.raw("attributes", self.attributes);
        }
    }
}

fn is_hex(text: &str, length: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == length && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use runledger_entities::TraceId;

    use super::*;
    use crate::otlp::Encoding;

    const TRACE: &str = "tr-0123456789abcdef0123456789abcdef";

    /// A span as a server makes it of a request.
    fn made() -> Vec<Span> {
        let body = r#"{"resourceSpans": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]},
            "scopeSpans": [{"spans": [
                {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a1",
                 "name": "root \u00e9", "startTimeUnixNano": "5", "endTimeUnixNano": "1700000000000000007",
                 "attributes": [
                    {"key": "mlflow.spanType", "value": {"stringValue": "LLM"}},
                    {"key": "mlflow.spanInputs", "value": {"kvlistValue": {"values": [
                        {"key": "q", "value": {"arrayValue": {"values": [
                            {"intValue": "1"}, {"doubleValue": 2.0}, {"boolValue": true}, {}]}}}]}}},
                    {"key": "session.id", "value": {"stringValue": "s"}}],
                 "events": [{"name": "e", "timeUnixNano": "6", "attributes": [
                    {"key": "k", "value": {"doubleValue": "NaN"}}]}],
                 "links": [{"traceId": "0f", "spanId": "0e"}],
                 "status": {"code": 2, "message": "out of luck"}},
                {"traceId": "0123456789abcdef0123456789abcdef", "spanId": "00000000000000a2",
                 "parentSpanId": "00000000000000a1", "name": "child", "startTimeUnixNano": "6"}
            ]}]}]}"#;
        otlp::read(body.as_bytes(), Encoding::Json).unwrap().spans
    }

    #[test]
    fn what_a_client_sends_is_what_a_server_made() {
        let spans = made();
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[0].trace_id.as_str(), TRACE);
        assert_eq!(spans[0].resource_tags.len(), 1);
        let body = request(&spans).unwrap();
        let mut again = otlp::read(&body, Encoding::Protobuf).unwrap().spans;
        // The value of an event that is no number came as a text the second time.
        let read = again[0].content.replace("\"NaN\"", "NaN");
        assert_eq!(read, spans[0].content.replace("\"NaN\"", "NaN"));
        again[0].content.clone_from(&spans[0].content);
        assert_eq!(again, spans);
    }

    #[test]
    fn what_has_no_form_is_named() {
        let with = |change: fn(&mut Span)| {
            let mut span = made().remove(0);
            change(&mut span);
            request(&[span]).unwrap_err()
        };
        for error in [
            with(|span| span.trace_id = TraceId::new("tr-1")),
            with(|span| span.span_id = "00000000000000A1".to_owned()),
            with(|span| span.parent_id = Some("x".to_owned())),
        ] {
            assert!(matches!(error, UnsendableSpan::Ids { .. }), "{error}");
        }
        let error = with(|span| span.content = "{".to_owned());
        assert!(matches!(error, UnsendableSpan::Content { .. }), "{error}");
        let error = with(|span| span.start_time_unix_nano = -1);
        assert!(matches!(error, UnsendableSpan::Time { .. }), "{error}");
    }
}
