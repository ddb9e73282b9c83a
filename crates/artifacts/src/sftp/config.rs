//! `~/.ssh/config`, as far as MLflow reads it: host name, user, port, key.

use std::path::{Path, PathBuf};

use crate::authority::Authority;

const PORT: u16 = 22;

/// Bytes of the file that are read.
const FILE_BYTES: u64 = 1 << 20;

/// Keys that are tried if the file names none. RSA is not known.
const USUAL_KEYS: [&str; 2] = ["id_ed25519", "id_ecdsa"];

/// Whose keys and hosts count.
#[derive(Clone, Debug, Default)]
pub(crate) struct SftpOptions {
    home: PathBuf,
    user: Option<String>,
}

/// Whom to ask, and as whom.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) keys: Vec<PathBuf>,
}

impl SftpOptions {
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            home: variable("HOME").unwrap_or_default().into(),
            user: variable("USER").or_else(|| variable("LOGNAME")),
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.join(".ssh")
    }

    pub(super) fn known_hosts(&self) -> PathBuf {
        self.folder().join("known_hosts")
    }

    /// The account of a location.
    pub(super) fn account(&self, authority: &Authority) -> Account {
        let text = read(&self.folder().join("config"));
        self.account_by(&text, authority)
    }

    fn account_by(&self, text: &str, authority: &Authority) -> Account {
        let said = Said::of(text, &authority.host);
        let user = authority.user.clone().or(said.user);
        let keys = if said.keys.is_empty() {
            USUAL_KEYS.map(|name| self.folder().join(name)).to_vec()
        } else {
            said.keys.iter().map(|path| self.expanded(path)).collect()
        };
        Account {
            host: said.host.unwrap_or_else(|| authority.host.clone()),
            port: authority.port.or(said.port).unwrap_or(PORT),
            user: user.or_else(|| self.user.clone()).unwrap_or_default(),
            keys,
        }
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None => PathBuf::from(path),
        }
    }
}

/// The text of the file, if there is one.
fn read(path: &Path) -> String {
    let is_short = std::fs::metadata(path).is_ok_and(|found| found.len() <= FILE_BYTES);
    if !is_short {
        return String::new();
    }
    std::fs::read_to_string(path).unwrap_or_default()
}

/// What the file says of a host: of each setting the first that holds.
#[derive(Default)]
struct Said {
    host: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    keys: Vec<String>,
}

impl Said {
    fn of(text: &str, host: &str) -> Self {
        let mut said = Self::default();
        let mut applies = true;
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line
                .split_once(|c: char| c == '=' || c.is_whitespace())
                .unwrap_or((line, ""));
            let value = value.trim_start_matches(|c: char| c == '=' || c.is_whitespace());
            let value = value.trim().trim_matches('"');
            match key.to_ascii_lowercase().as_str() {
                "host" => applies = is_meant(value, host),
                // Conditions are not evaluated.
                "match" => applies = false,
                "hostname" if applies => {
                    said.host.get_or_insert_with(|| value.replace("%h", host));
                }
                "user" if applies => {
                    said.user.get_or_insert_with(|| value.to_owned());
                }
                "port" if applies => said.port = said.port.or(value.parse().ok()),
                "identityfile" if applies => said.keys.push(value.to_owned()),
                _ => {}
            }
        }
        said
    }
}

/// Whether patterns of a `Host` line mean a host.
fn is_meant(patterns: &str, host: &str) -> bool {
    let mut is_meant = false;
    for pattern in patterns.split_whitespace() {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern.as_bytes(), host.as_bytes()) => return false,
            Some(_) => {}
            None => is_meant |= matches(pattern.as_bytes(), host.as_bytes()),
        }
    }
    is_meant
}

/// `*` for any text, `?` for one character; in time that does not explode.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == b'?' || c.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after, at)) => {
                    (p, t) = (after, at + 1);
                    back = Some((after, at + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# comment
Host files
  HostName files.example.org
  User=ml
  Port 2222
  IdentityFile ~/.ssh/ml_key
Match user root
  User nobody
Host * !other
  User everybody
  IdentityFile /etc/key
";

    fn account(host: &str) -> Account {
        let options = SftpOptions {
            home: "/home/me".into(),
            user: Some("me".to_owned()),
        };
        let authority = Authority {
            host: host.to_owned(),
            ..Authority::default()
        };
        options.account_by(FILE, &authority)
    }

    #[test]
    fn the_first_setting_that_holds_counts() {
        let found = account("files");
        assert_eq!(found.host, "files.example.org");
        assert_eq!((found.port, found.user.as_str()), (2222, "ml"));
        assert_eq!(
            found.keys,
            [PathBuf::from("/home/me/.ssh/ml_key"), "/etc/key".into()]
        );
        assert_eq!(account("x").user, "everybody");
        let other = account("other");
        assert_eq!((other.user.as_str(), other.port), ("me", 22));
        assert_eq!(other.keys[0], PathBuf::from("/home/me/.ssh/id_ed25519"));
    }

    #[test]
    fn patterns_end() {
        assert!(matches(b"*.example.*", b"a.example.org"));
        assert!(!matches(b"*.example.com", b"a.example.org"));
        assert!(matches(b"h?st", b"host"));
        assert!(!matches(b"*a*a*a*a*a*b", &[b'a'; 5000]));
    }
}
