//! `runledger server`.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use runledger_artifacts::{
    ALLOWED_SCHEMES_VARIABLE, ArtifactError, ArtifactRepository, ArtifactRoots, HostPolicy,
    InvalidStorageOption, LocalRepository, Storages, redacted,
};
use runledger_entities::LongValues;
use runledger_server::{Asset, BuildError, Limits, ServeError, Server, ServerBuilder};
use runledger_store::PurgeStore;
use runledger_store_file::{FileStore, FileStoreOptions};
use runledger_store_sql::{
    InvalidVariable, InvalidWebhookKey, OpenError, PoolOptions, SqlStore, StoreOptions, WebhookKey,
};
use tokio::net::TcpListener;

use crate::args::ServerArgs;
use crate::artifacts::Stores;
use crate::report;
use crate::settings::{Destination, InvalidSettings, Settings};
use crate::signals::Signals;
use crate::webhooks;
use runledger_store::StorePlace;

/// Threads for work that blocks, beside those that wait for a database server:
/// artifact files (32 at most), reads of a SQLite file (8 at most), and the
/// decoding of large bodies.
const BLOCKING_THREADS: usize = 64;

/// How long a signed URL can hold: S3, Azure and Google sign for a week.
const MAX_URL_SECONDS: usize = 604_800;

