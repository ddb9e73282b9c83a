//! One file of unsent data, and the one beside it that says how much of it was sent.
//!
//! Lines are only added, and are on the disk when that is answered. What was sent is a
//! number of bytes in `NAME.sent`, on the disk before the next batch goes out: after a
//! crash, only the first batch may have arrived already. Whoever uses a file holds a
//! lock on it until it is closed.
//!
//! Everything here waits for the disk: it is for threads that may.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use runledger_entities::{RunId, RunStatus, limits};
use runledger_store::Batch;

use super::record::{Header, LONGEST, Record};
use super::{EXTENSION, SpillError, Spilled};

/// The largest file: the metrics of ten million steps.
const LARGEST: u64 = 1 << 30;

/// What params, tags and ends may add to that.
const RESERVE: u64 = 16 << 20;

/// The most bytes of lines that are sent at once. A line is longer than what becomes of
/// it in a request.
const BATCH_BYTES: u64 = limits::BATCH_CHARACTERS as u64 - 1000;

/// A file of unsent data, locked.
#[derive(Debug)]
pub(crate) struct SpillFile {
    path: PathBuf,
    data: File,
    sent: Option<File>,
    /// Where the first unsent line begins, in bytes.
    offset: u64,
    /// Where the last whole line ends.
    end: u64,
    /// There may be a part of a line behind that.
    is_torn: bool,
}

/// The first lines of a file that go out together.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    /// What is logged, within the limits of `log-batch`.
    pub(crate) batch: Batch,
    /// The end of the run after that.
    pub(crate) end: Option<(RunStatus, i64)>,
    /// Where the next lines begin, in bytes.
    pub(crate) until: u64,
}

impl SpillFile {
    /// Makes a file with these records, and the folder around it; also says where the lines
    /// of the first ones end. Others of this machine's users cannot read it.
    pub(crate) fn create(
        folder: &Path,
        run_id: &RunId,
        uri: &str,
        first: &[Record],
        then: &[Record],
    ) -> Result<(Self, u64), SpillError> {
        let name = format!("{run_id}-{}", uuid::Uuid::new_v4().simple());
        let path = folder.join(format!("{name}.{EXTENSION}"));
        let header = Header {
            run_id: run_id.clone(),
            uri: uri.to_owned(),
        };
        let new = folder.join(format!("{name}.new"));
        Self::make(folder, &new, &path, &header, first, then).map_err(|source| {
            let _ = fs::remove_file(&new);
            SpillError::Io { path, source }
        })
    }

    /// Under another name until it is locked, so that nobody else takes it first.
    fn make(
        folder: &Path,
        new: &Path,
        path: &Path,
        header: &Header,
        first: &[Record],
        then: &[Record],
    ) -> io::Result<(Self, u64)> {
        private_folder(folder)?;
        let mut data =
            private_file(OpenOptions::new().read(true).append(true).create_new(true)).open(new)?;
        data.try_lock()?;
        let mut lines = Vec::new();
        header.write(&mut lines);
        let offset = lines.len() as u64;
        for record in first {
            record.write(&mut lines);
        }
        let first_end = lines.len() as u64;
        for record in then {
            record.write(&mut lines);
        }
        data.write_all(&lines)?;
        data.sync_all()?;
        fs::rename(new, path)?;
        File::open(folder)?.sync_all()?;
        let file = Self {
            path: path.to_owned(),
            data,
            sent: None,
            offset,
            end: lines.len() as u64,
            is_torn: false,
        };
        Ok((file, first_end))
    }

