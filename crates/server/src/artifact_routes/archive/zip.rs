//! The zip format, as far as it is written here (PKWARE's APPNOTE 6.3.10).
//!
//! Files are read once, so that sizes and checksums follow their content (a
//! *data descriptor*). A reader that does not seek finds the end of such a file
//! only if its content says it: it is Deflate, in blocks that are stored as they
//! are, since most artifacts are compressed already. Files that may not fit in
//! 32 bits, and archives of more than 65,534 files or 4 GiB, are Zip64.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Crc;
use runledger_entities::time::timestamp;

/// The most that a block of Deflate stores.
const BLOCK: usize = 65_535;

/// Sizes from here on are written as 64 bits: a chunk of one byte costs six.
const LARGE: u64 = 512 << 20;

/// Sizes follow, and names are UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;
const DEFLATE: u16 = 8;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;
/// Made on Unix, where the mode of a file is: a plain file that all may read.
const MADE_ON_UNIX: u16 = 3 << 8;
const PLAIN_FILE: u32 = 0o100_644 << 16;

/// An archive that is being written.
#[derive(Debug, Default)]
pub(super) struct Zip {
    written: u64,
    records: VecDeque<Record>,
    count: u64,
    directory_at: u64,
}

/// A file that is being written.
pub(super) struct File {
    record: Record,
    crc: Crc,
}

/// What the directory at the end says of a file.
#[derive(Debug)]
struct Record {
    name: String,
    offset: u64,
    modified: u32,
    crc: u32,
    size: u64,
    packed: u64,
    is_large: bool,
}

impl Zip {
    /// Begins a file of `size` bytes.
    pub(super) fn begin(
        &mut self,
        name: &str,
        size: u64,
        modified: Option<SystemTime>,
        out: &mut Vec<u8>,
    ) -> File {
        let record = Record {
            name: name.to_owned(),
            offset: self.written,
            modified: modified.map_or(0, dos_time),
            crc: 0,
            size: 0,
            packed: 0,
            is_large: size >= LARGE,
        };
        let from = out.len();
        put4(out, 0x0403_4b50);
        put2(out, record.version());
        record.common(out);
        put4(out, 0);
        let size = if record.is_large { u32::MAX } else { 0 };
        put4(out, size);
        put4(out, size);
        put2(out, length(&record.name));
        put2(out, if record.is_large { 20 } else { 0 });
        out.extend_from_slice(record.name.as_bytes());
        if record.is_large {
            put2(out, 1);
            put2(out, 16);
            put8(out, 0);
            put8(out, 0);
        }
        self.written += (out.len() - from) as u64;
        File {
            record,
            crc: Crc::new(),
        }
    }

    /// Ends a file: the last block, and what it was.
    pub(super) fn end(&mut self, mut file: File, out: &mut Vec<u8>) {
        let last = [1, 0, 0, 0xff, 0xff];
        out.extend_from_slice(&last);
        file.record.packed += last.len() as u64;
        let mut record = file.record;
        record.crc = file.crc.sum();
        let from = out.len();
        put4(out, 0x0807_4b50);
        put4(out, record.crc);
        if record.is_large {
            put8(out, record.packed);
            put8(out, record.size);
        } else {
            put4(out, low4(record.packed));
            put4(out, low4(record.size));
        }
        self.written += record.packed + (out.len() - from) as u64;
        self.count += 1;
        self.directory_at = self.written;
        self.records.push_back(record);
    }

    /// The next piece of the directory, of about `bytes`; the last one has the
    /// end of the archive, and nothing comes after it.
    pub(super) fn directory(&mut self, bytes: usize, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        while out.len() - from < bytes {
            let Some(record) = self.records.pop_front() else {
                self.written += (out.len() - from) as u64;
                self.tail(out);
                return false;
            };
            record.entry(out);
        }
        self.written += (out.len() - from) as u64;
        true
    }

    fn tail(&self, out: &mut Vec<u8>) {
        let size = self.written - self.directory_at;
        let is_large = self.count >= 0xffff || self.written >= u64::from(u32::MAX);
        if is_large {
            put4(out, 0x0606_4b50);
            put8(out, 44);
            put2(out, MADE_ON_UNIX | VERSION_64);
            put2(out, VERSION_64);
            put4(out, 0);
            put4(out, 0);
            put8(out, self.count);
            put8(out, self.count);
            put8(out, size);
            put8(out, self.directory_at);
            put4(out, 0x0706_4b50);
            put4(out, 0);
            put8(out, self.written);
            put4(out, 1);
        }
        put4(out, 0x0605_4b50);
        put2(out, 0);
        put2(out, 0);
        let count = if is_large { 0xffff } else { low2(self.count) };
        put2(out, count);
        put2(out, count);
        put4(out, if is_large { u32::MAX } else { low4(size) });
        put4(
            out,
            if is_large {
                u32::MAX
            } else {
                low4(self.directory_at)
            },
        );
        put2(out, 0);
    }
}

