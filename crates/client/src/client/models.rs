//! Calls about logged models (MLflow 3).

use runledger_entities::{ExperimentId, LoggedModel, LoggedModelId, limits};
use runledger_search::{
    LoggedModelKey, Order, SearchError, parse_logged_model_filter, parse_logged_model_order_field,
};
use runledger_store::LoggedModelQuery;

use super::{Client, first_page};
use crate::TrackingError;

impl Client {
    /// A logged model.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let file = folder.path().join("net.bin");
    /// let logged = client.log_model(&run, NewModel::named("net"), file).await?;
    /// let model = client.get_logged_model(&logged.model_id).await?;
    /// assert_eq!(model.name, "net");
    /// assert_eq!(model.source_run_id, Some(run));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there, or deleted.
    pub async fn get_logged_model(&self, id: &LoggedModelId) -> Result<LoggedModel, TrackingError> {
        Ok(self.models.get_logged_model(id).await?)
    }

    /// Logged models of some experiments that fulfil a filter (`metrics.accuracy > 0.9 AND
    /// params.depth = '7'`; all if it is empty), ordered by clauses such as
    /// `metrics.accuracy DESC` or `creation_timestamp`, then newest first. At most
    /// `max_results`.
    ///
    /// ```no_run
    /// # async fn example(client: runledger::Client) -> Result<(), runledger::TrackingError> {
    /// use runledger::entities::ExperimentId;
    ///
    /// let best = client
    ///     .search_logged_models(&[ExperimentId(1)], "", &["metrics.accuracy DESC"], 1)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_logged_models(
        &self,
        experiments: &[ExperimentId],
        filter: &str,
        order_by: &[&str],
        max_results: usize,
    ) -> Result<Vec<LoggedModel>, TrackingError> {
        let order_by: Result<Vec<_>, _> = order_by.iter().map(|clause| order(clause)).collect();
        let mut query = LoggedModelQuery {
            experiment_ids: experiments.to_vec(),
            filter: parse_logged_model_filter(filter)?,
            datasets: Vec::new(),
            order_by: order_by?,
            page: first_page(0),
        };
        let mut found: Vec<LoggedModel> = Vec::new();
        let mut token = None;
        let most = limits::SEARCH_DEFAULT_RESULTS;
        while let Some(page) = super::next_page(found.len(), max_results, most, token) {
            query.page = page;
            let page = self.models.search_logged_models(query.clone()).await?;
            token = page.next_token;
            found.extend(page.items);
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }
}

/// A field, and `ASC` or `DESC` behind it.
fn order(clause: &str) -> Result<Order<LoggedModelKey>, SearchError> {
    let clause = clause.trim();
    let (field, ascending) = match clause.rsplit_once(char::is_whitespace) {
        Some((field, word)) if word.eq_ignore_ascii_case("desc") => (field.trim_end(), false),
        Some((field, word)) if word.eq_ignore_ascii_case("asc") => (field.trim_end(), true),
        _ => (clause, true),
    };
    parse_logged_model_order_field(field, ascending, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_has_a_direction() {
        let read = |clause| order(clause).map(|order| order.descending);
        assert_eq!(read("metrics.a b DESC"), Ok(true));
        assert_eq!(read(" creation_timestamp asc "), Ok(false));
        assert_eq!(read("name"), Ok(false));
        assert!(order("nonsense").is_err());
    }
}
