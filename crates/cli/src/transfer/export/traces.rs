//! Traces of an experiment, with their assessments and the spans that are kept beside them.

use runledger::Client;
use runledger_entities::{Coded as _, ErrorCode, StoredSpan, TraceInfo};
use runledger_protocol::messages::{spans, traces as messages};
use runledger_store::{PageRequest, StoreError, TraceQuery};

use super::{Archive, PAGE};
use crate::command::CommandError;
use crate::term::json::pretty;
use crate::transfer::unfinished::Unfinished;
use crate::transfer::{Done, SPANS, TRACE, TRACES, files, is_lacking};

/// Writes the traces of an experiment.
pub(super) async fn export(
    archive: &Archive<'_>,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<(), CommandError> {
    let mut query = TraceQuery {
        experiment_ids: vec![archive.experiment],
        filter: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: PAGE,
            token: None,
        },
    };
    let mut without_spans = 0;
    loop {
        let found = archive.client.traces().search_traces(query.clone());
        let page = match found.await {
            Err(error) if is_lacking(&error) => {
                done.left_out
                    .push(format!("{} has no traces", archive.client.uri()));
                return Ok(());
            }
            page => page?,
        };
        for info in &page.items {
            let has_spans = one(archive, info, unfinished, done).await?;
            without_spans += usize::from(!has_spans);
        }
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            break;
        }
    }
    if without_spans > 0 {
        done.left_out.push(format!(
            "the spans of {without_spans} traces of experiment {} were left out: they are among \
             the files of these traces, or there are none",
            archive.experiment
        ));
    }
    Ok(())
}

/// Writes a trace; whether it has its spans beside it.
async fn one(
    archive: &Archive<'_>,
    info: &TraceInfo,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<bool, CommandError> {
    let has_spans = info.has_spans_in_store();
    let id = match files::name_of(info.trace_id.as_str(), "trace") {
        Ok(id) => id,
        Err(refused) => {
            done.left_out.push(format!("{refused}: it was left out"));
            return Ok(true);
        }
    };
    let traces = archive.directory.join(TRACES);
    let path = traces.join(format!("{id}{TRACE}"));
    let text = pretty(&messages::start(info));
    let line = format!("trace {id}");
    if unfinished.has(&line) && files::has(&path, &text).await {
        done.traces.before += 1;
        return Ok(has_spans);
    }
    let spans = if has_spans {
        match spans_of(archive.client, info).await {
            // There are more than are read at once.
            Err(error) if error.code() == ErrorCode::InvalidParameterValue => {
                done.left_out
                    .push(format!("the spans of trace {id} were left out: {error}"));
                Vec::new()
            }
            spans => spans?,
        }
    } else {
        Vec::new()
    };
    files::make(&traces).await?;
    let beside = traces.join(format!("{id}{SPANS}"));
    if spans.is_empty() {
        // Of an earlier export.
        files::remove_file(&beside).await?;
    } else {
        files::write(&beside, &spans::file(&spans)).await?;
    }
    files::write(&path, &text).await?;
    unfinished.add(&line).await?;
    done.traces.now += 1;
    Ok(has_spans)
}

/// The spans that are kept beside a trace; none if it is not there any more.
async fn spans_of(client: &Client, info: &TraceInfo) -> Result<Vec<StoredSpan>, StoreError> {
    let id = info.trace_id.clone();
    let found = client.traces().get_traces(vec![id], None).await?;
    let spans = found.into_iter().next().map(|trace| trace.spans);
    Ok(spans.unwrap_or_default())
}
