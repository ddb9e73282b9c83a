//! `sftp://`: files over SSH, by `russh`.
//!
//! Keys, hosts and users are those of OpenSSH (`~/.ssh`), as in MLflow: `config`
//! reads its file, `session` connects. One connection serves all requests to a
//! host as one user; the next request after a failure makes another.

mod config;
mod session;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream::FuturesUnordered;
use futures_util::{StreamExt, TryStreamExt, stream};
use russh_sftp::client::error::Error;
use russh_sftp::protocol::{FileAttributes, OpenFlags, Packet, StatusCode};
use tokio::sync::Mutex;

use crate::InvalidUri;
use crate::authority::Authority;
use crate::tree::{Content, Entry, Fault, Files, Identity, Kind, Node};

pub(crate) use config::SftpOptions;
use session::Session;

const FORM: &str = "sftp://<user>@<host>:<port>/<path>";

/// Bytes of one request, which every server takes, and requests on their way.
const BLOCK: u32 = 32 << 10;
const AHEAD: usize = 16;

/// Names of one list that are looked at, whether they are what they seem.
const STRANGE_NAMES: usize = 100;

/// A server, as one user sees it.
#[derive(Debug)]
pub(crate) struct Sftp {
    authority: Authority,
    options: SftpOptions,
    session: Mutex<Option<Arc<Session>>>,
}

/// A file or directory that is open on the server, until this is dropped.
struct Handle {
    session: Arc<Session>,
    name: String,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let session = Arc::clone(&self.session);
        let name = std::mem::take(&mut self.name);
        if !name.is_empty() {
            // The connection is gone, or it is closed: both is fine.
            runtime.spawn(async move { session.raw.close(name).await.map(drop) });
        }
    }
}

impl Handle {
    /// Closes it now; servers tell of what they could not write.
    async fn close(mut self) -> Result<(), Fault> {
        let name = std::mem::take(&mut self.name);
        self.session.raw.close(name).await.map(drop).map_err(fault)
    }
}

impl Sftp {
    /// The server that `authority` names. Nothing is asked yet.
    pub(crate) fn open(
        uri: &str,
        authority: &str,
        options: &SftpOptions,
    ) -> Result<Self, InvalidUri> {
        Ok(Self {
            authority: Authority::parse(uri, authority, FORM)?,
            options: options.clone(),
            session: Mutex::default(),
        })
    }

    /// The connection, made if there is none that works.
    async fn session(&self) -> Result<Arc<Session>, Fault> {
        let mut kept = self.session.lock().await;
        if let Some(session) = kept.as_ref().filter(|session| session.is_open()) {
            return Ok(Arc::clone(session));
        }
        let session = Session::connect(&self.authority, &self.options).await?;
        let session = Arc::new(session);
        *kept = Some(Arc::clone(&session));
        Ok(session)
    }

    /// What an error means. A connection on which nothing came is not used again.
    async fn failed(&self, session: &Arc<Session>, error: Error) -> Fault {
        let fault = fault(error);
        if matches!(fault, Fault::Unavailable(_)) {
            let mut kept = self.session.lock().await;
            if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, session)) {
                *kept = None;
            }
        }
        fault
    }

    async fn handle(&self, path: &str, flags: OpenFlags) -> Result<Handle, Fault> {
        let session = self.session().await?;
        match session.raw.open(path, flags, FileAttributes::empty()).await {
            Ok(handle) => Ok(Handle {
                session,
                name: handle.handle,
            }),
            Err(error) => Err(self.failed(&session, error).await),
        }
    }

    /// Adds those of `strange` that are there under the names that they seem to
    /// have. The library puts U+FFFD where a name is not UTF-8: such a file can
    /// neither be told to a client nor asked for.
    async fn add_strange(
        &self,
        directory: &str,
        strange: Vec<Entry>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Fault> {
        let all = strange.len();
        let mut found = 0;
        for entry in strange.into_iter().take(STRANGE_NAMES) {
            let path = format!("{}/{}", directory.trim_end_matches('/'), entry.name);
            if self.look(&path).await?.is_some() {
                entries.push(entry);
                found += 1;
            }
        }
        if found < all {
            tracing::warn!(
                directory,
                names = all - found,
                "names that are not UTF-8 are left out of a list"
            );
        }
        Ok(())
    }

    /// Takes what is done already for a success: `is_so` says whether it is.
    async fn unless(
        &self,
        session: &Arc<Session>,
        result: Result<impl Sized + Send, Error>,
        path: &str,
        is_so: impl FnOnce(Option<Node>) -> bool,
    ) -> Result<(), Fault> {
        let Err(error) = result else {
            return Ok(());
        };
        let fault = self.failed(session, error).await;
        if matches!(fault, Fault::Unavailable(_)) || !is_so(self.look(path).await?) {
            return Err(fault);
        }
        Ok(())
    }
}

