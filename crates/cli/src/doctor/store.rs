//! The tracking server, database or folder, and where its artifacts are.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use runledger::{Account, Client, RestStore, TrackingError};
use runledger_artifacts::{ArtifactError, ArtifactPath, ArtifactUri, redacted};
use runledger_entities::{Coded as _, ErrorCode, ExperimentId, ViewType};
use runledger_store::{StorePlace, TrackingStore as _};
use runledger_store_sql::{SCHEMA_VERSION, current};
use rustix::fs::{Access as Permission, access};

use super::{Finding, State};
use crate::args::{DoctorArgs, Which};
use crate::artifacts;
use crate::command::CommandError;
use crate::report;
use crate::term::text::counted;
use crate::tracking::{self, Access};

/// From how many milliseconds on clocks differ: times of HTTP have seconds.
const SKEW: i64 = 5_000;

/// Storages without directories: a file that was removed leaves nothing there.
const OBJECTS: [&str; 4] = ["s3", "gs", "wasbs", "abfss"];

/// What is in the file that is put where artifacts go.
const CONTENT: &[u8] = b"runledger doctor\n";

/// Looks at all of it.
pub(super) async fn look(args: &DoctorArgs) -> Vec<Finding> {
    let uri = tracking::uri(&args.tracking);
    let client = match tracking::open(&args.tracking, Access::Read).await {
        Ok(client) => client,
        Err(error) => return vec![unopened(&uri, &error)],
    };
    let mut findings = Vec::new();
    let goes_on = match client.rest() {
        Some(server) => of_server(server, &mut findings).await,
        None => of_store(&uri, &client, &mut findings).await,
    };
    if goes_on {
        findings.push(artifacts(args, &client).await);
    }
    findings
}

/// A database that is not there is made by the first write.
fn unopened(uri: &str, error: &CommandError) -> Finding {
    Finding::new(
        "tracking",
        State::Bad,
        format!("{} cannot be opened: {}", shown(uri), report::chain(error)),
    )
}

fn shown(uri: &str) -> String {
    match StorePlace::of(uri) {
        StorePlace::Folder(path) => path.display().to_string(),
        database @ StorePlace::Database(_) => database.to_string(),
    }
}

/// Whether there is a server that answers questions.
async fn of_server(server: &RestStore, findings: &mut Vec<Finding>) -> bool {
    let address = server.address();
    let look = match server.look().await {
        Ok(look) => look,
        Err(error) => {
            findings.push(Finding::new("tracking", State::Bad, report::chain(&error)));
            return false;
        }
    };
    let version = match &look.version {
        Some(version) => format!("which speaks MLflow {version}"),
        None => format!("which answered {} to /version", look.status),
    };
    let state = if look.version.is_some() {
        State::Good
    } else {
        State::Doubtful
    };
    findings.push(Finding::new(
        "tracking",
        state,
        format!("the server {address}, {version}"),
    ));
    if let Some(ahead) = look.clock_ahead_ms {
        findings.push(clock(ahead));
    }
    let who = match server.account() {
        Account::User(user) => format!("the user '{user}'"),
        Account::Token => "the token".to_owned(),
        _ => "without an account".to_owned(),
    };
    let asked = server.get_experiment(ExperimentId::DEFAULT).await;
    let (state, detail) = match asked {
        Ok(_) => (State::Good, format!("the server answers {who}")),
        Err(error) => match error.code() {
            // It was asked, and knows of no such experiment.
            ErrorCode::ResourceDoesNotExist => (State::Good, format!("the server answers {who}")),
            ErrorCode::Unauthenticated | ErrorCode::PermissionDenied => (
                State::Bad,
                format!(
                    "the server refuses {who}: {error}; set MLFLOW_TRACKING_USERNAME and \
                     MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
                ),
            ),
            _ => (State::Bad, report::chain(&error)),
        },
    };
    findings.push(Finding::new("account", state, detail));
    state == State::Good
}

fn clock(ahead: i64) -> Finding {
    if ahead.abs() < SKEW {
        let detail = "the server's clock and this one agree, within a second or so";
        return Finding::new("clock", State::Good, detail);
    }
    let side = if ahead > 0 { "ahead of" } else { "behind" };
    let seconds = ahead.abs() / 1000;
    Finding::new(
        "clock",
        State::Doubtful,
        format!(
            "the server's clock is {seconds} s {side} this one, so that times of runs differ: set \
             the clocks by NTP"
        ),
    )
}

/// Whether there is a database or folder to ask.
async fn of_store(uri: &str, client: &Client, findings: &mut Vec<Finding>) -> bool {
    if let StorePlace::Folder(path) = StorePlace::of(uri) {
        let there = path.clone();
        let there = tokio::task::spawn_blocking(move || there.is_dir()).await;
        let is_there = there.unwrap_or(false);
        let detail = if is_there {
            format!("the folder {}", path.display())
        } else {
            format!("the folder {}, which the first run makes", path.display())
        };
        findings.push(Finding::new("tracking", State::Good, detail));
    } else {
        let detail = format!("the database {}", shown(uri));
        findings.push(Finding::new("tracking", State::Good, detail));
        findings.push(schema(uri).await);
    }
    let count = tracking::experiments(client, tracking::all(ViewType::ActiveOnly), 1000).await;
    match count {
        Ok((found, is_more)) => {
            let more = if is_more { "more than " } else { "" };
            let detail = format!("{more}{}", counted(found.len(), "active experiment"));
            findings.push(Finding::new("experiments", State::Good, detail));
            true
        }
        Err(error) => {
            findings.push(Finding::new(
                "experiments",
                State::Bad,
                report::chain(&error),
            ));
            false
        }
    }
}

