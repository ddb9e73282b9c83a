//! A folder that nothing opened through it can leave, and reading what is in it.
//!
//! Paths of several parts go through `cap-std`, which has the kernel refuse
//! `..` and links that lead out. Names that a listing gave are one part each and
//! are opened without following links at all. Nothing is opened in a way that
//! could block: a pipe, socket or device is found out by its type and refused.
//!
//! Which folders there are is left to `layout`, writing to `write`.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::FolderError;
use crate::signature::Notes;

/// Folders within folders: a key of MLflow has 250 characters at most.
const MAX_DEPTH: usize = 130;

/// How a file is opened for reading: neither waiting for a writer of a pipe, nor
/// taking a terminal, nor following a link.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A handle of a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: Dir,
    /// Relative to the root; empty for the root.
    path: String,
    /// What is read through this handle, if somebody wants to know.
    notes: Option<Notes>,
}

/// What tells whether a file changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileState {
    /// Bytes.
    pub(crate) size: u64,
    /// Nanoseconds since the epoch of the last write.
    pub(crate) modified_ns: i64,
    /// Differs for a file that another one replaced.
    pub(crate) inode: u64,
}

impl From<&Stat> for FileState {
    fn from(stat: &Stat) -> Self {
        let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: stat
                .st_mtime
                .saturating_mul(1_000_000_000)
                .saturating_add(nanoseconds),
            inode: stat.st_ino,
        }
    }
}

/// A regular file, open for reading.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) file: File,
    pub(crate) state: FileState,
}

impl OpenFile {
    fn new(file: OwnedFd) -> Result<Self, Errno> {
        let stat = rustix::fs::fstat(&file)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok(Self {
                file: File::from(file),
                state: FileState::from(&stat),
            }),
            FileType::Directory => Err(Errno::ISDIR),
            _ => Err(Errno::NXIO),
        }
    }

    /// Reads the whole file into `buffer`, to its end: it may be longer by now than
    /// when it was opened.
    fn content(
        &self,
        limit: u64,
        path: impl Fn() -> String,
        buffer: &mut Vec<u8>,
    ) -> Result<(), FolderError> {
        let too_long = || FolderError::TooLong {
            path: path(),
            limit,
        };
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let size = usize::try_from(self.state.size).map_err(|_| too_long())?;
        if size > most {
            return Err(too_long());
        }
        // One byte more than it has: a read that does not fill it met the end.
        let mut room = size + 1;
        let mut filled = 0;
        loop {
            buffer.resize(room, 0);
            match rustix::io::read(&self.file, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(FolderError::io("read", path(), errno.into())),
            }
            if filled > most {
                return Err(too_long());
            }
            if filled < room && filled >= size {
                break;
            }
            if filled == room {
                room = (2 * room).min(most.saturating_add(1)).max(room + 1);
            }
        }
        buffer.truncate(filled);
        Ok(())
    }
}

