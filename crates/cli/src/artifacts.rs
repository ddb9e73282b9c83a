//! `runledger artifacts`: lists, downloads and uploads.
//!
//! `place` finds which storage is meant, with `tracking` for runs and models;
//! `download` and `upload` move files, several at a time; `bar` shows how far it
//! is. Storages themselves are `runledger-artifacts`'.

mod bar;
mod download;
mod error;
mod place;
mod tracking;
mod upload;

use runledger_artifacts::FileInfo;
use serde_json::{Value, json};

use crate::args::{ArtifactsCommand, ListArgs};
use crate::report;
use crate::serve::RunError;

pub(crate) use error::ArtifactsError;
use place::Place;
pub(crate) use tracking::Stores;

/// Files of one transfer; their names are in memory.
const MAX_FILES: usize = 5_000_000;

/// Does something that blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ArtifactsError> + Send + 'static,
) -> Result<T, ArtifactsError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ArtifactsError::local("")(std::io::Error::other(error))))
}

/// Does what the flags say.
pub(crate) fn run(command: &ArtifactsCommand) -> Result<(), ArtifactsError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| RunError::Start { source })?;
    runtime.block_on(async {
        match command {
            ArtifactsCommand::List(args) => list(args).await,
            ArtifactsCommand::Download(args) => {
                let place = Place::find(&args.which).await?;
                let done = download::download(&place, &args.dst_path, args.jobs.into()).await?;
                tell(&done, args.json);
                Ok(())
            }
            ArtifactsCommand::Upload(args) => {
                let place = Place::find(&args.which).await?;
                let done = upload::upload(&place, &args.local_path, args.jobs.into()).await?;
                tell(&done, args.json);
                Ok(())
            }
        }
    })
}

/// What was moved.
#[derive(Debug)]
struct Moved {
    /// Where it is now.
    path: String,
    files: usize,
    bytes: u64,
}

fn tell(done: &Moved, as_json: bool) {
    if as_json {
        report::json(&json!({ "path": done.path, "files": done.files, "bytes": done.bytes }));
    } else {
        report::line(&done.path);
    }
}

async fn list(args: &ListArgs) -> Result<(), ArtifactsError> {
    let place = Place::find(&args.which).await?;
    let entries = place.repository.list(&place.path).await?;
    if args.json {
        let entries: Vec<_> = entries.iter().map(|entry| as_json(&place, entry)).collect();
        report::json(&Value::Array(entries));
        return Ok(());
    }
    for entry in &entries {
        report::line(&if entry.is_dir {
            format!("{:>12}  {}/", "", entry.name)
        } else {
            format!("{:>12}  {}", entry.file_size, entry.name)
        });
    }
    Ok(())
}

/// An entry as MLflow's command writes it; a path is relative to the run, or to
/// the URI.
fn as_json(place: &Place, entry: &FileInfo) -> Value {
    let path = if place.shown.is_root() {
        entry.name.clone()
    } else {
        format!("{}/{}", place.shown, entry.name)
    };
    let mut value = json!({ "path": path, "is_dir": entry.is_dir });
    if !entry.is_dir {
        // MLflow writes 64-bit numbers as texts.
        value["file_size"] = Value::from(entry.file_size.to_string());
    }
    value
}