    /// Opens one that was left.
    ///
    /// Nothing if it is gone meanwhile, [`SpillError::InUse`] if its run is going on.
    pub(super) fn open(spilled: &Spilled) -> Result<Option<Self>, SpillError> {
        let failed = |source| SpillError::Io {
            path: spilled.path.clone(),
            source,
        };
        let data = match OpenOptions::new()
            .read(true)
            .append(true)
            .open(&spilled.path)
        {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match data.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(SpillError::InUse {
                    run_id: spilled.run_id.clone(),
                    path: spilled.path.clone(),
                });
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        // Whoever held the lock before may have sent everything and removed it.
        if !spilled.path.try_exists().map_err(failed)? {
            return Ok(None);
        }
        let (Some((_, begin)), end) =
            (header(&data, &spilled.path)?, whole(&data).map_err(failed)?)
        else {
            return Ok(None);
        };
        let offset = sent(&spilled.path).map_err(failed)?.unwrap_or(begin);
        Ok(Some(Self {
            path: spilled.path.clone(),
            data,
            sent: None,
            offset: offset.clamp(begin, end),
            end,
            is_torn: true,
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is room for more.
    pub(crate) fn has_room(&self) -> bool {
        self.end < LARGEST
    }

    /// Whether everything was sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.offset == self.end
    }

    /// Adds lines, and waits until they are on the disk. All of them or none.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), SpillError> {
        let mut lines = Vec::new();
        for record in records {
            record.write(&mut lines);
        }
        if self.end + lines.len() as u64 > LARGEST + RESERVE {
            return Err(self.failed(io::ErrorKind::FileTooLarge.into()));
        }
        // A line without its end is no line, but the next one must not continue it.
        if self.is_torn {
            let cut = self.data.set_len(self.end);
            cut.map_err(|source| self.failed(source))?;
            self.is_torn = false;
        }
        let written = self.data.write_all(&lines);
        if let Err(source) = written.and_then(|()| self.data.sync_data()) {
            self.is_torn = true;
            return Err(self.failed(source));
        }
        self.end += lines.len() as u64;
        Ok(())
    }

    /// The first lines that were not sent; without any, nothing of which anything comes.
    pub(crate) fn unsent(&self) -> Result<Unsent, SpillError> {
        let mut unsent = Unsent {
            until: self.offset,
            ..Unsent::default()
        };
        let mut data = &self.data;
        data.seek(SeekFrom::Start(self.offset))
            .map_err(|source| self.failed(source))?;
        let mut lines = BufReader::new(data.take(self.end - self.offset));
        let mut line = Vec::new();
        while unsent.until < self.end {
            line.clear();
            read_line(&mut lines, &mut line).map_err(|source| self.failed(source))?;
            let until = unsent.until + line.len() as u64;
            let record = match line.strip_suffix(b"\n") {
                Some(whole) => Record::read(whole),
                None => Err(format!("its line is longer than {LONGEST} bytes")),
            };
            let record = record.map_err(|reason| SpillError::Corrupt {
                path: self.path.clone(),
                offset: unsent.until,
                reason,
            });
            let record = match record {
                // What is before it goes out first.
                Err(_) if unsent.until > self.offset => break,
                record => record?,
            };
            if unsent.until > self.offset
                && (until - self.offset > BATCH_BYTES || !unsent.takes(&record))
            {
                break;
            }
            unsent.add(record);
            unsent.until = until;
        }
        Ok(unsent)
    }

    /// Notes that everything before `until` was sent.
    pub(crate) fn advance(&mut self, until: u64) -> Result<(), SpillError> {
        self.note(until).map_err(|source| self.failed(source))?;
        self.offset = until;
        Ok(())
    }

    fn note(&mut self, until: u64) -> io::Result<()> {
        let sent = if let Some(sent) = &mut self.sent {
            sent
        } else {
            let mut options = OpenOptions::new();
            let options = private_file(options.write(true).create(true).truncate(false));
            let sent = options.open(sent_path(&self.path))?;
            if let Some(folder) = self.path.parent() {
                File::open(folder)?.sync_all()?;
            }
            self.sent.insert(sent)
        };
        // Of one length, in one piece.
        sent.seek(SeekFrom::Start(0))?;
        sent.write_all(format!("{until:020}\n").as_bytes())?;
        sent.sync_data()
    }

    /// Removes it, with the note beside it.
    pub(crate) fn remove(self) -> Result<(), SpillError> {
        let removed = fs::remove_file(&self.path).and_then(|()| {
            match fs::remove_file(sent_path(&self.path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        removed.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SpillError {
        SpillError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Unsent {
    /// How many records these are.
    pub(crate) fn count(&self) -> usize {
        let batch = &self.batch;
        batch.metrics.len()
            + batch.params.len()
            + batch.tags.len()
            + usize::from(self.end.is_some())
    }

    /// Whether a record goes out with those that are there: only with others of its kind,
    /// so that none is refused because of another; a param and an end go alone.
    fn takes(&self, record: &Record) -> bool {
        let batch = &self.batch;
        match record {
            Record::Metric(_) => (1..limits::BATCH_METRICS).contains(&batch.metrics.len()),
            Record::Tag(tag) => {
                (1..limits::BATCH_TAGS).contains(&batch.tags.len())
                    && batch.tags.iter().all(|other| other.key != tag.key)
            }
            Record::Param(_) | Record::End(..) => false,
        }
    }

    fn add(&mut self, record: Record) {
        match record {
            Record::Metric(metric) => self.batch.metrics.push(metric),
            Record::Param(param) => self.batch.params.push(param),
            Record::Tag(tag) => self.batch.tags.push(tag),
            Record::End(status, end_time) => self.end = Some((status, end_time)),
        }
    }
}

/// Whose a file is; nothing if it is gone, or holds not even that.
pub(super) fn about(path: &Path) -> Result<Option<Spilled>, SpillError> {
    let failed = |source| SpillError::Io {
        path: path.to_owned(),
        source,
    };
    let data = match File::open(path) {
        Ok(data) => data,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let Some((header, begin)) = header(&data, path)? else {
        return Ok(None);
    };
    let end = whole(&data).map_err(failed)?;
    let offset = sent(path).map_err(failed)?.unwrap_or(begin);
    Ok(Some(Spilled {
        path: path.to_owned(),
        run_id: header.run_id,
        uri: header.uri,
        bytes: end - offset.clamp(begin, end),
    }))
}

/// The first line, and where the second one begins.
fn header(data: &File, path: &Path) -> Result<Option<(Header, u64)>, SpillError> {
    let mut line = Vec::new();
    read_line(&mut BufReader::new(data), &mut line).map_err(|source| SpillError::Io {
        path: path.to_owned(),
        source,
    })?;
    let Some(whole) = line.strip_suffix(b"\n") else {
        return Ok(None);
    };
    match Header::read(whole) {
        Ok(header) => Ok(Some((header, line.len() as u64))),
        Err(reason) => Err(SpillError::Corrupt {
            path: path.to_owned(),
            offset: 0,
            reason,
        }),
    }
}

/// Where the last whole line ends: a program that is killed may leave a part of one.
fn whole(mut data: &File) -> io::Result<u64> {
    let length = data.metadata()?.len();
    let begin = length.saturating_sub(LONGEST as u64);
    data.seek(SeekFrom::Start(begin))?;
    let mut tail = Vec::new();
    data.take(LONGEST as u64).read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n');
    Ok(end.map_or(begin, |end| begin + end as u64 + 1))
}

/// How much of a file was sent, as the one beside it says.
fn sent(path: &Path) -> io::Result<Option<u64>> {
    let mut text = String::new();
    match File::open(sent_path(path)) {
        Ok(file) => file.take(64).read_to_string(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(text.trim_end().parse().ok())
}

fn sent_path(path: &Path) -> PathBuf {
    path.with_extension("sent")
}

fn read_line(lines: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    lines.take(LONGEST as u64).read_until(b'\n', line).map(drop)
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests;
