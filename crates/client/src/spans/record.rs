//! A span as the layer keeps it while it goes on, and the values of its fields.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use uuid::Uuid;

/// The most attributes of a span or an event, and events and links of a span: those of
/// OpenTelemetry's SDKs.
const MOST: usize = 128;

/// The most bytes of the texts of a span's fields, of those of an event, and of all
/// events of a span.
const FIELD_BYTES: usize = 8 << 20;

/// The most bytes of a text. Prompts and answers of models are long.
const TEXT_BYTES: usize = 1 << 20;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Integer(i64),
    Double(f64),
    Text(String),
}

/// How a span ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    #[default]
    Unset,
    Ok,
    Error(String),
}

/// Fields of a span or an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fields {
    pub(super) attributes: Vec<(&'static str, Value)>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) status: Option<Status>,
    /// The words of an event.
    pub(super) message: Option<String>,
    /// Bytes of texts so far.
    texts: usize,
}

/// Something that happened in a span.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) time: u64,
    pub(super) name: String,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

/// A span.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    pub(super) parent_id: Option<u64>,
    pub(super) name: &'static str,
    pub(super) fields: Fields,
    pub(super) events: Vec<Event>,
    event_bytes: usize,
    /// Spans that this one follows from: their traces, and they.
    pub(super) links: Vec<(u128, u64)>,
    /// Nanoseconds since the epoch.
    pub(super) start: u64,
    pub(super) end: u64,
    /// The clock of the machine may be set meanwhile; this one is not.
    began: Instant,
}

impl Record {
    /// One that begins now, below `parent` (its trace and itself).
    pub(super) fn new(name: &'static str, parent: Option<(u128, u64)>) -> Self {
        let start = now();
        Self {
            trace_id: parent.map_or_else(|| Uuid::new_v4().as_u128(), |(trace, _)| trace),
            span_id: span_id(),
            parent_id: parent.map(|(_, span)| span),
            name,
            fields: Fields::default(),
            events: Vec::new(),
            event_bytes: 0,
            links: Vec::new(),
            start,
            end: start,
            began: Instant::now(),
        }
    }

    /// What its children name.
    pub(super) fn ids(&self) -> (u128, u64) {
        (self.trace_id, self.span_id)
    }

    /// It ends now.
    pub(super) fn ended(mut self) -> Self {
        self.end = self.start.saturating_add(nanoseconds(self.began.elapsed()));
        self
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.fields.bytes()
            + self.event_bytes
            + self.links.len() * size_of::<(u128, u64)>()
    }

    /// Adds what happened, unless there is too much already.
    pub(super) fn add_event(&mut self, fields: Fields, is_error: bool, place: &'static str) {
        let bytes = size_of::<Event>() + place.len() + fields.bytes();
        let name = fields.message.unwrap_or_else(|| place.to_owned());
        if is_error && self.fields.status.is_none() {
            self.fields.status = Some(Status::Error(name.clone()));
        }
        if self.events.len() < MOST && self.event_bytes + bytes <= FIELD_BYTES {
            self.event_bytes += bytes;
            self.events.push(Event {
                time: self.start.saturating_add(nanoseconds(self.began.elapsed())),
                name,
                attributes: fields.attributes,
            });
        }
    }

    /// Adds a span that this one follows from.
    pub(super) fn add_link(&mut self, other: (u128, u64)) {
        if self.links.len() < MOST {
            self.links.push(other);
        }
    }
}

