//! Tokens and cost of a trace, which its metadata has as JSON.

use runledger_entities::{Cost, TokenUsage, quote, trace_keys, validate::python_float};
use serde_json::{Map, Value};

/// What a trace's metadata says that it used; nothing where that is no number.
pub(crate) fn usage(json: &str) -> TokenUsage {
    let members = object(json);
    let mut usage = TokenUsage::default();
    for (name, member) in TokenUsage::MEMBERS {
        *member(&mut usage) = members.get(name).and_then(count);
    }
    usage
}

/// What a trace's metadata says that it cost, likewise.
pub(crate) fn cost(json: &str) -> Cost {
    let members = object(json);
    let mut cost = Cost::default();
    for (name, member) in Cost::MEMBERS {
        *member(&mut cost) = members.get(name).and_then(amount);
    }
    cost
}

/// The metadata of a usage, as Python writes it; nothing if there are no numbers.
pub(crate) fn usage_json(usage: TokenUsage) -> Option<String> {
    let counts = usage.counts().map(|count| count.map(|it| it.to_string()));
    quote::numbers(TokenUsage::MEMBERS.map(|(name, _)| name), counts)
}

/// The metadata of a cost, likewise.
pub(crate) fn cost_json(cost: Cost) -> Option<String> {
    let amounts = cost.amounts().map(|amount| amount.map(python_float));
    quote::numbers(Cost::MEMBERS.map(|(name, _)| name), amounts)
}

/// Leaves of both what is counted, as a database does, whose columns they are.
pub(super) fn tidy(metadata: &mut std::collections::BTreeMap<String, String>) {
    let mut put = |key: &str, json: fn(&str) -> Option<String>| {
        if let Some(told) = metadata.remove(key)
            && let Some(counted) = json(&told)
        {
            metadata.insert(key.to_owned(), counted);
        }
    };
    put(trace_keys::TOKEN_USAGE, |told| usage_json(usage(told)));
    put(trace_keys::COST, |told| cost_json(cost(told)));
}

fn object(json: &str) -> Map<String, Value> {
    match serde_json::from_str(json) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// A whole number of 64 bits, however it is written.
fn count(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => match number.as_i64() {
            Some(count) => return Some(count),
            None => number.to_string(),
        },
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let whole = |number: f64| {
        let fits = number.fract() == 0.0 && number.abs() < 9.2e18;
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        fits.then_some(number as i64)
    };
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().and_then(whole))
}

/// A finite number; as text, too.
fn amount(value: &Value) -> Option<f64> {
    let number: Option<f64> = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    // Without the sign of zero, which databases lose.
    number.filter(|it| it.is_finite()).map(|it| it + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted_however_they_are_written() {
        let told = r#"{"total_tokens": 7.0, "input_tokens": "3", "output_tokens": "x", "o": 1}"#;
        let counted = usage_json(usage(told));
        assert_eq!(
            counted.as_deref(),
            Some(r#"{"input_tokens": 3, "total_tokens": 7}"#)
        );
        assert_eq!(usage_json(usage("[")), None);
        let counted = cost_json(cost(r#"{"total_cost": 2, "input_cost": "1e400"}"#));
        assert_eq!(counted.as_deref(), Some(r#"{"total_cost": 2.0}"#));
    }
}
