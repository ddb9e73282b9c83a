//! The `OpenAPI` 3.1 description of the API, out of the table of endpoints and the
//! request messages.
//!
//! Requests are described to their fields; a field that must be there is not
//! marked, since which ones must depends on others. Of answers the error is
//! described.

mod requests;

use std::collections::BTreeMap;

use runledger_entities::ErrorCode;
use serde_json::{Map, Value, json};

use requests::Answer;

use crate::{Area, Endpoint, Method, Scope, json::describe::Described};

/// The description as JSON, of those endpoints that `serves` says are served, at
/// paths behind `static_prefix`.
pub fn openapi(version: &str, static_prefix: &str, serves: impl Fn(Endpoint) -> bool) -> Vec<u8> {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for &endpoint in Endpoint::ALL {
        if !serves(endpoint) {
            continue;
        }
        // The others are the same endpoints under `/ajax-api`.
        let Some(path) = endpoint.paths(static_prefix).into_iter().next() else {
            continue;
        };
        let path = path.replace("{*", "{");
        let operations = paths.entry(path).or_default();
        operations.insert(method(endpoint.method()).to_owned(), operation(endpoint));
    }
    let codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Runledger",
            "version": version,
            "description": "The REST API of MLflow Tracking. What stands under /api is also under \
                            /ajax-api. Field names may be written in camelCase; 64-bit integers \
                            and doubles may be texts.",
        },
        "paths": paths,
        "components": { "schemas": {
            "Error": {
                "type": "object",
                "required": ["error_code", "message"],
                "properties": {
                    "error_code": { "type": "string", "enum": codes },
                    "message": { "type": "string" },
                },
            },
            // MLflow answers exporters of OpenTelemetry with the errors of the framework below it.
            "Detail": {
                "type": "object",
                "required": ["detail"],
                "properties": { "detail": { "type": ["string", "array"] } },
            },
        } },
    });
    document.to_string().into_bytes()
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}

fn operation(endpoint: Endpoint) -> Value {
    let mut parameters = path_parameters(endpoint.template());
    parameters.extend(requests::headers(endpoint).iter().map(|(name, required)| {
        json!({ "name": name, "in": "header", "required": required, "schema": { "type": "string" } })
    }));
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), json!(format!("{endpoint:?}")));
    operation.insert("tags".to_owned(), json!([tag(endpoint)]));
    if let Scope::Ajax(_) = endpoint.scope() {
        operation.insert(
            "description".to_owned(),
            json!("Made for web pages: only under /ajax-api."),
        );
    }
    if let Some(Described::Message(fields)) = requests::of(endpoint) {
        // The path has them already.
        let fields = fields
            .into_iter()
            .filter(|(name, _)| !endpoint.template().contains(&format!("{{{name}}}")));
        if endpoint.method() == Method::Get {
            parameters.extend(fields.map(
                |(name, field)| json!({ "name": name, "in": "query", "schema": schema(&field) }),
            ));
        } else {
            let message = Described::Message(fields.collect());
            operation.insert(
                "requestBody".to_owned(),
                json!({ "content": { "application/json": { "schema": schema(&message) } } }),
            );
        }
    }
    let media_types = requests::media_types(endpoint).iter();
    let bodies: Map<_, _> = media_types
        .map(|name| ((*name).to_owned(), json!({})))
        .collect();
    if !bodies.is_empty() {
        operation.insert("requestBody".to_owned(), json!({ "content": bodies }));
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(parameters));
    }
    let of_body = json!({ "$ref": "#/components/schemas/Error" });
    let refusal = if requests::answers_with_detail(endpoint) {
        json!({ "anyOf": [of_body, { "$ref": "#/components/schemas/Detail" }] })
    } else {
        of_body.clone()
    };
    operation.insert(
        "responses".to_owned(),
        json!({ "200": success(endpoint), "4XX": failure(&refusal), "5XX": failure(&of_body) }),
    );
    Value::Object(operation)
}

fn failure(schema: &Value) -> Value {
    json!({
        "description": "Why it was not done",
        "content": { "application/json": { "schema": schema } },
    })
}

