//! Traces, under the ids that they had.
//!
//! Of a trace its spans come first, and what is known about it as a whole last: it is
//! finalized then, and told from one that was cut short.

use std::collections::HashMap;
use std::path::Path;

use runledger::Client;
use runledger_entities::{
    Assessment, AssessmentId, ExperimentId, LoggedModelId, TraceId, TraceInfo, trace_keys, validate,
};
use runledger_protocol::messages::{spans, traces as messages};

use super::{INCOMPLETE, Known};
use crate::command::CommandError;
use crate::transfer::{Done, SPANS, TRACE, TRACES, files, is_lacking};

/// Traces that are looked up together.
const PAGE: usize = 100;

/// Spans that are sent together, and the bytes that they may have.
const SPANS_TOGETHER: usize = 1000;
const SPAN_BYTES: usize = 4 << 20;

/// The metadata of a trace that names the logged model it is of.
const MODEL_ID: &str = "mlflow.modelId";

/// Tags that say where a trace is kept: the store that it comes into sets its own.
const PLACES: [&str; 4] = [
    trace_keys::ARTIFACT_LOCATION,
    trace_keys::SPANS_LOCATION,
    trace_keys::ARCHIVE_LOCATION,
    trace_keys::ARCHIVAL_FAILURE,
];

/// Reads the traces of an experiment.
pub(super) async fn import(
    client: &Client,
    (directory, target): (&Path, ExperimentId),
    known: &Known<'_>,
    done: &mut Done,
) -> Result<(), CommandError> {
    let folder = directory.join(TRACES);
    let (mut taken, mut without_spans) = (0, 0);
    let mut names = files::names(&folder, TRACE).await?;
    let spans = SPANS.trim_end_matches(TRACE);
    names.retain(|name| !name.ends_with(spans));
    for names in names.chunks(PAGE) {
        let ids: Vec<TraceId> = names.iter().map(TraceId::new).collect();
        let there = match client.traces().get_trace_infos(ids, None).await {
            Err(error) if is_lacking(&error) => {
                done.left_out.push(format!(
                    "the traces in {} were left out: {} takes none, which needs MLflow 3 with a \
                     database",
                    folder.display(),
                    client.uri()
                ));
                return Ok(());
            }
            there => there?,
        };
        let there = there.into_iter().map(|info| (info.trace_id.clone(), info));
        let there: HashMap<TraceId, TraceInfo> = there.collect();
        for name in names {
            let id = TraceId::new(name);
            match there.get(&id) {
                Some(info) if info.experiment_id != target => {
                    taken += 1;
                    continue;
                }
                // Its assessments would come twice.
                Some(info) if info.tags.contains_key(INCOMPLETE) => {
                    client.delete_traces(target, &[id]).await?;
                }
                Some(info) if info.metadata.contains_key(trace_keys::FINALIZED) => {
                    done.traces.before += 1;
                    continue;
                }
                _ => {}
            }
            let has_spans = one(client, (folder.as_path(), name.as_str()), target, known).await?;
            without_spans += usize::from(!has_spans);
            done.traces.now += 1;
        }
    }
    if taken > 0 {
        done.left_out.push(format!(
            "{taken} traces in {} were left out: traces of these ids are in other experiments",
            folder.display()
        ));
    }
    if without_spans > 0 {
        done.left_out.push(format!(
            "the spans of {without_spans} traces in {} were left out: {} takes none",
            folder.display(),
            client.uri()
        ));
    }
    Ok(())
}

