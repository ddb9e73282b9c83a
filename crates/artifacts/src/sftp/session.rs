//! A connection by SSH, and SFTP on it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use russh::client;
use russh::keys::known_hosts::check_known_hosts_path;
use russh::keys::{PrivateKeyWithHashAlg, load_secret_key};
use russh_sftp::client::{Config, RawSftpSession};
use tokio::time::timeout;

use super::config::{Account, SftpOptions};
use crate::authority::Authority;
use crate::tree::Fault;

const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long keys and passwords may take.
const LOGIN_TIME: Duration = Duration::from_secs(30);
const REQUEST_SECONDS: u64 = 60;
/// An idle connection is asked so often whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Renames in the place of a file that is there.
pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";
const FSYNC: &str = "fsync@openssh.com";

/// A session of SFTP.
pub(super) struct Session {
    pub(super) raw: RawSftpSession,
    connection: client::Handle<Checker>,
    /// Whether the server knows [`POSIX_RENAME`].
    pub(super) replaces: bool,
    /// Whether it forces a file to disk when asked.
    pub(super) syncs: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// Compares the key of a host with those that are known.
struct Checker {
    host: String,
    port: u16,
    known_hosts: PathBuf,
    /// Why the key was refused.
    refusal: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Checker {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let key = key.public_key();
        let known = check_known_hosts_path(&self.host, self.port, &key, &self.known_hosts);
        let file = self.known_hosts.display();
        let refusal = match known {
            Ok(true) => return Ok(true),
            Ok(false) => format!(
                "the key of '{}' is not in {file}: add it, for example with `ssh-keyscan`, once \
                 you know that it is the right one",
                self.host
            ),
            Err(russh::keys::Error::KeyChanged { line }) => format!(
                "the key of '{}' is another than the one in line {line} of {file}",
                self.host
            ),
            Err(error) => format!("{file} cannot be read: {error}"),
        };
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
        Ok(false)
    }
}

impl Session {
    pub(super) async fn connect(
        authority: &Authority,
        options: &SftpOptions,
    ) -> Result<Self, Fault> {
        let account = options.account(authority);
        let refusal = Arc::default();
        let checker = Checker {
            host: account.host.clone(),
            port: account.port,
            known_hosts: options.known_hosts(),
            refusal: Arc::clone(&refusal),
        };
        let config = client::Config {
            keepalive_interval: Some(KEEPALIVE),
            nodelay: true,
            ..client::Config::default()
        };
        let place = (account.host.clone(), account.port);
        let connecting = client::connect(Arc::new(config), place, checker);
        let Ok(connected) = timeout(CONNECT_TIME, connecting).await else {
            return Err(Fault::Unavailable(io::ErrorKind::TimedOut.into()));
        };
        let mut connection = connected.map_err(|error| {
            let refusal = refusal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match refusal {
                Some(refusal) => Fault::Other(io::Error::other(refusal)),
                None => Fault::Unavailable(io::Error::other(error)),
            }
        })?;
        let setting_up = async {
            log_in(&mut connection, &account, authority).await?;
            let channel = connection.channel_open_session().await.map_err(lost)?;
            channel
                .request_subsystem(true, "sftp")
                .await
                .map_err(lost)?;
            let config = Config {
                request_timeout_secs: REQUEST_SECONDS,
                ..Config::default()
            };
            let raw = RawSftpSession::new_with_config(channel.into_stream(), config);
            let version = raw.init().await.map_err(super::fault)?;
            Ok((raw, version))
        };
        let (raw, version) = match timeout(LOGIN_TIME, setting_up).await {
            Ok(done) => done?,
            Err(_) => return Err(Fault::Unavailable(io::ErrorKind::TimedOut.into())),
        };
        Ok(Self {
            raw,
            connection,
            replaces: version.extensions.contains_key(POSIX_RENAME),
            syncs: version.extensions.contains_key(FSYNC),
        })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.connection.is_closed()
    }
}

fn lost(error: russh::Error) -> Fault {
    Fault::Unavailable(io::Error::other(error))
}

/// Offers the keys of the user, and then the password of the location.
async fn log_in(
    connection: &mut client::Handle<Checker>,
    account: &Account,
    authority: &Authority,
) -> Result<(), Fault> {
    for path in &account.keys {
        let key = match load_secret_key(path, None) {
            Ok(key) => key,
            // Most of the usual ones are not there.
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "a key of SSH is not used");
                continue;
            }
        };
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        let answer = connection
            .authenticate_publickey(account.user.as_str(), key)
            .await;
        if answer.map_err(lost)?.success() {
            return Ok(());
        }
    }
    if let Some(password) = &authority.password {
        let answer = connection
            .authenticate_password(account.user.as_str(), password.as_str())
            .await;
        if answer.map_err(lost)?.success() {
            return Ok(());
        }
    }
    Err(Fault::Other(io::Error::other(format!(
        "'{}' does not let '{}' in: neither with the keys of ~/.ssh (Ed25519 and ECDSA, without a \
         passphrase) nor with a password of the location",
        account.host, account.user
    ))))
}

/// Two texts as SSH writes them.
pub(super) fn two_texts(first: &str, second: &str) -> Vec<u8> {
    let mut data = Vec::with_capacity(first.len() + second.len() + 8);
    for text in [first, second] {
        // A path has at most some thousand bytes.
        data.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        data.extend_from_slice(text.as_bytes());
    }
    data
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_have_their_length_before_them() {
        assert_eq!(super::two_texts("a", "bc"), b"\0\0\0\x01a\0\0\0\x02bc");
    }
}
