//! What MLflow 3.17.2 answered.
//!
//! Each line of `mlflow-3.17.2.jsonl` is a kind of text, a text, and the message
//! of the error that a server of that release answered with, or null where it
//! accepted the text. What it answers with an internal error is left out.

use runledger_search::{
    PageToken, parse_experiment_filter, parse_experiment_order, parse_logged_model_filter,
    parse_logged_model_order_field, parse_model_version_filter, parse_model_version_order,
    parse_registered_model_filter, parse_registered_model_order, parse_run_filter, parse_run_order,
    parse_trace_filter, parse_trace_metric_filter, parse_trace_order,
};
use serde_json::Value;

/// The message of our error, if any.
fn answer(kind: &str, input: &Value) -> Option<String> {
    let text = input.as_str().unwrap_or_default();
    let texts: Vec<String> = input
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect();
    let error = |error: &dyn std::error::Error| Some(error.to_string());
    match kind {
        "run filter" => parse_run_filter(text).err().and_then(|e| error(&e)),
        "run order" => parse_run_order(&texts).err().and_then(|e| error(&e)),
        "experiment filter" => parse_experiment_filter(text).err().and_then(|e| error(&e)),
        "experiment order" => parse_experiment_order(&texts).err().and_then(|e| error(&e)),
        "logged model filter" => parse_logged_model_filter(text)
            .err()
            .and_then(|e| error(&e)),
        "logged model order" => parse_logged_model_order_field(text, true, None, None)
            .err()
            .and_then(|e| error(&e)),
        "registered model filter" => parse_registered_model_filter(text)
            .err()
            .and_then(|e| error(&e)),
        "registered model order" => parse_registered_model_order(&texts)
            .err()
            .and_then(|e| error(&e)),
        "model version filter" => parse_model_version_filter(text)
            .err()
            .and_then(|e| error(&e)),
        "model version order" => parse_model_version_order(&texts)
            .err()
            .and_then(|e| error(&e)),
        "trace filter" => parse_trace_filter(text).err().and_then(|e| error(&e)),
        "trace order" => parse_trace_order(&texts).err().and_then(|e| error(&e)),
        "trace metric filter" => parse_trace_metric_filter(text)
            .err()
            .and_then(|e| error(&e)),
        "page token" => PageToken::decode(text).err().and_then(|e| error(&e)),
        _ => panic!("unknown kind: {kind}"),
    }
}

/// Python prints sets in another order in every process.
fn with_sorted_sets(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some((before, set)) = rest.split_once("{'")
        && let Some((items, after)) = set.split_once('}')
    {
        let mut items: Vec<&str> = items.trim_end_matches('\'').split("', '").collect();
        items.sort_unstable();
        out.extend([before, "{", &items.join(" "), "}"]);
        rest = after;
    }
    out + rest
}

#[test]
fn answers_are_those_of_mlflow() {
    let mut differences = Vec::new();
    for line in include_str!("mlflow-3.17.2.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let expected = record[2].as_str().map(with_sorted_sets);
        let found = answer(record[0].as_str().unwrap(), &record[1]);
        if found.as_deref().map(with_sorted_sets) != expected {
            differences.push(format!("{line}\n  but here: {found:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
