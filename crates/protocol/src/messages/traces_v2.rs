//! Traces in the API of MLflow 2.14 and later 2.x.

use std::collections::BTreeMap;

use runledger_entities::{TraceInfo, TraceState};

use super::{
    Request, most, pairs,
    traces::{SearchTraces, max_results, shown_metadata, shown_tags},
};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::{Field, List},
        message::messages,
        write::{self, Object},
    },
};

messages! {
    /// `traces` (2.0)
    StartBody {
        experiment_id: String,
        timestamp_ms: i64,
        request_metadata: List<pairs::Pair, { most::PAIRS }>,
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `traces/{trace_id}` (2.0)
    EndBody {
        timestamp_ms: i64,
        status: TraceState,
        request_metadata: List<pairs::Pair, { most::PAIRS }>,
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `traces` (2.0), to search
    SearchBody {
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
        filter: String,
        max_results: i32,
        order_by: List<String, { most::ORDER_BY }>,
        page_token: String,
    }
}

/// Begins a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartTraceV2 {
    /// The experiment as the client wrote it.
    pub experiment_id: String,
    /// When it began, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Request for StartTraceV2 {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: StartBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.or_default("experiment_id")?,
            timestamp_ms: body.timestamp_ms.or_default("timestamp_ms")?,
            metadata: map(body.request_metadata, "request_metadata")?,
            tags: map(body.tags, "tags")?,
        })
    }
}

fn map<const MAX: usize>(
    field: Field<List<pairs::Pair, MAX>>,
    name: &str,
) -> Result<BTreeMap<String, String>, RequestError> {
    let pairs = pairs::read(field.all(name)?, name, |key, value| (key, value))?;
    Ok(pairs.into_iter().collect())
}

/// Ends a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndTraceV2 {
    /// When it ended, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// What became of it.
    pub status: TraceState,
    /// Metadata to add.
    pub metadata: BTreeMap<String, String>,
    /// Tags to add.
    pub tags: BTreeMap<String, String>,
}

impl Request for EndTraceV2 {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: EndBody = decode(input)?;
        Ok(Self {
            timestamp_ms: body.timestamp_ms.or_default("timestamp_ms")?,
            status: body.status.or_default("status")?,
            metadata: map(body.request_metadata, "request_metadata")?,
            tags: map(body.tags, "tags")?,
        })
    }
}

/// Searches traces: the same search, asked for in the words of the old API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTracesV2(pub SearchTraces);

impl Request for SearchTracesV2 {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        Ok(Self(SearchTraces {
            experiment_ids: body.experiment_ids.required_all("experiment_ids")?,
            filter: body.filter.or_default("filter")?,
            max_results: max_results(body.max_results.optional("max_results")?)?,
            order_by: body.order_by.all("order_by")?,
            page_token: body.page_token.non_empty("page_token")?,
        }))
    }
}

/// The answer with one trace.
pub fn info(info: &TraceInfo) -> Vec<u8> {
    write::object(|o| o.object("trace_info", |o| write_info(o, info)))
}

/// The answer to a search.
pub fn page(infos: &[TraceInfo], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("traces", infos, write_info);
        o.maybe_text("next_page_token", next_page_token);
    })
}

fn write_info(o: &mut Object<'_>, info: &TraceInfo) {
    o.text("request_id", info.trace_id.as_str());
    o.id("experiment_id", info.experiment_id);
    o.int("timestamp_ms", info.request_time);
    o.int(
        "execution_time_ms",
        info.execution_duration.unwrap_or_default(),
    );
    o.text("status", info.state.status_name());
    let write_pair = |o: &mut Object<'_>, (key, value): &(&str, &str)| {
        o.text("key", key);
        o.text("value", value);
    };
    let metadata: Vec<_> = shown_metadata(info).collect();
    o.list("request_metadata", &metadata, write_pair);
    let tags: Vec<_> = shown_tags(info).collect();
    o.list("tags", &tags, write_pair);
}
