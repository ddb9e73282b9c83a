//! The programs of database servers: found, or installed with apt where we may.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Kind;
use crate::apt;

/// What makes the files of a server, and what serves them.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) make: PathBuf,
    pub(super) serve: PathBuf,
}

fn package(kind: Kind) -> &'static str {
    match kind {
        Kind::Postgres => "postgresql",
        Kind::Mariadb => "mariadb-server",
    }
}

/// Installs the programs unless they are there; an error that names the package if that cannot be done.
pub(super) fn ensure(kind: Kind) -> Result<()> {
    if find(kind).is_some() {
        return Ok(());
    }
    let package = package(kind);
    let _quiet = apt::is_possible().then(NoServices::new).transpose()?;
    apt::install(package, &format!("or name a server in {}", kind.variable()))?;
    if find(kind).is_none() {
        bail!(
            "the package `{package}` is installed, but the programs of {} are not where they are looked for",
            kind.title()
        );
    }
    Ok(())
}

/// Where the programs are.
pub(super) fn find(kind: Kind) -> Option<Programs> {
    let (make, serve) = match kind {
        Kind::Postgres => ("initdb", "postgres"),
        Kind::Mariadb => ("mariadb-install-db", "mariadbd"),
    };
    let folders = match kind {
        Kind::Postgres => debian_postgres(),
        Kind::Mariadb => Vec::new(),
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = folders
        .into_iter()
        .chain(env::split_paths(&path))
        // Not on the path of ordinary users.
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .collect();
    let file = |name: &str| {
        folders
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| file.is_file())
    };
    Some(Programs {
        make: file(make)?,
        serve: file(serve)?,
    })
}

/// Debian's folders of each release, the newest first.
fn debian_postgres() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else {
        return Vec::new();
    };
    let mut releases: Vec<u32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    releases.sort_unstable_by(|a, b| b.cmp(a));
    releases
        .into_iter()
        .map(|release| PathBuf::from(format!("/usr/lib/postgresql/{release}/bin")))
        .collect()
}

/// Debian's way to have packages installed without starting their services, while it is alive.
#[derive(Debug)]
struct NoServices {
    ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn new() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        let forbid = || -> std::io::Result<()> {
            fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))
        };
        forbid().with_context(|| format!("cannot write {POLICY}"))?;
        Ok(Self { ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(POLICY)
            && error.kind() != ErrorKind::NotFound
        {
            eprintln!("warning: please remove {POLICY}: {error}");
        }
    }
}
