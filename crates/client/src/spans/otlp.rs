//! Records as a request of OpenTelemetry's protocol, in protobuf: MLflow 3.17 reads the ids of
//! links in JSON as other ids.

use runledger_protocol::otlp::to_protobuf;
use serde_json::{Value as Json, json};

use super::record::{Event, Record, Status, Value};

/// The body of a request.
pub(super) fn request(service_name: Option<&str>, records: &[Record]) -> Vec<u8> {
    let resource: Vec<Json> = service_name
        .into_iter()
        .map(|name| attribute("service.name", &json!({ "stringValue": name })))
        .collect();
    let spans: Vec<Json> = records.iter().map(span).collect();
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "spans": spans }],
    }]});
    // It is such a request. Were it none, an empty one would be refused, and so be counted.
    to_protobuf(body.to_string().as_bytes()).unwrap_or_default()
}

fn span(record: &Record) -> Json {
    let fields = &record.fields;
    let (code, message) = match &fields.status {
        None | Some(Status::Unset) => (0, ""),
        Some(Status::Ok) => (1, ""),
        Some(Status::Error(message)) => (2, message.as_str()),
    };
    json!({
        "traceId": format!("{:032x}", record.trace_id),
        "spanId": format!("{:016x}", record.span_id),
        "parentSpanId": record.parent_id.map(|id| format!("{id:016x}")).unwrap_or_default(),
        "name": fields.name.as_deref().unwrap_or(record.name),
        "kind": kind(fields.kind.as_deref()),
        "startTimeUnixNano": record.start.to_string(),
        "endTimeUnixNano": record.end.to_string(),
        "attributes": attributes(&fields.attributes),
        "events": record.events.iter().map(event).collect::<Vec<_>>(),
        "links": record.links.iter().map(|(trace, span)| json!({
            "traceId": format!("{trace:032x}"),
            "spanId": format!("{span:016x}"),
        })).collect::<Vec<_>>(),
        "status": { "code": code, "message": message },
    })
}

/// The number of a kind of span; an internal one unless it says something else.
fn kind(name: Option<&str>) -> u32 {
    let name = name.unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "server" => 2,
        "client" => 3,
        "producer" => 4,
        "consumer" => 5,
        _ => 1,
    }
}

fn event(event: &Event) -> Json {
    json!({
        "timeUnixNano": event.time.to_string(),
        "name": event.name,
        "attributes": attributes(&event.attributes),
    })
}

fn attributes(attributes: &[(&'static str, Value)]) -> Vec<Json> {
    let values = attributes.iter().map(|(key, value)| {
        let value = match value {
            Value::Bool(value) => json!({ "boolValue": value }),
            // 64 bits are a text in JSON of protobuf.
            Value::Integer(value) => json!({ "intValue": value.to_string() }),
            Value::Double(value) if value.is_finite() => json!({ "doubleValue": value }),
            Value::Double(value) if value.is_nan() => json!({ "doubleValue": "NaN" }),
            Value::Double(value) if *value > 0.0 => json!({ "doubleValue": "Infinity" }),
            Value::Double(_) => json!({ "doubleValue": "-Infinity" }),
            Value::Text(value) => json!({ "stringValue": value }),
        };
        attribute(key, &value)
    });
    values.collect()
}

fn attribute(key: &str, value: &Json) -> Json {
    json!({ "key": key, "value": value })
}

#[cfg(test)]
mod tests {
    use runledger_protocol::otlp::{self, Encoding};

    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let mut root = Record::new("root", None);
        root.fields.attributes = vec![
            ("text", Value::Text("é\"".to_owned())),
            ("count", Value::Integer(i64::MIN)),
            ("ratio", Value::Double(0.1)),
            ("nothing", Value::Double(f64::NAN)),
            ("yes", Value::Bool(true)),
        ];
        root.fields.status = Some(Status::Error("out of luck".to_owned()));
        let mut child = Record::new("child", Some(root.ids()));
        child.fields.name = Some("another name".to_owned());
        child.add_event(super::super::record::Fields::default(), false, "happened");
        child.add_link((1, 2));
        let body = request(Some("service"), &[child.ended(), root.ended()]);
        let received = otlp::read(&body, Encoding::Protobuf).unwrap();
        let names: Vec<&str> = received.spans.iter().map(|span| &*span.name).collect();
        assert_eq!(names, ["another name", "root"]);
        assert_eq!(received.completed.len(), 1);
        let (child, root) = (&received.spans[0], &received.spans[1]);
        let link =
            r#""trace_id": "tr-00000000000000000000000000000001", "span_id": "0000000000000002""#;
        assert!(child.content.contains(link), "{}", child.content);
        assert_eq!(child.trace_id, root.trace_id);
        assert_eq!(child.parent_id.as_ref(), Some(&root.span_id));
        assert!(root.end_time_unix_nano >= root.start_time_unix_nano);
        assert!(
            root.content.contains("-9223372036854775808"),
            "{}",
            root.content
        );
        assert!(root.content.contains("out of luck"), "{}", root.content);
    }
}
