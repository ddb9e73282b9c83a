//! Whether a run or logged model changed, without reading its files.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

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
                let mut hash = fnv(here, &state.size.to_le_bytes());
                hash = fnv(hash, &state.modified_ns.to_le_bytes());
                hash = mix(fnv(hash, &state.inode.to_le_bytes()));
                signature.hash = signature.hash.wrapping_add(hash);
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