impl Folder {
    /// The folder at a path of the machine. A link as the root itself is the
    /// operator's choice and is followed.
    pub(crate) fn ambient(path: &Path) -> Result<Self, FolderError> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(|error| FolderError::io("open", path.display().to_string(), error))?;
        Ok(Self {
            dir,
            path: String::new(),
            notes: None,
        })
    }

    /// The handle, for `write`.
    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The path of something in this folder, relative to the root.
    pub(crate) fn path_of(&self, name: &str) -> String {
        match (self.path.as_str(), name) {
            ("", name) => name.to_owned(),
            (path, "") => path.to_owned(),
            (path, name) => format!("{path}/{name}"),
        }
    }

    /// A folder directly in this one. A link is refused.
    pub(crate) fn folder(&self, name: &str) -> Result<Self, FolderError> {
        let mut options = OpenOptions::new();
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
        options.read(true).custom_flags(bits(flags));
        let file = self
            .dir
            .open_with(name, &options)
            .map_err(|error| FolderError::io("open", self.path_of(name), error))?;
        Ok(Self {
            dir: Dir::from_std_file(file.into_std()),
            path: self.path_of(name),
            notes: None,
        })
    }

    /// The same, noting every file that is read through it from now on.
    pub(crate) fn noting(self) -> Self {
        Self {
            notes: Some(Notes::default()),
            ..self
        }
    }

    /// What was noted; nothing unless it is [`Folder::noting`].
    pub(crate) fn notes(&self) -> Option<&Notes> {
        self.notes.as_ref()
    }

    /// A folder directly in this one, made if it is not there.
    pub(crate) fn make_folder(&self, name: &str) -> Result<Self, FolderError> {
        match self.dir.create_dir(name) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(FolderError::io("make", self.path_of(name), error))
            }
            _ => self.folder(name),
        }
    }

    /// Opens a regular file at a path below this folder.
    pub(crate) fn open(&self, path: &str) -> Result<OpenFile, FolderError> {
        let failed = |error| FolderError::io("open", self.path_of(path), error);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(bits(READ));
        let file = self.dir.open_with(path, &options).map_err(failed)?;
        OpenFile::new(file.into()).map_err(|errno| failed(errno.into()))
    }

    /// What the file of this name directly in this folder is like; `None` where
    /// there is none.
    pub(crate) fn state(&self, name: &str) -> Result<Option<FileState>, FolderError> {
        match rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileState::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(FolderError::io("look at", self.path_of(name), errno.into())),
        }
    }

    /// Whether anything is at a path below this folder.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.dir.symlink_metadata(path).is_ok()
    }

    /// Whether a folder is at a path below this one.
    pub(crate) fn is_folder(&self, path: &str) -> bool {
        self.dir
            .symlink_metadata(path)
            .is_ok_and(|found| found.is_dir())
    }

    /// Reads a whole file at a path below this folder into `buffer`.
    pub(crate) fn read(
        &self,
        path: &str,
        limit: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<(), FolderError> {
        let file = self.open(path)?;
        if let Some(notes) = &self.notes {
            notes.add(&[path], &file.state);
        }
        file.content(limit, || self.path_of(path), buffer)
    }

    /// The same, as text.
    pub(crate) fn read_text(&self, path: &str, limit: u64) -> Result<String, FolderError> {
        let mut buffer = Vec::new();
        self.read(path, limit, &mut buffer)?;
        String::from_utf8(buffer).map_err(|_| FolderError::NotUtf8 {
            path: self.path_of(path),
        })
    }

    /// What is directly in this folder. The handle itself is only a place.
    pub(crate) fn listing(&self) -> Result<rustix::fs::Dir, Errno> {
        rustix::fs::Dir::new(rustix::fs::openat(&self.dir, ".", LIST, Mode::empty())?)
    }

    /// The names of the folders directly in this one, in no order. Links are not
    /// among them, nor names that are not UTF-8.
    pub(crate) fn folder_names(&self) -> Result<Vec<String>, FolderError> {
        let failed = |errno: Errno| FolderError::io("list", self.path_of(""), errno.into());
        let mut names = Vec::new();
        let mut listing = self.listing().map_err(failed)?;
        while let Some(entry) = listing.read() {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if !is_dots(name)
                && kind(self.dir.as_fd(), name, entry.file_type()).map_err(failed)?
                    == FileType::Directory
                && let Ok(name) = name.to_str()
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    /// Whether the folder `name` in this one may hold folders.
    ///
    /// A folder is named by its own name, by `.` in itself, and by `..` in each folder in it.
    /// File systems that do not count these names say 1.
    pub(crate) fn has_folders(&self, name: &str) -> bool {
        rustix::fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| stat.st_nlink != 2)
    }

    /// Gives each regular file below the folder `name` to `visit`; its key is its
    /// path from there. A folder that is not there has none.
    ///
    /// Anything else than files and folders is an error.
    pub(crate) fn walk(
        &self,
        name: &str,
        visit: &mut dyn FnMut(&Entry<'_>) -> Result<(), FolderError>,
    ) -> Result<(), FolderError> {
        let path = self.path_of(name);
        let top = match rustix::fs::openat(&self.dir, name, LIST, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(FolderError::io("open", path, errno.into())),
            Ok(top) => top,
        };
        let mut walk = Walk {
            path: &path,
            name,
            notes: self.notes.as_ref(),
            key: String::new(),
            visit,
        };
        walk.folder(top, 0)
    }
}

/// How a folder is opened to be listed.
pub(crate) const LIST: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A regular file that a walk came by.
pub(crate) struct Entry<'a> {
    folder: BorrowedFd<'a>,
    name: &'a CStr,
    top: &'a str,
    /// The last part of `top`, and who takes note of what is below the folder around it.
    top_name: &'a str,
    notes: Option<&'a Notes>,
    /// Its path from the top of the walk.
    pub(crate) key: &'a str,
}

impl Entry<'_> {
    /// Its path from the root.
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", self.top, self.key)
    }

    /// What it is like now; `None` if it was removed meanwhile.
    pub(crate) fn state(&self) -> Result<Option<FileState>, FolderError> {
        match rustix::fs::statat(self.folder, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileState::from(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(FolderError::io("look at", self.path(), errno.into())),
        }
    }

    /// Opens it; `None` if it was removed meanwhile.
    pub(crate) fn open(&self) -> Result<Option<OpenFile>, FolderError> {
        let opened = rustix::fs::openat(self.folder, self.name, READ, Mode::empty());
        match opened.and_then(OpenFile::new) {
            Ok(file) => {
                if let Some(notes) = self.notes {
                    notes.add(&[self.top_name, self.key], &file.state);
                }
                Ok(Some(file))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(FolderError::io("open", self.path(), errno.into())),
        }
    }

    /// Its content as text; `None` if it was removed meanwhile.
    pub(crate) fn text(
        &self,
        limit: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<String>, FolderError> {
        let Some(file) = self.open()? else {
            return Ok(None);
        };
        file.content(limit, || self.path(), buffer)?;
        match std::str::from_utf8(buffer) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(FolderError::NotUtf8 { path: self.path() }),
        }
    }
}

struct Walk<'a, 'v> {
    path: &'a str,
    name: &'a str,
    notes: Option<&'a Notes>,
    key: String,
    visit: &'v mut dyn FnMut(&Entry<'_>) -> Result<(), FolderError>,
}

