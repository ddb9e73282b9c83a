//! The account that a private server runs as.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use super::Kind;
use crate::process;

/// The user and group that a server runs as, if not as ourselves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account(Option<(u32, u32)>);

impl Account {
    /// Root's servers run as the user of their package, since they refuse to be root.
    pub(super) fn of(kind: Kind) -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self(None));
        }
        let name = match kind {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        };
        let id = |flag: &str| -> Result<u32> {
            let text = process::output(Command::new("id").args([flag, name]))
                .with_context(|| format!("there is no user `{name}` to run as instead of root"))?;
            Ok(text.trim().parse()?)
        };
        Ok(Self(Some((id("-u")?, id("-g")?))))
    }

    /// Gives a file or folder to the account.
    pub(super) fn own(self, path: &Path) -> Result<()> {
        if let Some((user, group)) = self.0 {
            chown(path, Some(user), Some(group))
                .with_context(|| format!("cannot give away {}", path.display()))?;
        }
        Ok(())
    }

    /// Has a command run as the account.
    pub(super) fn lend(self, command: &mut Command) {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
    }
}
