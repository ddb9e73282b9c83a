//! Requests that are nearly right, or not at all: none is a fault of the server.

use std::sync::OnceLock;

use axum::body::Body;
use http::{Request, header};
use proptest::{collection::vec, prelude::*, sample::select};
use runledger_protocol::{Endpoint, Method};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::world::World;

/// Every field that a request to this server can have.
const FIELDS: &[&str] = &[
    "run_id",
    "run_uuid",
    "runId",
    "experiment_id",
    "experiment_ids",
    "experiment_name",
    "name",
    "new_name",
    "key",
    "value",
    "timestamp",
    "step",
    "metrics",
    "params",
    "tags",
    "datasets",
    "dataset",
    "models",
    "model_id",
    "model_json",
    "artifact_location",
    "view_type",
    "run_view_type",
    "max_results",
    "order_by",
    "filter",
    "page_token",
    "status",
    "end_time",
    "start_time",
    "run_name",
    "user_id",
    "metric_key",
    "run_ids",
    "start_step",
    "end_step",
    "path",
    "artifact_directory_path",
    "artifact_file_path",
    "expiration",
    "num_parts",
    "upload_id",
    "digest",
    "source",
    "source_type",
    "dataset_name",
    "dataset_digest",
    "field_name",
    "ascending",
    "new_name",
    "version",
    "alias",
    "stage",
    "stages",
    "archive_existing_versions",
    "source",
    "run_link",
    "model_id",
    "description",
];

struct Running {
    runtime: Runtime,
    world: World,
    run_id: String,
}

fn running() -> &'static Running {
    static RUNNING: OnceLock<Running> = OnceLock::new();
    RUNNING.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let world = runtime.block_on(World::new());
        let run_id = runtime.block_on(world.run());
        Running {
            runtime,
            world,
            run_id,
        }
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("0".to_owned()),
        Just("RUN".to_owned()),
        Just("NaN".to_owned()),
        Just("metrics.m > 1".to_owned()),
        Just("tags.`a` = 'b'".to_owned()),
        Just("../../etc/passwd".to_owned()),
        "[a-z0-9.%/\\\\'\"` =<>-]{0,20}",
        ".{0,10}",
        "[a-z]{200,600}",
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-2_i64..4).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
}

fn fields(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    vec((select(FIELDS), value), 0..6)
        .prop_map(|pairs| {
            let pairs = pairs
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            Value::Object(pairs.collect::<Map<_, _>>())
        })
        .boxed()
}

fn json_body() -> impl Strategy<Value = Value> {
    let value = leaf().prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            fields(inner.boxed())
        ]
    });
    // Most endpoints want a run or an experiment that is there.
    (fields(value.boxed()), any::<[bool; 2]>()).prop_map(|(mut body, [run, experiment])| {
        if run {
            body["run_id"] = json!("RUN");
        }
        if experiment {
            body["experiment_id"] = json!("0");
        }
        body
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => json_body().prop_map(|body| body.to_string().into_bytes()),
        1 => json_body().prop_map(|body| Value::from(body.to_string()).to_string().into_bytes()),
        1 => (json_body(), any::<prop::sample::Index>()).prop_map(|(body, cut)| {
            let text = body.to_string().into_bytes();
            text[..cut.index(text.len() + 1)].to_vec()
        }),
        1 => vec(any::<u8>(), 0..60),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let value = text().prop_map(|text| {
        percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string()
    });
    prop_oneof![
        4 => vec((select(FIELDS), value), 0..6).prop_map(|pairs| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            pairs.join("&")
        }),
        1 => "[a-z=&%+0-9]{0,30}",
    ]
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("x".to_owned()),
        "[a-z0-9.]{1,8}",
        "(%[0-9a-f]{2}|[a-z/.]){1,8}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_request_is_a_fault_of_the_server(
        endpoint in select(Endpoint::ALL),
        body in body(),
        query in query(),
        segment in segment(),
        content_type in select(&["application/json", "text/plain", ""][..]),
    ) {
        let running = running();
        let mut path = endpoint.paths("").swap_remove(0);
        while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
            path.replace_range(open..=close, &segment);
        }
        let method = match endpoint.method() {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        };
        let query = query.replace("RUN", &running.run_id);
        let body = match String::from_utf8(body) {
            Ok(text) => text.replace("\"RUN\"", &format!("\"{}\"", running.run_id)).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{query}"))
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body));
        // Some of the paths are none.
        let Ok(request) = request else { return Ok(()) };
        let answer = running.runtime.block_on(running.world.send(request));
        prop_assert!(
            answer.status < 500 || answer.status == 501,
            "{} {}: {} {:?}", method, path, answer.status, answer.body
        );
    }
}
