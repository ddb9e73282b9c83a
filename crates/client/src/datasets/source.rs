//! Where datasets come from, in MLflow's JSON forms.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::context;

/// Where a dataset comes from.
///
/// ```
/// use runledger::datasets::DatasetSource;
///
/// let source = DatasetSource::uri("s3://data/wine.csv");
/// assert_eq!(source.kind(), "s3");
/// assert_eq!(source.json(), r#"{"uri":"s3://data/wine.csv"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSource {
    kind: String,
    fields: Value,
}

impl DatasetSource {
    /// A file or folder of this machine, by its absolute path (`local`).
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    ///
    /// let source = DatasetSource::file("/srv/data/wine.csv");
    /// assert_eq!(source.json(), r#"{"uri":"/srv/data/wine.csv"}"#);
    /// ```
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self::of("local", "uri", &whole.to_string_lossy())
    }

    /// A URI: `http` and `https` are MLflow's kind `http`, a path or a `file:` URI is
    /// `local`, and any other scheme (`s3`, `gs`, …) is a kind of its own.
    ///
    /// It is kept as it is: leave passwords and signatures out.
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    ///
    /// assert_eq!(DatasetSource::uri("https://example.org/wine.csv").kind(), "http");
    /// assert_eq!(DatasetSource::uri("gs://data/wine.csv").kind(), "gs");
    /// assert_eq!(DatasetSource::uri("data/wine.csv").kind(), "local");
    /// ```
    pub fn uri(uri: &str) -> Self {
        match uri
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase())
        {
            Some(scheme) if matches!(scheme.as_str(), "http" | "https") => {
                Self::of("http", "url", uri)
            }
            Some(scheme) if scheme != "file" => Self::of(&scheme, "uri", uri),
            _ => Self::of("local", "uri", uri),
        }
    }

    /// This program made it (`code`): its user, name and commit.
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    ///
    /// let source = DatasetSource::code();
    /// assert!(source.json().contains("mlflow.source.name"));
    /// ```
    pub fn code() -> Self {
        let tags = context::tags().into_iter();
        let tags: Map<String, Value> = tags.map(|tag| (tag.key, tag.value.into())).collect();
        Self {
            kind: "code".to_owned(),
            fields: json!({ "tags": tags }),
        }
    }

    /// Another of MLflow's kinds, such as `hugging_face`, with its JSON object.
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    /// use serde_json::{Map, Value};
    ///
    /// let fields = Map::from_iter([("path".to_owned(), Value::from("mnist"))]);
    /// let source = DatasetSource::custom("hugging_face", fields);
    /// assert_eq!(source.json(), r#"{"path":"mnist"}"#);
    /// ```
    pub fn custom(kind: impl Into<String>, fields: Map<String, Value>) -> Self {
        Self {
            kind: kind.into(),
            fields: Value::Object(fields),
        }
    }

    fn of(kind: &str, field: &str, place: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            fields: json!({ field: place }),
        }
    }

    /// The kind: `source_type` in MLflow.
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    ///
    /// assert_eq!(DatasetSource::code().kind(), "code");
    /// ```
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The JSON object, as text.
    ///
    /// ```
    /// use runledger::datasets::DatasetSource;
    ///
    /// let source = DatasetSource::uri("https://example.org/wine.csv");
    /// assert_eq!(source.json(), r#"{"url":"https://example.org/wine.csv"}"#);
    /// ```
    pub fn json(&self) -> String {
        self.fields.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_the_forms_of_mlflow() {
        for (uri, kind, json) in [
            ("https://h/x.csv", "http", r#"{"url":"https://h/x.csv"}"#),
            ("s3://b/x.csv", "s3", r#"{"uri":"s3://b/x.csv"}"#),
            ("file:///x.csv", "local", r#"{"uri":"file:///x.csv"}"#),
            ("x.csv", "local", r#"{"uri":"x.csv"}"#),
        ] {
            let source = DatasetSource::uri(uri);
            assert_eq!((source.kind(), source.json().as_str()), (kind, json));
        }
        let file = DatasetSource::file("x.csv");
        assert!(file.json().starts_with(r#"{"uri":"/"#), "{}", file.json());
        let code = DatasetSource::code().json();
        assert!(code.contains(r#""mlflow.source.type":"LOCAL""#), "{code}");
    }
}
