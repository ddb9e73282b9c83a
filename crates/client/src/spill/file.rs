//! One file of unsent data, and the one beside it that says how much of it was sent.
//!
//! Lines are only added, and are on the disk when that is answered. What was sent is a
//! number of bytes in `NAME.sent`, on the disk before the next batch goes out: after a
//! crash, only the first batch may have arrived already. Whoever uses a file holds a
//! lock on it until it is closed.
//!
//! Everything here waits for the disk: it is for threads that may.

use std::collections::HashSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use runledger_entities::{RunId, RunStatus, limits};
use runledger_store::Batch;

use super::record::{Header, LONGEST, Record};
use super::{EXTENSION, SpillError, Spilled};

/// The largest file: the metrics of ten million steps.
const LARGEST: u64 = 1 << 30;

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
        let written = self.data.write_all(&lines);
        if let Err(source) = written.and_then(|()| self.data.sync_data()) {
            // A line without its end is no line, but the next one must not continue it.
            let _ = self.data.set_len(self.end);
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
        while unsent.until < self.end && unsent.end.is_none() {
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
            self.sent.insert(options.open(sent_path(&self.path))?)
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
    /// Whether it goes out with what is there: within the limits, and no param or tag
    /// twice.
    fn takes(&self, record: &Record) -> bool {
        let batch = &self.batch;
        let has_room =
            batch.metrics.len() + batch.params.len() + batch.tags.len() < limits::BATCH_TOTAL;
        has_room
            && match record {
                Record::Metric(_) => batch.metrics.len() < limits::BATCH_METRICS,
                Record::Param(param) => {
                    let keys: HashSet<_> = batch.params.iter().map(|other| &other.key).collect();
                    keys.len() < limits::BATCH_PARAMS && !keys.contains(&param.key)
                }
                Record::Tag(tag) => {
                    let keys: HashSet<_> = batch.tags.iter().map(|other| &other.key).collect();
                    keys.len() < limits::BATCH_TAGS && !keys.contains(&tag.key)
                }
                Record::End(..) => true,
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
mod tests {
    use runledger_entities::Metric;

    use super::*;

    fn record(step: i64) -> Record {
        Record::Metric(Metric::new("loss", 0.5, 1, step))
    }

    fn steps(unsent: &Unsent) -> Vec<i64> {
        let metrics = unsent.batch.metrics.iter();
        metrics.map(|metric| metric.step).collect()
    }

    fn create(folder: &Path, records: &[Record]) -> SpillFile {
        let run = RunId::new("run");
        let created = SpillFile::create(folder, &run, "http://h", records, &[]);
        created.expect("a file").0
    }

    /// As the next program finds it.
    fn reopened(file: SpillFile) -> SpillFile {
        let spilled = about(&file.path).expect("readable").expect("whole");
        drop(file);
        SpillFile::open(&spilled).expect("free").expect("there")
    }

    #[test]
    fn what_was_sent_is_known_to_the_next_program() {
        let folder = tempfile::tempdir().expect("a folder");
        let records: Vec<Record> = (0..2_500).map(record).collect();
        let mut file = create(folder.path(), &records);
        let first = file.unsent().expect("readable");
        assert_eq!(steps(&first), (0..1_000).collect::<Vec<_>>());
        file.advance(first.until).expect("written");
        let mut file = reopened(file);
        let second = file.unsent().expect("readable");
        assert_eq!(steps(&second), (1_000..2_000).collect::<Vec<_>>());
        file.advance(second.until).expect("written");
        file.append(&[record(9), Record::End(RunStatus::Failed, 7), record(10)])
            .expect("written");
        let mut file = reopened(file);
        let third = file.unsent().expect("readable");
        assert_eq!(third.batch.metrics.len(), 501);
        assert_eq!(third.end, Some((RunStatus::Failed, 7)));
        file.advance(third.until).expect("written");
        let last = file.unsent().expect("readable");
        assert_eq!(steps(&last), [10]);
        file.advance(last.until).expect("written");
        assert!(file.is_sent());
        file.remove().expect("removed");
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0);
    }

    #[test]
    fn half_a_line_is_no_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = create(folder.path(), &[record(1)]);
        file.data
            .write_all(b"{\"metric\": {\"key")
            .expect("written");
        let file = reopened(file);
        assert_eq!(steps(&file.unsent().expect("readable")), [1]);
    }

    #[test]
    fn a_line_of_something_else_is_told_after_what_is_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = create(folder.path(), &[record(1)]);
        file.data.write_all(b"{}\n").expect("written");
        let mut file = reopened(file);
        let before = file.unsent().expect("readable");
        assert_eq!(steps(&before), [1]);
        file.advance(before.until).expect("written");
        let error = file.unsent().expect_err("corrupt").to_string();
        let told = format!("from byte {}", before.until);
        assert!(error.contains(&told), "{error}");
    }

    #[test]
    fn a_param_goes_out_once_in_a_batch() {
        let folder = tempfile::tempdir().expect("a folder");
        let param = |value: &str| Record::Param(runledger_entities::Param::new("p", value));
        let file = create(folder.path(), &[param("1"), record(1), param("1")]);
        let unsent = file.unsent().expect("readable");
        assert_eq!(unsent.batch.params.len(), 1);
        assert_eq!(steps(&unsent), [1]);
    }

    #[test]
    fn only_one_uses_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = create(folder.path(), &[record(1)]);
        let spilled = about(&file.path).expect("readable").expect("whole");
        let second = SpillFile::open(&spilled);
        assert!(matches!(second, Err(SpillError::InUse { .. })));
        file.remove().expect("removed");
        assert!(matches!(SpillFile::open(&spilled), Ok(None)));
    }
}
