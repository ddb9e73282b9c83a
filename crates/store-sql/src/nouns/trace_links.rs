//! Links from traces to runs and to versions of prompts.

use diesel::sql_types::Text;
use runledger_entities::TraceId;
use runledger_store::{Resource, StoreError};
use uuid::Uuid;

use super::{
    OrStoreError as _,
    rows::{Values, put_rows},
};
use crate::{connection::Connection, sql::Sql};

/// Links traces to a run; links that are there stay.
pub(crate) fn to_run(
    connection: &mut Connection,
    traces: &[TraceId],
    run: &str,
    now: i64,
) -> Result<(), StoreError> {
    let mut links: Vec<(&str, &str)> = traces.iter().map(|id| (id.as_str(), run)).collect();
    links.sort_unstable();
    links.dedup();
    link(connection, &links, "run", now)
}

/// Links versions of prompts to a trace.
pub(crate) fn to_prompts(
    connection: &mut Connection,
    trace: &TraceId,
    prompts: &[String],
    now: i64,
) -> Result<(), StoreError> {
    let dialect = connection.dialect();
    let found: Option<String> = Sql::new("select request_id from trace_info where ")
        .with(dialect.equal("request_id", trace.as_str()))
        .first::<Text, _>(connection)
        .or_store_error()?;
    if found.is_none() {
        return Err(StoreError::not_found(Resource::Trace, trace));
    }
    let links = prompts.iter().map(|prompt| (trace.as_str(), &**prompt));
    let mut links: Vec<(&str, &str)> = links.collect();
    links.sort_unstable();
    links.dedup();
    link(connection, &links, "prompt_version", now)
}

/// Links traces to things of one type; links that are there stay.
pub(super) fn link(
    connection: &mut Connection,
    links: &[(&str, &str)],
    to: &'static str,
    now: i64,
) -> Result<(), StoreError> {
    let head = "insert into entity_associations (association_id, source_type, source_id, \
                destination_type, destination_id, created_time)";
    let tail = connection.dialect().or_keep("association_id");
    let row = |(trace, other): &(&str, &str)| {
        Values::default()
            .text(Uuid::new_v4().simple().to_string())
            .text("trace")
            .text(*trace)
            .text(to)
            .text(*other)
            .int(now)
    };
    put_rows(connection, head, links, row, &tail)
}
