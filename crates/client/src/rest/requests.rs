//! What is sent: entities as the JSON of MLflow's messages.

use runledger_entities::{DatasetInput, Metric, ModelInput, ModelOutput, Param, Tag, ViewType};
use serde_json::{Map, Value, json};

pub(super) fn view(view: ViewType) -> &'static str {
    match view {
        ViewType::ActiveOnly => "ACTIVE_ONLY",
        ViewType::DeletedOnly => "DELETED_ONLY",
        ViewType::All => "ALL",
    }
}

/// A number; what JSON has no number for is a text, as in protobuf's JSON.
fn double(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value < 0.0 { "-Infinity" } else { "Infinity" })
    } else {
        json!(value)
    }
}

pub(crate) fn metric(metric: &Metric) -> Value {
    let mut object = Map::new();
    object.insert("key".to_owned(), json!(metric.key));
    object.insert("value".to_owned(), double(metric.value));
    object.insert("timestamp".to_owned(), json!(metric.timestamp));
    object.insert("step".to_owned(), json!(metric.step));
    if let Some(model) = &metric.model {
        for (name, value) in [
            ("model_id", &model.model_id),
            ("dataset_name", &model.dataset_name),
            ("dataset_digest", &model.dataset_digest),
        ] {
            insert(&mut object, name, value.as_deref());
        }
    }
    Value::Object(object)
}

pub(crate) fn param(param: &Param) -> Value {
    json!({"key": param.key, "value": param.value})
}

pub(crate) fn tag(tag: &Tag) -> Value {
    json!({"key": tag.key, "value": tag.value})
}

pub(super) fn dataset(input: &DatasetInput) -> Value {
    let dataset = &input.dataset;
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(dataset.name));
    object.insert("digest".to_owned(), json!(dataset.digest));
    object.insert("source_type".to_owned(), json!(dataset.source_type));
    object.insert("source".to_owned(), json!(dataset.source));
    insert(&mut object, "schema", dataset.schema.as_deref());
    insert(&mut object, "profile", dataset.profile.as_deref());
    json!({"tags": list(&input.tags, tag), "dataset": object})
}

pub(super) fn model_input(model: &ModelInput) -> Value {
    json!({"model_id": model.model_id.as_str()})
}

pub(super) fn model_output(model: &ModelOutput) -> Value {
    json!({"model_id": model.model_id.as_str(), "step": model.step})
}

pub(super) fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Value {
    Value::Array(items.iter().map(write).collect())
}

/// Sets a member if it has a value.
pub(super) fn insert(object: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_without_a_number_are_texts() {
        let value = |value| metric(&Metric::new("m", value, 5, 1))["value"].to_string();
        assert_eq!(value(f64::NAN), "\"NaN\"");
        assert_eq!(value(f64::NEG_INFINITY), "\"-Infinity\"");
        assert_eq!(value(0.1 + 0.2), "0.30000000000000004");
    }
}
