//! Lists of directories, bounded in length and time. What a line says is left to
//! `facts`.

use std::io;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::Ftp;
use super::connection::{PAUSE_TIME, within};
use crate::tree::{Entry, Fault, Files, Kind, Node};

/// Bytes of a line of a list, and of a whole list.
const LINE_BYTES: u64 = 16 << 10;
const LIST_BYTES: usize = 32 << 20;

/// How long a list may take, and then the looks at its names.
const LIST_TIME: Duration = Duration::from_mins(5);

/// Names of a list that are looked at, each by two or three requests, and how
/// many at once.
pub(super) const NAMES: usize = 5_000;
const LOOKS: usize = 4;

impl Ftp {
    /// The lines of a list of a directory.
    pub(super) async fn lines(
        &self,
        command: &str,
        directory: &str,
        max: usize,
    ) -> Result<Vec<String>, Fault> {
        let lines = self.lines_at_last(command, directory, max);
        limited(lines).await
    }

    async fn lines_at_last(
        &self,
        command: &str,
        directory: &str,
        max: usize,
    ) -> Result<Vec<String>, Fault> {
        let whole = format!("{command} {directory}");
        let read = Some((directory, Kind::Directory));
        let (mut lease, data) = self.transfer(&[&whole], read).await?;
        let mut data = BufReader::new(data);
        let mut lines = Vec::new();
        let mut strange = 0_usize;
        let mut bytes = 0;
        loop {
            let mut line = Vec::new();
            let mut input = (&mut data).take(LINE_BYTES);
            let length = within(PAUSE_TIME, input.read_until(b'\n', &mut line)).await?;
            if length == 0 {
                break;
            }
            if length as u64 == LINE_BYTES && line.last() != Some(&b'\n') {
                return Err(Fault::strange("a list with a line of more than 16 KiB"));
            }
            bytes += length;
            if bytes > LIST_BYTES {
                return Err(Fault::strange("a list of more than 32 MiB"));
            }
            // The directory itself and the one above may be there, too.
            if lines.len() > max + 2 {
                return Ok(lines);
            }
            // A name that is no UTF-8 cannot be told to a client, nor asked for.
            match String::from_utf8(line) {
                Ok(line) => lines.push(line.trim_end_matches(['\r', '\n']).to_owned()),
                Err(_) => strange += 1,
            }
        }
        let answer = lease.connection().answer().await?.done()?;
        // To vsftpd, that is a success.
        if answer.says(directory, &["failed to open directory"]) {
            return Err(answer.fault());
        }
        lease.give_back();
        if strange > 0 {
            tracing::warn!(
                directory,
                names = strange,
                "names that are not UTF-8 are left out of a list"
            );
        }
        Ok(lines)
    }

    /// A list of a server that only gives names. Each is looked at, so there may
    /// be fewer.
    pub(super) async fn names(&self, directory: &str, max: usize) -> Result<Vec<Entry>, Fault> {
        match self.look(directory).await? {
            Some(node) if node.kind == Kind::Directory => {}
            _ => return Err(Fault::NotFound),
        }
        let most = max.min(NAMES);
        let lines = match self.lines("NLST", directory, most).await {
            // An empty directory, to some.
            Err(Fault::NotFound) => return Ok(Vec::new()),
            lines => lines?,
        };
        let names = lines.into_iter().filter_map(|line| {
            let name = line.rsplit('/').next().unwrap_or_default();
            (!matches!(name, "" | "." | "..")).then(|| name.to_owned())
        });
        let names: Vec<_> = names.take(most + 1).collect();
        if names.len() > NAMES && max > NAMES {
            return Err(Fault::TooMany(NAMES));
        }
        let looks = names.into_iter().map(|name| async {
            let path = format!("{}/{name}", directory.trim_end_matches('/'));
            let found = self.look(&path).await?;
            Ok(found.map(|Node { kind, size, .. }| Entry { name, kind, size }))
        });
        let entries = stream::iter(looks).buffered(LOOKS).try_collect::<Vec<_>>();
        Ok(limited(entries).await?.into_iter().flatten().collect())
    }
}

/// Waits for a list.
async fn limited<T>(list: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    match tokio::time::timeout(LIST_TIME, list).await {
        Ok(list) => list,
        Err(_) => Err(Fault::of_connection(io::Error::new(
            io::ErrorKind::TimedOut,
            "a list of a directory took too long",
        ))),
    }
}
