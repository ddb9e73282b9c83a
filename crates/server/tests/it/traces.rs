//! Traces over HTTP: both APIs, spans of OpenTelemetry, assessments, metrics.

use std::io::Write;

use axum::body::Body;
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use http::{Request, header};
use serde_json::{Value, json};

use crate::world::{Answer, World};

const TRACES: &str = "/api/3.0/mlflow/traces";
const TRACES_2: &str = "/api/2.0/mlflow/traces";
const ID: &str = "tr-0000000000000000000000000000000a";

async fn ask(world: &World, method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    world.send(request).await
}

fn location() -> Value {
    json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}})
}

fn info(id: &str) -> Value {
    json!({"trace": {"trace_info": {
        "trace_id": id,
        "trace_location": location(),
        "request_time": "2026-01-01T00:00:00.500Z",
        "execution_duration": "1.5s",
        "state": "OK",
        "request_preview": "in",
        "trace_metadata": {"m": "v"},
        "tags": {"mlflow.traceName": "n", "k": "v"},
    }}})
}

/// A request of OpenTelemetry with a root and a child.
fn spans() -> Value {
    let span = |id: &str, parent: &str, name: &str| {
        json!({
            "traceId": "0000000000000000000000000000000a",
            "spanId": id,
            "parentSpanId": parent,
            "name": name,
            "startTimeUnixNano": "1767225600000000000",
            "endTimeUnixNano": "1767225601500000000",
            "attributes": [
                {"key": "mlflow.spanType", "value": {"stringValue": "\"LLM\""}},
                {"key": "number", "value": {"intValue": "7"}},
            ],
        })
    };
    json!({"resourceSpans": [{"scopeSpans": [{"spans": [
        span("000000000000000b", "", "root"),
        span("000000000000000c", "000000000000000b", "child"),
    ]}]}]})
}

fn otlp(kind: &str) -> http::request::Builder {
    Request::post("/v1/traces")
        .header(header::CONTENT_TYPE, kind)
        .header("x-mlflow-experiment-id", "0")
}

async fn export(world: &World, kind: &str, body: Vec<u8>) -> Answer {
    let request = otlp(kind).body(Body::from(body)).unwrap();
    world.send(request).await
}

#[tokio::test]
async fn a_trace_is_started_and_read() {
    let world = World::new().await;
    let started = ask(&world, "POST", TRACES, info(ID)).await.ok();
    let shown = &started["trace"]["trace_info"];
    assert_eq!(shown["execution_duration"], "1.500s");
    assert_eq!(
        shown["trace_metadata"]["mlflow.trace.infoFinalized"],
        "true"
    );
    let read = world.fetch(&format!("{TRACES}/{ID}")).await.ok();
    assert_eq!(read["trace"]["trace_info"], *shown);
    let old = world.fetch(&format!("{TRACES_2}/{ID}/info")).await.ok();
    assert_eq!(old["trace_info"]["request_id"], ID);
    assert_eq!(old["trace_info"]["timestamp_ms"], 1_767_225_600_500_i64);
    assert_eq!(old["trace_info"]["execution_time_ms"], 1500);
    world
        .fetch(&format!("{TRACES}/nope"))
        .await
        .not_found("nope");
}

#[tokio::test]
async fn a_trace_needs_its_experiment() {
    let world = World::new().await;
    ask(&world, "POST", TRACES, json!({}))
        .await
        .invalid("trace");
    let mut elsewhere = info(ID);
    elsewhere["trace"]["trace_info"]["trace_location"]["mlflow_experiment"]["experiment_id"] =
        json!("99");
    let answer = ask(&world, "POST", TRACES, elsewhere).await;
    answer.not_found("No Experiment with id=99 exists");
}

#[tokio::test]
async fn spans_come_as_json_and_go_with_their_trace() {
    let world = World::new().await;
    let body = spans().to_string().into_bytes();
    let answer = export(&world, "application/json", body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let whole = world.fetch(&format!("{TRACES}/get?trace_id={ID}")).await;
    let whole = whole.ok();
    let kept = whole["trace"]["spans"].as_array().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0]["name"], "root");
    assert_eq!(
        kept[0]["start_time_unix_nano"],
        1_767_225_600_000_000_000_i64
    );
    assert_eq!(whole["trace"]["trace_info"]["state"], "OK");
    let batch = world
        .fetch(&format!("{TRACES}/batchGet?trace_ids={ID}"))
        .await
        .ok();
    assert_eq!(batch["traces"][0]["spans"].as_array().unwrap().len(), 2);
    let file = world
        .fetch(&format!(
            "/ajax-api/2.0/mlflow/get-trace-artifact?request_id={ID}"
        ))
        .await;
    assert_eq!(file.ok()["spans"][1]["name"], "child");
    let answer = ask(
        &world,
        "POST",
        &format!("{TRACES}/delete-traces"),
        json!({"experiment_id": "0", "request_ids": [ID]}),
    )
    .await;
    assert_eq!(answer.ok()["traces_deleted"], 1);
    world.fetch(&format!("{TRACES}/{ID}")).await.not_found(ID);
}

