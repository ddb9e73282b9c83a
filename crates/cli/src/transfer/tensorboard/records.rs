//! The records of a file (`TFRecord`): a length, its checksum, the content, its
//! checksum; numbers have their low bytes first.

use std::io::{self, ErrorKind, Read};

/// The longest record that is read.
const LONGEST: u64 = 256 << 20;

/// What comes next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// A record whose checksums are right.
    Whole(&'a [u8]),
    /// Nothing, or a record that is still being written.
    End,
    /// Something else.
    Damaged,
}

/// The records of a file, one after another.
#[derive(Debug)]
pub(super) struct Records<R> {
    file: R,
    record: Vec<u8>,
    count: u64,
}

impl<R: Read> Records<R> {
    pub(super) fn new(file: R) -> Self {
        Self {
            file,
            record: Vec::new(),
            count: 0,
        }
    }

    /// How many were whole.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn next(&mut self) -> io::Result<Record<'_>> {
        let mut length = [0; 8];
        let Some(sum) = self.checked(&mut length)? else {
            return Ok(Record::End);
        };
        let size = u64::from_le_bytes(length);
        if sum != masked(&length) || size > LONGEST {
            return Ok(Record::Damaged);
        }
        self.record.clear();
        let read = (&mut self.file).take(size).read_to_end(&mut self.record)?;
        let mut sum = [0; 4];
        if (read as u64) < size || !self.exactly(&mut sum)? {
            return Ok(Record::End);
        }
        if u32::from_le_bytes(sum) != masked(&self.record) {
            return Ok(Record::Damaged);
        }
        self.count += 1;
        Ok(Record::Whole(&self.record))
    }

    /// Fills the bytes, and reads their checksum, unless the file ends before.
    fn checked(&mut self, bytes: &mut [u8]) -> io::Result<Option<u32>> {
        let mut sum = [0; 4];
        let is_there = self.exactly(bytes)? && self.exactly(&mut sum)?;
        Ok(is_there.then(|| u32::from_le_bytes(sum)))
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        match self.file.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// CRC-32C, turned and shifted so that a sum of sums is none of zeros.
pub(super) fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The polynomial of CRC-32C with its bits turned around.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// The checksum of each byte.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "less than 256")]
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 1 {
                (sum >> 1) ^ POLYNOMIAL
            } else {
                sum >> 1
            };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

fn crc32c(bytes: &[u8]) -> u32 {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        let place = (sum ^ u32::from(*byte)) & 0xff;
        TABLE[place as usize] ^ (sum >> 8)
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked(&length).to_le_bytes());
        record.extend(content);
        record.extend(masked(content).to_le_bytes());
        record
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn records_come_one_by_one_until_the_file_ends() {
        let mut file = [framed(b"one"), framed(b"")].concat();
        file.extend(&framed(b"being written")[..15]);
        let mut records = Records::new(&file[..]);
        assert_eq!(records.next().unwrap(), Record::Whole(b"one"));
        assert_eq!(records.next().unwrap(), Record::Whole(b""));
        assert_eq!(records.next().unwrap(), Record::End);
        assert_eq!(records.count(), 2);
    }

    #[test]
    fn any_wrong_bit_is_seen() {
        let whole = framed(b"content");
        for at in 0..whole.len() {
            let mut file = whole.clone();
            file[at] ^= 0x10;
            let mut records = Records::new(&file[..]);
            assert_eq!(records.next().unwrap(), Record::Damaged, "byte {at}");
        }
    }
}
