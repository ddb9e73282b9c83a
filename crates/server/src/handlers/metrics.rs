//! Histories of metrics.

use runledger_protocol::messages::metrics::{
    self as messages, GetMetricHistory, GetMetricHistoryBulk, GetMetricInterval,
};
use runledger_store::{BulkHistoryQuery, HistoryQuery, IntervalQuery, PageRequest};

use super::Reply;
use crate::{app::Tracking, reply};

pub(crate) async fn history(tracking: &Tracking, request: GetMetricHistory) -> Reply {
    let query = HistoryQuery {
        run_id: request.run_id,
        key: request.metric_key,
        page: PageRequest {
            max_results: request.max_results.unwrap_or(u32::MAX),
            token: request.page_token,
        },
    };
    let page = tracking.store.metric_history(query).await?;
    Ok(reply::json(messages::history(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn bulk_history(tracking: &Tracking, request: GetMetricHistoryBulk) -> Reply {
    let query = BulkHistoryQuery {
        run_ids: request.run_ids,
        key: request.metric_key,
        max_results: request.max_results,
    };
    let points = tracking.store.bulk_metric_history(query).await?;
    let points = points.iter().map(|point| (&point.run_id, &point.metric));
    Ok(reply::json(messages::bulk_history(points)))
}

pub(crate) async fn interval(tracking: &Tracking, request: GetMetricInterval) -> Reply {
    let query = IntervalQuery {
        run_ids: request.run_ids,
        key: request.metric_key,
        steps: request.steps,
        max_results: request.max_results,
    };
    let points = tracking.store.metric_interval(query).await?;
    let points = points.iter().map(|point| (&point.run_id, &point.metric));
    Ok(reply::json(messages::interval(points)))
}
