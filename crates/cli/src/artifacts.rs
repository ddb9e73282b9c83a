//! `runledger artifacts`: lists, downloads and uploads.
//!
//! `place` finds which storage is meant, with `tracking` for runs and models; `bar`
//! shows how far a transfer is. Storages and transfers themselves are
//! `runledger-artifacts`'.

mod bar;
mod error;
mod place;
mod tracking;

use std::io;

use runledger_artifacts::FileInfo;
use runledger_artifacts::transfer::{self, Moved, Place};
use serde_json::{Value, json};

use crate::args::{ArtifactsCommand, ListArgs};
use crate::serve::RunError;
use crate::term::Out;

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
                Ok(tell(&done, args.json)?)
            }
            ArtifactsCommand::Upload(args) => {
                let place = place::find(&args.which).await?;
                let jobs = args.jobs.into();
                let done = transfer::upload(&place, &args.local_path, jobs, &bar::new()).await?;
                Ok(tell(&done, args.json)?)
            }
        }
    })
}

fn tell(done: &Moved, as_json: bool) -> io::Result<()> {
    let mut out = Out::new();
    if as_json {
        let done = json!({ "path": done.path, "files": done.files, "bytes": done.bytes });
        out.json(done.to_string().as_bytes())?;
    } else {
        out.line(&done.path)?;
    }
    out.flush()
}

async fn list(args: &ListArgs) -> Result<(), ArtifactsError> {
    let place = place::find(&args.which).await?;
    let entries = place.repository.list(&place.path).await?;
    let mut out = Out::new();
    if args.json {
        let entries = entries.iter().map(|entry| as_json(&place, entry));
        out.json(entries.collect::<Value>().to_string().as_bytes())?;
        return Ok(out.flush()?);
    }
    for entry in &entries {
        out.line(&if entry.is_dir {
            format!("{:>12}  {}/", "", entry.name)
        } else {
            format!("{:>12}  {}", entry.file_size, entry.name)
        })?;
    }
    Ok(out.flush()?)
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
