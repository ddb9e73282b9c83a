//! `ftp://`: FTP as in RFC 959, with what RFC 3659 added where a server has it.
//!
//! `connection` speaks, `lists` asks for lists, `facts` reads them, `lease` keeps
//! connections. A server without machine-readable lists (`MLSD`) is asked for each
//! name, as MLflow asks. What is sent is not encrypted.

mod connection;
mod facts;
mod lease;
mod lists;
#[cfg(test)]
mod tests;

use std::io;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::InvalidUri;
use crate::authority::Authority;
use crate::tree::{Content, Entry, Fault, Files, Identity, Kind, Node};

use connection::{Answer, PAUSE_TIME, within};
use lease::{Lease, Pool};

const FORM: &str = "ftp://<user>:<password>@<host>:<port>/<path>";

/// How servers say that there is nothing, some of them of an empty directory.
const MISSING: &[&str] = &["no such file", "no files"];

/// How servers say that something may be there.
const DENIED: &[&str] = &["denied", "not permitted"];

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A server, as one user sees it.
#[derive(Debug)]
pub(crate) struct Ftp {
    pool: Pool,
}

impl Ftp {
    /// The server that `authority` names. Nothing is asked yet.
    pub(crate) fn open(uri: &str, authority: &str) -> Result<Self, InvalidUri> {
        Ok(Self {
            pool: Pool::new(Authority::parse(uri, authority, FORM)?),
        })
    }

    /// Asks something that is done or not.
    async fn ask(&self, command: &str) -> Result<Answer, Fault> {
        let mut lease = self.pool.request().await?;
        let answer = lease.connection().ask(command).await?;
        lease.give_back();
        Ok(answer)
    }

    /// Does something to a path; `is_so` says whether a refusal means that it
    /// was done before.
    async fn change(
        &self,
        command: &str,
        path: &str,
        is_so: impl FnOnce(Option<Node>) -> bool,
    ) -> Result<(), Fault> {
        let answer = self.ask(&format!("{command} {path}")).await?;
        if answer.is_done() || (answer.code == 550 && is_so(self.look(path).await?)) {
            return Ok(());
        }
        Err(answer.fault())
    }

    async fn rename(&self, from: &str, to: &str) -> Result<Answer, Fault> {
        let mut lease = self.pool.request().await?;
        let connection = lease.connection();
        let from = connection.ask(&format!("RNFR {from}")).await?;
        if from.code != 350 {
            return Err(from.fault());
        }
        let answer = connection.ask(&format!("RNTO {to}")).await?;
        lease.give_back();
        Ok(answer)
    }

    /// Begins to send or to receive; `read` is what is read, if anything is.
    async fn transfer(
        &self,
        commands: &[&str],
        read: Option<(&str, Kind)>,
    ) -> Result<(Lease, TcpStream), Fault> {
        let mut lease = self.pool.transfer().await?;
        let connection = lease.connection();
        let data = connection.data().await?;
        for command in commands {
            let answer = connection.ask(command).await?;
            if !matches!(answer.code, 125 | 150 | 350) {
                drop((lease, data));
                return Err(match read {
                    Some((path, kind)) => self.unread(answer, path, kind).await,
                    None => answer.fault(),
                });
            }
        }
        Ok((lease, data))
    }

    /// What the refusal to read a path means. Servers have one code for what is
    /// not there, and for what they must not or cannot open.
    async fn unread(&self, answer: Answer, path: &str, kind: Kind) -> Fault {
        let may_be_missing = match kind {
            Kind::Directory => matches!(answer.code, 450 | 501 | 550),
            _ => answer.code == 550,
        };
        if !may_be_missing {
            return answer.fault();
        }
        if answer.says(path, MISSING) {
            return Fault::NotFound;
        }
        match self.look(path).await {
            Ok(Some(node)) if node.kind == kind => answer.fault(),
            Ok(_) => Fault::NotFound,
            Err(fault) => fault,
        }
    }

    /// A look by a server that has no facts.
    async fn look_by_size(&self, path: &str) -> Result<Option<Node>, Fault> {
        let size = self.ask(&format!("SIZE {path}")).await?;
        let number = size.lines.first().and_then(|line| line.trim().parse().ok());
        if let (213, Some(size)) = (size.code, number) {
            let modified = self.ask(&format!("MDTM {path}")).await?;
            let line = modified.lines.first().filter(|_| modified.code == 213);
            return Ok(Some(Node {
                kind: Kind::File,
                size,
                modified: line.and_then(|line| facts::time(line.trim())),
                id: None,
            }));
        }
        let directory = self.ask(&format!("CWD {path}")).await?;
        if directory.says(path, DENIED) {
            return Err(directory.fault());
        }
        Ok(directory.is_done().then_some(Node {
            kind: Kind::Directory,
            size: 0,
            modified: None,
            id: None,
        }))
    }
}

