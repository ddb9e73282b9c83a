//! Which hosts an artifact location may name.
//!
//! A location of some schemes says which host to connect to. A server that
//! connected wherever a client points it would be a way into the network that
//! it stands in, so only the hosts of its own storage count, and schemes that
//! the operator allows (MLflow 3.17, `MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES`).
//!
//! Nor may a client choose as whom the server acts: on its own hosts it offers its
//! keys, or is believed (HDFS), for the users of its own locations only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::authority::Authority;
use crate::uri::{split_authority, split_scheme};

/// The variable that allows schemes, a comma-separated list.
pub const ALLOWED_SCHEMES_VARIABLE: &str = "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES";

/// A location that names a host which is not the server's, or as whom to ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ForeignHost {
    /// The scheme of the location.
    pub scheme: String,
    /// Where the user alone is wrong, that user; empty where one is missing.
    pub user: Option<String>,
}

impl fmt::Display for ForeignHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = &self.scheme;
        match self.user.as_deref() {
            None => write!(
                f,
                "the '{scheme}' scheme addresses a host other than the tracking server's \
                 configured artifact storage, so the server would connect to the host named in \
                 the URI. Set the {ALLOWED_SCHEMES_VARIABLE} environment variable on the server \
                 to allow it."
            ),
            Some("") => write!(
                f,
                "the URI names no user, and the tracking server's own location on that host does. \
                 Write the user of the server's own location into it."
            ),
            Some(user) => write!(
                f,
                "the URI names the user '{user}', as whom the tracking server does not act: the \
                 user can only be the one of the server's own location on that host. Write that \
                 user, or none if it has none."
            ),
        }
    }
}

/// Which hosts are trusted. The default trusts none.
///
/// ```
/// use runledger_artifacts::HostPolicy;
///
/// let policy = HostPolicy::new(["sftp://files.example/mlflow"], ["hdfs"]);
/// assert!(policy.check("sftp://files.example:22/other").is_ok());
/// assert!(policy.check("sftp://elsewhere/mlflow").is_err());
/// assert!(policy.check("hdfs://anywhere/x").is_ok());
/// assert!(policy.check("s3://bucket/x").is_ok());
/// assert!(policy.check("sftp://root@files.example/mlflow").is_err());
/// assert!(policy.check("hdfs://superuser@anywhere/x").is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct HostPolicy {
    /// The users of each host; nothing for a location that names none.
    trusted: BTreeMap<Target, BTreeSet<Option<String>>>,
    allowed_schemes: BTreeSet<String>,
}

