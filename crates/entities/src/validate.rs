//! Names, lengths and batches: what MLflow 3.17 accepts, and its words when it does not.
//!
//! Each function checks one thing and takes the `parameter` that the message
//! is to name, because the same rule speaks of `key`, `name` or
//! `params[3].key` depending on the endpoint.

mod dataset;
mod registry;
mod trace;
mod webhook;

use std::borrow::Cow;

pub use dataset::dataset_input;
pub use registry::{
    archiving, model_alias, model_version_tag, new_model_alias, registered_model_name,
    registered_model_tag, registry_tag_key,
};
pub use trace::{
    assessment, session_id, trace_info, trace_metadata, trace_name, trace_tag, trace_tag_may_change,
};
pub use webhook::{webhook_description, webhook_events, webhook_name, webhook_secret, webhook_url};

use crate::{Coded, ErrorCode, Metric, Param, Tag, limits, quote};

/// A value that breaks a rule. The messages are MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValue {
    /// A required value is missing or empty.
    #[error(
        "Missing value for required parameter '{parameter}'. See the API docs for more \
         information about request parameters."
    )]
    Missing {
        /// The parameter.
        parameter: String,
    },
    /// A name has a character outside the allowed set.
    #[error(
        "Invalid value {} for parameter '{parameter}' supplied: Names may only contain \
         alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and \
         slashes (/).",
        quote::json(name)
    )]
    NameCharacters {
        /// The parameter.
        parameter: String,
        /// The name, cut to a printable length.
        name: String,
    },
    /// A name that, taken as a path, means another name.
    #[error(
        "Invalid value {} for parameter '{parameter}' supplied: Names may be treated as \
         files in certain cases, and must not resolve to other names when treated as such. This \
         name would resolve to '{resolved}'",
        quote::json(name)
    )]
    NameNotUnique {
        /// The parameter.
        parameter: String,
        /// The name.
        name: String,
        /// What the name would resolve to.
        resolved: String,
    },
    /// A tag of a trace that only the server sets.
    #[error("Tag '{key}' is immutable and cannot be {operation} on a trace.")]
    ImmutableTraceTag {
        /// The tag.
        key: String,
        /// `set` or `deleted`.
        operation: &'static str,
    },
    /// An id of a trace that would mean something else as a part of a location.
    #[error(
        "Invalid trace_id {}: it becomes part of a path, so it may not be '.' or '..', and may \
         not hold '/', '\\', '?', '#', '%' or control characters.",
        quote::json(id)
    )]
    TraceId {
        /// The id.
        id: String,
    },
    /// A text is too long.
    #[error("'{parameter}' exceeds the maximum length of {limit} characters")]
    TooLong {
        /// The parameter.
        parameter: String,
        /// The limit in characters.
        limit: usize,
    },
    /// A timestamp is negative.
    #[error(
        "Invalid value {timestamp} for parameter '{parameter}' supplied: metric '{key}' \
         (value={value}). Timestamp must be a nonnegative long (64-bit integer) "
    )]
    NegativeTimestamp {
        /// The parameter.
        parameter: String,
        /// The metric.
        key: String,
        /// The metric's value as Python prints it.
        value: String,
        /// The timestamp.
        timestamp: i64,
    },
    /// A batch has too many items of one kind.
    #[error(
        "A batch logging request can contain at most {limit} {what}. Got {count} {what}. Please \
         split up {what} across multiple requests and try again."
    )]
    BatchTooLarge {
        /// `metrics`, `params`, `tags`, or all three.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// How many there were.
        count: usize,
    },
    /// A batch names a param twice.
    #[error(
        "Duplicate parameter keys have been submitted: {keys}. Please ensure the request contains \
         only one param value per param key."
    )]
    DuplicateParams {
        /// The keys, as a Python list prints.
        keys: String,
    },
    /// An artifact location that is not a plain URI.
    #[error("'artifact_location' URL can't include fragments or params.")]
    ArtifactLocation,
    /// The name of a logged model has a forbidden character.
    #[error(
        "Invalid model name ({}) provided. Model name must be a non-empty string and cannot \
         contain the following characters: ('/', ':', '.', '%', '\"', \"'\")",
        crate::quote::python(name)
    )]
    LoggedModelName {
        /// The name.
        name: String,
    },
    /// A name is empty or of white space only.
    #[error("Missing value for required parameter '{parameter}'.")]
    Blank {
        /// The parameter.
        parameter: String,
    },
    /// The name of a registered model has a forbidden character.
    #[error("Invalid model name '{name}'. Names cannot contain '/' or ':'.")]
    RegisteredModelName {
        /// The name.
        name: String,
    },
    /// An alias has a character outside the allowed set.
    #[error(
        "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and \
         dashes (-)."
    )]
    AliasCharacters {
        /// The alias.
        alias: String,
    },
    /// An alias that every model has.
    #[error("'latest' alias name (case insensitive) is reserved.")]
    AliasLatest,
    /// An alias that looks like a version.
    #[error("Version alias name '{alias}' is reserved.")]
    AliasOfVersion {
        /// The alias.
        alias: String,
    },
    /// The text of a prompt is too long.
    #[error("Prompt text exceeds max length of {limit} characters.")]
    PromptTooLong {
        /// The limit in characters.
        limit: usize,
    },
    /// Versions are to be archived for one that goes into an inactive stage.
    #[error(
        "Model version transition cannot archive existing model versions because '{stage}' is not \
         an Active stage. Valid stages are ['Staging', 'Production']"
    )]
    ArchivingInactive {
        /// The stage.
        stage: String,
    },
    /// A run got two names.
    #[error(
        "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different \
         values (run_name='{run_name}', mlflow.runName='{tag}')."
    )]
    TwoRunNames {
        /// The argument.
        run_name: String,
        /// The tag's value.
        tag: String,
    },
}