fn now() -> u64 {
    // Before 1970 there was nothing to trace.
    nanoseconds(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// An id that is not 0, which would be none.
fn span_id() -> u64 {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    (high ^ low).max(1)
}

impl Fields {
    /// About how many bytes they take.
    fn bytes(&self) -> usize {
        let keys = self.attributes.iter().map(|(key, _)| key.len());
        self.texts + self.attributes.len() * size_of::<Value>() + keys.sum::<usize>()
    }

    /// What was recorded later goes before what was there.
    pub(super) fn merge(&mut self, later: Self) {
        if self.texts + later.texts > FIELD_BYTES {
            return;
        }
        self.texts += later.texts;
        self.name = later.name.or_else(|| self.name.take());
        self.kind = later.kind.or_else(|| self.kind.take());
        self.status = later.status.or_else(|| self.status.take());
        for (name, value) in later.attributes {
            self.add(name, value);
        }
    }

    fn add(&mut self, name: &'static str, value: Value) {
        let known = self.attributes.iter().position(|(other, _)| *other == name);
        match known {
            Some(at) => self.attributes[at].1 = value,
            None if self.attributes.len() < MOST => self.attributes.push((name, value)),
            None => {}
        }
    }

    /// Adds a text, as long as there is room for it.
    fn set_text(&mut self, field: &Field, mut text: String) {
        let room = FIELD_BYTES - self.texts;
        text.truncate(text.floor_char_boundary(room.min(TEXT_BYTES)));
        self.texts += text.len();
        self.set(field, Value::Text(text));
    }

    fn set(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("otel.name", Value::Text(name)) => self.name = Some(name),
            ("otel.kind", Value::Text(kind)) => self.kind = Some(kind),
            ("otel.status_code", Value::Text(code)) => self.set_status(&code),
            ("otel.status_message", Value::Text(text)) => self.status = Some(Status::Error(text)),
            ("message", Value::Text(text)) => self.message = Some(text),
            (name, value) => self.add(name, value),
        }
    }

    fn set_status(&mut self, code: &str) {
        let message = match &self.status {
            Some(Status::Error(message)) => message.clone(),
            _ => String::new(),
        };
        if code.eq_ignore_ascii_case("ok") {
            self.status = Some(Status::Ok);
        } else if code.eq_ignore_ascii_case("error") {
            self.status = Some(Status::Error(message));
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, Value::Double(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, Value::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            // OTLP has no larger integers.
            Err(_) => self.record_str(field, &value.to_string()),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record_debug(field, &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record_debug(field, &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let end = value.floor_char_boundary(TEXT_BYTES);
        self.set_text(field, value[..end].to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let mut text = Bounded::default();
        // A full text is no failure.
        let _ = write!(text, "{value}");
        let mut cause = value.source();
        while let Some(inner) = cause {
            let _ = write!(text, ": {inner}");
            cause = inner.source();
        }
        self.set_text(field, text.0);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded::default();
        // A full text is no failure.
        let _ = write!(text, "{value:?}");
        self.set_text(field, text.0);
    }
}

/// A text that stops at its bound, however long what is written is.
#[derive(Default)]
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = TEXT_BYTES - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_bounded() {
        let mut text = Bounded::default();
        let long = "é".repeat(TEXT_BYTES);
        assert!(write!(text, "{long}").is_err());
        assert_eq!(text.0.len(), TEXT_BYTES);
        assert!(write!(text, "x").is_err());
        assert_eq!(text.0.len(), TEXT_BYTES);
    }

    #[test]
    fn events_and_links_are_bounded() {
        let mut record = Record::new("s", None);
        for _ in 0..2 * MOST {
            record.add_event(Fields::default(), true, "place");
            record.add_link((1, 2));
        }
        assert_eq!((record.events.len(), record.links.len()), (MOST, MOST));
        assert_eq!(
            record.fields.status,
            Some(Status::Error("place".to_owned()))
        );
    }

    #[test]
    fn children_are_in_the_trace_of_their_parent() {
        let parent = Record::new("p", None);
        let child = Record::new("c", Some(parent.ids()));
        assert_eq!(child.trace_id, parent.trace_id);
        assert_eq!(child.parent_id, Some(parent.span_id));
        assert_ne!(child.span_id, parent.span_id);
        assert_ne!(Record::new("q", None).trace_id, parent.trace_id);
    }
}