async fn schema(uri: &str) -> Finding {
    let asked = uri.to_owned();
    let found = tokio::task::spawn_blocking(move || current(&asked)).await;
    match found {
        Ok(Ok(found)) => {
            let revision = found.revision.unwrap_or("none");
            if found.is_newest {
                let detail = format!("{revision}, the newest");
                return Finding::new("schema", State::Good, detail);
            }
            let detail = format!(
                "{revision}, {} behind {SCHEMA_VERSION}: it can be read; to write, make a \
                 backup and run `runledger db upgrade`",
                counted(found.steps_behind, "step")
            );
            Finding::new("schema", State::Doubtful, detail)
        }
        Ok(Err(error)) => Finding::new("schema", State::Bad, report::chain(&error)),
        Err(error) => Finding::new("schema", State::Bad, report::chain(&error)),
    }
}

/// Whether artifacts of the default experiment have a place that can be written.
async fn artifacts(args: &DoctorArgs, client: &Client) -> Finding {
    let root = match client.get_experiment(ExperimentId::DEFAULT).await {
        Ok(experiment) => experiment.artifact_location,
        Err(TrackingError::Store(error)) if error.code() == ErrorCode::ResourceDoesNotExist => {
            let detail = "there is no default experiment whose artifacts could be looked for";
            return Finding::new("artifacts", State::Skipped, detail);
        }
        Err(error) => return Finding::new("artifacts", State::Bad, report::chain(&error)),
    };
    let place = redacted(&root);
    if args.no_write {
        let detail = format!("{place}, not tried");
        return Finding::new("artifacts", State::Skipped, detail);
    }
    let tried = match ArtifactUri::parse(&root) {
        Ok(ArtifactUri::Local(path)) => {
            let tried = tokio::task::spawn_blocking(move || in_directory(&path)).await;
            tried.unwrap_or_else(|error| Err(report::chain(&error)))
        }
        Ok(ArtifactUri::Other { scheme, .. }) if OBJECTS.contains(&&*scheme) => {
            probe(args, root, false).await
        }
        _ => probe(args, root, true).await,
    };
    let (state, detail) = match tried {
        Ok(Tried::Written) => (State::Good, format!("{place} can be written")),
        Ok(Tried::Missing) if client.rest().is_some() => (
            State::Doubtful,
            format!(
                "{place} is not on this machine: the server leaves artifacts to its clients, and \
                 each would make this directory on a machine of its own"
            ),
        ),
        Ok(Tried::Missing) => (
            State::Good,
            format!("{place}, which is made when it is needed"),
        ),
        Ok(Tried::Empty) => (
            State::Good,
            format!("{place} can be read; it is empty, so that no file was put there to try"),
        ),
        Err(error) => (State::Bad, format!("{place}: {error}")),
    };
    Finding::new("artifacts", state, detail)
}

/// What became of the file that is put where artifacts go.
enum Tried {
    /// It was written, and removed.
    Written,
    /// The directory is missing, and can be made. A part of it would not do: a store
    /// takes a folder of an experiment as it finds it.
    Missing,
    /// Nothing is there that a file could be put beside, and directories that are made
    /// for it would stay.
    Empty,
}

/// The name of a file that nobody else has.
fn name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    format!(
        "runledger-doctor-{}-{}",
        std::process::id(),
        since.unwrap_or_default().as_nanos()
    )
}

/// Tries a directory of this machine, without making anything around the file.
fn in_directory(path: &Path) -> Result<Tried, String> {
    let words = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    let path = std::path::absolute(path).map_err(|error| words(path, error))?;
    if path.is_dir() {
        let file = path.join(name());
        let mut made = File::create_new(&file).map_err(|error| words(&file, error))?;
        let written = made.write_all(CONTENT);
        let removed = fs::remove_file(&file);
        written.map_err(|error| words(&file, error))?;
        removed.map_err(|error| words(&file, error))?;
        return Ok(Tried::Written);
    }
    // The root is always there.
    let above = path.ancestors().find(|above| above.exists());
    let above = above.unwrap_or(&path);
    if !above.is_dir() {
        return Err(format!("{} is no directory", above.display()));
    }
    let may = access(above, Permission::WRITE_OK | Permission::EXEC_OK);
    may.map_err(|errno| words(above, errno.into()))?;
    Ok(Tried::Missing)
}

/// Tries a storage. Where it has directories, a file is put only beside others.
async fn probe(args: &DoctorArgs, root: String, has_directories: bool) -> Result<Tried, String> {
    let words = |error: &dyn std::error::Error| report::chain(error);
    let which = Which {
        run_id: None,
        artifact_path: None,
        artifact_uri: Some(root),
        tracking_uri: args.tracking.tracking_uri.clone(),
        artifacts_destination: args.artifacts_destination.clone(),
    };
    let place = artifacts::find(&which).await;
    let place = place.map_err(|error| words(&error))?;
    if has_directories {
        let there = match place.repository.list(&place.path).await {
            Err(ArtifactError::NotFound { .. }) => Vec::new(),
            there => there.map_err(|error| words(&error))?,
        };
        if there.is_empty() {
            return Ok(Tried::Empty);
        }
    }
    let name = ArtifactPath::parse(&name()).map_err(|error| words(&error))?;
    let file = place.path.join(&name).map_err(|error| words(&error))?;
    let content = stream::once(async { Ok(Bytes::from_static(CONTENT)) }).boxed();
    let written = place.repository.put(&file, content, None).await;
    // Also after an error: a part may be there.
    let removed = place.repository.delete(&file).await;
    written.map_err(|error| words(&error))?;
    removed.map_err(|error| format!("what was written cannot be removed: {}", words(&error)))?;
    Ok(Tried::Written)
}
