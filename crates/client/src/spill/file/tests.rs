//! What is written to a file of unsent data, and read back.

use runledger_entities::{Metric, Param, Tag};

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
    assert_eq!((third.batch.metrics.len(), third.end), (501, None));
    file.advance(third.until).expect("written");
    let end = file.unsent().expect("readable");
    assert_eq!((end.count(), end.end), (1, Some((RunStatus::Failed, 7))));
    file.advance(end.until).expect("written");
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
fn nothing_goes_out_with_what_may_be_refused_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let param = |value: &str| Record::Param(Param::new("p", value));
    let tag = |key: &str| Record::Tag(Tag::new(key, "x"));
    let records = [
        record(1),
        record(2),
        param("1"),
        param("2"),
        tag("a"),
        tag("b"),
        tag("a"),
    ];
    let mut file = create(folder.path(), &records);
    let mut counts = Vec::new();
    while !file.is_sent() {
        let unsent = file.unsent().expect("readable");
        counts.push(unsent.count());
        file.advance(unsent.until).expect("written");
    }
    assert_eq!(counts, [2, 1, 1, 2, 1]);
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