impl Coded for InvalidValue {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

/// What happens to a param or tag value over its limit
/// (`MLFLOW_TRUNCATE_LONG_VALUES`, on by default).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LongValues {
    /// Cut it to the limit.
    #[default]
    Truncate,
    /// Refuse it.
    Reject,
}

/// Checks that a text has at most `limit` characters.
pub fn length(parameter: &str, text: &str, limit: usize) -> Result<(), InvalidValue> {
    // Bytes bound characters from above: the count is needed only past them.
    if text.len() > limit && text.chars().count() > limit {
        return Err(InvalidValue::TooLong {
            parameter: parameter.to_owned(),
            limit,
        });
    }
    Ok(())
}

/// Cuts a text to `limit` characters, or refuses it.
pub fn truncate(
    parameter: &str,
    text: &mut String,
    limit: usize,
    long_values: LongValues,
) -> Result<(), InvalidValue> {
    match long_values {
        LongValues::Reject => length(parameter, text, limit),
        LongValues::Truncate => {
            if text.len() > limit
                && let Some((end, _)) = text.char_indices().nth(limit)
            {
                text.truncate(end);
            }
            Ok(())
        }
    }
}

/// Whether names of metrics, params and tags may have this character.
pub fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | ':' | '/')
}

/// Checks the characters and the path form of a metric, param or tag name.
///
/// `parameter` is the path of the value in the request (`metrics[0].name`).
pub fn name(parameter: &str, name: &str) -> Result<(), InvalidValue> {
    if name.is_empty() || !name.chars().all(is_name_character) {
        return Err(InvalidValue::NameCharacters {
            parameter: parameter.to_owned(),
            name: excerpt(name),
        });
    }
    let resolved = normalize_path(name);
    if is_other_path(name, &resolved) {
        return Err(InvalidValue::NameNotUnique {
            parameter: parameter.to_owned(),
            name: excerpt(name),
            resolved: excerpt(&resolved),
        });
    }
    Ok(())
}

