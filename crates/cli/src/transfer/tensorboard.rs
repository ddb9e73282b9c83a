//! Event files of TensorBoard, whose scalars become metrics.
//!
//! `records` takes a file apart, `event` reads what a record says. Each folder with
//! event files becomes a run, named after its path.

mod event;
mod records;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use runledger::Client;
use runledger_entities::{
    ExperimentId, LifecycleStage, Metric, RunId, RunInfo, RunStatus, limits, validate,
};
use tokio::sync::mpsc;

use self::records::{Record, Records};
use super::Done;
use super::import::{Imported, begin, end, log, target};
use crate::args::TransferImportArgs;
use crate::command::CommandError;
use crate::tracking::{self, Access};

/// What is in the name of an event file.
const EVENTS: &str = "tfevents";

/// The most folders and files that are looked at.
const ENTRIES: usize = 1_000_000;

/// Batches that wait for the store.
const WAITING: usize = 4;

pub(super) async fn import(args: &TransferImportArgs) -> Result<Done, CommandError> {
    let root = args.directory.clone();
    let found = blocking(move || runs(&root)).await?;
    if found.is_empty() {
        return Err(CommandError::Refused(format!(
            "there is no event file in {}: their names contain `{EVENTS}`",
            args.directory.display()
        )));
    }
    let client = tracking::open(&args.moving.tracking, Access::Write).await?;
    let name = args.experiment_name.as_deref().unwrap_or_default();
    let experiment = target(&client, name, Vec::new()).await?;
    let mut there = Imported::of(&client, experiment.experiment_id).await?;
    let mut done = Done {
        experiments: 1,
        ..Done::default()
    };
    for run in found {
        if there.settle(&client, &run.source).await?.is_some() {
            done.runs.before += 1;
            continue;
        }
        one(&client, experiment.experiment_id, run, &mut done).await?;
    }
    Ok(done)
}

/// A folder with event files.
#[derive(Debug)]
struct Run {
    name: String,
    /// By what it is known again, wherever the root is: the path of its first file below
    /// the root. The name of that has the time and the machine of its writer, and tells it
    /// from a run in a folder of the same name below another root.
    source: String,
    files: Vec<PathBuf>,
}

/// Does something that blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(CommandError::Start(io::Error::other(error))))
}

/// The folders with event files, by name. Links are not followed.
fn runs(root: &Path) -> Result<Vec<Run>, CommandError> {
    let root = root.canonicalize().map_err(CommandError::file(root))?;
    let mut found = Vec::new();
    let mut ahead = vec![root.clone()];
    let mut seen = 0;
    while let Some(directory) = ahead.pop() {
        let failed = || CommandError::file(&directory);
        let mut files = Vec::new();
        for entry in directory.read_dir().map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let kind = entry.file_type().map_err(failed())?;
            if kind.is_dir() {
                ahead.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().contains(EVENTS) {
                files.push(entry.path());
            }
            seen += 1;
            if seen > ENTRIES {
                return Err(CommandError::Refused(format!(
                    "{} holds more than {ENTRIES} files: import its folders one by one",
                    root.display()
                )));
            }
        }
        if files.is_empty() {
            continue;
        }
        // The names begin with the time.
        files.sort_unstable();
        let inner = directory.strip_prefix(&root).unwrap_or(&directory);
        let named = if inner.as_os_str().is_empty() {
            root.file_name().map_or(inner, Path::new)
        } else {
            inner
        };
        let name = named.to_string_lossy();
        let folder = Path::new(directory.file_name().unwrap_or_default());
        let source = folder.join(files[0].file_name().unwrap_or_default());
        found.push(Run {
            name: name.chars().take(limits::RUN_NAME).collect(),
            source: source.to_string_lossy().into_owned(),
            files,
        });
    }
    tell_apart(&mut found, &root);
    found.sort_unstable_by(|a, b| a.source.cmp(&b.source));
    Ok(found)
}

/// Gives runs whose folders and files have the same names the paths below the root for sources.
/// Otherwise a run is known again by another root.
fn tell_apart(found: &mut [Run], root: &Path) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for run in &*found {
        *counts.entry(run.source.clone()).or_default() += 1;
    }
    for run in found {
        if counts.get(&run.source).is_some_and(|count| *count > 1) {
            let first = run.files[0].strip_prefix(root).unwrap_or(&run.files[0]);
            run.source = first.to_string_lossy().into_owned();
        }
    }
}

/// A part of what the files of a run say.
enum Part {
    /// The time of an event, in milliseconds since the epoch.
    Began(i64),
    Points(Vec<Metric>),
    /// The time of the last event, and what could not be read.
    Ended(Option<i64>, Vec<String>),
}

