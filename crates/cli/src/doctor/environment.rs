//! Variables of the environment that matter, without their secrets.

use std::ffi::OsString;

use runledger_artifacts::redacted;
use runledger_store::StorePlace;

/// What the names of variables that matter begin with.
const PREFIXES: [&str; 7] = [
    "MLFLOW_",
    "RUNLEDGER_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "HADOOP_",
    "RUST_LOG",
];

/// What is in the names of variables whose values are secrets.
const SECRET: [&str; 7] = [
    "PASSWORD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "KEY",
    "CREDENTIAL",
    "CONNECTION_STRING",
];

/// What stands for a secret.
const MASK: &str = "***";

/// Variables that matter, by name, with secrets or all values masked.
pub(super) fn variables(
    all: impl Iterator<Item = (OsString, OsString)>,
    mask_all: bool,
) -> Vec<(String, String)> {
    let mut variables: Vec<_> = all
        .filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let matters = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
            matters.then(|| {
                let value = value.to_string_lossy();
                let shown = if mask_all {
                    MASK.to_owned()
                } else {
                    shown(&name, &value)
                };
                (name, shown)
            })
        })
        .collect();
    variables.sort_unstable();
    variables
}

fn shown(name: &str, value: &str) -> String {
    // A file of credentials is no secret, its content is.
    let is_path = name.ends_with("_PATH") || name.ends_with("_FILE");
    let is_file = is_path || name == "GOOGLE_APPLICATION_CREDENTIALS";
    let is_secret = !is_file && SECRET.iter().any(|part| name.contains(part));
    if value.is_empty() {
        String::new()
    } else if is_secret {
        MASK.to_owned()
    } else if name.ends_with("STORE_URI") {
        // The options of a database may hold its password.
        StorePlace::of(value).to_string()
    } else {
        redacted(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, value: &str) -> Option<String> {
        let all = [(name.into(), value.into())].into_iter();
        variables(all, false).pop().map(|(_, value)| value)
    }

    #[test]
    fn secrets_are_masked_and_places_are_not() {
        for (name, value, shown) in [
            (
                "MLFLOW_TRACKING_URI",
                "http://ada:pw@h:5000",
                "http://…@h:5000",
            ),
            ("MLFLOW_TRACKING_PASSWORD", "pw", "***"),
            ("MLFLOW_TRACKING_TOKEN", "pw", "***"),
            ("MLFLOW_TRACKING_USERNAME", "ada", "ada"),
            ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/ca.pem", "/ca.pem"),
            ("AWS_SECRET_ACCESS_KEY", "pw", "***"),
            ("AZURE_STORAGE_CONNECTION_STRING", "a;b", "***"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/g.json", "/g.json"),
            (
                "MLFLOW_BACKEND_STORE_URI",
                "mysql://u:pw@h/d?password=pw",
                "mysql://h/d",
            ),
            (
                "MLFLOW_TRACKING_URI",
                "postgresql://u:pw@h/d?password=pw",
                "postgresql://…@h/d?…",
            ),
        ] {
            assert_eq!(seen(name, value).as_deref(), Some(shown), "{name}");
        }
        assert_eq!(seen("HOME", "/root"), None);
        let all = [("MLFLOW_HOST".into(), "h".into())].into_iter();
        assert_eq!(
            variables(all, true),
            [("MLFLOW_HOST".to_owned(), MASK.to_owned())]
        );
    }
}