/// Checks a metric as `log-metric` and `log-batch` do.
///
/// `path` is the prefix of parameter names: empty, or `metrics[7].`.
pub fn metric(path: &str, metric: &Metric) -> Result<(), InvalidValue> {
    if !plain_key(&metric.key) {
        name(&format!("{path}name"), &metric.key)?;
        length("Metric name", &metric.key, limits::KEY)?;
    }
    if metric.timestamp < 0 {
        return Err(InvalidValue::NegativeTimestamp {
            parameter: format!("{path}timestamp"),
            key: excerpt(&metric.key),
            value: python_float(metric.value),
            timestamp: metric.timestamp,
        });
    }
    Ok(())
}

/// Checks a param, and cuts its value to the limit.
///
/// `path` is the prefix of parameter names: empty, or `params[7].`.
pub fn param(path: &str, param: &mut Param, long: LongValues) -> Result<(), InvalidValue> {
    if !plain_key(&param.key) {
        name(&format!("{path}key"), &param.key)?;
        length("Param key", &param.key, limits::KEY)?;
    }
    truncate(
        &format!("{path}value"),
        &mut param.value,
        limits::PARAM_VALUE,
        long,
    )
}

/// Checks a run tag, and cuts its value to the limit.
///
/// `path` is the prefix of parameter names: empty, or `tags[7].`.
pub fn tag(path: &str, tag: &mut Tag, long: LongValues) -> Result<(), InvalidValue> {
    if !plain_key(&tag.key) {
        name(&format!("{path}key"), &tag.key)?;
        length(&format!("{path}key"), &tag.key, limits::KEY)?;
    }
    truncate(
        &format!("{path}value"),
        &mut tag.value,
        limits::TAG_VALUE,
        long,
    )
}

/// Checks an experiment tag.
pub fn experiment_tag(tag: &Tag) -> Result<(), InvalidValue> {
    name("key", &tag.key)?;
    length("key", &tag.key, limits::KEY)?;
    length("value", &tag.value, limits::EXPERIMENT_TAG_VALUE)
}

/// Checks an experiment's name.
pub fn experiment_name(name: &str) -> Result<(), InvalidValue> {
    if name.is_empty() {
        return Err(InvalidValue::Missing {
            parameter: "name".to_owned(),
        });
    }
    length("name", name, limits::EXPERIMENT_NAME)
}

/// Checks the name of a logged model.
pub fn logged_model_name(name: &str) -> Result<(), InvalidValue> {
    if name.is_empty() || name.contains(['/', ':', '.', '%', '"', '\'']) {
        return Err(InvalidValue::LoggedModelName {
            name: excerpt(name),
        });
    }
    Ok(())
}

/// How many items of each kind a batch has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchSizes {
    /// Metrics.
    pub metrics: usize,
    /// Params.
    pub params: usize,
    /// Tags.
    pub tags: usize,
}

/// Checks the sizes of a batch.
pub fn batch_sizes(sizes: BatchSizes) -> Result<(), InvalidValue> {
    let BatchSizes {
        metrics,
        params,
        tags,
    } = sizes;
    let too_large = |what, limit, count| {
        if count > limit {
            Err(InvalidValue::BatchTooLarge { what, limit, count })
        } else {
            Ok(())
        }
    };
    too_large("metrics", limits::BATCH_METRICS, metrics)?;
    too_large("params", limits::BATCH_PARAMS, params)?;
    too_large("tags", limits::BATCH_TAGS, tags)?;
    too_large(
        "metrics, params, and tags",
        limits::BATCH_TOTAL,
        metrics.saturating_add(params).saturating_add(tags),
    )
}

