//! From flags to what the server is built of.

use std::fmt;
use std::path::PathBuf;

use runledger_artifacts::{ArtifactUri, InvalidUri, STORAGE_SCHEMES, redacted};
use runledger_server::SecurityConfig;

use crate::args::ServerArgs;
use runledger_store::StorePlace;

/// Why the flags cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSettings {
    /// Known from MLflow, not built yet.
    #[error("{flag} is not supported yet: leave it out (and its environment variable)")]
    Unsupported {
        /// The flag.
        flag: &'static str,
    },
    /// Nothing would be served.
    #[error("--artifacts-only needs --serve-artifacts: nothing would be served")]
    NothingServed,
    /// A location cannot be read.
    #[error("{flag}: {source}")]
    Uri {
        /// The flag.
        flag: &'static str,
        /// What is wrong with it.
        source: InvalidUri,
    },
    /// The artifacts destination is no storage of this version.
    #[error(
        "--artifacts-destination: this version keeps artifacts in directories of this machine and \
         in {}, not in '{uri}'",
        STORAGE_SCHEMES.join(", ")
    )]
    Destination {
        /// The location.
        uri: String,
    },
    /// Proxied artifacts that nothing serves.
    #[error(
        "--default-artifact-root {uri} needs --serve-artifacts: it is this server's own storage"
    )]
    ProxyRoot {
        /// The location.
        uri: String,
    },
}

/// What the server is built of.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where experiments and runs are.
    pub(crate) backend: StorePlace,
    /// Where new experiments keep their artifacts.
    pub(crate) artifact_root: String,
    /// What `mlflow-artifacts:/` is, if that is served.
    pub(crate) destination: Option<Destination>,
    /// Directories whose artifacts are served where a run names them.
    pub(crate) local_roots: Vec<PathBuf>,
    /// Hosts and origins.
    pub(crate) security: SecurityConfig,
}

/// Where artifacts are that clients send through the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// In a directory of this machine.
    Directory(PathBuf),
    /// In another storage, by its URI.
    Storage(String),
}

/// Without a password.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Storage(uri) => f.write_str(&redacted(uri)),
        }
    }
}

/// MLflow's place for artifacts of clients that write to disk themselves.
const LOCAL_ROOT: &str = "./mlruns";

impl Settings {
    /// Checks the flags that do not depend on the state of the machine.
    pub(crate) fn new(flags: &ServerArgs) -> Result<Self, InvalidSettings> {
        if let Some(flag) = flags.unsupported.given() {
            return Err(InvalidSettings::Unsupported { flag });
        }
        let serves_artifacts = flags.serves_artifacts();
        if flags.artifacts_only && !serves_artifacts {
            return Err(InvalidSettings::NothingServed);
        }
        let destination = serves_artifacts
            .then(|| destination(&flags.artifacts_destination))
            .transpose()?;
        let artifact_root = match &flags.default_artifact_root {
            Some(root) => root.clone(),
            None if serves_artifacts => "mlflow-artifacts:/".to_owned(),
            None => LOCAL_ROOT.to_owned(),
        };
        // A database that Python wrote without a server points there.
        let mut local_roots = vec![PathBuf::from(LOCAL_ROOT)];
        let backend = flags.backend();
        if let StorePlace::Folder(folder) = &backend {
            // And Python that writes into the folder keeps artifacts in it.
            local_roots.push(folder.clone());
        }
        let parsed = ArtifactUri::parse(&artifact_root).map_err(|source| InvalidSettings::Uri {
            flag: "--default-artifact-root",
            source,
        })?;
        match parsed {
            ArtifactUri::Local(path) => local_roots.push(path),
            ArtifactUri::Proxied { .. } if !serves_artifacts => {
                return Err(InvalidSettings::ProxyRoot { uri: artifact_root });
            }
            // Clients reach other storage themselves.
            _ => {}
        }
        Ok(Self {
            backend,
            artifact_root,
            destination,
            local_roots,
            security: SecurityConfig {
                allowed_hosts: trimmed(&flags.allowed_hosts),
                cors_allowed_origins: trimmed(&flags.cors_allowed_origins),
                x_frame_options: flags.x_frame_options.clone(),
                disabled: flags.disable_security_middleware,
            },
        })
    }
}

fn destination(uri: &str) -> Result<Destination, InvalidSettings> {
    let parsed = ArtifactUri::parse(uri).map_err(|source| InvalidSettings::Uri {
        flag: "--artifacts-destination",
        source,
    })?;
    match parsed {
        ArtifactUri::Local(path) => Ok(Destination::Directory(path)),
        ArtifactUri::Other { scheme, uri } if STORAGE_SCHEMES.contains(&scheme.as_str()) => {
            Ok(Destination::Storage(uri))
        }
        _ => Err(InvalidSettings::Destination { uri: redacted(uri) }),
    }
}