impl Walk<'_, '_> {
    fn here(&self) -> String {
        format!("{}/{}", self.path, self.key)
    }

    fn failed(&self, errno: Errno) -> FolderError {
        FolderError::io("list", self.here(), errno.into())
    }

    fn folder(&mut self, folder: OwnedFd, depth: usize) -> Result<(), FolderError> {
        if depth > MAX_DEPTH {
            return Err(FolderError::TooDeep { path: self.here() });
        }
        let mut listing = rustix::fs::Dir::new(folder).map_err(|errno| self.failed(errno))?;
        while let Some(entry) = listing.read() {
            let entry = entry.map_err(|errno| self.failed(errno))?;
            let name = entry.file_name();
            if is_dots(name) {
                continue;
            }
            let length = self.key.len();
            if length > 0 {
                self.key.push('/');
            }
            self.key.push_str(&name.to_string_lossy());
            if name.to_str().is_err() {
                return Err(FolderError::NotUtf8 { path: self.here() });
            }
            let at = listing.fd().map_err(|errno| self.failed(errno))?;
            match kind(at, name, entry.file_type()) {
                Ok(FileType::RegularFile) => (self.visit)(&Entry {
                    folder: at,
                    name,
                    top: self.path,
                    top_name: self.name,
                    notes: self.notes,
                    key: &self.key,
                })?,
                Ok(FileType::Directory) => {
                    let below = rustix::fs::openat(at, name, LIST, Mode::empty())
                        .map_err(|errno| self.failed(errno))?;
                    self.folder(below, depth + 1)?;
                }
                Ok(_) => {
                    return Err(FolderError::WrongKind {
                        path: self.here(),
                        expected: "regular file or folder",
                    });
                }
                // Removed since the folder was read.
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.failed(errno)),
            }
            self.key.truncate(length);
        }
        Ok(())
    }
}

fn is_dots(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

/// The type that the listing told; file systems that tell none are asked.
pub(crate) fn kind(at: BorrowedFd<'_>, name: &CStr, told: FileType) -> Result<FileType, Errno> {
    match told {
        FileType::Unknown => rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
            .map(|stat| FileType::from_raw_mode(stat.st_mode)),
        told => Ok(told),
    }
}

/// Flags as `OpenOptionsExt` takes them.
pub(crate) fn bits(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}