#[async_trait]
impl Files for Ftp {
    async fn list(&self, directory: &str, max: usize) -> Result<Vec<Entry>, Fault> {
        if !self.pool.features().await?.facts {
            return self.names(directory, max).await;
        }
        let lines = self.lines("MLSD", directory, max).await?;
        let entries = lines.iter().filter_map(|line| facts::parse(line));
        Ok(entries
            .map(|(node, name)| Entry {
                name: name.to_owned(),
                kind: node.kind,
                size: node.size,
            })
            .collect())
    }

    async fn look(&self, path: &str) -> Result<Option<Node>, Fault> {
        if !self.pool.features().await?.facts {
            return self.look_by_size(path).await;
        }
        let answer = self.ask(&format!("MLST {path}")).await?;
        match answer.code {
            250 => {
                // Between the first line and the last.
                let node = answer.lines.get(1).and_then(|line| facts::of_one(line));
                node.map(Some)
                    .ok_or_else(|| Fault::strange("a file without facts"))
            }
            501 | 550 if !answer.says(path, DENIED) => Ok(None),
            _ => Err(answer.fault()),
        }
    }

    async fn open(&self, path: &str, from: u64) -> Result<Content, Fault> {
        let (rest, retrieve) = (format!("REST {from}"), format!("RETR {path}"));
        let commands = [rest.as_str(), retrieve.as_str()];
        let commands = if from > 0 {
            &commands[..]
        } else {
            &commands[1..]
        };
        let (lease, data) = self.transfer(commands, Some((path, Kind::File))).await?;
        let content = stream::try_unfold((lease, data), async |(mut lease, mut data)| {
            let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
            let read = within(PAUSE_TIME, data.read_buf(&mut chunk)).await;
            if read.map_err(into_io)? > 0 {
                return Ok(Some((chunk.freeze(), (lease, data))));
            }
            let answer = lease.connection().answer().await;
            answer.and_then(Answer::done).map_err(into_io)?;
            lease.give_back();
            Ok(None::<(Bytes, _)>)
        });
        Ok(content.boxed())
    }

    async fn write(&self, path: &str, mut content: Content) -> Result<(), Fault> {
        let (mut lease, mut data) = self.transfer(&[&format!("STOR {path}")], None).await?;
        while let Some(chunk) = content.try_next().await.map_err(Fault::of_connection)? {
            within(PAUSE_TIME, data.write_all(&chunk)).await?;
        }
        within(PAUSE_TIME, data.shutdown()).await?;
        lease.connection().answer().await?.done()?;
        lease.give_back();
        Ok(())
    }

    async fn replace(&self, from: &str, to: &str) -> Result<(), Fault> {
        let answer = self.rename(from, to).await?;
        if answer.is_done() {
            return Ok(());
        }
        // Some servers rename to no name that is there.
        let removed = self.ask(&format!("DELE {to}")).await?;
        if !removed.is_done() {
            return Err(answer.fault());
        }
        self.rename(from, to).await?.done().map(drop)
    }

    async fn touch(&self, path: &str, modified: SystemTime) -> Result<(), Fault> {
        if self.pool.features().await?.touch {
            let time = facts::text(modified);
            self.ask(&format!("MFMT {time} {path}")).await?.done()?;
        }
        Ok(())
    }

    /// `unique` is often an inode, which the next file may have.
    async fn identity(&self) -> Result<Identity, Fault> {
        if self.pool.features().await?.touch {
            return Ok(Identity::Times);
        }
        Ok(Identity::None)
    }

    async fn make_directory(&self, path: &str) -> Result<(), Fault> {
        let is_directory =
            |node: Option<Node>| node.is_some_and(|node| node.kind == Kind::Directory);
        self.change("MKD", path, is_directory).await
    }

    async fn remove_file(&self, path: &str) -> Result<(), Fault> {
        self.change("DELE", path, |node| node.is_none()).await
    }

    async fn remove_directory(&self, path: &str) -> Result<(), Fault> {
        self.change("RMD", path, |node| node.is_none()).await
    }

    /// Many servers follow links in what they say. `DELE` is `unlink` to all of
    /// them: it takes a link away, and refuses a directory.
    async fn remove_link(&self, path: &str) -> Result<bool, Fault> {
        let answer = self.ask(&format!("DELE {path}")).await?;
        if (500..600).contains(&answer.code) {
            return Ok(false);
        }
        answer.done().map(|_| true)
    }
}

fn into_io(fault: Fault) -> io::Error {
    match fault {
        Fault::Unavailable(error) | Fault::Other(error) => error,
        Fault::NotFound => io::ErrorKind::NotFound.into(),
        Fault::Full => io::ErrorKind::StorageFull.into(),
        // Of lists only.
        Fault::TooMany(_) => io::ErrorKind::InvalidInput.into(),
    }
}