/// The entries of a comma-separated list.
fn trimmed(entries: &[String]) -> Vec<String> {
    let entries = entries.iter().map(|entry| entry.trim());
    entries
        .filter(|entry| !entry.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn flags(line: &str) -> ServerArgs {
        let words = ["runledger", "server"]
            .into_iter()
            .chain(line.split_whitespace());
        let Some(Command::Server(flags)) = Cli::parse_from(words).command else {
            panic!("no command in {line}");
        };
        *flags
    }

    fn settings(line: &str) -> Result<Settings, InvalidSettings> {
        Settings::new(&flags(line))
    }

    #[test]
    fn the_defaults_are_mlflows() {
        let flags = flags("");
        assert_eq!((flags.host.as_str(), flags.port), ("127.0.0.1", 5000));
        assert_eq!(flags.backend(), StorePlace::Folder("./mlruns".into()));
        let settings = Settings::new(&flags).unwrap();
        assert_eq!(settings.artifact_root, "mlflow-artifacts:/");
        assert_eq!(
            settings.destination,
            Some(Destination::Directory("./mlartifacts".into()))
        );
        assert_eq!(settings.security, SecurityConfig::default());
    }

    #[test]
    fn without_serving_artifacts_the_root_is_local() {
        let settings = settings("--no-serve-artifacts").unwrap();
        assert_eq!(settings.artifact_root, "./mlruns");
        assert_eq!(settings.destination, None);
    }

    #[test]
    fn the_later_of_two_opposite_flags_wins() {
        assert!(flags("--no-serve-artifacts --serve-artifacts").serves_artifacts());
        assert!(!flags("--serve-artifacts --no-serve-artifacts").serves_artifacts());
    }

    #[test]
    fn mlflows_short_flags_are_host_port_and_workers() {
        let flags = flags("-h 0.0.0.0 -p 8080 -w 4");
        assert_eq!((flags.host.as_str(), flags.port), ("0.0.0.0", 8080));
        assert_eq!(
            flags.without_effect.given().collect::<Vec<_>>(),
            ["--workers"]
        );
    }

    #[test]
    fn flags_of_other_servers_are_taken_with_any_value() {
        let flags = flags("--gunicorn-opts --timeout=60 --uvicorn-opts --reload --dev");
        let given: Vec<_> = flags.without_effect.given().collect();
        assert_eq!(given, ["--gunicorn-opts", "--uvicorn-opts", "--dev"]);
    }

    #[test]
    fn ui_is_another_name_of_server() {
        assert!(Cli::try_parse_from(["runledger", "ui", "--port", "1"]).is_ok());
        assert!(Cli::try_parse_from(["runledger"]).is_ok_and(|cli| cli.command.is_none()));
    }

    #[test]
    fn lists_are_split_at_commas() {
        let settings = settings("--allowed-hosts a.lan,*.b.lan --cors-allowed-origins *").unwrap();
        assert_eq!(settings.security.allowed_hosts, ["a.lan", "*.b.lan"]);
        assert_eq!(settings.security.cors_allowed_origins, ["*"]);
    }

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        for line in [
            "--app-name basic-auth",
            "--expose-prometheus dir",
            "--enable-workspaces",
            "--read-replica-backend-store-uri sqlite:///x",
            "--secrets-cache-ttl 5",
        ] {
            let flag = line.split_whitespace().next().unwrap();
            let error = settings(line).unwrap_err().to_string();
            assert!(
                error.starts_with(flag) && error.contains("not supported"),
                "{error}"
            );
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |line| settings(line).unwrap_err();
        assert_eq!(
            refused("--artifacts-only --no-serve-artifacts"),
            InvalidSettings::NothingServed
        );
        let root = refused("--no-serve-artifacts --default-artifact-root mlflow-artifacts:/x");
        assert!(matches!(root, InvalidSettings::ProxyRoot { .. }));
    }

    #[test]
    fn a_refused_location_does_not_show_its_password() {
        let error = settings("--artifacts-destination dbfs://me:secret@host/x").unwrap_err();
        assert!(error.to_string().contains("dbfs://…@host/x"), "{error}");
    }

    #[test]
    fn a_bucket_can_be_the_destination() {
        let settings = settings("--artifacts-destination s3://bucket/x").unwrap();
        let destination = Destination::Storage("s3://bucket/x".to_owned());
        assert_eq!(settings.destination, Some(destination));
    }

    #[test]
    fn a_local_artifact_root_is_served() {
        let settings = settings("--default-artifact-root /srv/artifacts").unwrap();
        assert!(
            settings
                .local_roots
                .contains(&PathBuf::from("/srv/artifacts"))
        );
    }
}