#[tokio::test]
async fn spans_come_as_protobuf_and_packed() {
    let world = World::new().await;
    // resource_spans { scope_spans { spans { trace_id, span_id, name, times } } }
    let mut span = Vec::new();
    span.extend_from_slice(&[0x0a, 16]);
    span.extend_from_slice(&[0; 15]);
    span.push(10);
    span.extend_from_slice(&[0x12, 8, 0, 0, 0, 0, 0, 0, 0, 11]);
    span.extend_from_slice(&[0x2a, 4]);
    span.extend_from_slice(b"root");
    span.push(0x39);
    span.extend_from_slice(&1_767_225_600_000_000_000_u64.to_le_bytes());
    span.push(0x41);
    span.extend_from_slice(&1_767_225_601_000_000_000_u64.to_le_bytes());
    let mut body = span;
    for tag in [0x12, 0x12, 0x0a] {
        let length = u8::try_from(body.len()).unwrap();
        let mut outer = vec![tag, length];
        outer.append(&mut body);
        body = outer;
    }
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&body).unwrap();
    let request = otlp("application/x-protobuf")
        .header(header::CONTENT_ENCODING, "gzip")
        .body(Body::from(packed.finish().unwrap()))
        .unwrap();
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/x-protobuf"
    );
    let whole = world.fetch(&format!("{TRACES}/get?trace_id={ID}")).await;
    assert_eq!(whole.ok()["trace"]["spans"][0]["name"], "root");
}

/// 64 MiB of zeros, 64 KB packed.
fn zeros<W: Write>(mut packed: W) -> W {
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        packed.write_all(&zeros).unwrap();
    }
    packed
}

#[tokio::test]
async fn a_body_of_spans_is_bounded_packed_or_not() {
    let world = World::new().await;
    for (kind, body) in [
        ("text/plain", b"x".to_vec()),
        ("application/json", b"{".to_vec()),
        ("application/x-protobuf", b"\x0a\xff".to_vec()),
    ] {
        assert_eq!(export(&world, kind, body).await.status, 400, "{kind}");
    }
    let best = Compression::best();
    let packed = [
        ("gzip", zeros(GzEncoder::new(Vec::new(), best)).finish()),
        (
            "deflate",
            zeros(ZlibEncoder::new(Vec::new(), best)).finish(),
        ),
        (
            "deflate",
            zeros(DeflateEncoder::new(Vec::new(), best)).finish(),
        ),
    ];
    for (encoding, body) in packed {
        let request = otlp("application/x-protobuf")
            .header(header::CONTENT_ENCODING, encoding)
            .body(Body::from(body.unwrap()))
            .unwrap();
        assert_eq!(world.send(request).await.status, 413, "{encoding}");
    }
    let plain = export(&world, "application/x-protobuf", vec![0; 33 << 20]).await;
    assert_eq!(plain.status, 413);
    let broken = otlp("application/x-protobuf")
        .header(header::CONTENT_ENCODING, "deflate")
        .body(Body::from("no deflate"))
        .unwrap();
    assert_eq!(world.send(broken).await.status, 400);
}

