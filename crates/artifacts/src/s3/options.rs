//! What MLflow's environment variables say about S3.

use std::path::PathBuf;

use super::extra_args::{self, ExtraArgs};
use crate::http_client::Tls;

/// Settings of S3 that are MLflow's. Credentials, regions and profiles are
/// Amazon's own, and found by its SDK.
#[derive(Clone, Debug, Default)]
pub struct S3Options {
    pub(super) endpoint: Option<String>,
    /// Whether Amazon's own variables, which its SDK reads, name an endpoint of the user's.
    pub(super) configured_endpoint: bool,
    pub(super) addressing: Addressing,
    pub(super) unsigned: bool,
    pub(super) bucket_owner: Option<String>,
    pub(super) extra_args: ExtraArgs,
    pub(super) tls: Tls,
}

/// Whether a bucket is part of the host or of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Addressing {
    /// Of the host at Amazon, of the path at an endpoint of the user's.
    #[default]
    Auto,
    Path,
    Virtual,
}

/// A variable that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct InvalidS3Option {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

const EXTRA_ARGS: &str = "MLFLOW_S3_UPLOAD_EXTRA_ARGS";
const ADDRESSING: &str = "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE";
const SIGNATURE: &str = "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION";
const IGNORE_TLS: &str = "MLFLOW_S3_IGNORE_TLS";

impl S3Options {
    /// Reads `MLFLOW_S3_ENDPOINT_URL`, `MLFLOW_S3_IGNORE_TLS`,
    /// `MLFLOW_S3_UPLOAD_EXTRA_ARGS`, `MLFLOW_S3_EXPECTED_BUCKET_OWNER`,
    /// `MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE`,
    /// `MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION` (`unsigned` for public
    /// buckets) and `AWS_CA_BUNDLE`.
    ///
    /// # Errors
    /// [`InvalidS3Option`] for a value that cannot be followed.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidS3Option> {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let invalid = |variable, reason: String| InvalidS3Option { variable, reason };
        let addressing = match text(ADDRESSING).as_deref() {
            None | Some("auto") => Addressing::Auto,
            Some("path") => Addressing::Path,
            Some("virtual") => Addressing::Virtual,
            Some(other) => {
                let reason = format!("'{other}' is none of auto, path and virtual");
                return Err(invalid(ADDRESSING, reason));
            }
        };
        let unsigned = match text(SIGNATURE).as_deref() {
            None | Some("s3v4" | "v4") => false,
            Some(version) if version.eq_ignore_ascii_case("unsigned") => true,
            Some(other) => {
                let reason = format!("'{other}' is neither s3v4 nor unsigned");
                return Err(invalid(SIGNATURE, reason));
            }
        };
        let unverified = match text(IGNORE_TLS).map(|value| value.to_ascii_lowercase()) {
            None => false,
            Some(value) => match value.as_str() {
                "true" | "1" => true,
                "false" | "0" => false,
                other => {
                    let reason = format!("'{other}' is none of true, false, 1 and 0");
                    return Err(invalid(IGNORE_TLS, reason));
                }
            },
        };
        let extra_args = match text(EXTRA_ARGS) {
            None => ExtraArgs::default(),
            Some(json) => extra_args::parse(&json).map_err(|reason| invalid(EXTRA_ARGS, reason))?,
        };
        Ok(Self {
            endpoint: text("MLFLOW_S3_ENDPOINT_URL"),
            configured_endpoint: ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]
                .into_iter()
                .any(|name| text(name).is_some()),
            addressing,
            unsigned,
            bucket_owner: text("MLFLOW_S3_EXPECTED_BUCKET_OWNER"),
            extra_args,
            tls: Tls {
                authorities: text("AWS_CA_BUNDLE").map(PathBuf::from),
                unverified,
            },
        })
    }

    pub(super) fn force_path_style(&self) -> bool {
        match self.addressing {
            Addressing::Auto => self.endpoint.is_some() || self.configured_endpoint,
            Addressing::Path => true,
            Addressing::Virtual => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(variables: &[(&str, &str)]) -> Result<S3Options, InvalidS3Option> {
        S3Options::from_environment(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_endpoint_of_the_users_has_buckets_in_the_path() {
        assert!(!options(&[]).unwrap().force_path_style());
        let endpoint = ("MLFLOW_S3_ENDPOINT_URL", "http://minio:9000");
        assert!(options(&[endpoint]).unwrap().force_path_style());
        let sdk = ("AWS_ENDPOINT_URL_S3", "http://minio:9000");
        assert!(options(&[sdk]).unwrap().force_path_style());
        let style = (ADDRESSING, "virtual");
        assert!(!options(&[endpoint, style]).unwrap().force_path_style());
    }

    #[test]
    fn values_that_mean_nothing_are_refused_by_name() {
        for variable in [
            (ADDRESSING, "x"),
            (SIGNATURE, "s3"),
            (IGNORE_TLS, "perhaps"),
            (EXTRA_ARGS, "{"),
            (EXTRA_ARGS, "{\"NoSuchArgument\": 1}"),
        ] {
            let error = options(&[variable]).unwrap_err();
            assert_eq!(error.variable, variable.0);
        }
    }

    #[test]
    fn empty_variables_are_none() {
        let options = options(&[("MLFLOW_S3_ENDPOINT_URL", ""), (IGNORE_TLS, "")]).unwrap();
        assert!(options.endpoint.is_none() && !options.tls.unverified);
    }
}