fn fault(error: Error) -> Fault {
    match &error {
        Error::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => Fault::NotFound,
            StatusCode::NoConnection | StatusCode::ConnectionLost => {
                Fault::Unavailable(io::Error::other(error))
            }
            StatusCode::Failure if status.error_message.contains("space") => Fault::Full,
            _ => Fault::Other(io::Error::other(error)),
        },
        // After these the connection is not known to be in step.
        _ => Fault::Unavailable(io::Error::other(error)),
    }
}

fn node(attributes: &FileAttributes) -> Node {
    let kind = if attributes.is_dir() {
        Kind::Directory
    } else if attributes.is_regular() {
        Kind::File
    } else {
        Kind::Other
    };
    let seconds = attributes.mtime.map(u64::from);
    Node {
        kind,
        size: attributes.size.unwrap_or(0),
        modified: seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
        id: None,
    }
}

/// The bytes of a block, however many answers they come in.
async fn block(file: Arc<Handle>, from: u64, length: u32) -> io::Result<Bytes> {
    let mut block = BytesMut::new();
    while let Some(left) = length.checked_sub(u32::try_from(block.len()).unwrap_or(length))
        && left > 0
    {
        let at = from + block.len() as u64;
        match file.session.raw.read(file.name.as_str(), at, left).await {
            Ok(data) if data.data.is_empty() => break,
            Ok(data) => block.extend_from_slice(&data.data),
            Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(block.freeze())
}

#[async_trait]
impl Files for Sftp {
    async fn list(&self, directory: &str, max: usize) -> Result<Vec<Entry>, Fault> {
        let session = self.session().await?;
        let opened = match session.raw.opendir(directory).await {
            Ok(handle) => Handle {
                session: Arc::clone(&session),
                name: handle.handle,
            },
            Err(error) => {
                let fault = self.failed(&session, error).await;
                // Some servers have no word for what is no directory.
                let is_other = matches!(fault, Fault::Other(_));
                let kind = if is_other {
                    self.look(directory).await?
                } else {
                    None
                };
                return Err(match kind {
                    Some(node) if node.kind != Kind::Directory => Fault::NotFound,
                    _ => fault,
                });
            }
        };
        let mut entries = Vec::new();
        let mut strange = Vec::new();
        while entries.len() + strange.len() <= max {
            let names = match session.raw.readdir(opened.name.as_str()).await {
                Ok(names) => names.files,
                Err(Error::Status(status)) if status.status_code == StatusCode::Eof => break,
                Err(error) => return Err(self.failed(&session, error).await),
            };
            if names.is_empty() {
                break;
            }
            for file in names {
                let Node { kind, size, .. } = node(&file.attrs);
                let name = file.filename;
                let list = match name.as_str() {
                    "." | ".." => continue,
                    name if name.contains(char::REPLACEMENT_CHARACTER) => &mut strange,
                    _ => &mut entries,
                };
                list.push(Entry { name, kind, size });
            }
        }
        self.add_strange(directory, strange, &mut entries).await?;
        Ok(entries)
    }

    async fn look(&self, path: &str) -> Result<Option<Node>, Fault> {
        let session = self.session().await?;
        match session.raw.lstat(path).await {
            Ok(found) => Ok(Some(node(&found.attrs))),
            Err(error) => match self.failed(&session, error).await {
                Fault::NotFound => Ok(None),
                fault => Err(fault),
            },
        }
    }

    async fn open(&self, path: &str, from: u64) -> Result<Content, Fault> {
        let file = Arc::new(self.handle(path, OpenFlags::READ).await?);
        let size = match file.session.raw.fstat(file.name.as_str()).await {
            Ok(found) => found.attrs.size.unwrap_or(0),
            Err(error) => return Err(self.failed(&file.session, error).await),
        };
        let blocks = stream::iter((from..size).step_by(BLOCK as usize));
        let blocks = blocks.map(move |at| {
            let length = u32::try_from(size - at).unwrap_or(BLOCK).min(BLOCK);
            block(Arc::clone(&file), at, length)
        });
        Ok(blocks.buffered(AHEAD).boxed())
    }

    async fn write(&self, path: &str, mut content: Content) -> Result<(), Fault> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        let file = self.handle(path, flags).await?;
        let session = Arc::clone(&file.session);
        let mut at = 0_u64;
        let mut ahead = FuturesUnordered::new();
        while let Some(chunk) = content.try_next().await.map_err(Fault::of_connection)? {
            for block in chunk.chunks(BLOCK as usize) {
                if ahead.len() >= AHEAD
                    && let Some(Err(error)) = ahead.next().await
                {
                    return Err(self.failed(&session, error).await);
                }
                ahead.push(session.raw.write(file.name.as_str(), at, block.to_vec()));
                at += block.len() as u64;
            }
        }
        while let Some(written) = ahead.next().await {
            if let Err(error) = written {
                return Err(self.failed(&session, error).await);
            }
        }
        drop(ahead);
        if session.syncs
            && let Err(error) = session.raw.fsync(file.name.as_str()).await
        {
            return Err(self.failed(&session, error).await);
        }
        file.close().await
    }

    async fn replace(&self, from: &str, to: &str) -> Result<(), Fault> {
        let session = self.session().await?;
        if session.replaces {
            let names = session::two_texts(from, to);
            let answer = session.raw.extended(session::POSIX_RENAME, names).await;
            return match answer {
                Ok(Packet::Status(status)) if status.status_code == StatusCode::Ok => Ok(()),
                Ok(Packet::Status(status)) => {
                    Err(self.failed(&session, Error::Status(status)).await)
                }
                Ok(_) => Err(self.failed(&session, Error::UnexpectedPacket).await),
                Err(error) => Err(self.failed(&session, error).await),
            };
        }
        // The standard alone renames to no name that is there.
        self.remove_file(to).await?;
        match session.raw.rename(from, to).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(&session, error).await),
        }
    }

    async fn touch(&self, path: &str, modified: SystemTime) -> Result<(), Fault> {
        let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = u32::try_from(since.as_secs()).ok();
        let attributes = FileAttributes {
            atime: seconds,
            mtime: seconds,
            ..FileAttributes::empty()
        };
        let session = self.session().await?;
        match session.raw.setstat(path, attributes).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(&session, error).await),
        }
    }

    async fn identity(&self) -> Result<Identity, Fault> {
        Ok(Identity::Times)
    }

    async fn make_directory(&self, path: &str) -> Result<(), Fault> {
        let session = self.session().await?;
        let made = session.raw.mkdir(path, FileAttributes::empty()).await;
        let is_directory =
            |node: Option<Node>| node.is_some_and(|node| node.kind == Kind::Directory);
        self.unless(&session, made, path, is_directory).await
    }

    async fn remove_file(&self, path: &str) -> Result<(), Fault> {
        let session = self.session().await?;
        let removed = session.raw.remove(path).await;
        self.unless(&session, removed, path, |node| node.is_none())
            .await
    }

    async fn remove_directory(&self, path: &str) -> Result<(), Fault> {
        let session = self.session().await?;
        let removed = session.raw.rmdir(path).await;
        self.unless(&session, removed, path, |node| node.is_none())
            .await
    }
}