/// A family of schemes, a host in small letters, and a port.
type Target = (&'static str, String, Option<u16>);

/// Schemes whose locations name a host, with the family that reaches the same
/// service, and the ports that are meant where none is named. Azure's `wasbs` is
/// no such scheme: its hosts are Azure's.
const SCHEMES: [(&str, &str, &[u16]); 10] = [
    ("ftp", "ftp", &[21]),
    ("sftp", "sftp", &[22]),
    ("hdfs", "hdfs", &[]),
    ("viewfs", "hdfs", &[]),
    ("http", "http", &[80]),
    ("https", "http", &[443]),
    // By whichever of the two the server is reached.
    ("mlflow-artifacts", "http", &[80, 443]),
    ("r2", "r2", &[443]),
    ("b2", "b2", &[443]),
    ("abfss", "abfss", &[443]),
];

impl HostPolicy {
    /// Trusts the hosts of the server's own locations, and every host for the
    /// allowed schemes.
    pub fn new<'a>(
        own_locations: impl IntoIterator<Item = &'a str>,
        allowed_schemes: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut trusted = BTreeMap::<_, BTreeSet<_>>::new();
        for named in own_locations.into_iter().filter_map(Named::of) {
            for target in named.targets() {
                let users = trusted.entry(target).or_default();
                users.insert(named.user.clone());
            }
        }
        let schemes = allowed_schemes.into_iter().map(str::trim);
        Self {
            trusted,
            allowed_schemes: schemes
                .filter(|scheme| !scheme.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// Checks a location.
    ///
    /// On a host of the server the user must be the one of its own location. To
    /// HDFS a user is named and not proved, so a location of it may also go without,
    /// and names none on any other host either.
    ///
    /// # Errors
    /// [`ForeignHost`] if it names a host that is not trusted, or another user.
    pub fn check(&self, location: &str) -> Result<(), ForeignHost> {
        let Some(named) = Named::of(location) else {
            return Ok(());
        };
        let targets = named.targets();
        let own: Vec<_> = targets
            .iter()
            .filter_map(|target| self.trusted.get(target))
            .collect();
        let is_own = !own.is_empty();
        if !is_own && !self.allowed_schemes.contains(named.scheme) {
            return Err(ForeignHost {
                scheme: named.scheme.to_owned(),
                user: None,
            });
        }
        let is_users = own.iter().any(|users| users.contains(&named.user));
        let may_act = match named.family {
            "hdfs" => named.user.is_none() || is_users,
            "ftp" | "sftp" => !is_own || is_users,
            _ => true,
        };
        if may_act {
            return Ok(());
        }
        Err(ForeignHost {
            scheme: named.scheme.to_owned(),
            user: Some(named.user.unwrap_or_default()),
        })
    }
}

/// A location that names a host.
struct Named {
    scheme: &'static str,
    family: &'static str,
    /// Nothing where programs may read the authority differently.
    host: Option<String>,
    user: Option<String>,
    ports: Vec<Option<u16>>,
}

impl Named {
    fn of(location: &str) -> Option<Self> {
        let (scheme, rest) = split_scheme(location)?;
        let (scheme, family, usual) = SCHEMES
            .into_iter()
            .find(|(known, ..)| scheme.eq_ignore_ascii_case(known))?;
        let (authority, _) = split_authority(rest);
        if scheme == "mlflow-artifacts" && authority.is_none() {
            // The server itself.
            return None;
        }
        // Read as by those who connect: it cannot be one host here and another there.
        let authority = match authority {
            Some(text) => Authority::read(text),
            // The cluster that the server is set to.
            None if family == "hdfs" => Some(Authority::default()),
            None => None,
        };
        let ports = match authority.as_ref().and_then(|authority| authority.port) {
            Some(port) => vec![Some(port)],
            None if usual.is_empty() => vec![None],
            None => usual.iter().copied().map(Some).collect(),
        };
        let (host, user) = match authority {
            Some(Authority { host, user, .. }) => (Some(host), user),
            None => (None, None),
        };
        Some(Self {
            scheme,
            family,
            host,
            user,
            ports,
        })
    }

    fn targets(&self) -> Vec<Target> {
        let host = self.host.iter();
        host.flat_map(|host| {
            let ports = self.ports.iter();
            ports.map(|port| (self.family, host.clone(), *port))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_servers_own_hosts_are_trusted() {
        let own = [
            "https://me.example/artifacts",
            "hdfs://cluster/x",
            "abfss://data@account.dfs.core.windows.net/x",
        ];
        let policy = HostPolicy::new(own, []);
        for good in [
            "https://me.example:443/y",
            "https://user:password@ME.example/y",
            "mlflow-artifacts://me.example/y",
            "viewfs://cluster/y",
            "abfss://other@account.dfs.core.windows.net/y",
            "mlflow-artifacts:/y",
            "mlflow-artifacts:///y",
            "s3://bucket/y",
            "wasbs://c@a.blob.core.windows.net/y",
            "/var/lib/y",
            "dbfs:/y",
        ] {
            assert_eq!(policy.check(good), Ok(()), "{good}");
        }
        for foreign in [
            "http://me.example/y",
            "https://me.example:8443/y",
            "https://elsewhere/y",
            "https://me.example@elsewhere/y",
            "https://me.example\\@elsewhere/y",
            "https://me.example:port/y",
            "https://me.example:99999/y",
            "https://[::1/y",
            "HTTPS://elsewhere/y",
            "hdfs://cluster:8020/y",
            "ftp:///y",
            "sftp://",
            "https://me.example?@elsewhere/y",
            "https://me.example#@elsewhere/y",
            "https://elsewhere@me.example@elsewhere/y",
            "https://me.example@elsewhere@me.example/y",
            "hdfs://cluster?@elsewhere/y",
            "hdfs://cluster#/y",
            "hdfs:/y",
            "mlflow-artifacts://elsewhere:5000/y",
        ] {
            assert!(policy.check(foreign).is_err(), "{foreign}");
        }
    }

    #[test]
    fn a_client_does_not_choose_as_whom_the_server_acts() {
        let own = [
            "sftp://ml@files.example/x",
            "ftp://me:secret@files.example/x",
            "hdfs://cluster/x",
            "hdfs://ml@other/x",
        ];
        for policy in [
            HostPolicy::new(own, []),
            HostPolicy::new(own, ["sftp", "ftp", "hdfs"]),
        ] {
            for good in [
                "sftp://ml@files.example:22/y",
                "ftp://me@files.example/y",
                "ftp://me:secret@files.example/y",
                "hdfs://cluster/y",
                "hdfs://ml@other/y",
                "hdfs://other/y",
                "viewfs://ml@other/y",
            ] {
                assert_eq!(policy.check(good), Ok(()), "{good}");
            }
            for (bad, user) in [
                ("sftp://root@files.example/y", "root"),
                ("sftp://r%6fot@files.example:22/y", "root"),
                ("sftp://files.example/y", ""),
                ("ftp://files.example/y", ""),
                ("ftp://root:guess@files.example/y", "root"),
                ("hdfs://hdfs@cluster/y", "hdfs"),
                ("viewfs://hdfs@cluster/y", "hdfs"),
                ("hdfs://hdfs@other/y", "hdfs"),
            ] {
                let foreign = policy.check(bad).unwrap_err();
                assert_eq!(foreign.user.as_deref(), Some(user), "{bad}");
            }
        }
    }

    #[test]
    fn hdfs_is_never_told_a_user_of_a_client() {
        let policy = HostPolicy::new([], ["hdfs", "sftp"]);
        assert_eq!(policy.check("hdfs://anywhere/x"), Ok(()));
        let foreign = policy.check("hdfs://hdfs@anywhere/x").unwrap_err();
        assert!(foreign.to_string().contains("'hdfs'"), "{foreign}");
        assert_eq!(policy.check("sftp://me@anywhere/x"), Ok(()));
    }

    #[test]
    fn an_allowed_scheme_may_name_any_host() {
        let policy = HostPolicy::new([], [" FTP", ""]);
        assert_eq!(policy.check("ftp://anywhere/x"), Ok(()));
        assert!(policy.check("sftp://anywhere/x").is_err());
    }
}
