//! `runledger sync`: sends what runs left in files while their tracker was away.
//!
//! What is in the files, and that nothing of it arrives twice, is the business of
//! `runledger::spill`.

use std::env;
use std::path::Path;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use runledger::spill::{self, Sent, SpillError, Spilled};
use runledger::{Client, OpenOptions};
use serde_json::{Value, json};

use crate::args::SyncArgs;
use crate::command::{self, CommandError};
use crate::report;
use crate::term::table::{Cell, Column, Table};
use crate::term::{Out, Tone};
use crate::tracking;

/// What became of a file.
enum Outcome {
    /// Nothing, as it was asked.
    Waiting,
    Sent(Sent),
    /// Its run is going on, and sends it itself.
    InUse,
    Failed(String),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent(_) => "sent",
            Self::InUse => "in use",
            Self::Failed(_) => "failed",
        }
    }
}

/// Does what the flags say.
pub(crate) fn run(args: &SyncArgs) -> Result<(), CommandError> {
    command::run(sync(args))
}

async fn sync(args: &SyncArgs) -> Result<(), CommandError> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => spill::folder().map_err(|error| refused(&error))?,
    };
    let files = spill::waiting(&folder).map_err(|error| refused(&error))?;
    let mut done = Vec::with_capacity(files.len());
    for file in files {
        let outcome = if args.dry_run {
            Outcome::Waiting
        } else {
            send(&file, args.tracking_uri.as_deref()).await
        };
        done.push((file, outcome));
    }
    let told = tell(args, &folder, &done);
    let failures = done.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Failed(reason) => Some(reason),
        _ => None,
    });
    let failures: Vec<_> = failures.collect();
    if failures.is_empty() {
        return told;
    }
    // The exit code says it to whoever stopped reading.
    if let Err(error) = told
        && !error.is_closed_pipe()
    {
        return Err(error);
    }
    if !args.json {
        for reason in &failures {
            report::progress(reason);
        }
    }
    Err(CommandError::Refused(format!(
        "{} of {} files could not be sent to the end: what is left of them stays",
        failures.len(),
        done.len()
    )))
}

fn tell(args: &SyncArgs, folder: &Path, done: &[(Spilled, Outcome)]) -> Result<(), CommandError> {
    let mut out = Out::new();
    if args.json {
        let files = done.iter().map(|(file, outcome)| as_json(file, outcome));
        out.json(files.collect::<Value>().to_string().as_bytes())?;
    } else if done.is_empty() {
        out.line(&format!("Nothing waits in {}.", folder.display()))?;
    } else {
        out.lines(&table(done).lines(out.look))?;
    }
    Ok(out.flush()?)
}

async fn send(file: &Spilled, moved: Option<&str>) -> Outcome {
    let client = match client(file, moved).await {
        Ok(client) => client,
        Err(error) => return Outcome::Failed(report::chain(&error)),
    };
    let bar = bar(file.unsent_bytes());
    let mut before = None;
    let sent = file.send(&client, |until| {
        // The header and what was sent before are no part of the bar.
        let begin = *before.get_or_insert(until);
        bar.set_position(until - begin);
    });
    let outcome = sent.await;
    bar.finish_and_clear();
    match outcome {
        Ok(sent) => Outcome::Sent(sent),
        Err(SpillError::InUse { .. }) => Outcome::InUse,
        Err(error) => Outcome::Failed(report::chain(&error)),
    }
}

/// A client of where the run of a file was, with the account that the environment has.
async fn client(file: &Spilled, moved: Option<&str>) -> Result<Client, CommandError> {
    let options = || -> Result<OpenOptions, CommandError> {
        Ok(OpenOptions {
            read_only: false,
            rest: Some(tracking::rest_options()?),
        })
    };
    if let Some(uri) = moved {
        return Ok(Client::open_with(uri, options()?).await?);
    }
    if let Ok(uri) = env::var("MLFLOW_TRACKING_URI")
        && runledger::without_account(&uri) == file.tracking_uri()
    {
        return Ok(Client::open_with(&uri, options()?).await?);
    }
    Ok(Client::open_with(file.tracking_uri(), options()?).await?)
}

fn bar(bytes: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} [{bar:25}] {bytes} of {total_bytes}, {eta}")
            .expect("the template is a constant, and right");
    // It goes to stderr, and is hidden where that is no terminal.
    let bar = ProgressBar::new(bytes).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn table(done: &[(Spilled, Outcome)]) -> Table {
    let mut table = Table::new(vec![
        Column::whole("RUN"),
        Column::whole("STATE"),
        Column::whole("METRICS").right(),
        Column::whole("UNSENT").right(),
        Column::flexible("TRACKING URI", 12),
    ]);
    for (file, outcome) in done {
        let tone = match outcome {
            Outcome::Sent(_) => Tone::Good,
            Outcome::Failed(_) => Tone::Bad,
            Outcome::Waiting | Outcome::InUse => Tone::Doubtful,
        };
        let (metrics, unsent) = match outcome {
            Outcome::Sent(sent) => (sent.metrics.to_string(), 0),
            _ => ("-".to_owned(), file.unsent_bytes()),
        };
        table.row([
            Cell::from(file.run_id().as_str()),
            Cell::of(outcome.name(), tone),
            Cell::from(metrics),
            Cell::from(HumanBytes(unsent).to_string()),
            Cell::of(file.tracking_uri(), Tone::Faint),
        ]);
    }
    table
}

fn as_json(file: &Spilled, outcome: &Outcome) -> Value {
    let mut value = json!({
        "path": file.path(),
        "run_id": file.run_id().as_str(),
        "tracking_uri": file.tracking_uri(),
        "unsent_bytes": file.unsent_bytes(),
        "state": outcome.name(),
    });
    match outcome {
        Outcome::Sent(sent) => {
            value["metrics"] = sent.metrics.into();
            value["params"] = sent.params.into();
            value["tags"] = sent.tags.into();
            value["is_ended"] = sent.is_ended.into();
            value["unsent_bytes"] = 0.into();
        }
        Outcome::Failed(reason) => value["error"] = reason.as_str().into(),
        Outcome::Waiting | Outcome::InUse => {}
    }
    value
}

fn refused(error: &SpillError) -> CommandError {
    CommandError::Refused(report::chain(error))
}
