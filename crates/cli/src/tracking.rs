//! The tracking server, database or folder that a command is about.

use std::env;
use std::path::Path;

use runledger::{Client, InvalidOption, OpenOptions, RestOptions, TrackingError};
use runledger_entities::{Experiment, ViewType, limits};
use runledger_store::{ExperimentQuery, PageRequest, StorePlace};

use crate::args::{OneExperiment, TrackingArgs};
use crate::command::CommandError;

/// MLflow's variable for how often a call is repeated, and how often it is without that.
const RETRIES: &str = "MLFLOW_HTTP_REQUEST_MAX_RETRIES";
const FEW_RETRIES: u32 = 2;

/// What a command does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing is changed, and nothing made that is not there.
    Read,
    /// A database or folder is made if it is not there.
    Write,
}

/// How servers are asked, as the environment says. Somebody waits for a word at the
/// terminal, so that it is soon said that a server is away.
pub(crate) fn rest_options() -> Result<RestOptions, InvalidOption> {
    let mut options = RestOptions::from_env()?;
    if env::var_os(RETRIES).is_none() {
        options.max_retries = FEW_RETRIES;
    }
    Ok(options)
}

/// The tracking URI that the flags and the environment name.
pub(crate) fn uri(args: &TrackingArgs) -> String {
    let named = args.tracking_uri.clone().filter(|uri| !uri.is_empty());
    named.unwrap_or_else(|| StorePlace::of_directory(Path::new(".")).to_string())
}

/// Opens what the tracking URI names.
pub(crate) async fn open(args: &TrackingArgs, access: Access) -> Result<Client, CommandError> {
    open_asking(args, access, rest_options()?).await
}

/// The same, with servers asked in a way of its own.
pub(crate) async fn open_asking(
    args: &TrackingArgs,
    access: Access,
    rest: RestOptions,
) -> Result<Client, CommandError> {
    let options = OpenOptions {
        read_only: access == Access::Read,
        rest: Some(rest),
    };
    Ok(Client::open_with(&uri(args), options).await?)
}

/// The experiment that the flags name, active or deleted.
pub(crate) async fn experiment(
    client: &Client,
    which: &OneExperiment,
) -> Result<Experiment, TrackingError> {
    let store = client.store();
    match (which.experiment_id, &which.experiment_name) {
        (Some(id), _) => Ok(store.get_experiment(id).await?),
        (None, name) => {
            let name = name.as_deref().unwrap_or_default();
            Ok(store.get_experiment_by_name(name).await?)
        }
    }
}

/// The experiments of a search, at most so many, and whether there are more.
pub(crate) async fn experiments(
    client: &Client,
    mut query: ExperimentQuery,
    most: usize,
) -> Result<(Vec<Experiment>, bool), TrackingError> {
    let mut found: Vec<Experiment> = Vec::new();
    loop {
        let wanting = u32::try_from(most - found.len()).unwrap_or(u32::MAX);
        query.page.max_results = wanting.min(limits::SEARCH_DEFAULT_RESULTS);
        let page = client.store().search_experiments(query.clone()).await?;
        found.extend(page.items);
        query.page.token = page.next_token;
        let is_more = query.page.token.is_some();
        if !is_more || found.len() >= most {
            return Ok((found, is_more));
        }
    }
}

/// All experiments of a view, newest first.
pub(crate) fn all(view: ViewType) -> ExperimentQuery {
    ExperimentQuery {
        view,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: limits::SEARCH_DEFAULT_RESULTS,
            token: None,
        },
    }
}