async fn one(
    client: &Client,
    experiment: ExperimentId,
    run: Run,
    done: &mut Done,
) -> Result<(), CommandError> {
    let mut info = RunInfo {
        run_id: RunId::new(&run.source),
        experiment_id: experiment,
        run_name: Some(run.name.clone()),
        user_id: String::new(),
        status: RunStatus::Finished,
        start_time: 0,
        end_time: None,
        artifact_uri: String::new(),
        lifecycle_stage: LifecycleStage::Active,
    };
    let (sender, mut parts) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking(move || read(&run.files, &sender));
    let mut id = None;
    while let Some(part) = parts.recv().await {
        match part {
            Part::Began(time) => {
                info.start_time = time;
                id = Some(begin(client, experiment, &info).await?);
            }
            Part::Points(points) => {
                done.points += points.len();
                if let Some(id) = &id {
                    log(client, id, points).await?;
                }
            }
            Part::Ended(time, left_out) => {
                info.end_time = time;
                done.left_out.extend(left_out);
            }
        }
    }
    let read = reading.await;
    read.unwrap_or_else(|error| Err(CommandError::Start(io::Error::other(error))))?;
    if let Some(id) = id {
        end(client, &id, &info).await?;
        done.runs.now += 1;
    }
    Ok(())
}

/// Reads files, and sends what they say. Ends early if nobody listens any more.
fn read(files: &[PathBuf], sender: &mpsc::Sender<Part>) -> Result<(), CommandError> {
    let send = |part| sender.blocking_send(part).is_ok();
    let mut points = Vec::new();
    let mut left_out = Vec::new();
    let mut last: Option<i64> = None;
    let mut names = Names::default();
    for path in files {
        let file = File::open(path).map_err(CommandError::file(path))?;
        let mut records = Records::new(BufReader::new(file));
        loop {
            let record = match records.next().map_err(CommandError::file(path))? {
                Record::Whole(record) => record,
                Record::End => break,
                Record::Damaged => {
                    left_out.push(format!(
                        "{} is damaged: what follows its first {} records was left out",
                        path.display(),
                        records.count()
                    ));
                    break;
                }
            };
            let Ok(event) = event::read(record) else {
                left_out.push(format!(
                    "{} holds a record that is no event: it was left out",
                    path.display()
                ));
                break;
            };
            if last.is_none() && !send(Part::Began(event.time_ms)) {
                return Ok(());
            }
            last = Some(last.unwrap_or(event.time_ms).max(event.time_ms));
            for (tag, value) in event.scalars {
                match names.of(&tag) {
                    (Some(key), _) => {
                        points.push(Metric::new(key, value, event.time_ms.max(0), event.step));
                    }
                    (None, true) => left_out.push(format!(
                        "the tag '{tag}' of {} is no name of a metric: its points were left out",
                        path.display()
                    )),
                    (None, false) => {}
                }
            }
            if points.len() >= limits::BATCH_METRICS {
                let rest = points.split_off(limits::BATCH_METRICS);
                if !send(Part::Points(std::mem::replace(&mut points, rest))) {
                    return Ok(());
                }
            }
        }
    }
    let _ = send(Part::Points(points)) && send(Part::Ended(last, left_out));
    Ok(())
}

/// The names that the tags of a run have as metrics, each a name of its own.
#[derive(Debug, Default)]
struct Names {
    /// `None` for a tag that no metric can be named after.
    keys: HashMap<String, Option<String>>,
    /// Names, with the number that was put last behind them.
    taken: HashMap<String, u32>,
}

impl Names {
    /// The name of a tag, and whether the tag is a new one.
    fn of(&mut self, tag: &str) -> (Option<&str>, bool) {
        let is_new = !self.keys.contains_key(tag);
        if is_new {
            let key = key(tag).map(|key| self.free(&key));
            self.keys.insert(tag.to_owned(), key);
        }
        (self.keys.get(tag).and_then(Option::as_deref), is_new)
    }

    /// The name, with a number behind it if another tag has become it already.
    fn free(&mut self, key: &str) -> String {
        let mut free = key.to_owned();
        while self.taken.contains_key(&free) {
            let number = self.taken.entry(key.to_owned()).or_insert(1);
            *number += 1;
            let end = format!("_{number}");
            free = key.chars().take(limits::KEY - end.len()).collect();
            free += &end;
        }
        self.taken.insert(free.clone(), 1);
        free
    }
}

/// A tag as the name of a metric: what no name may have becomes `_`.
fn key(tag: &str) -> Option<String> {
    let plain = |char: char| {
        if char.is_alphanumeric() || matches!(char, '_' | '-' | '.' | ' ' | ':' | '/') {
            char
        } else {
            '_'
        }
    };
    let plain: String = tag.chars().map(plain).take(limits::KEY).collect();
    let parts = plain.split('/');
    let parts: Vec<_> = parts
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .collect();
    let key = parts.join("/");
    validate::name("key", &key).is_ok().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_names() {
        assert_eq!(key("train/loss").as_deref(), Some("train/loss"));
        assert_eq!(key("/a//b (x)").as_deref(), Some("a/b _x_"));
        assert_eq!(key("../.."), None);
    }

    #[test]
    fn each_tag_has_a_name_of_its_own() {
        let mut names = Names::default();
        for (tag, name, is_new) in [
            ("loss(train)", Some("loss_train_"), true),
            ("loss[train]", Some("loss_train__2"), true),
            ("loss(train)", Some("loss_train_"), false),
            ("loss_train_", Some("loss_train__3"), true),
            ("..", None, true),
            ("..", None, false),
        ] {
            assert_eq!(names.of(tag), (name, is_new));
        }
        let long = "x".repeat(limits::KEY);
        assert_eq!(names.of(&long).0, Some(&*long));
        let longer = format!("{long}y");
        let name = names.of(&longer).0.map(str::to_owned);
        assert_eq!(name, Some(format!("{}_2", &long[2..])));
    }
}
