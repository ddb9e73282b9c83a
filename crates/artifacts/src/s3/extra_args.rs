//! `MLFLOW_S3_UPLOAD_EXTRA_ARGS`: arguments of boto3 that every upload has, as
//! the headers that they are.

use std::fmt;

use http::{HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// boto3's names of arguments, and their headers. Keys of a customer's own are
/// not among them: they would be needed to read, too.
const ARGUMENTS: [(&str, &str); 20] = [
    ("ACL", "x-amz-acl"),
    ("CacheControl", "cache-control"),
    ("ContentDisposition", "content-disposition"),
    ("ContentEncoding", "content-encoding"),
    ("ContentLanguage", "content-language"),
    ("ContentType", "content-type"),
    ("Expires", "expires"),
    ("GrantFullControl", "x-amz-grant-full-control"),
    ("GrantRead", "x-amz-grant-read"),
    ("GrantReadACP", "x-amz-grant-read-acp"),
    ("GrantWriteACP", "x-amz-grant-write-acp"),
    ("ObjectLockLegalHoldStatus", "x-amz-object-lock-legal-hold"),
    ("ObjectLockMode", "x-amz-object-lock-mode"),
    (
        "ObjectLockRetainUntilDate",
        "x-amz-object-lock-retain-until-date",
    ),
    ("RequestPayer", "x-amz-request-payer"),
    (
        "SSEKMSEncryptionContext",
        "x-amz-server-side-encryption-context",
    ),
    ("SSEKMSKeyId", "x-amz-server-side-encryption-aws-kms-key-id"),
    ("ServerSideEncryption", "x-amz-server-side-encryption"),
    ("StorageClass", "x-amz-storage-class"),
    ("Tagging", "x-amz-tagging"),
];

/// Headers of uploads. Their values are not shown: some are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct ExtraArgs(Vec<(String, String)>);

impl fmt::Debug for ExtraArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl ExtraArgs {
    pub(super) fn headers(&self) -> &[(String, String)] {
        &self.0
    }
}

/// Reads the JSON object; an error says what is wrong with it.
pub(super) fn parse(json: &str) -> Result<ExtraArgs, String> {
    let arguments: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| format!("it is no JSON object: {error}"))?;
    let mut headers = Vec::new();
    for (argument, value) in &arguments {
        if argument == "Metadata" {
            let entries = value.as_object().ok_or("Metadata is no object")?;
            for (name, value) in entries {
                headers.push(header(format!("x-amz-meta-{name}"), argument, value)?);
            }
            continue;
        }
        let known = ARGUMENTS.iter().find(|(name, _)| name == argument);
        let (_, name) = known.ok_or_else(|| format!("'{argument}' is not supported"))?;
        headers.push(header((*name).to_owned(), argument, value)?);
    }
    Ok(ExtraArgs(headers))
}

fn header(name: String, argument: &str, value: &Value) -> Result<(String, String), String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err(format!("'{argument}' is neither a text nor a number")),
    };
    if HeaderName::try_from(&name).is_err() || HeaderValue::try_from(&text).is_err() {
        return Err(format!("'{argument}' cannot be sent as a header"));
    }
    Ok((name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_become_headers() {
        let args = parse(
            r#"{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k", "Metadata": {"Team": "a"}}"#,
        )
        .unwrap();
        let mut headers = args.headers().to_vec();
        headers.sort_unstable();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            headers,
            [
                pair("x-amz-meta-Team", "a"),
                pair("x-amz-server-side-encryption", "aws:kms"),
                pair("x-amz-server-side-encryption-aws-kms-key-id", "k"),
            ]
        );
        assert!(!format!("{args:?}").contains("aws:kms"));
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        for json in [
            "[]",
            r#"{"ACL": "a\nb"}"#,
            r#"{"ACL": {}}"#,
            r#"{"Metadata": "x"}"#,
            r#"{"Metadata": {"a b": "x"}}"#,
            r#"{"SSECustomerKey": "x"}"#,
        ] {
            assert!(parse(json).is_err(), "{json}");
        }
    }
}
