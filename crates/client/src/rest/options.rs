//! How a server is asked: credentials, trust, time and retries, from MLflow's
//! environment variables.

use std::env;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use runledger_artifacts::http_client::Tls;

/// MLflow's upper bound of `MLFLOW_HTTP_REQUEST_MAX_RETRIES`.
const MOST_RETRIES: u32 = 10;

/// MLflow's upper bound of `MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR`.
const LARGEST_FACTOR: u32 = 120;

/// How a tracking server is asked.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use runledger::{RestOptions, RestStore, Tracker};
///
/// let options = RestOptions {
///     account: Some(("ada".to_owned(), "secret".to_owned())),
///     timeout: Duration::from_secs(10),
///     max_retries: 2,
///     ..RestOptions::default()
/// };
/// assert!(!format!("{options:?}").contains("secret"));
/// let tracker = Tracker::of_server(RestStore::new("http://localhost:5000", options)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct RestOptions {
    /// A user and a password, sent as `Basic` (`MLFLOW_TRACKING_USERNAME`,
    /// `MLFLOW_TRACKING_PASSWORD`).
    pub account: Option<(String, String)>,
    /// A token, sent as `Bearer` if there is no account (`MLFLOW_TRACKING_TOKEN`).
    pub token: Option<String>,
    /// Whether to trust any certificate (`MLFLOW_TRACKING_INSECURE_TLS`).
    pub insecure_tls: bool,
    /// A file of authorities in PEM, in the place of the system's
    /// (`MLFLOW_TRACKING_SERVER_CERT_PATH`).
    pub server_cert_path: Option<PathBuf>,
    /// How long an answer may take to begin (`MLFLOW_HTTP_REQUEST_TIMEOUT`, in
    /// seconds).
    pub timeout: Duration,
    /// How often a call is repeated (`MLFLOW_HTTP_REQUEST_MAX_RETRIES`); more than 10 times
    /// count as 10.
    pub max_retries: u32,
    /// What the pauses grow from: the second is twice as long, the third four times
    /// (`MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR`, in seconds). The first is the jitter
    /// alone, and none is longer than 2 minutes.
    pub backoff_factor: Duration,
    /// What a pause is longer by, at most: a random part of it
    /// (`MLFLOW_HTTP_REQUEST_BACKOFF_JITTER`, in seconds).
    pub backoff_jitter: Duration,
    /// Whether a server's own word on when to come again is kept
    /// (`MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER`), up to 2 minutes.
    pub respect_retry_after: bool,
}

/// Without password and token.
impl fmt::Debug for RestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestOptions")
            .field("user", &self.account.as_ref().map(|(user, _)| user))
            .field("insecure_tls", &self.insecure_tls)
            .field("server_cert_path", &self.server_cert_path)
            .field("timeout", &self.timeout)
            .field("max_retries", &self.max_retries)
            .field("backoff_factor", &self.backoff_factor)
            .field("backoff_jitter", &self.backoff_jitter)
            .finish_non_exhaustive()
    }
}

impl Default for RestOptions {
    fn default() -> Self {
        Self {
            account: None,
            token: None,
            insecure_tls: false,
            server_cert_path: None,
            timeout: Duration::from_mins(2),
            max_retries: 7,
            backoff_factor: Duration::from_secs(2),
            backoff_jitter: Duration::from_secs(1),
            respect_retry_after: true,
        }
    }
}

/// An environment variable with a value that it cannot have.
///
/// ```
/// use runledger::{InvalidOption, RestOptions};
///
/// match RestOptions::from_env() {
///     Ok(options) => println!("an answer may take {:?} to begin", options.timeout),
///     Err(InvalidOption::Value { variable, .. }) => println!("{variable} is wrong"),
///     Err(other) => println!("{other}"),
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOption {
    /// The value is of the wrong kind.
    #[error("{variable} is '{value}', which is not {wanted}")]
    Value {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// Two variables contradict each other.
    #[error(
        "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH are both set: trust \
         everybody or trust the authorities of a file, and unset the other"
    )]
    TwoTrusts,
}

impl RestOptions {
    /// What the environment says; the defaults are MLflow's.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{RestOptions, RestStore};
    ///
    /// let options = RestOptions {
    ///     max_retries: 0,
    ///     ..RestOptions::from_env()?
    /// };
    /// let impatient = RestStore::new("http://localhost:5000", options)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidOption`] if a variable has a value that it cannot have.
    pub fn from_env() -> Result<Self, InvalidOption> {
        Self::read(|variable| env::var(variable).ok().filter(|value| !value.is_empty()))
    }

