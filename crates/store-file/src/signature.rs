//! Whether a run or logged model changed, without reading its files.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use crate::FolderError;
use crate::safe_dir::{FileState, Folder, LIST, kind};
use crate::write::TEMPORARY;

/// Folders within folders that are looked into.
const MAX_DEPTH: usize = 130;

/// What [`signature`] says of a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Equal for equal names, sizes, times and inodes of all files, in this and
    /// every later version: it is kept in a database.
    pub(crate) hash: u64,
    /// The newest time of a file, in nanoseconds since the epoch. A file written
    /// again within the resolution of the clock looks unchanged, so a signature
    /// as young as that proves nothing.
    pub(crate) newest_ns: i64,
}

/// The signature of the folder of a run or logged model, but for `artifacts` and what is being
/// written.
///
/// Files of any type count; which of them can be read is found out by reading.
pub(crate) fn signature(folder: &Folder) -> Result<Signature, FolderError> {
    let failed = |errno: Errno| FolderError::io("list", folder.path_of(""), errno.into());
    let mut signature = Signature::default();
    let top = rustix::fs::openat(folder.dir(), ".", LIST, Mode::empty()).map_err(failed)?;
    add_folder(&mut signature, top, FNV_OFFSET, 0).map_err(failed)?;
    Ok(signature)
}

/// Sums over the files, so that the order of the listing does not matter. A
/// file's own hash goes on from its folder's.
fn add_folder(
    signature: &mut Signature,
    folder: OwnedFd,
    path: u64,
    depth: usize,
) -> Result<(), Errno> {
    let mut listing = rustix::fs::Dir::new(folder)?;
    while let Some(entry) = listing.read() {
        let entry = entry?;
        let name = entry.file_name();
        if is_left_out(name, depth) {
            continue;
        }
        let at = listing.fd()?;
        let here = fnv(fnv(path, name.to_bytes()), b"/");
        let added = match kind(at, name, entry.file_type()) {
            Ok(FileType::Directory) if depth < MAX_DEPTH => {
                rustix::fs::openat(at, name, LIST, Mode::empty())
                    .and_then(|below| add_folder(signature, below, here, depth + 1))
            }
            Ok(_) => rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| {
                let state = FileState::from(&stat);
                signature.hash = signature.hash.wrapping_add(hash_of(here, &state));
                signature.newest_ns = signature.newest_ns.max(state.modified_ns);
            }),
            Err(errno) => Err(errno),
        };
        match added {
            // Removed since the folder was read.
            Err(Errno::NOENT) => {}
            added => added?,
        }
    }
    Ok(())
}

/// The signature of the files that were read, each noted before its content was.
///
/// It is that of their folder if they are all that is in it. Otherwise, and if a file was
/// read twice, it is that of no folder at all.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    hash: AtomicU64,
    newest_ns: AtomicI64,
}

impl Notes {
    /// Notes the file at a path, given in parts, below the folder.
    pub(crate) fn add(&self, path: &[&str], state: &FileState) {
        let path = path.iter().fold(FNV_OFFSET, |hash, part| {
            fnv(fnv(hash, part.as_bytes()), b"/")
        });
        let hash = hash_of(path, state);
        self.hash.fetch_add(hash, Ordering::Relaxed);
        self.newest_ns
            .fetch_max(state.modified_ns, Ordering::Relaxed);
    }

    /// What was noted until now.
    pub(crate) fn signature(&self) -> Signature {
        Signature {
            hash: self.hash.load(Ordering::Relaxed),
            newest_ns: self.newest_ns.load(Ordering::Relaxed),
        }
    }
}

/// What a file adds to the signature; `path` is the hash of where it is.
fn hash_of(path: u64, state: &FileState) -> u64 {
    let mut hash = fnv(path, &state.size.to_le_bytes());
    hash = fnv(hash, &state.modified_ns.to_le_bytes());
    mix(fnv(hash, &state.inode.to_le_bytes()))
}

fn is_left_out(name: &CStr, depth: usize) -> bool {
    match name.to_bytes() {
        b"." | b".." => true,
        b"artifacts" => depth == 0,
        name => depth == 0 && name.starts_with(TEMPORARY.as_bytes()),
    }
}

/// Where [`fnv`] begins.
pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: ten lines that never change, where a hash of the standard library may
/// with any release, and a crate for some hundred bytes a run is not worth it.
pub(crate) fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Spreads a hash over all bits, without which sums of FNV hashes collide.
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
