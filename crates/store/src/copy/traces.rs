//! Traces, with all that belongs to them.

use std::collections::HashSet;

use runledger_entities::{ExperimentId, TraceId};

use super::{Copied, CopyError, Source, Target, adopt};
use crate::{Adoption, PageRequest, TraceQuery};

/// How many traces are copied together.
const TRACES: u32 = 200;

/// Copies the traces of an experiment. One that is there was brought over whole, by an
/// earlier copy.
pub(super) async fn copy_traces(
    source: &dyn Source,
    target: &dyn Target,
    (from, to): (ExperimentId, ExperimentId),
    copied: &mut Copied,
    tell: &mut (dyn FnMut(&Copied) + Send),
) -> Result<(), CopyError> {
    let mut token = None;
    loop {
        let query = TraceQuery {
            experiment_ids: vec![from],
            filter: Vec::new(),
            order_by: Vec::new(),
            page: PageRequest {
                max_results: TRACES,
                token,
            },
        };
        let page = source.search_traces(query).await?;
        let ids: Vec<TraceId> = page.items.into_iter().map(|it| it.trace_id).collect();
        let there = target.get_trace_infos(ids.clone(), None).await?;
        let there: HashSet<TraceId> = there.into_iter().map(|it| it.trace_id).collect();
        let ids: Vec<TraceId> = ids.into_iter().filter(|id| !there.contains(id)).collect();
        let mut traces = source.whole_traces(ids).await?;
        for adopted in &mut traces {
            adopted.info.experiment_id = to;
        }
        copied.traces_before += there.len() as u64;
        copied.traces += traces.len() as u64;
        if !traces.is_empty() {
            let adoption = Adoption {
                traces,
                ..Adoption::default()
            };
            adopt(target, adoption).await?;
        }
        tell(copied);
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}
