//! The search of datasets that runs used (`experiments/search-datasets`).

use runledger_entities::{DatasetSummary, limits};

use super::Request;
use crate::{
    Input, RequestError,
    json::{decode::decode, field::List, message::messages, write},
};

messages! {
    /// `experiments/search-datasets`
    SearchBody {
        experiment_ids: List<String, { limits::DATASET_SEARCH_EXPERIMENTS }>,
    }
}

/// Searches the datasets of some experiments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchDatasets {
    /// The experiments' ids as the client wrote them: between one and
    /// [`limits::DATASET_SEARCH_EXPERIMENTS`].
    pub experiment_ids: Vec<String>,
}

impl Request for SearchDatasets {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        let experiment_ids = body.experiment_ids.or_default("experiment_ids")?;
        if experiment_ids.count == 0 {
            return Err(RequestError::rule(
                "SearchDatasets request must specify at least one experiment_id.",
            ));
        }
        let limit = limits::DATASET_SEARCH_EXPERIMENTS;
        if experiment_ids.count > limit {
            return Err(RequestError::rule(format!(
                "SearchDatasets request cannot specify more than {limit} experiment_ids. Received \
                 {} experiment_ids.",
                experiment_ids.count
            )));
        }
        Ok(Self {
            experiment_ids: experiment_ids.items,
        })
    }
}

/// The answer to `experiments/search-datasets`.
pub fn summaries(datasets: &[DatasetSummary]) -> Vec<u8> {
    write::object(|o| {
        o.list(
            "dataset_summaries",
            datasets,
            |o, dataset: &DatasetSummary| {
                o.id("experiment_id", dataset.experiment_id);
                o.text("name", &dataset.name);
                o.text("digest", &dataset.digest);
                o.maybe_text("context", dataset.context.as_deref());
            },
        );
    })
}