#[tokio::test]
async fn traces_are_searched_page_by_page() {
    let world = World::new().await;
    for number in 0..3 {
        let mut one = info(&format!("tr-{number}"));
        one["trace"]["trace_info"]["request_time"] = json!(format!("2026-01-01T00:00:0{number}Z"));
        ask(&world, "POST", TRACES, one).await.ok();
    }
    let search = format!("{TRACES}/search");
    let mut body = json!({"locations": [location()], "max_results": 2});
    let first = ask(&world, "POST", &search, body.clone()).await.ok();
    let ids = |answer: &Value| -> Vec<String> {
        let list = answer["traces"].as_array().unwrap();
        list.iter()
            .map(|trace| trace["trace_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["tr-2", "tr-1"]);
    body["page_token"] = first["next_page_token"].clone();
    let second = ask(&world, "POST", &search, body).await.ok();
    assert_eq!(ids(&second), ["tr-0"]);
    assert!(second.get("next_page_token").is_none());
    let body = json!({"locations": [location()], "filter": "tags.k = 'w'"});
    let none = ask(&world, "POST", &search, body).await.ok();
    assert!(none.get("traces").is_none());
    let body = json!({"locations": [location()], "filter": "nonsense ="});
    ask(&world, "POST", &search, body).await.invalid("");
    let old = world
        .fetch(&format!("{TRACES_2}?experiment_ids=0&max_results=1"))
        .await
        .ok();
    assert_eq!(old["traces"][0]["request_id"], "tr-2");
}

#[tokio::test]
async fn tags_are_set_and_deleted() {
    let world = World::new().await;
    ask(&world, "POST", TRACES, info(ID)).await.ok();
    let path = format!("{TRACES}/{ID}/tags");
    let tag = json!({"key": "a", "value": "b"});
    ask(&world, "PATCH", &path, tag).await.ok();
    let read = world.fetch(&format!("{TRACES}/{ID}")).await.ok();
    assert_eq!(read["trace"]["trace_info"]["tags"]["a"], "b");
    ask(&world, "DELETE", &path, json!({"key": "a"})).await.ok();
    ask(&world, "DELETE", &path, json!({"key": "a"}))
        .await
        .not_found("a");
    let place = json!({"key": "mlflow.trace.spansLocation", "value": "b"});
    ask(&world, "PATCH", &path, place).await.invalid("");
}

#[tokio::test]
async fn the_old_api_starts_and_ends_a_trace() {
    let world = World::new().await;
    let started =
        json!({"experiment_id": "0", "timestamp_ms": 5, "tags": [{"key": "a", "value": "b"}]});
    let started = ask(&world, "POST", TRACES_2, started).await.ok();
    let id = started["trace_info"]["request_id"].as_str().unwrap();
    assert_eq!(started["trace_info"]["status"], "IN_PROGRESS");
    let end = json!({"timestamp_ms": 9, "status": "OK", "request_metadata": [{"key": "m", "value": "v"}]});
    let ended = ask(&world, "PATCH", &format!("{TRACES_2}/{id}"), end)
        .await
        .ok();
    assert_eq!(ended["trace_info"]["status"], "OK");
    assert_eq!(ended["trace_info"]["execution_time_ms"], 4);
}

#[tokio::test]
async fn assessments_live_and_go() {
    let world = World::new().await;
    ask(&world, "POST", TRACES, info(ID)).await.ok();
    let path = format!("{TRACES}/{ID}/assessments");
    let assessment = json!({"assessment": {
        "assessment_name": "right",
        "source": {"source_type": "HUMAN", "source_id": "me"},
        "feedback": {"value": true},
        "rationale": "so",
    }});
    let made = ask(&world, "POST", &path, assessment).await.ok();
    let id = made["assessment"]["assessment_id"].as_str().unwrap();
    assert!(id.starts_with("a-"));
    let one = format!("{path}/{id}");
    let change = json!({"assessment": {"feedback": {"value": "no"}}, "update_mask": "feedback"});
    let changed = ask(&world, "PATCH", &one, change).await.ok();
    assert_eq!(changed["assessment"]["feedback"]["value"], "no");
    assert_eq!(changed["assessment"]["rationale"], "so");
    let read = world.fetch(&one).await.ok();
    assert_eq!(read["assessment"], changed["assessment"]);
    ask(&world, "DELETE", &one, json!({})).await.ok();
    let gone = world.fetch(&one).await;
    assert_eq!(gone.status, 404, "{:?}", gone.body);
}

#[tokio::test]
async fn metrics_of_traces_are_counted() {
    let world = World::new().await;
    ask(&world, "POST", TRACES, info(ID)).await.ok();
    let body = json!({
        "experiment_ids": ["0"],
        "view_type": "TRACES",
        "metric_name": "latency",
        "aggregations": [
            {"aggregation_type": "AVG"},
            {"aggregation_type": "PERCENTILE", "percentile_value": 50},
        ],
        "dimensions": ["trace_name"],
    });
    let metrics = ask(&world, "POST", &format!("{TRACES}/metrics"), body)
        .await
        .ok();
    let point = &metrics["data_points"][0];
    assert_eq!(point["dimensions"]["trace_name"], "n");
    assert_eq!(point["values"]["AVG"], 1500.0);
    assert_eq!(point["values"]["P50.0"], 1500.0);
    let body = json!({
        "experiment_ids": ["0"],
        "filter_string1": "status = 'OK'",
        "filter_string2": "tags.k = 'v'",
    });
    let path = format!("{TRACES}/calculate-filter-correlation");
    let counts = ask(&world, "POST", &path, body).await.ok();
    assert_eq!(counts["joint_count"], 1);
    assert_eq!(counts["total_count"], 1);
}