    fn read(value_of: impl Fn(&'static str) -> Option<String>) -> Result<Self, InvalidOption> {
        let defaults = Self::default();
        let user = value_of("MLFLOW_TRACKING_USERNAME");
        let password = value_of("MLFLOW_TRACKING_PASSWORD");
        let options = Self {
            // As MLflow: one without the other is no account.
            account: user.zip(password),
            token: value_of("MLFLOW_TRACKING_TOKEN"),
            insecure_tls: flag(&value_of, "MLFLOW_TRACKING_INSECURE_TLS", false)?,
            server_cert_path: value_of("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from),
            timeout: seconds(&value_of, "MLFLOW_HTTP_REQUEST_TIMEOUT", u32::MAX)?
                .unwrap_or(defaults.timeout),
            max_retries: number(&value_of, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", MOST_RETRIES)?
                .unwrap_or(defaults.max_retries),
            backoff_factor: seconds(
                &value_of,
                "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR",
                LARGEST_FACTOR,
            )?
            .unwrap_or(defaults.backoff_factor),
            backoff_jitter: jitter(&value_of)?.unwrap_or(defaults.backoff_jitter),
            respect_retry_after: flag(
                &value_of,
                "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER",
                defaults.respect_retry_after,
            )?,
        };
        if options.insecure_tls && options.server_cert_path.is_some() {
            return Err(InvalidOption::TwoTrusts);
        }
        Ok(options)
    }

    /// The same within MLflow's bounds.
    pub(super) fn bounded(self) -> Self {
        Self {
            max_retries: self.max_retries.min(MOST_RETRIES),
            ..self
        }
    }

    pub(super) fn tls(&self) -> Tls {
        Tls {
            authorities: self.server_cert_path.clone(),
            unverified: self.insecure_tls,
        }
    }
}

type ValueOf<'a> = &'a dyn Fn(&'static str) -> Option<String>;

fn invalid(variable: &'static str, value: String, wanted: &'static str) -> InvalidOption {
    InvalidOption::Value {
        variable,
        value,
        wanted,
    }
}

fn flag(
    value_of: ValueOf<'_>,
    variable: &'static str,
    default: bool,
) -> Result<bool, InvalidOption> {
    let Some(value) = value_of(variable) else {
        return Ok(default);
    };
    match value.to_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(invalid(variable, value, "one of true, false, 1 and 0")),
    }
}

fn number(
    value_of: ValueOf<'_>,
    variable: &'static str,
    most: u32,
) -> Result<Option<u32>, InvalidOption> {
    let Some(value) = value_of(variable) else {
        return Ok(None);
    };
    match value.trim().parse() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ if most == MOST_RETRIES => Err(invalid(variable, value, "a number from 0 to 10")),
        _ if most == LARGEST_FACTOR => Err(invalid(variable, value, "a number from 0 to 120")),
        _ => Err(invalid(variable, value, "a number of 0 or more")),
    }
}

fn seconds(
    value_of: ValueOf<'_>,
    variable: &'static str,
    most: u32,
) -> Result<Option<Duration>, InvalidOption> {
    let seconds = number(value_of, variable, most)?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}

fn jitter(value_of: ValueOf<'_>) -> Result<Option<Duration>, InvalidOption> {
    const VARIABLE: &str = "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER";
    const WANTED: &str = "a number of seconds from 0 to 120";
    let Some(value) = value_of(VARIABLE) else {
        return Ok(None);
    };
    match value.trim().parse::<f64>() {
        Ok(seconds) if (0.0..=120.0).contains(&seconds) => {
            Ok(Some(Duration::from_secs_f64(seconds)))
        }
        _ => Err(invalid(VARIABLE, value, WANTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<RestOptions, InvalidOption> {
        RestOptions::read(|variable| {
            let found = pairs.iter().find(|(name, _)| *name == variable);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_it_is_as_mlflow_has_it() {
        assert_eq!(read(&[]), Ok(RestOptions::default()));
    }

    #[test]
    fn variables_are_read() {
        let options = read(&[
            ("MLFLOW_TRACKING_USERNAME", "ada"),
            ("MLFLOW_TRACKING_PASSWORD", "secret"),
            ("MLFLOW_TRACKING_INSECURE_TLS", "True"),
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "5"),
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3"),
            ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "0.5"),
        ])
        .expect("all of them are valid");
        assert_eq!(
            options.account,
            Some(("ada".to_owned(), "secret".to_owned()))
        );
        assert!(options.insecure_tls);
        assert_eq!(options.timeout, Duration::from_secs(5));
        assert_eq!(options.max_retries, 3);
        assert_eq!(options.backoff_jitter, Duration::from_millis(500));
        assert!(!format!("{options:?}").contains("secret"));
    }

    #[test]
    fn repetitions_have_an_end() {
        let retries = |max_retries| {
            let options = RestOptions {
                max_retries,
                ..RestOptions::default()
            };
            options.bounded().max_retries
        };
        assert_eq!([3, 10, u32::MAX].map(retries), [3, 10, 10]);
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for (variable, value) in [
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "11"),
            ("MLFLOW_HTTP_REQUEST_TIMEOUT", "soon"),
            ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "-1"),
            ("MLFLOW_TRACKING_INSECURE_TLS", "perhaps"),
        ] {
            let error = read(&[(variable, value)]).expect_err(variable).to_string();
            assert!(error.contains(variable) && error.contains(value), "{error}");
        }
        let both = read(&[
            ("MLFLOW_TRACKING_INSECURE_TLS", "1"),
            ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/ca.pem"),
        ]);
        assert_eq!(both, Err(InvalidOption::TwoTrusts));
    }
}
