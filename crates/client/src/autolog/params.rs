//! Configurations as params: a key for each value, with dots where it is nested.

use runledger_entities::validate;
use serde::Serialize;
use serde_json::Value;

use crate::{RunLogger, TrackingError};

/// What MLflow's clients write where Python has no value.
const NONE: &str = "None";

impl RunLogger {
    /// Logs the hyper-parameters of a configuration as params.
    ///
    /// Keys are those that the configuration has in JSON, with a dot before the key of a
    /// nested value (`optimizer.lr`); characters that no key may have become `_`. A text is
    /// itself, a number or a truth value is as Rust writes it (`0.1`, `1e-5`, `2.0`,
    /// `true`), a list is JSON, and so is a map or struct without fields; nothing is `None`, as with MLflow's
    /// clients. A number that JSON does not have, such as an infinite one, is `None` too.
    /// Values are cut at 6,000 characters, as [`RunLogger::log_params`] does.
    ///
    /// A configuration of nothing (`()`, a struct without fields) logs nothing.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// #[derive(serde::Serialize)]
    /// struct Config {
    ///     hidden: [usize; 2],
    ///     dropout: Option<f32>,
    ///     optimizer: Optimizer,
    /// }
    ///
    /// #[derive(serde::Serialize)]
    /// struct Optimizer {
    ///     lr: f32,
    /// }
    ///
    /// let run = tracker.start_run()?;
    /// run.log_config(&Config {
    ///     hidden: [64, 32],
    ///     dropout: None,
    ///     optimizer: Optimizer { lr: 0.001 },
    /// })?;
    ///
    /// let params = run.get()?.data.params;
    /// let params: Vec<_> = params.iter().map(|it| (&*it.key, &*it.value)).collect();
    /// let expected = [("dropout", "None"), ("hidden", "[64,32]"), ("optimizer.lr", "0.001")];
    /// assert_eq!(params, expected);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Config`] if it is neither a map nor a struct, has an integer of more
    /// than 64 bits, or its own `Serialize` fails; [`TrackingError::Value`] if a key is longer
    /// than 250 characters, is a path by another name (`/a`, `a//b`, `..`), or is the same as
    /// another with its dots or replaced characters; and what [`RunLogger::log_params`]
    /// returns, as where a param has another value already.
    pub fn log_config(&self, config: &(impl Serialize + ?Sized)) -> Result<(), TrackingError> {
        self.log_params(params("", config)?)
    }
}

/// A key with `_` in the place of what no key may have.
pub(super) fn key(text: &str) -> String {
    if text.is_empty() {
        return "_".to_owned();
    }
    text.chars()
        .map(|c| {
            if validate::is_name_character(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// The keys and values of a configuration, by key, with `prefix` before each key.
pub(super) fn params(
    prefix: &str,
    config: &(impl Serialize + ?Sized),
) -> Result<Vec<(String, String)>, TrackingError> {
    let refused = |reason| TrackingError::Config { reason };
    // An integer that has more than 64 bits is refused here; as a text it would lose digits.
    serde_json::to_value(config).map_err(|error| refused(error.to_string()))?;
    // By way of a text, in which an `f32` has its own digits and not those of an `f64`.
    let text = serde_json::to_string(config).map_err(|error| refused(error.to_string()))?;
    let value = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let kind = match value {
        Value::Object(fields) => {
            let mut params = Vec::new();
            for (name, value) in fields {
                flatten(format!("{prefix}{}", key(&name)), value, &mut params);
            }
            return Ok(params);
        }
        Value::Null => return Ok(Vec::new()),
        Value::Array(_) => "a list",
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Bool(_) => "a truth value",
    };
    Err(refused(format!(
        "it is {kind}, whose values have no names: put it into a struct or a map"
    )))
}

fn flatten(path: String, value: Value, params: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                flatten(format!("{path}.{}", key(&name)), value, params);
            }
        }
        other => params.push((path, text(other))),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        Value::String(text) => text,
        Value::Number(number) => match number.as_f64() {
            // Whatever the next release of another crate prints.
            Some(float) if number.is_f64() => format!("{float:?}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(config: &impl Serialize) -> Vec<(String, String)> {
        params("", config).unwrap_or_default()
    }

    fn owned<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        let pairs = pairs.into_iter();
        pairs
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    #[test]
    fn values_of_every_kind() {
        let config = json!({
            "big": u64::MAX, "empty": {}, "float": 1e-5, "integer": -3, "list": [1, "a", null],
            "nothing": null, "text": "adam", "truth": true, "whole": 2.0,
        });
        let expected = owned([
            ("big", "18446744073709551615"),
            ("empty", "{}"),
            ("float", "1e-5"),
            ("integer", "-3"),
            ("list", r#"[1,"a",null]"#),
            ("nothing", "None"),
            ("text", "adam"),
            ("truth", "true"),
            ("whole", "2.0"),
        ]);
        assert_eq!(texts(&config), expected);
    }

    #[test]
    fn floats_keep_the_digits_of_their_type() {
        #[derive(Serialize)]
        struct Floats {
            a: f32,
            b: f64,
            c: f32,
        }
        let floats = Floats {
            a: 0.1,
            b: 0.1,
            c: f32::INFINITY,
        };
        let expected = owned([("a", "0.1"), ("b", "0.1"), ("c", "None")]);
        assert_eq!(texts(&floats), expected);
    }

    #[test]
    fn variants_are_nested_as_in_json() {
        #[derive(Serialize)]
        enum Optimizer {
            Plain,
            Momentum { beta: f32 },
        }
        let config = [
            ("a", Optimizer::Plain),
            ("b", Optimizer::Momentum { beta: 0.9 }),
        ];
        let config = std::collections::BTreeMap::from(config);
        let expected = owned([("a", "Plain"), ("b.Momentum.beta", "0.9")]);
        assert_eq!(texts(&config), expected);
    }

    #[test]
    fn keys_get_allowed_characters() {
        let config = json!({"": 1, "größe": 2, "a/b:c d-e_f.g": 3, "p(0.5)=ü?": {"x,y": 4}});
        let expected = owned([
            ("_", "1"),
            ("a/b:c d-e_f.g", "3"),
            ("größe", "2"),
            ("p_0.5__ü_.x_y", "4"),
        ]);
        let mut found = texts(&config);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn integers_of_more_than_64_bits_are_refused() {
        let config = std::collections::BTreeMap::from([("seed", u128::MAX)]);
        assert!(matches!(
            params("", &config),
            Err(TrackingError::Config { .. })
        ));
    }

    #[test]
    fn what_has_no_names_is_refused() {
        for config in [json!([1]), json!("a"), json!(1), json!(true)] {
            let refused = params("", &config);
            assert!(
                matches!(&refused, Err(TrackingError::Config { reason }) if reason.contains("no names")),
                "{refused:?}"
            );
        }
        assert_eq!(texts(&()), []);
        let keys_of_lists = std::collections::BTreeMap::from([([1], 1)]);
        assert!(matches!(
            params("", &keys_of_lists),
            Err(TrackingError::Config { .. })
        ));
    }
}
