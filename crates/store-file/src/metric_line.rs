//! The lines of metric files: one point each, appended and never changed.
//!
//! Which file is whose, and opening it, is left to `folder`. A file is read in
//! pieces of one buffer, whatever its size; how far it was read is a byte
//! offset, so that a later read takes only what was appended.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::ops::ControlFlow;

use runledger_entities::validate::python_float;

use crate::python_number;

/// Bytes of the longest line. MLflow's own have some 50.
pub(crate) const MAX_LINE_BYTES: usize = 64 * 1024;

/// Whose metric a file holds: the forms of its lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// `timestamp value [step [dataset_name dataset_digest]]`
    Run,
    /// `timestamp value step run_id [dataset_name dataset_digest]`
    LoggedModel,
}

/// One point, as a line has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point<'a> {
    /// The value; may be NaN or infinite.
    pub(crate) value: f64,
    /// Milliseconds since the epoch.
    pub(crate) timestamp: i64,
    /// The training step.
    pub(crate) step: i64,
    /// The run that measured it, in the files of logged models.
    pub(crate) run_id: Option<&'a str>,
    /// Name and digest of the dataset it was measured on (MLflow 3.x).
    pub(crate) dataset: Option<(&'a str, &'a str)>,
}

impl<'a> Point<'a> {
    /// The point of a line without its newline; else what is wrong with it.
    ///
    /// In the form with five fields MLflow 3.17 ignores the step that it wrote;
    /// here it counts.
    pub(crate) fn parse(line: &'a str, owner: Owner) -> Result<Self, String> {
        let mut fields = [""; 6];
        let mut count = 0;
        let mut rest = Some(line.trim());
        while let Some(text) = rest {
            // Fields are short: a plain loop finds their ends soonest.
            let end = text.bytes().position(|byte| byte == b' ');
            let (field, after) =
                end.map_or((text, None), |end| (&text[..end], Some(&text[end + 1..])));
            if let Some(slot) = fields.get_mut(count) {
                *slot = field;
            }
            count += 1;
            rest = after;
        }
        let [timestamp, value, step, fourth, fifth, sixth] = fields;
        let (step, run_id, dataset) = match (owner, count) {
            (Owner::Run, 2) => ("0", None, None),
            (Owner::Run, 3) => (step, None, None),
            (Owner::Run, 5) => (step, None, Some((fourth, fifth))),
            (Owner::LoggedModel, 4) => (step, Some(fourth), None),
            (Owner::LoggedModel, 6) => (step, Some(fourth), Some((fifth, sixth))),
            (Owner::Run, _) => return Err(format!("{count} fields; expected 2, 3 or 5")),
            (Owner::LoggedModel, _) => return Err(format!("{count} fields; expected 4 or 6")),
        };
        let integer = |name: &str, text: &str| {
            python_number::int(text).ok_or_else(|| format!("{name} '{}' is no integer", cut(text)))
        };
        Ok(Self {
            timestamp: integer("the timestamp", timestamp)?,
            value: python_number::float(value)
                .ok_or_else(|| format!("the value '{}' is no number", cut(value)))?,
            step: integer("the step", step)?,
            run_id,
            dataset,
        })
    }

    /// Appends the line, with its newline.
    ///
    /// A dataset whose name or digest is empty or has white space is left out:
    /// it would make the line unreadable for MLflow.
    pub(crate) fn print(&self, out: &mut String) {
        let value = python_float(self.value);
        // Writing to a string does not fail.
        let _ = write!(out, "{} {value} {}", self.timestamp, self.step);
        let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        let dataset = self.dataset.filter(|(n, d)| is_word(n) && is_word(d));
        let words = self.run_id.into_iter();
        for word in words.chain(dataset.into_iter().flat_map(|(n, d)| [n, d])) {
            out.push(' ');
            out.push_str(word);
        }
        out.push('\n');
    }
}

/// Text cut to what a message can carry.
fn cut(text: &str) -> &str {
    text.char_indices()
        .nth(80)
        .map_or(text, |(end, _)| &text[..end])
}

