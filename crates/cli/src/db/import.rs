//! `runledger db import`: a folder of files into a database.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use runledger_store::copy::{Copied, CopyError, copy};
use runledger_store_file::{FileStore, FileStoreOptions};
use runledger_store_sql::{DatabaseUri, SqlStore, StoreOptions};
use serde_json::json;

use super::plan::grouped;
use runledger_store::StorePlace;

use crate::{args::ImportArgs, report};

/// How often a line tells how far it is, where there is no terminal.
const PAUSE: Duration = Duration::from_secs(10);

/// Why nothing, or not everything, was imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The source is no folder.
    #[error("'{uri}' is no folder: `db import` reads an mlruns folder")]
    NoFolder {
        /// What was given.
        uri: String,
    },
    /// The source is not there.
    #[error("there is no folder '{path}'")]
    Missing {
        /// The folder.
        path: String,
    },
    /// The source cannot be opened.
    #[error(transparent)]
    Folder(#[from] runledger_store_file::OpenError),
    /// The target cannot be opened.
    #[error(transparent)]
    Database(#[from] runledger_store_sql::OpenError),
    /// The target is in use.
    #[error(
        "{source}. Name a new database; or, to go on with an import that was cut short, add --resume"
    )]
    InUse {
        /// What is there.
        source: CopyError,
    },
    /// The copy failed.
    #[error("the import was cut short, go on with it with --resume: {source}")]
    Copy {
        /// Why.
        source: CopyError,
    },
    /// The process could not be set up.
    #[error("the import cannot start: {source}")]
    Start {
        /// The system's words.
        source: io::Error,
    },
}

impl ImportError {
    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoFolder { .. } | Self::Database(runledger_store_sql::OpenError::Uri { .. }) => 2,
            _ => 1,
        }
    }
}

/// Imports.
pub(super) fn run(args: &ImportArgs) -> Result<(), ImportError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| ImportError::Start { source })?;
    runtime.block_on(import(args))
}

async fn import(args: &ImportArgs) -> Result<(), ImportError> {
    let StorePlace::Folder(folder) = StorePlace::of(&args.folder) else {
        return Err(ImportError::NoFolder {
            uri: runledger_artifacts::redacted(&args.folder),
        });
    };
    if !folder.is_dir() {
        return Err(ImportError::Missing {
            path: folder.display().to_string(),
        });
    }
    let begin = Instant::now();
    let shown = DatabaseUri::parse(&args.uri)?.to_string();
    let options = FileStoreOptions {
        read_only: true,
        ..FileStoreOptions::default()
    };
    let source = FileStore::open(&folder, options).await?;
    let target = SqlStore::open(&args.uri, StoreOptions::default()).await?;
    let mut told = Told::new();
    let copied = copy(&source, &target, args.resume, &mut |now| told.tell(now)).await;
    told.end();
    let copied = copied.map_err(|source| match source {
        CopyError::NotEmpty { .. } => ImportError::InUse { source },
        source => ImportError::Copy { source },
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    if args.json {
        let renumbered: Vec<_> = copied
            .renumbered
            .iter()
            .map(|(from, to)| json!({ "from": from.to_string(), "to": to.to_string() }))
            .collect();
        report::json(&json!({
            "from": folder.display().to_string(),
            "to": shown,
            "experiments": copied.experiments,
            "runs": copied.runs,
            "runs_before": copied.runs_before,
            "points": copied.points,
            "logged_models": copied.logged_models,
            "traces": copied.traces,
            "traces_before": copied.traces_before,
            "registered_models": copied.registered_models,
            "model_versions": copied.model_versions,
            "renumbered_experiments": renumbered,
            "seconds": seconds,
        }));
        return Ok(());
    }
    for (from, to) in &copied.renumbered {
        report::line(&format!(
            "The experiment {from} has the id {to} there: its own is too long."
        ));
    }
    report::line(&format!("{} in {shown}, {seconds:.1} s.", summary(&copied)));
    Ok(())
}

fn summary(copied: &Copied) -> String {
    let mut text = format!(
        "{} experiments, {} runs with {} points of metrics, {} logged models, {} traces, \
         {} registered models with {} versions",
        grouped(copied.experiments),
        grouped(copied.runs),
        grouped(copied.points),
        grouped(copied.logged_models),
        grouped(copied.traces),
        grouped(copied.registered_models),
        grouped(copied.model_versions),
    );
    let before = [
        (copied.runs_before, "runs"),
        (copied.traces_before, "traces"),
    ];
    for (count, what) in before {
        if count > 0 {
            text = format!("{text} (and {} {what} from before)", grouped(count));
        }
    }
    text
}

/// How far it is: a counter on a terminal, lines elsewhere; on stderr.
struct Told {
    bar: Option<ProgressBar>,
    last: Instant,
}

impl Told {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            bar,
            last: Instant::now(),
        }
    }

    fn tell(&mut self, now: &Copied) {
        if let Some(bar) = &self.bar {
            bar.set_message(summary(now));
        } else if self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            report::progress(&summary(now));
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
