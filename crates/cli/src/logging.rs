//! Logs: on stderr, as `RUST_LOG` or MLflow's `MLFLOW_LOGGING_LEVEL` asks.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging. Called once.
pub(crate) fn start() {
    let rules = env::var("RUST_LOG").ok().filter(|rules| !rules.is_empty());
    let level = env::var("MLFLOW_LOGGING_LEVEL").ok();
    let rules = rules.unwrap_or_else(|| rules_of_level(level.as_deref()).to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(rules))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// The names of Python's `logging`.
fn rules_of_level(level: Option<&str>) -> &'static str {
    match level.unwrap_or_default().to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "WARN" | "WARNING" => "warn",
        "ERROR" | "CRITICAL" | "FATAL" => "error",
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use super::rules_of_level;

    #[test]
    fn pythons_levels_are_known() {
        assert_eq!(rules_of_level(Some("warning")), "warn");
        assert_eq!(rules_of_level(Some("CRITICAL")), "error");
        assert_eq!(rules_of_level(None), "info");
    }
}