/// How far a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The offset after the last whole line.
    pub(crate) end: u64,
    /// Bytes after it: a line that is being written, or that a crash cut off.
    pub(crate) torn: u64,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum LineError {
    /// The file cannot be read.
    Io(io::Error),
    /// The line that begins at this offset is no point.
    Malformed {
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Reads the points of `reader`, which stands at `offset` of the file, up to
/// offset `until`, and gives each to `visit` with the offset after its line, until
/// it breaks off.
///
/// A last line without a newline is not a line yet. `buffer` is only room to
/// work in, kept between files.
pub(crate) fn read_points(
    reader: &mut impl Read,
    owner: Owner,
    (mut offset, until): (u64, u64),
    buffer: &mut Vec<u8>,
    mut visit: impl FnMut(&Point<'_>, u64) -> ControlFlow<()>,
) -> Result<Progress, LineError> {
    let mut kept = 0;
    loop {
        let left = until.saturating_sub(offset + kept as u64);
        // Room for one longest line and its newline, and no more than is there.
        let room = usize::try_from(left)
            .map_or(MAX_LINE_BYTES, |left| left.min(MAX_LINE_BYTES + 1 - kept));
        if buffer.len() < kept + room {
            buffer.resize(kept + room, 0);
        }
        let read = match room {
            0 => 0,
            _ => match reader.read(&mut buffer[kept..kept + room]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                answer => answer.map_err(LineError::Io)?,
            },
        };
        if read == 0 {
            return Ok(Progress {
                end: offset,
                torn: kept as u64,
            });
        }
        let filled = kept + read;
        let mut start = 0;
        while let Some(length) = buffer[start..filled].iter().position(|b| *b == b'\n') {
            let malformed = |reason: String| LineError::Malformed { offset, reason };
            let line = std::str::from_utf8(&buffer[start..start + length])
                .map_err(|_| malformed("not UTF-8".to_owned()))?;
            let point = Point::parse(line, owner).map_err(malformed)?;
            start += length + 1;
            offset += length as u64 + 1;
            if visit(&point, offset).is_break() {
                return Ok(Progress {
                    end: offset,
                    torn: 0,
                });
            }
        }
        kept = filled - start;
        if kept > MAX_LINE_BYTES {
            return Err(LineError::Malformed {
                offset,
                reason: format!("a line of more than {MAX_LINE_BYTES} bytes"),
            });
        }
        buffer.copy_within(start..filled, 0);
    }
}

/// The current value of a metric: its greatest point by (step, timestamp, value).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Latest {
    /// The value; may be NaN or infinite.
    pub(crate) value: f64,
    /// Milliseconds since the epoch.
    pub(crate) timestamp: i64,
    /// The training step.
    pub(crate) step: i64,
    /// The run that measured it, in the files of logged models.
    pub(crate) run_id: Option<String>,
    /// Name and digest of the dataset it was measured on.
    pub(crate) dataset: Option<Box<(String, String)>>,
}

impl Latest {
    /// Takes a point into account.
    ///
    /// No value is greater or less than NaN: of points with equal step and
    /// timestamp, the one that came first stays where either is NaN.
    pub(crate) fn fold(latest: &mut Option<Self>, point: &Point<'_>) {
        let replaces = latest.as_ref().is_none_or(|latest| {
            let (new, old) = (
                (point.step, point.timestamp),
                (latest.step, latest.timestamp),
            );
            new > old || (new == old && point.value > latest.value)
        });
        if replaces {
            *latest = Some(Self {
                value: point.value,
                timestamp: point.timestamp,
                step: point.step,
                run_id: point.run_id.map(str::to_owned),
                dataset: point
                    .dataset
                    .map(|(name, digest)| Box::new((name.to_owned(), digest.to_owned()))),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8], from: u64) -> (Vec<(f64, i64, i64, u64)>, Progress) {
        let mut found = Vec::new();
        let rest = &text[usize::try_from(from).unwrap()..];
        // One byte at a time, so that every boundary occurs.
        let mut reader = rest
            .iter()
            .fold(Box::new(io::empty()) as Box<dyn Read>, |before, byte| {
                Box::new(before.chain(std::slice::from_ref(byte)))
            });
        let progress = read_points(
            &mut reader,
            Owner::Run,
            (from, u64::MAX),
            &mut Vec::new(),
            |p, end| {
                found.push((p.value, p.timestamp, p.step, end));
                ControlFlow::Continue(())
            },
        )
        .unwrap();
        (found, progress)
    }

    #[test]
    fn a_torn_line_is_read_once_it_is_whole() {
        let text = b"1 0.5 0\n2 0.25 1\n3 0.12";
        let (points, progress) = read(text, 0);
        assert_eq!(points, [(0.5, 1, 0, 8), (0.25, 2, 1, 17)]);
        assert_eq!(progress, Progress { end: 17, torn: 6 });
        let (points, progress) = read(b"1 0.5 0\n2 0.25 1\n3 0.125 2\n", progress.end);
        assert_eq!(points, [(0.125, 3, 2, 27)]);
        assert_eq!(progress, Progress { end: 27, torn: 0 });
    }

    #[test]
    fn every_form_is_read_and_no_other() {
        for (line, owner, step, run, dataset) in [
            ("1 2", Owner::Run, 0, None, None),
            (" 1 2.0 3 \r", Owner::Run, 3, None, None),
            ("1 2 3 d 9", Owner::Run, 3, None, Some(("d", "9"))),
            ("1 2 3 r", Owner::LoggedModel, 3, Some("r"), None),
            (
                "1 2 3 r d 9",
                Owner::LoggedModel,
                3,
                Some("r"),
                Some(("d", "9")),
            ),
        ] {
            let point = Point::parse(line, owner).unwrap();
            assert_eq!((point.value, point.timestamp, point.step), (2.0, 1, step));
            assert_eq!((point.run_id, point.dataset), (run, dataset), "{line}");
        }
        for line in [
            "", "1", "1  2 3", "1\t2\t3", "1 2 3 4", "1.5 2", "1 2 3.0", "1 x 2",
        ] {
            assert!(Point::parse(line, Owner::Run).is_err(), "{line}");
        }
    }

    #[test]
    fn a_line_without_end_takes_no_memory() {
        let mut buffer = Vec::new();
        let error = read_points(
            &mut io::repeat(b'1'),
            Owner::Run,
            (0, 1 << 30),
            &mut buffer,
            |_, _| ControlFlow::Continue(()),
        );
        assert!(matches!(error, Err(LineError::Malformed { offset: 0, .. })));
        assert!(buffer.capacity() <= 4 * MAX_LINE_BYTES);
    }

    #[test]
    fn nan_neither_replaces_nor_is_replaced_at_the_same_time() {
        let latest = |points: &[(f64, i64, i64)]| {
            let mut latest = None;
            for (value, timestamp, step) in points {
                let line = format!("{timestamp} {} {step}", python_float(*value));
                Latest::fold(&mut latest, &Point::parse(&line, Owner::Run).unwrap());
            }
            latest.unwrap().value
        };
        assert!(latest(&[(f64::NAN, 1, 0), (2.0, 1, 0)]).is_nan());
        assert!((latest(&[(2.0, 1, 0), (f64::NAN, 1, 0)]) - 2.0).abs() < 1e-9);
        assert!(latest(&[(2.0, 1, 0), (f64::NAN, 2, 0)]).is_nan());
        assert!((latest(&[(2.0, 9, 0), (3.0, 1, 1), (1.0, 1, 1)]) - 3.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(bits: u64, timestamp: i64, step: i64, run in "[a-f0-9]{4}") {
            let value = f64::from_bits(bits);
            for (owner, run_id) in [(Owner::Run, None), (Owner::LoggedModel, Some(run.as_str()))] {
                for dataset in [None, Some(("d", "9"))] {
                    let point = Point { value, timestamp, step, run_id, dataset };
                    let mut line = String::new();
                    point.print(&mut line);
                    let read = Point::parse(line.trim_end_matches('\n'), owner).unwrap();
                    prop_assert!(read == point || (value.is_nan() && read.value.is_nan()));
                }
            }
        }
    }
}