impl File {
    /// Adds content.
    pub(super) fn write(&mut self, content: &[u8], out: &mut Vec<u8>) {
        self.crc.update(content);
        self.record.size += content.len() as u64;
        for block in content.chunks(BLOCK) {
            let length = low2(block.len() as u64);
            out.push(0);
            put2(out, length);
            put2(out, !length);
            out.extend_from_slice(block);
            self.record.packed += block.len() as u64 + 5;
        }
    }
}

impl Record {
    fn version(&self) -> u16 {
        if self.is_large { VERSION_64 } else { VERSION }
    }

    fn common(&self, out: &mut Vec<u8>) {
        put2(out, FLAGS);
        put2(out, DEFLATE);
        put4(out, self.modified);
    }

    fn entry(&self, out: &mut Vec<u8>) {
        let is_far = self.offset >= u64::from(u32::MAX);
        let extra = if self.is_large { 16 } else { 0 } + if is_far { 8 } else { 0 };
        put4(out, 0x0201_4b50);
        put2(out, MADE_ON_UNIX | VERSION_64);
        put2(out, if is_far { VERSION_64 } else { self.version() });
        self.common(out);
        put4(out, self.crc);
        for size in [self.packed, self.size] {
            put4(out, if self.is_large { u32::MAX } else { low4(size) });
        }
        put2(out, length(&self.name));
        put2(out, if extra > 0 { extra + 4 } else { 0 });
        put2(out, 0);
        put2(out, 0);
        put2(out, 0);
        put4(out, PLAIN_FILE);
        put4(out, if is_far { u32::MAX } else { low4(self.offset) });
        out.extend_from_slice(self.name.as_bytes());
        if extra == 0 {
            return;
        }
        put2(out, 1);
        put2(out, extra);
        if self.is_large {
            put8(out, self.size);
            put8(out, self.packed);
        }
        if is_far {
            put8(out, self.offset);
        }
    }
}

/// The time in UTC as MS-DOS had it: seconds by two, from 1980 to 2107.
fn dos_time(time: SystemTime) -> u32 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    // `2026-11-27T08:00:00Z`, with a fraction perhaps.
    let text = timestamp(i64::try_from(since.as_millis()).unwrap_or(0));
    let field = |from: usize, to: usize| {
        let digits = text.get(from..to);
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let fields = [(0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19)];
    let [
        Some(year),
        Some(month),
        Some(day),
        Some(hour),
        Some(minute),
        Some(second),
    ] = fields.map(|(from, to)| field(from, to))
    else {
        return 0;
    };
    if !(1980..=2107).contains(&year) {
        return 0;
    }
    let date = (year - 1980) << 9 | month << 5 | day;
    date << 16 | hour << 11 | minute << 5 | (second / 2)
}

/// The length of a name, which is a path of at most 4,096 bytes.
fn length(name: &str) -> u16 {
    low2(name.len() as u64)
}

/// Of a number that fits; others are in the fields of Zip64.
fn low2(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn low4(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn put2(out: &mut Vec<u8>, number: u16) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put4(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put8(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;
    use std::process::Command;
    use std::time::Duration;

    use super::*;

    /// As if so many bytes came before, in a file that has a hole there.
    fn unpacked_by_python(from: u64, program: &str, add_all: impl FnOnce(&mut Zip, &mut Vec<u8>)) {
        let mut zip = Zip {
            written: from,
            ..Zip::default()
        };
        let mut out = Vec::new();
        add_all(&mut zip, &mut out);
        while zip.directory(1000, &mut out) {}
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::File::write_all_at(file.as_file(), &out, from).unwrap();
        let output = Command::new("python3")
            .args([
                "-c",
                &format!("import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\n{program}"),
            ])
            .arg(file.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn add(zip: &mut Zip, name: &str, size: u64, content: &[u8], out: &mut Vec<u8>) {
        let mut file = zip.begin(name, size, None, out);
        file.write(content, out);
        zip.end(file, out);
    }

    #[test]
    fn what_does_not_fit_in_32_bits_is_zip64() {
        let program = "assert z.testzip() is None and z.read('far') == b'x' and z.read('large') == b'yy'\n\
                       assert z.getinfo('far').header_offset == 5 << 30";
        unpacked_by_python(5 << 30, program, |zip, out| {
            add(zip, "far", 1, b"x", out);
            add(zip, "large", LARGE, b"yy", out);
        });
        let program = "assert z.read('large') == b'yy' and z.getinfo('large').header_offset == 0";
        unpacked_by_python(0, program, |zip, out| add(zip, "large", LARGE, b"yy", out));
    }

    #[test]
    fn more_files_than_16_bits_count_are_zip64() {
        let program = "assert len(z.namelist()) == 70000 and z.read('69999') == b'69999'";
        unpacked_by_python(0, program, |zip, out| {
            for number in 0..70_000 {
                let name = number.to_string();
                add(zip, &name, 5, name.as_bytes(), out);
            }
        });
    }

    #[test]
    fn times_are_as_dos_had_them() {
        let at = |seconds| dos_time(UNIX_EPOCH + Duration::from_secs(seconds));
        // 2026-11-27 08:01:03
        let date = 46 * 512 + 11 * 32 + 27;
        assert_eq!(at(1_795_766_463), date << 16 | 8 << 11 | 1 << 5 | 1);
        assert_eq!(at(0), 0, "before 1980");
    }
}
