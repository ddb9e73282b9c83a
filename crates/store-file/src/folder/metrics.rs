//! Metric files of a run: the latest values, read again only where lines were
//! added, and the history.

use std::collections::HashMap;
use std::io::{Seek, SeekFrom};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;

use runledger_entities::{Metric, MetricModel};

use super::Scratch;
use crate::FolderError;
use crate::layout::{RunFolder, key_path};
use crate::metric_line::{Latest, LineError, Owner, Point, read_points};
use crate::safe_dir::{Entry, FileState, Folder, OpenFile};
use crate::write::{self, Sync, Torn};

const METRICS: &str = "metrics";

/// What is known of one metric file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricFile {
    /// The metric's name.
    pub(crate) key: String,
    /// The file as it was when it was read.
    pub(crate) state: FileState,
    /// Bytes of whole lines that were read.
    pub(crate) read: u64,
    /// The current value; none before the first whole line.
    pub(crate) latest: Option<Latest>,
}

/// What is known of a run's metric files, ordered by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct MetricFiles(pub(crate) Vec<MetricFile>);

impl MetricFiles {
    fn get(&self, key: &str) -> Option<&MetricFile> {
        let at = self.0.binary_search_by(|file| file.key.as_str().cmp(key));
        at.ok().map(|at| &self.0[at])
    }

    /// The current values, as a run has them.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let metrics = self.0.iter().filter_map(|file| {
            let latest = file.latest.as_ref()?;
            let dataset = latest.dataset.as_deref();
            Some(Metric {
                key: file.key.clone(),
                value: latest.value,
                timestamp: latest.timestamp,
                step: latest.step,
                model: dataset.map(|(name, digest)| Box::new(of_dataset(name, digest))),
            })
        });
        metrics.collect()
    }
}

fn of_dataset(name: &str, digest: &str) -> MetricModel {
    MetricModel {
        model_id: None,
        dataset_name: Some(name.to_owned()),
        dataset_digest: Some(digest.to_owned()),
    }
}

/// Reads the metric files of a run; of those in `previous` only what was added.
pub(super) fn read(
    folder: &Folder,
    previous: Option<&MetricFiles>,
    buffer: &mut Vec<u8>,
) -> Result<MetricFiles, FolderError> {
    let mut files = Vec::with_capacity(previous.map_or(0, |files| files.0.len()));
    folder.walk(METRICS, &mut |entry| {
        let before = previous.and_then(|files| files.get(entry.key));
        if let Some(before) = before
            && entry.state()? == Some(before.state)
        {
            files.push(before.clone());
        } else if let Some(file) = entry.open()? {
            files.push(read_file(entry, file, before, buffer)?);
        }
        Ok(())
    })?;
    files.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    Ok(MetricFiles(files))
}

fn read_file(
    entry: &Entry<'_>,
    file: OpenFile,
    before: Option<&MetricFile>,
    buffer: &mut Vec<u8>,
) -> Result<MetricFile, FolderError> {
    let OpenFile { mut file, state } = file;
    let failed = |error| FolderError::io("read", entry.path(), error);
    let mut known = MetricFile {
        key: entry.key.to_owned(),
        state,
        read: 0,
        latest: None,
    };
    if let Some(before) = before
        && before.state.inode == state.inode
        && before.read > 0
        && state.size >= before.read
        && ends_line(&file, before.read).map_err(failed)?
    {
        known.read = before.read;
        known.latest.clone_from(&before.latest);
        file.seek(SeekFrom::Start(known.read)).map_err(failed)?;
    }
    let span = (known.read, state.size);
    let latest = &mut known.latest;
    let progress = read_points(&mut file, Owner::Run, span, buffer, |point, _| {
        Latest::fold(latest, point);
        ControlFlow::Continue(())
    })
    .map_err(|error| FolderError::line(entry.path(), error))?;
    known.read = progress.end;
    Ok(known)
}

/// Whether what was read before ends where a line ends: otherwise the file is
/// another one, written in the place of the one we know.
fn ends_line(file: &std::fs::File, end: u64) -> std::io::Result<bool> {
    let mut byte = [0];
    Ok(file.read_at(&mut byte, end - 1)? == 1 && byte == *b"\n")
}

/// Gives the points of a metric to `visit` in the order of the file, until it
/// breaks off. A metric that is not there has none.
pub(crate) fn history(
    run: &RunFolder,
    key: &str,
    scratch: &mut Scratch,
    mut visit: impl FnMut(&Point<'_>) -> ControlFlow<()>,
) -> Result<(), FolderError> {
    let path = key_path(METRICS, key)?;
    let OpenFile { mut file, state } = match run.folder.open(&path) {
        // The key may be a folder of other keys.
        Err(error) if error.is_missing() || run.folder.is_folder(&path) => return Ok(()),
        file => file?,
    };
    read_points(
        &mut file,
        Owner::Run,
        (0, state.size),
        &mut scratch.lines,
        |point, _| visit(point),
    )
    .map(drop)
    .map_err(|error: LineError| FolderError::line(run.folder.path_of(&path), error))
}

/// Appends points to the metric files of a run, one write per key.
///
/// Points that are there already are appended again. What logged model a point
/// belongs to stands in the model's own files.
pub(crate) fn append_metrics(
    run: &RunFolder,
    metrics: &[Metric],
    sync: Sync,
) -> Result<(), FolderError> {
    let points = metrics.iter().map(|metric| {
        let model = metric.model.as_deref();
        let point = Point {
            value: metric.value,
            timestamp: metric.timestamp,
            step: metric.step,
            run_id: None,
            dataset: model.and_then(|model| {
                model
                    .dataset_name
                    .as_deref()
                    .zip(model.dataset_digest.as_deref())
            }),
        };
        (metric.key.as_str(), point)
    });
    append(&run.folder, points, sync)
}

/// Appends points below `folder`, grouped by key.
pub(super) fn append<'a>(
    folder: &Folder,
    points: impl Iterator<Item = (&'a str, Point<'a>)>,
    sync: Sync,
) -> Result<(), FolderError> {
    // All keys are checked before the first is written.
    let mut order: Vec<(String, String)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (key, point) in points {
        let next = order.len();
        let place = *places.entry(key).or_insert(next);
        if place == next {
            order.push((key_path(METRICS, key)?, String::new()));
        }
        point.print(&mut order[place].1);
    }
    for (path, lines) in order {
        write::append_lines(folder, &path, lines.as_bytes(), Torn::Blanked, sync)?;
    }
    Ok(())
}
