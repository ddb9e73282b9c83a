//! Servers of files on this machine, for tests: OpenSSH, pyftpdlib, and one of ours that speaks
//! `WebHDFS`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use rustix::process::geteuid;

use crate::emulators::{Emulator, free_address};
use crate::{apt, process, venv};

const USER: &str = "me";
/// As it is, and as a location has it.
const PASSWORD: (&str, &str) = ("p@ss", "p%40ss");

/// A private sshd, and the home of a user that it lets in.
#[derive(Debug)]
pub(crate) struct Sshd {
    emulator: Emulator,
    pub(crate) home: PathBuf,
    files: PathBuf,
}

impl Sshd {
    /// Starts it with keys of its own; nothing of the machine's is used.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let program = sshd()?;
        let folder = folder.join("sshd");
        let home = folder.join("home");
        let files = folder.join("files");
        let ssh = home.join(".ssh");
        for made in [&ssh, &files] {
            fs::create_dir_all(made)?;
        }
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700))?;
        for key in [folder.join("host_key"), ssh.join("id_ed25519")] {
            let mut command = Command::new("ssh-keygen");
            command
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(key);
            process::output(&mut command)?;
        }
        let address = free_address()?;
        let host_key = fs::read_to_string(folder.join("host_key.pub"))?;
        let words: Vec<_> = host_key.split_whitespace().take(2).collect();
        fs::write(
            ssh.join("known_hosts"),
            format!("[127.0.0.1]:{} {}\n", address.port(), words.join(" ")),
        )?;
        let shown = folder.display();
        let config = folder.join("sshd_config");
        fs::write(
            &config,
            format!(
                "ListenAddress {address}\nHostKey {shown}/host_key\n\
                 AuthorizedKeysFile {shown}/home/.ssh/id_ed25519.pub\nStrictModes no\nUsePAM no\n\
                 PidFile none\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n\
                 Subsystem sftp internal-sftp\n"
            ),
        )?;
        if geteuid().is_root() {
            // Where sshd locks itself in; the system makes it when it starts.
            fs::create_dir_all("/run/sshd")?;
        }
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(config);
        Ok(Self {
            emulator: Emulator::start(&mut command, address, &folder.join("sshd.log"))?,
            home,
            files,
        })
    }

    /// A location of its user.
    pub(crate) fn uri(&self) -> Result<String> {
        let user = process::output(Command::new("id").arg("-un"))?;
        let (address, files) = (self.emulator.address(), self.files.display());
        Ok(format!("sftp://{}@{address}{files}", user.trim()))
    }
}

/// A server of FTP, and a location in it; an old one has no lists that programs read.
pub(crate) fn ftp(folder: &Path, is_old: bool) -> Result<(Emulator, String)> {
    let environment = venv::FTP.ensure()?;
    let folder = folder.join(if is_old { "ftp-old" } else { "ftp" });
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    let address = free_address()?;
    let mut command = venv::script(&environment, "artifacts/ftp.py");
    command
        .args(["--port", &address.port().to_string(), "--folder"])
        .arg(&files)
        .args(["--user", USER, "--password", PASSWORD.0]);
    if is_old {
        command.arg("--old");
    }
    let emulator = Emulator::start(&mut command, address, &folder.join("ftp.log"))?;
    Ok((
        emulator,
        format!("ftp://{USER}:{}@{address}/it", PASSWORD.1),
    ))
}

/// A server of `WebHDFS`.
pub(crate) fn webhdfs(folder: &Path) -> Result<Emulator> {
    let environment = venv::FTP.ensure()?;
    let folder = folder.join("webhdfs");
    let files = folder.join("files");
    fs::create_dir_all(&files)?;
    let address = free_address()?;
    let mut command = venv::script(&environment, "artifacts/webhdfs.py");
    command
        .args(["--port", &address.port().to_string(), "--folder"])
        .arg(&files);
    Emulator::start(&mut command, address, &folder.join("webhdfs.log"))
}

/// OpenSSH's server, which is started by its whole path only.
fn sshd() -> Result<PathBuf> {
    let find = || {
        let folders = ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin"];
        let mut programs = folders.iter().map(|folder| Path::new(folder).join("sshd"));
        programs.find(|program| program.exists())
    };
    if let Some(program) = find() {
        return Ok(program);
    }
    apt::install("openssh-server", "to test SFTP")?;
    find().context("`openssh-server` has no sshd")
}
