//! `runledger artifacts`: lists, downloads and uploads.
//!
//! `place` finds which storage is meant, with `tracking` for runs and models; `bar`
//! shows how far a transfer is. Storages and transfers themselves are
//! `runledger-artifacts`'.

mod bar;
mod error;
mod place;
mod tracking;

use runledger_artifacts::FileInfo;
use runledger_artifacts::transfer::{self, Moved, Place};
use serde_json::{Value, json};

use crate::args::{ArtifactsCommand, ListArgs};
use crate::report;
use crate::serve::RunError;

pub(crate) use bar::new as bar;
pub(crate) use error::ArtifactsError;
pub(crate) use place::find;
pub(crate) use tracking::Stores;

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
                let place = place::find(&args.which).await?;
                let jobs = args.jobs.into();
                let done = transfer::download(&place, &args.dst_path, jobs, &bar::new()).await?;
                tell(&done, args.json);
                Ok(())
            }
            ArtifactsCommand::Upload(args) => {
                let place = place::find(&args.which).await?;
                let jobs = args.jobs.into();
                let done = transfer::upload(&place, &args.local_path, jobs, &bar::new()).await?;
                tell(&done, args.json);
                Ok(())
            }
        }
    })
}

fn tell(done: &Moved, as_json: bool) {
    if as_json {
        report::json(&json!({ "path": done.path, "files": done.files, "bytes": done.bytes }));
    } else {
        report::line(&done.path);
    }
}

async fn list(args: &ListArgs) -> Result<(), ArtifactsError> {
    let place = place::find(&args.which).await?;
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