fn tag(endpoint: Endpoint) -> &'static str {
    match endpoint.area() {
        Area::Server => "server",
        Area::Tracking => "tracking",
        Area::Artifacts => "artifacts",
        Area::Tracing => "tracing",
        Area::Registry => "registry",
    }
}

fn success(endpoint: Endpoint) -> Value {
    match requests::answer(endpoint) {
        Answer::Media(media_type) => {
            json!({ "description": "Done", "content": { media_type: {} } })
        }
        Answer::Empty => json!({ "description": "Done" }),
        Answer::Json => json!({
            "description": "Done",
            "content": { "application/json": { "schema": { "type": "object" } } },
        }),
    }
}

fn path_parameters(template: &str) -> Vec<Value> {
    let segments = template.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        let (name, description) = match name.strip_prefix('*') {
            Some(name) => (name, "A path: it may contain slashes."),
            None => (name, ""),
        };
        Some(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": { "type": "string", "minLength": 1 },
        }))
    });
    segments.collect()
}

fn schema(field: &Described) -> Value {
    match field {
        Described::Text => json!({ "type": "string" }),
        Described::Integer(bits) => {
            json!({ "type": "integer", "format": format!("int{bits}") })
        }
        Described::Number => json!({ "type": "number", "format": "double" }),
        Described::Flag => json!({ "type": "boolean" }),
        Described::OneOf(names) => json!({ "type": "string", "enum": names }),
        Described::List(item) => json!({ "type": "array", "items": schema(item) }),
        Described::Message(fields) => {
            let properties: Map<_, _> = fields
                .iter()
                .map(|(name, field)| ((*name).to_owned(), schema(field)))
                .collect();
            json!({ "type": "object", "properties": properties })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(static_prefix: &str) -> Value {
        serde_json::from_slice(&openapi("1", static_prefix, |_| true)).unwrap()
    }

    #[test]
    fn every_endpoint_is_an_operation() {
        let document = document("/ml");
        let paths = document["paths"].as_object().unwrap();
        let operations: usize = paths
            .values()
            .map(|path| path.as_object().unwrap().len())
            .sum();
        assert_eq!(operations, Endpoint::ALL.len());
        assert!(paths.keys().all(|path| path.starts_with("/ml/")));
        assert!(paths.keys().all(|path| !path.contains('*')));
    }

    #[test]
    fn what_is_not_served_is_not_described() {
        let bytes = openapi("1", "", |endpoint| endpoint == Endpoint::LogMetric);
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        let paths: Vec<_> = document["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths, ["/api/2.0/mlflow/runs/log-metric"]);
    }

    #[test]
    fn exporters_are_told_of_their_headers_and_refusals() {
        let export = &document("")["paths"]["/v1/traces"]["post"];
        let experiment = &export["parameters"][0];
        assert_eq!(experiment["name"], "x-mlflow-experiment-id");
        assert_eq!(experiment["in"], "header");
        assert_eq!(experiment["required"], true);
        let schema = &export["responses"]["4XX"]["content"]["application/json"]["schema"];
        assert_eq!(schema["anyOf"][1]["$ref"], "#/components/schemas/Detail");
    }

    #[test]
    fn requests_are_described_to_their_fields() {
        let document = document("");
        let batch = &document["paths"]["/api/2.0/mlflow/runs/log-batch"]["post"]["requestBody"]["content"]
            ["application/json"]["schema"]["properties"];
        assert_eq!(
            batch["metrics"]["items"]["properties"]["value"]["type"],
            "number"
        );
        let get = &document["paths"]["/api/2.0/mlflow/runs/get"]["get"]["parameters"];
        assert_eq!(get[0]["name"], "run_id");
        assert_eq!(get[0]["in"], "query");
        let model = &document["paths"]["/api/2.0/mlflow/logged-models/{model_id}"]["patch"];
        let named: Vec<_> = model["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| (&parameter["name"], &parameter["in"]))
            .collect();
        assert_eq!(named, [(&json!("model_id"), &json!("path"))]);
        let properties =
            &model["requestBody"]["content"]["application/json"]["schema"]["properties"];
        assert!(properties.get("status").is_some());
        assert!(properties.get("model_id").is_none());
    }
}