/// Reads a trace; whether its spans were taken, if it has any.
async fn one(
    client: &Client,
    (folder, name): (&Path, &str),
    target: ExperimentId,
    known: &Known<'_>,
) -> Result<bool, CommandError> {
    let file = folder.join(format!("{name}{TRACE}"));
    let text = files::read(&file).await?;
    let mut info = messages::read_info(&text).map_err(|error| files::unreadable(&file, &error))?;
    if info.trace_id.as_str() != name {
        return Err(CommandError::Refused(format!(
            "{} holds the trace '{}': it should be named after it",
            file.display(),
            info.trace_id
        )));
    }
    validate::trace_info(&info).map_err(|error| files::unreadable(&file, &error))?;
    info.experiment_id = target;
    rename(&mut info, known);
    let id = info.trace_id.clone();
    let has_spans = log_spans(client, &folder.join(format!("{name}{SPANS}")), &id, target).await?;
    // What takes the place of another makes that invalid, which is not told.
    let assessments = std::mem::take(&mut info.assessments);
    let (later, told): (Vec<_>, Vec<_>) = assessments
        .into_iter()
        .partition(|assessment| assessment.overrides.is_some());
    info.assessments = told;
    let is_whole = later.is_empty();
    if !is_whole {
        info.tags.insert(INCOMPLETE.to_owned(), "true".to_owned());
    }
    client.traces().start_trace(info).await?;
    if !is_whole {
        assess(client, later).await?;
        client.delete_trace_tag(&id, INCOMPLETE).await?;
    }
    Ok(has_spans)
}

/// Gives a trace the ids that runs and models have now, and takes from it what the store
/// sets.
fn rename(info: &mut TraceInfo, known: &Known<'_>) {
    for key in PLACES {
        info.tags.remove(key);
    }
    let finalized = "true".to_owned();
    info.metadata
        .insert(trace_keys::FINALIZED.to_owned(), finalized);
    if let Some(run) = info.metadata.get_mut(trace_keys::SOURCE_RUN)
        && let Some(now) = known.runs.get(run.as_str())
    {
        now.as_str().clone_into(run);
    }
    if let Some(model) = info.metadata.get_mut(MODEL_ID)
        && let Some(now) = known.models.now(&LoggedModelId::new(model.as_str()))
    {
        now.as_str().clone_into(model);
    }
    for assessment in &mut info.assessments {
        if let Some(run) = assessment.metadata.get_mut(trace_keys::ASSESSMENT_RUN)
            && let Some(now) = known.runs.get(run.as_str())
        {
            now.as_str().clone_into(run);
        }
    }
}

/// Sends the spans in a file, if it is there; whether they were taken.
async fn log_spans(
    client: &Client,
    file: &Path,
    trace: &TraceId,
    target: ExperimentId,
) -> Result<bool, CommandError> {
    if !files::is_there(file).await? {
        return Ok(true);
    }
    let text = files::read(file).await?;
    let kept = str::from_utf8(&text).ok().and_then(spans::read_file);
    let kept = kept
        .ok_or_else(|| CommandError::Refused(format!("{} is no file of spans", file.display())))?;
    let mut rest = &kept[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fitting = rest.iter().take(SPANS_TOGETHER).take_while(|span| {
            bytes += span.content.len();
            bytes <= SPAN_BYTES
        });
        let (part, after) = rest.split_at(fitting.count().max(1));
        rest = after;
        let spans = spans::kept(trace, part);
        let spans = spans.map_err(|error| files::unreadable(file, &error))?;
        match client.traces().log_spans(target, spans).await {
            Err(error) if is_lacking(&error) => return Ok(false),
            logged => logged?,
        }
    }
    Ok(true)
}

/// Adds assessments that take the place of others, the oldest first.
async fn assess(client: &Client, mut later: Vec<Assessment>) -> Result<(), CommandError> {
    later.sort_by_key(|assessment| assessment.create_time);
    // A server may give them other ids.
    let mut now: HashMap<AssessmentId, AssessmentId> = HashMap::new();
    for mut assessment in later {
        let before = assessment.assessment_id.clone();
        if let Some(other) = &mut assessment.overrides
            && let Some(now) = now.get(&*other)
        {
            other.clone_from(now);
        }
        let made = client.log_assessment(assessment).await?;
        now.insert(before, made.assessment_id);
    }
    Ok(())
}
