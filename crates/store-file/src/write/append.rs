//! Adding lines to a file that other processes add to as well.
//!
//! A process that is killed in the middle of a write leaves a part of it: the kernel
//! lengthens a file page by page, and stops between two. Nothing of it was
//! acknowledged, but whole lines of it stay, and the beginning of another.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::{Duration, Instant};

use cap_std::fs::{OpenOptions, OpenOptionsExt};
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::{Sync, below, flush_folders};
use crate::FolderError;
use crate::metric_line::MAX_LINE_BYTES;
use crate::safe_dir::{FileState, Folder, bits};

/// A file that ends within a line for this long is not being written.
pub(super) const TORN_AFTER: Duration = Duration::from_millis(250);

/// The longest beginning of a line, in bytes, that is made blank: the line that goes on
/// behind it is to be short enough to be read. Those of points have some 50.
const MAX_BLANK: u64 = MAX_LINE_BYTES as u64 / 2;

/// What becomes of the beginning of a line that a crash left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Torn {
    /// It is made blank, and our first line goes on behind it: for points, since a part
    /// of one may be another, as `5 0.25 1` is of `5 0.25 17`, and where it is none,
    /// MLflow reads none of the metric. Blanks before a point it passes over.
    Blanked,
    /// It gets an end: for lines that cannot be taken for others.
    Ended,
}

/// Appends lines, each with its newline, to the file at `path` below `folder`,
/// by one `write` call, so that no other line gets between or into them.
pub(crate) fn append_lines(
    folder: &Folder,
    path: &str,
    lines: &[u8],
    torn: Torn,
    sync: Sync,
) -> Result<(), FolderError> {
    let failed = |error| FolderError::io("append to", folder.path_of(path), error);
    let mut options = OpenOptions::new();
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    options
        .read(true)
        .append(true)
        .create(true)
        .custom_flags(bits(flags));
    let (file, made) =
        below(folder, path, || folder.dir().open_with(path, &options)).map_err(failed)?;
    let file = file.into_std();
    let stat = rustix::fs::fstat(&file).map_err(|errno| failed(errno.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(failed(Errno::NXIO.into()));
    }
    let (before, is_torn) = end_of(&file, FileState::from(&stat).size).map_err(failed)?;
    let joined;
    let lines = if is_torn && !(torn == Torn::Blanked && blank(&file, before).map_err(failed)?) {
        joined = [b"\n", lines].concat();
        &joined
    } else {
        lines
    };
    if is_torn {
        let file = folder.path_of(path);
        tracing::warn!(%file, ?torn, "a crash left the beginning of a line");
    }
    append_at_once(&file, before, lines).map_err(failed)?;
    if sync == Sync::Power {
        file.sync_data().map_err(failed)?;
        if before == 0 {
            flush_folders(folder, path, made, sync).map_err(failed)?;
        }
    }
    Ok(())
}

/// The size of a file that was `size` bytes long, and whether its last line was
/// left without its end by a crash.
///
/// A write that is being done looks the same for a moment: only a file that stays
/// so is torn. A newline put behind a line that then got its own would be an empty
/// line, with which MLflow reads none of the metric.
fn end_of(file: &File, size: u64) -> io::Result<(u64, bool)> {
    let mut size = size;
    let mut since = Instant::now();
    loop {
        let Some(last) = size.checked_sub(1) else {
            return Ok((size, false));
        };
        let mut byte = [0];
        // Nothing is read where another process cut the file meanwhile.
        if file.read_at(&mut byte, last)? == 0 || byte == *b"\n" {
            return Ok((size, false));
        }
        let now = file.metadata()?.len();
        if now != size {
            size = now;
            since = Instant::now();
        } else if since.elapsed() >= TORN_AFTER {
            return Ok((size, true));
        } else {
            thread::sleep(TORN_AFTER / 50);
        }
    }
}

/// Makes the last line of a file blank that was left at `end`; whether it was short
/// enough.
///
/// Nothing moves: of several processes that find the line at once, each writes the same,
/// and what another one has put behind `end` meanwhile stays.
fn blank(file: &File, end: u64) -> io::Result<bool> {
    let from = end.saturating_sub(MAX_BLANK);
    let mut tail = vec![0; usize::try_from(end - from).unwrap_or(0)];
    file.read_exact_at(&mut tail, from)?;
    let begin = match tail.iter().rposition(|byte| *byte == b'\n') {
        Some(newline) => newline + 1,
        None if from == 0 => 0,
        None => return Ok(false),
    };
    let line = &mut tail[begin..];
    line.fill(b' ');
    // With `O_APPEND`, a write to a place would go to the end.
    let flags = rustix::fs::fcntl_getfl(file)?;
    rustix::fs::fcntl_setfl(file, flags - OFlags::APPEND)?;
    let written = file.write_all_at(line, from + begin as u64);
    rustix::fs::fcntl_setfl(file, flags)?;
    written.map(|()| true)
}

/// One `write`; a part that a full disk let through is taken back, unless
/// another process wrote behind it.
fn append_at_once(mut file: &File, before: u64, lines: &[u8]) -> io::Result<()> {
    let written = loop {
        match file.write(lines) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => break answer?,
        }
    };
    if written == lines.len() {
        return Ok(());
    }
    if file.metadata()?.len() == before + written as u64 {
        file.set_len(before)?;
    }
    Err(io::ErrorKind::StorageFull.into())
}
