//! Logs: on stderr, as `RUST_LOG` or MLflow's `MLFLOW_LOGGING_LEVEL` asks.

use std::env;
use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Starts logging. Called once. `quiet` leaves out what is no warning, unless
/// the environment asks for it.
pub(crate) fn start(quiet: bool) {
    let rules = env::var("RUST_LOG").ok().filter(|rules| !rules.is_empty());
    let level = env::var("MLFLOW_LOGGING_LEVEL").ok();
    let default = if quiet { "warning" } else { "info" };
    let rules =
        rules.unwrap_or_else(|| rules_of_level(level.as_deref().unwrap_or(default)).to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::builder().parse_lossy(rules))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// The names of Python's `logging`.
fn rules_of_level(level: &str) -> &'static str {
    match level.to_ascii_uppercase().as_str() {
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
        assert_eq!(rules_of_level("warning"), "warn");
        assert_eq!(rules_of_level("CRITICAL"), "error");
        assert_eq!(rules_of_level(""), "info");
    }
}
