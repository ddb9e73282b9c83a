//! Values as JSON and YAML, as MLflow's `log_dict` writes them.

use std::path::Path;

use runledger_store_file::yaml::{Yaml, document};
use serde::Serialize;
use serde_json::Value;

/// A value as the name of its file asks; else what is wrong with it.
pub(super) fn print(value: &(impl Serialize + ?Sized), file: &str) -> Result<String, String> {
    let is_yaml = matches!(ending(file), Some("yml" | "yaml"));
    let printed = if is_yaml {
        serde_json::to_value(value).map(|value| document(&of_json(value)))
    } else {
        serde_json::to_string_pretty(value)
    };
    printed.map_err(|error| error.to_string())
}

/// What the name of a file ends in, after its last point.
pub(super) fn ending(file: &str) -> Option<&str> {
    Path::new(file).extension()?.to_str()
}

/// A JSON value as one of YAML.
pub(crate) fn of_json(value: Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Yaml::Int(number),
            (None, Some(float)) if number.is_f64() => Yaml::Float(float),
            // Beyond 63 bits: its digits are a number in YAML too.
            _ => Yaml::Other(number.to_string()),
        },
        Value::String(text) => Yaml::Str(text),
        Value::Array(items) => Yaml::List(items.into_iter().map(of_json).collect()),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Yaml::Map(fields.map(|(key, value)| (key, of_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_which() -> Result<(), String> {
        let value = serde_json::json!({"b": [1, 0.5, null], "a": {"ü": "on"}});
        assert_eq!(
            print(&value, "x.yaml")?,
            "a:\n  ü: 'on'\nb:\n- 1\n- 0.5\n- null\n"
        );
        assert_eq!(print(&value["b"], "x.json")?, "[\n  1,\n  0.5,\n  null\n]");
        assert_eq!(print(&value["b"], "x.yml")?, "- 1\n- 0.5\n- null\n");
        assert_eq!(print(&u64::MAX, "x.yml")?, "18446744073709551615\n");
        Ok(())
    }
}
