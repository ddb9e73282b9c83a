//! `runledger runs`: created, found, logged to and changed (MLflow 3.17, `mlflow
//! runs`, and more).

mod change;
mod compare;
mod describe;
mod search;

use runledger_entities::{Run, RunId, RunStatus};
use runledger_protocol::messages::runs as messages;

use crate::args::RunsCommand;
use crate::command::{self, CommandError};
use crate::term::{Out, Tone};

/// Does what the flags say.
pub(crate) fn run(command: &RunsCommand) -> Result<(), CommandError> {
    command::run(async {
        match command {
            RunsCommand::Search(args) => search::search(args).await,
            RunsCommand::Describe(args) => describe::describe(args).await,
            RunsCommand::Create(args) => change::create(args).await,
            RunsCommand::Log(args) => change::log(args).await,
            RunsCommand::Update(args) => change::update(args).await,
            RunsCommand::Compare(args) => compare::compare(args).await,
            RunsCommand::Link(args) => change::link(args).await,
            RunsCommand::Delete(args) => change::delete(args).await,
            RunsCommand::Restore(args) => change::restore(args).await,
        }
    })
}

/// A run for a program, or a line about it for people.
fn tell(run: Option<&Run>, said: &str) -> Result<(), CommandError> {
    let mut out = Out::new();
    match run {
        Some(run) => out.json(&messages::one(run))?,
        None => out.line(said)?,
    }
    Ok(out.flush()?)
}

/// A run's id as the command line has it.
fn id(text: &str) -> RunId {
    RunId::new(text.trim())
}

/// The name of a run, or its id if it has none.
pub(crate) fn name(run: &Run) -> &str {
    let name = run.info.run_name.as_deref();
    let name = name.filter(|name| !name.is_empty());
    name.unwrap_or(run.info.run_id.as_str())
}

/// The colour of a status.
pub(crate) fn tone(status: RunStatus) -> Tone {
    match status {
        RunStatus::Running => Tone::Busy,
        RunStatus::Scheduled => Tone::Faint,
        RunStatus::Finished => Tone::Good,
        RunStatus::Failed => Tone::Bad,
        RunStatus::Killed => Tone::Doubtful,
    }
}
