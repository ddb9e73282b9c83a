//! `runledger doctor`: looks at what commands and clients here would use, and says
//! what is wrong with it.
//!
//! `store` looks at the tracking server, database or folder, and at its artifacts;
//! `environment` lists variables without their secrets.

mod environment;
mod store;

use serde_json::json;

use crate::args::DoctorArgs;
use crate::command::{self, CommandError};
use crate::term::text::{plain, wrapped};
use crate::term::{Out, Tone};

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    /// It works, and should not be so.
    Doubtful,
    Bad,
    /// It was not looked at.
    Skipped,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Doubtful => "warning",
            Self::Bad => "error",
            Self::Skipped => "skipped",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Self::Good => Tone::Good,
            Self::Doubtful => Tone::Doubtful,
            Self::Bad => Tone::Bad,
            Self::Skipped => Tone::Faint,
        }
    }
}

/// What was found out about one thing.
#[derive(Clone, Debug)]
struct Finding {
    name: &'static str,
    state: State,
    /// What it is, or what is wrong with it and what to do.
    detail: String,
}

impl Finding {
    fn new(name: &'static str, state: State, detail: impl Into<String>) -> Self {
        Self {
            name,
            state,
            detail: detail.into(),
        }
    }
}

/// Looks at everything; says whether nothing is wrong.
pub(crate) fn run(args: &DoctorArgs) -> Result<bool, CommandError> {
    let mut is_well = true;
    let told = command::run(async {
        let mut findings = vec![Finding::new("program", State::Good, program())];
        findings.extend(store::look(args).await);
        is_well = findings.iter().all(|found| found.state != State::Bad);
        tell(args, &findings, is_well)
    });
    match told {
        // The exit code says it to whoever stopped reading.
        Err(error) if !error.is_closed_pipe() => Err(error),
        _ => Ok(is_well),
    }
}

fn program() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("Runledger {version} on {system}, {machine}")
}

fn tell(args: &DoctorArgs, findings: &[Finding], is_well: bool) -> Result<(), CommandError> {
    let variables = environment::variables(std::env::vars_os(), args.mask_envs);
    let mut out = Out::new();
    if args.json {
        let checks: Vec<_> = findings
            .iter()
            .map(|found| {
                json!({
                    "name": found.name,
                    "state": found.state.name(),
                    "detail": found.detail,
                })
            })
            .collect();
        let environment: serde_json::Map<_, _> = variables
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        let all = json!({
            "ok": is_well,
            "version": env!("CARGO_PKG_VERSION"),
            "checks": checks,
            "environment": environment,
        });
        out.json(all.to_string().as_bytes())?;
        return Ok(out.flush()?);
    }
    let width = findings.iter().map(|found| found.name.len()).max();
    let width = width.unwrap_or_default();
    // The longest state, and what is around it.
    let before = "warning".len() + 2 + width + 2;
    let room = out
        .look
        .width
        .map_or(usize::MAX, |columns| columns.saturating_sub(before).max(20));
    for found in findings {
        let state = format!("{:<7}", found.state.name());
        let state = found.state.tone().paint(&state, out.look);
        for (at, line) in wrapped(&plain(&found.detail), room).iter().enumerate() {
            if at == 0 {
                out.line(&format!("{state}  {:<width$}  {line}", found.name))?;
            } else {
                out.line(&format!("{:before$}{line}", ""))?;
            }
        }
    }
    if !variables.is_empty() {
        out.line("")?;
        out.line(&Tone::Heading.paint("ENVIRONMENT", out.look))?;
        for (name, value) in variables {
            out.line(&format!("  {name}={}", plain(&value)))?;
        }
    }
    Ok(out.flush()?)
}
