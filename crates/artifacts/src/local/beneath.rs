//! Opens files below a directory so that the kernel refuses to leave it.
//!
//! On Linux `openat2` resolves the whole path in one call with
//! `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`. Where it is missing (other systems,
//! kernels before 5.6, strict containers) the path is walked one segment at a
//! time with `O_NOFOLLOW`. A segment of an [`ArtifactPath`] is never `..` and
//! holds no separator, so neither way can leave the directory.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::ArtifactPath;

/// Opens `path` below `root`, for the root itself `root` again.
///
/// `ELOOP` or `EXDEV` mean that a link was met.
pub(super) fn open(
    root: BorrowedFd<'_>,
    path: &ArtifactPath,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    if path.is_root() {
        return rustix::fs::openat(root, ".", flags, Mode::empty());
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match resolve_at_once(root, path, flags) {
        // EPERM: seccomp filters of older container runtimes.
        Err(Errno::NOSYS | Errno::PERM) => {}
        answer => return answer,
    }
    walk(root, path, flags)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn resolve_at_once(
    root: BorrowedFd<'_>,
    path: &ArtifactPath,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;

    /// The kernel asks to try again when something is renamed meanwhile.
    const ATTEMPTS: usize = 16;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut answer = Err(Errno::AGAIN);
    for _ in 0..ATTEMPTS {
        answer = rustix::fs::openat2(root, path.as_str(), flags, Mode::empty(), resolve);
        if !matches!(answer, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    answer
}

fn walk(root: BorrowedFd<'_>, path: &ArtifactPath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut directory: Option<OwnedFd> = None;
    let mut segments = path.segments().peekable();
    while let Some(segment) = segments.next() {
        let at = directory.as_ref().map_or(root, AsFd::as_fd);
        if segments.peek().is_none() {
            return rustix::fs::openat(at, segment, flags, Mode::empty());
        }
        directory = Some(open_directory(at, segment)?);
    }
    Err(Errno::NOENT)
}

/// Opens a place without what is there: to open a pipe or a device can already
/// set something going.
#[cfg(any(target_os = "linux", target_os = "android"))]
const LOOK: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// The type of what is at `path`, for whose content it is not opened. A link
/// is `ELOOP`.
pub(super) fn file_type(root: BorrowedFd<'_>, path: &ArtifactPath) -> Result<FileType, Errno> {
    let stat = rustix::fs::fstat(open(root, path, LOOK)?)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => Err(Errno::LOOP),
        file_type => Ok(file_type),
    }
}

/// Opens one directory directly below another; a link is `ELOOP` or `ENOTDIR`.
pub(super) fn open_directory(at: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at, name, flags, Mode::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn world() -> (tempfile::TempDir, OwnedFd) {
        let world = tempfile::tempdir().unwrap();
        let root = world.path().join("root");
        fs::create_dir_all(root.join("d")).unwrap();
        fs::write(root.join("d/f"), "inside").unwrap();
        fs::write(world.path().join("secret"), "outside").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("d", root.join("inner")).unwrap();
        let fd = open_directory(rustix::fs::CWD, root.to_str().unwrap()).unwrap();
        (world, fd)
    }

    type Opener = fn(BorrowedFd<'_>, &ArtifactPath, OFlags) -> Result<OwnedFd, Errno>;

    /// Both ways of resolving must keep the same rules.
    fn openers() -> [(&'static str, Opener); 2] {
        [
            ("open", open),
            ("walk", |root, path, flags| {
                walk(root, path, flags | OFlags::NOFOLLOW)
            }),
        ]
    }

    #[test]
    fn files_inside_open() {
        let (_world, root) = world();
        for (name, opener) in openers() {
            let path = ArtifactPath::parse("d/f").unwrap();
            assert!(
                opener(root.as_fd(), &path, OFlags::RDONLY).is_ok(),
                "{name}"
            );
        }
    }

    #[test]
    fn links_do_not_open() {
        let (_world, root) = world();
        for (name, opener) in openers() {
            for path in ["link", "up/secret", "inner/f", "inner"] {
                let path = ArtifactPath::parse(path).unwrap();
                let answer = opener(root.as_fd(), &path, OFlags::RDONLY);
                assert!(answer.is_err(), "{name} {path}");
            }
        }
    }
}