/// Checks that a batch names no param twice.
pub fn distinct_params(params: &[Param]) -> Result<(), InvalidValue> {
    let mut seen = std::collections::HashSet::new();
    let mut twice: Vec<&str> = Vec::new();
    for param in params {
        if !seen.insert(param.key.as_str()) && !twice.contains(&param.key.as_str()) {
            twice.push(&param.key);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let keys: Vec<_> = twice.iter().map(|key| format!("'{key}'")).collect();
    Err(InvalidValue::DuplicateParams {
        keys: format!("[{}]", keys.join(", ")),
    })
}

/// Whether a key is short and of the plainest characters, which no rule refuses.
///
/// Nearly all keys are; the check costs one pass and saves the others.
fn plain_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= limits::KEY
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Whether a name, taken as a path that resolves to `resolved`, leads elsewhere.
fn is_other_path(name: &str, resolved: &str) -> bool {
    resolved != name || name == "." || name.starts_with("..") || name.starts_with('/')
}

/// A text cut to a length that an error message can carry.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 1000;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The path as Python's `posixpath.normpath` would write it.
fn normalize_path(path: &str) -> Cow<'_, str> {
    // Exactly two leading slashes keep their meaning in POSIX.
    let lead = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if parts.is_empty() && !lead.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let joined = format!("{lead}{}", parts.join("/"));
    if joined.is_empty() {
        Cow::Borrowed(".")
    } else {
        Cow::Owned(joined)
    }
}

/// A float as Python's `str` prints it.
pub fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    format!("{value:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_are_other_names_as_paths_are_refused() {
        for bad in ["a//b", "../x", "/a", ".", "a/", "a/../b", "..", "./a"] {
            let error = name("name", bad).expect_err(bad);
            assert!(
                matches!(error, InvalidValue::NameNotUnique { .. }),
                "{bad}: {error}"
            );
        }
        for good in [
            "a",
            "a/b",
            "a.b",
            "a b",
            "a:b",
            "é",
            "..a/b".trim_start_matches('.'),
        ] {
            assert_eq!(name("name", good), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_refused_name_is_quoted_as_json() {
        for (bad, quoted) in [("a\0b", r#""a\u0000b""#), ("é\t", r#""\u00e9\t""#)] {
            let error = name("key", bad).unwrap_err().to_string();
            assert!(error.contains(quoted), "{error}");
        }
        let error = name("key", "é//ü").unwrap_err().to_string();
        assert!(error.contains(r#"value "\u00e9//\u00fc" for"#), "{error}");
        assert!(error.ends_with("resolve to 'é/ü'"), "{error}");
    }

    #[test]
    fn the_words_are_mlflows() {
        assert_eq!(
            name("metrics[0].name", "a&b").unwrap_err().to_string(),
            "Invalid value \"a&b\" for parameter 'metrics[0].name' supplied: Names may only \
             contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), \
             colon(:) and slashes (/)."
        );
        assert_eq!(
            metric("", &Metric::new("a", 3.0, -1, 0))
                .unwrap_err()
                .to_string(),
            "Invalid value -1 for parameter 'timestamp' supplied: metric 'a' (value=3.0). \
             Timestamp must be a nonnegative long (64-bit integer) "
        );
    }

    #[test]
    fn values_are_cut_by_characters_not_bytes() {
        let mut param_value = Param::new("k", "é".repeat(limits::PARAM_VALUE + 5));
        param("", &mut param_value, LongValues::Truncate).unwrap();
        assert_eq!(param_value.value.chars().count(), limits::PARAM_VALUE);
        let mut long = Param::new("k", "x".repeat(limits::PARAM_VALUE + 1));
        assert!(param("", &mut long, LongValues::Reject).is_err());
    }

    #[test]
    fn floats_print_as_python_prints_them() {
        for (value, text) in [
            (3.0, "3.0"),
            (0.1, "0.1"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (1e300, "1e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (0.0, "0.0"),
        ] {
            assert_eq!(python_float(value), text);
        }
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_its_own_path(text in "[a-z./ ]{0,12}") {
            if name("name", &text).is_ok() {
                prop_assert_eq!(normalize_path(&text), text.as_str());
                prop_assert!(!text.starts_with('/') && !text.starts_with(".."));
            }
        }
    }
}
