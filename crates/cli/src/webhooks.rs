//! What MLflow's environment variables say about webhooks.

use std::time::Duration;

use runledger_server::WebhookOptions;
use runledger_store_sql::{InvalidVariable, InvalidWebhookKey, WebhookKey};

use crate::args::ServerArgs;

/// The longest time of an attempt, in seconds.
const MOST_SECONDS: u32 = 3600;

/// The most deliveries at a time.
const MOST_WORKERS: u32 = 1000;

/// What the secrets of webhooks are encrypted with, if the environment says it.
pub(crate) fn key(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<WebhookKey>, InvalidWebhookKey> {
    let text = variable(WebhookKey::VARIABLE).filter(|text| !text.is_empty());
    text.map(|text| WebhookKey::parse(&text)).transpose()
}

/// How webhooks are told.
pub(crate) fn options(
    flags: &ServerArgs,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<WebhookOptions, InvalidVariable> {
    let defaults = WebhookOptions::default();
    let number = |name: &'static str, least: u32, most: u32| match variable(name) {
        None => Ok(None),
        Some(value) => match value.trim().parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(InvalidVariable {
                name,
                expected: format!("a number from {least} to {most}").into(),
                value,
            }),
        },
    };
    let seconds = number("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", 1, MOST_SECONDS)?;
    let workers = number("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", 1, MOST_WORKERS)?;
    Ok(WebhookOptions {
        allowed_schemes: variable("MLFLOW_WEBHOOK_ALLOWED_SCHEMES")
            .map_or(defaults.allowed_schemes, |text| schemes(&text)),
        allow_private_addresses: flag(&variable, "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS")?,
        request_time: seconds.map_or(defaults.request_time, |seconds| {
            Duration::from_secs(seconds.into())
        }),
        workers: workers.map_or(defaults.workers, |workers| workers as usize),
        most_retries: number("MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES", 0, u32::MAX)?,
        expiry: Duration::from_hours(flags.webhook_expiry.into()),
    })
}

fn schemes(text: &str) -> Vec<String> {
    let schemes = text
        .split(',')
        .map(|scheme| scheme.trim().to_ascii_lowercase());
    schemes.filter(|scheme| !scheme.is_empty()).collect()
}

/// `true`, `false`, `1` or `0`, as MLflow reads it.
fn flag(
    variable: impl Fn(&str) -> Option<String>,
    name: &'static str,
) -> Result<bool, InvalidVariable> {
    let Some(value) = variable(name) else {
        return Ok(false);
    };
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(InvalidVariable {
            name,
            expected: "true or false".into(),
            value,
        }),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Cli, Command};

    fn read(line: &str, pairs: &[(&str, &str)]) -> Result<WebhookOptions, InvalidVariable> {
        let line = ["runledger", "server"]
            .into_iter()
            .chain(line.split_whitespace());
        let Some(Command::Server(flags)) = Cli::try_parse_from(line).unwrap().command else {
            panic!("the command is `server`");
        };
        options(&flags, |name| {
            let found = pairs.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_only_https_of_the_internet_is_told() {
        let options = read("", &[]).unwrap();
        assert_eq!(options.allowed_schemes, ["https"]);
        assert!(!options.allow_private_addresses);
        assert_eq!(options.expiry, Duration::from_hours(24));
        assert_eq!(options.most_retries, None);
    }

    #[test]
    fn mlflows_variables_are_read() {
        let options = read(
            "--webhook-expiry 2",
            &[
                ("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "HTTP, https,"),
                ("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "True"),
                ("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "5"),
                ("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", "3"),
                ("MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES", "0"),
            ],
        )
        .unwrap();
        assert_eq!(options.allowed_schemes, ["http", "https"]);
        assert!(options.allow_private_addresses);
        assert_eq!(options.request_time, Duration::from_secs(5));
        assert_eq!((options.workers, options.most_retries), (3, Some(0)));
        assert_eq!(options.expiry, Duration::from_hours(2));
    }

    #[test]
    fn what_cannot_be_right_is_refused() {
        for (name, value) in [
            ("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "yes"),
            ("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "0"),
            ("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", "x"),
        ] {
            let error = read("", &[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_not_shown() {
        assert!(key(|_| None).unwrap().is_none());
        let error = key(|_| Some("hidden".to_owned())).unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
    }
}
