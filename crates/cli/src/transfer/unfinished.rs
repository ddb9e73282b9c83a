//! What an export has written which has not come to its end.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

use crate::args::{ExportArgs, Format};
use crate::command::CommandError;

/// The runs, and with a word before their ids other things, that such an export has written.
pub(super) struct Unfinished {
    path: PathBuf,
    file: File,
    written: HashSet<String>,
    /// Whether it was begun by an earlier command.
    pub(super) goes_on: bool,
}

impl Unfinished {
    /// Goes on with an export that left out the same, or begins one.
    pub(super) async fn go_on(path: PathBuf, args: &ExportArgs) -> Result<Self, CommandError> {
        let first = first_line(args);
        let before = match fs::read_to_string(&path).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            before => before.map_err(CommandError::file(&path))?,
        };
        let mut lines = before.lines();
        if lines.next() == Some(&*first) {
            let written = lines.map(str::to_owned).collect();
            let file = File::options().append(true).open(&path).await;
            let file = file.map_err(CommandError::file(&path))?;
            return Ok(Self {
                path,
                file,
                written,
                goes_on: true,
            });
        }
        let file = File::create(&path).await;
        let file = file.map_err(CommandError::file(&path))?;
        let mut begun = Self {
            path,
            file,
            written: HashSet::new(),
            goes_on: false,
        };
        begun.add(&first).await?;
        Ok(begun)
    }

    pub(super) fn has(&self, line: &str) -> bool {
        self.written.contains(line)
    }

    pub(super) async fn add(&mut self, line: &str) -> Result<(), CommandError> {
        let written = self.file.write_all(format!("{line}\n").as_bytes()).await;
        written.map_err(CommandError::file(&self.path))?;
        let written = self.file.flush().await;
        written.map_err(CommandError::file(&self.path))
    }
}

/// What is exported, and what is left out.
fn first_line(args: &ExportArgs) -> String {
    if args.format == Format::Parquet {
        return "tables".to_owned();
    }
    let artifacts = if args.moving.no_artifacts {
        "without artifacts"
    } else {
        "with artifacts"
    };
    let traces = if args.moving.no_traces {
        ", without traces"
    } else {
        ""
    };
    format!("{artifacts}{traces}")
}
