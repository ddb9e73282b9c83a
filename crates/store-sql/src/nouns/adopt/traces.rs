//! Traces with their tags, metadata, assessments, spans and links.

use runledger_store::{AdoptedTrace, StoreError};

use crate::{
    connection::Connection,
    nouns::{
        assessments, purge,
        rows::{Values, insert_rows},
        spans, trace_links,
        traces::{Parts, pair},
    },
};

/// Puts traces in the place of those with the same ids. Rows of all of them go into
/// a table together.
pub(super) fn put(connection: &mut Connection, traces: &[AdoptedTrace]) -> Result<(), StoreError> {
    if traces.is_empty() {
        return Ok(());
    }
    let ids = traces.iter().map(|adopted| adopted.info.trace_id.as_str());
    purge::forget_traces(connection, ids.map(str::to_owned).collect())?;
    let parts: Vec<(&AdoptedTrace, Parts)> = traces
        .iter()
        .map(|adopted| {
            let info = &adopted.info;
            (adopted, Parts::of(&info.tags, &info.metadata))
        })
        .collect();
    insert_rows(
        connection,
        "insert into trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, \
         status, client_request_id, request_preview, response_preview, db_payload_generation, \
         trace_name, session_id, input_tokens, output_tokens, total_tokens, \
         cache_read_input_tokens, cache_creation_input_tokens, \
         cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost)",
        &parts,
        info_row,
    )?;
    let pairs = |of: fn(&Parts) -> &std::collections::BTreeMap<String, String>| {
        let rows = parts.iter().flat_map(move |(adopted, parts)| {
            let id = adopted.info.trace_id.as_str();
            let pairs = of(parts).iter();
            pairs.map(move |(key, value)| (id, key.as_str(), value.as_str()))
        });
        rows.collect::<Vec<_>>()
    };
    let head = "insert into trace_tags (request_id, \"key\", value)";
    insert_rows(connection, head, &pairs(|parts| &parts.tags), pair)?;
    let head = "insert into trace_request_metadata (request_id, \"key\", value)";
    insert_rows(connection, head, &pairs(|parts| &parts.metadata), pair)?;
    let mut rows = Vec::new();
    for adopted in traces {
        let info = &adopted.info;
        let place = (info.experiment_id.0, info.request_time);
        for assessment in &info.assessments {
            assessments::write(connection, assessment, place)?;
        }
        rows.extend(
            adopted
                .spans
                .iter()
                .map(|span| (info.experiment_id.0, span)),
        );
    }
    spans::put(connection, &rows)?;
    put_links(connection, traces)
}

fn info_row((adopted, parts): &(&AdoptedTrace, Parts)) -> Values {
    let info = &adopted.info;
    let row = Values::default()
        .text(info.trace_id.as_str())
        .int(info.experiment_id.0)
        .int(info.request_time)
        .optional_int(info.execution_duration)
        .text(info.state.name())
        .optional_text(info.client_request_id.clone())
        .optional_text(info.request_preview.clone())
        .optional_text(info.response_preview.clone())
        .int(1)
        .optional_text(parts.name.clone())
        .optional_text(parts.session.clone());
    parts.numbers(row)
}

fn put_links(connection: &mut Connection, traces: &[AdoptedTrace]) -> Result<(), StoreError> {
    let mut runs = Vec::new();
    let mut prompts = Vec::new();
    for adopted in traces {
        let id = adopted.info.trace_id.as_str();
        runs.extend(adopted.runs.iter().map(|run| (id, run.as_str())));
        prompts.extend(adopted.prompts.iter().map(|prompt| (id, prompt.as_str())));
    }
    for (mut links, to) in [(runs, "run"), (prompts, "prompt_version")] {
        links.sort_unstable();
        links.dedup();
        // When they were linked, a folder does not say.
        trace_links::link(connection, &links, to, 0)?;
    }
    Ok(())
}