/// Why the server did not run, or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The flags are wrong.
    #[error(transparent)]
    Settings(#[from] InvalidSettings),
    /// A variable of the environment is wrong.
    #[error(transparent)]
    Variable(#[from] InvalidVariable),
    /// The server cannot be built from the flags.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --host and --port")]
    Listen {
        /// The host and port.
        address: String,
        /// The system's words.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The folder of files cannot be opened.
    #[error(transparent)]
    Folder(#[from] runledger_store_file::OpenError),
    /// A variable about a storage is wrong.
    #[error(transparent)]
    StorageOption(#[from] InvalidStorageOption),
    /// The artifacts destination cannot be used.
    #[error("--artifacts-destination: {source}")]
    Destination {
        /// What is wrong with it.
        source: ArtifactError,
    },
    /// The artifact directories cannot be named.
    #[error("the current directory is not known: {source}")]
    CurrentDirectory {
        /// The system's words.
        source: io::Error,
    },
    /// The process could not be set up.
    #[error("the server cannot start: {source}")]
    Start {
        /// The system's words.
        source: io::Error,
    },
    /// The folder of the web UI has no page.
    #[error("--ui-dir: there is no index.html in '{}'", folder.display())]
    UiFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// A bound is no number.
    #[error("{name} must be a number of at least 1, not '{value}'")]
    Bound {
        /// The environment variable.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// A URL would hold for longer than storages sign it.
    #[error("{name} must be a number of seconds from 1 to {MAX_URL_SECONDS}, not '{value}'")]
    UrlTime {
        /// The environment variable.
        name: &'static str,
        /// What it holds.
        value: usize,
    },
    /// The key of the secrets of webhooks is none.
    #[error(transparent)]
    WebhookKey(#[from] InvalidWebhookKey),
    /// Requests were cut off at the end.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl RunError {
    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Settings(_)
            | Self::Variable(_)
            | Self::Build(_)
            | Self::UiFolder { .. }
            | Self::StorageOption(_)
            | Self::Destination { .. }
            | Self::Bound { .. }
            | Self::WebhookKey(_)
            | Self::UrlTime { .. } => 2,
            _ => 1,
        }
    }
}

/// Serves until a signal comes.
pub(crate) fn run(flags: &ServerArgs) -> Result<(), RunError> {
    let settings = Settings::new(flags)?;
    let pool = PoolOptions::from_environment(|name| env::var(name).ok())?;
    for flag in flags.without_effect.given() {
        report::note(&format!("{flag} has no effect here"));
    }
    if flags
        .registry_store_uri
        .as_ref()
        .is_some_and(|uri| Some(uri) != flags.backend_store_uri.as_ref())
    {
        report::note(
            "--registry-store-uri has no effect: registered models are kept beside the runs",
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS + pool.size + pool.overflow)
        .enable_all()
        .build()
        .map_err(|source| RunError::Start { source })?;
    runtime.block_on(serve(flags, settings, pool))
}

async fn serve(flags: &ServerArgs, settings: Settings, pool: PoolOptions) -> Result<(), RunError> {
    let signals = Signals::new().map_err(|source| RunError::Start { source })?;
    // First of all, so that a port in use leaves no new database behind.
    let listener = listen(&flags.host, flags.port).await?;
    let mut server = Server::builder()
        .artifacts(roots(&settings, flags).await?)
        .static_prefix(flags.static_prefix.clone().unwrap_or_default())
        .security(settings.security.clone())
        .long_values(long_values(
            env::var("MLFLOW_TRUNCATE_LONG_VALUES").ok().as_deref(),
        ))
        .artifact_hosts(artifact_hosts(&settings, flags))
        .limits(limits(|name| env::var(name).ok())?)
        .read_only(flags.read_only)
        .assets(assets());
    if let Some(folder) = &flags.ui_dir {
        if !folder.join("index.html").is_file() {
            return Err(RunError::UiFolder {
                folder: folder.clone(),
            });
        }
        server = server.ui_folder(folder);
    }
    if !flags.artifacts_only {
        server = with_store(server, flags, &settings, pool).await?;
    }
    let server = server.build()?;
    announce(flags, &settings, &listener);
    server.serve(listener, signals.stop()).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, RunError> {
    TcpListener::bind((host, port))
        .await
        .map_err(|source| RunError::Listen {
            address: address(host, port),
            source,
        })
}

async fn with_store(
    server: ServerBuilder,
    flags: &ServerArgs,
    settings: &Settings,
    pool: PoolOptions,
) -> Result<ServerBuilder, RunError> {
    match &settings.backend {
        StorePlace::Folder(folder) => {
            let store = Arc::new(open_folder(folder, settings, flags.read_only).await?);
            Ok(server
                .store(Arc::clone(&store))
                .registry(Arc::<FileStore>::clone(&store))
                .traces(store))
        }
        StorePlace::Database(uri) => {
            let variable = |name: &str| env::var(name).ok();
            let key = webhooks::key(variable)?;
            let store = open_database(uri, settings, pool, flags.read_only, key).await?;
            let store = Arc::new(store);
            Ok(server
                .store(Arc::clone(&store))
                .registry(Arc::<SqlStore>::clone(&store))
                .webhooks(Arc::<SqlStore>::clone(&store))
                .webhook_options(webhooks::options(flags, variable)?)
                .traces(store))
        }
    }
}

/// The store, to forget what is deleted, or only to look at that.
pub(crate) async fn purge_store(
    settings: &Settings,
    pool: PoolOptions,
    read_only: bool,
) -> Result<Arc<dyn PurgeStore>, RunError> {
    match &settings.backend {
        StorePlace::Folder(folder) => Ok(Arc::new(open_folder(folder, settings, read_only).await?)),
        StorePlace::Database(uri) => {
            let store = open_database(uri, settings, pool, read_only, None).await?;
            Ok(Arc::new(store))
        }
    }
}

/// The store of `backend`, to look at runs and models.
pub(crate) async fn read_only_stores(
    backend: &StorePlace,
    pool: PoolOptions,
) -> Result<Stores, RunError> {
    match backend {
        StorePlace::Folder(folder) => {
            let options = FileStoreOptions {
                read_only: true,
                ..FileStoreOptions::default()
            };
            Ok(Stores::of(FileStore::open(folder, options).await?))
        }
        StorePlace::Database(uri) => {
            let options = StoreOptions {
                pool,
                read_only: true,
                ..StoreOptions::default()
            };
            Ok(Stores::of(SqlStore::open(uri, options).await?))
        }
    }
}

async fn open_folder(
    folder: &Path,
    settings: &Settings,
    read_only: bool,
) -> Result<FileStore, RunError> {
    let options = FileStoreOptions {
        artifact_root: Some(settings.artifact_root.clone()),
        read_only,
        ..FileStoreOptions::default()
    };
    Ok(FileStore::open(folder, options).await?)
}

async fn open_database(
    uri: &str,
    settings: &Settings,
    pool: PoolOptions,
    read_only: bool,
    webhook_key: Option<WebhookKey>,
) -> Result<SqlStore, RunError> {
    let options = StoreOptions {
        artifact_root: settings.artifact_root.clone(),
        pool,
        read_only,
        webhook_key,
        ..StoreOptions::default()
    };
    Ok(SqlStore::open(uri, options).await?)
}

/// Where artifacts may be read and written.
pub(crate) async fn roots(
    settings: &Settings,
    flags: &ServerArgs,
) -> Result<ArtifactRoots, RunError> {
    let unknown = |source| RunError::CurrentDirectory { source };
    let storages = Arc::new(Storages::from_environment(|name| env::var(name).ok())?);
    let mut roots = ArtifactRoots::new();
    if let Some(destination) = &settings.destination {
        let repository: Arc<dyn ArtifactRepository> = match destination {
            Destination::Directory(path) => {
                Arc::new(LocalRepository::new(absolute(path).map_err(unknown)?))
            }
            Destination::Storage(uri) => storages
                .open(uri)
                .await
                .map_err(|source| RunError::Destination { source })?,
        };
        roots = roots.with_proxied(repository);
    }
    for directory in &settings.local_roots {
        roots = roots.with_local(directory).map_err(unknown)?;
    }
    Ok(roots.with_storages(storages, artifact_hosts(settings, flags)))
}

fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// The hosts of the server's own storage, and the schemes that are allowed.
fn artifact_hosts(settings: &Settings, flags: &ServerArgs) -> HostPolicy {
    let own = [
        settings.artifact_root.as_str(),
        flags.artifacts_destination.as_str(),
    ];
    let allowed = env::var(ALLOWED_SCHEMES_VARIABLE).unwrap_or_default();
    HostPolicy::new(own, allowed.split(','))
}

/// The bounds that MLflow's environment variables set.
fn limits(variable: impl Fn(&str) -> Option<String>) -> Result<Limits, RunError> {
    let bound = |name: &'static str, default: usize| match variable(name) {
        None => Ok(default),
        Some(value) => match value.trim().parse() {
            Ok(bound) if bound > 0 => Ok(bound),
            _ => Err(RunError::Bound { name, value }),
        },
    };
    let defaults = Limits::default();
    let name = "MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS";
    let default = usize::try_from(defaults.download_url_time.as_secs()).unwrap_or(usize::MAX);
    let download_url_seconds = bound(name, default)?;
    if download_url_seconds > MAX_URL_SECONDS {
        let value = download_url_seconds;
        return Err(RunError::UrlTime { name, value });
    }
    Ok(Limits {
        download_url_time: Duration::from_secs(download_url_seconds as u64),
        graphql_root_fields: bound(
            "MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS",
            defaults.graphql_root_fields,
        )?,
        graphql_aliases: bound(
            "MLFLOW_SERVER_GRAPHQL_MAX_ALIASES",
            defaults.graphql_aliases,
        )?,
        ..defaults
    })
}

/// The web UI. It lives as long as the process.
fn assets() -> &'static [Asset] {
    let assets = runledger_ui::ASSETS.iter().map(|asset| Asset {
        path: if asset.path == "index.html" {
            ""
        } else {
            asset.path
        },
        content_type: asset.content_type,
        bytes: asset.bytes,
        brotli: asset.brotli,
        gzip: asset.gzip,
        immutable: asset.immutable,
        etag: asset.etag,
        content_security_policy: asset.content_security_policy,
    });
    Vec::leak(assets.collect())
}

/// MLflow's default is to cut long values.
fn long_values(variable: Option<&str>) -> LongValues {
    match variable.map(str::to_ascii_lowercase).as_deref() {
        Some("false" | "0") => LongValues::Reject,
        _ => LongValues::Truncate,
    }
}

fn announce(flags: &ServerArgs, settings: &Settings, listener: &TcpListener) {
    let port = listener
        .local_addr()
        .map_or(flags.port, |address| address.port());
    let prefix = flags.static_prefix.as_deref().unwrap_or_default();
    report::line(&format!(
        "Runledger {} listens on http://{}{prefix}",
        env!("CARGO_PKG_VERSION"),
        address(&flags.host, port),
    ));
    if !flags.artifacts_only {
        report::line(&format!(
            "  store:         {}{}",
            settings.backend,
            if flags.read_only {
                " (read only: nothing can be changed)"
            } else {
                ""
            },
        ));
        report::line(&format!(
            "  artifact root: {}",
            redacted(&settings.artifact_root)
        ));
    }
    if let Some(destination) = &settings.destination {
        report::line(&format!("  artifacts in:  {destination}"));
    }
}

/// A host and port as in a URL.
fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_in_urls() {
        assert_eq!(address("127.0.0.1", 5000), "127.0.0.1:5000");
        assert_eq!(address("::1", 5000), "[::1]:5000");
    }

    #[test]
    fn urls_hold_for_a_week_at_most() {
        let limits = |value: &str| {
            let is_time = |name: &str| name == "MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS";
            limits(|name| is_time(name).then(|| value.to_owned()))
        };
        let week = limits("604800").unwrap();
        assert_eq!(week.download_url_time, Duration::from_hours(7 * 24));
        for value in ["0", "604801", "99999999999999999", "x"] {
            assert_eq!(limits(value).unwrap_err().exit_code(), 2, "{value}");
        }
    }

    #[test]
    fn long_values_are_cut_unless_the_environment_says_no() {
        assert_eq!(long_values(None), LongValues::Truncate);
        assert_eq!(long_values(Some("False")), LongValues::Reject);
    }
}
