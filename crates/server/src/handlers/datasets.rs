//! The search of datasets that runs used.

use runledger_protocol::messages::datasets::{self as messages, SearchDatasets};

use super::{Reply, experiment_ids};
use crate::{app::Tracking, reply};

pub(crate) async fn search(tracking: &Tracking, request: SearchDatasets) -> Reply {
    let ids = experiment_ids(&request.experiment_ids)?;
    let datasets = tracking.store.search_datasets(&ids).await?;
    Ok(reply::json(messages::summaries(&datasets)))
}
