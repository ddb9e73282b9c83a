//! The runs that were imported, by this command and earlier ones.

use std::collections::HashMap;

use runledger::Client;
use runledger_entities::{ExperimentId, LoggedModelId, RunId, ViewType, limits};
use runledger_search::{RunClause, TextOp, TextTest};
use runledger_store::{PageRequest, RunQuery};

use super::{INCOMPLETE, SOURCE, links, parent_of};
use crate::command::CommandError;

/// A run that was imported.
#[derive(Debug)]
pub(in crate::transfer) struct Before {
    pub(super) id: RunId,
    /// The parent that it has now.
    pub(super) parent: Option<String>,
    /// The logged models that it is linked to.
    pub(super) models: Vec<LoggedModelId>,
}

/// The runs of an experiment that were imported, by the ids that they had before.
#[derive(Debug, Default)]
pub(in crate::transfer) struct Imported {
    pub(super) whole: HashMap<String, Before>,
    cut_short: HashMap<String, Vec<RunId>>,
}

impl Imported {
    pub(in crate::transfer) async fn of(
        client: &Client,
        experiment: ExperimentId,
    ) -> Result<Self, CommandError> {
        let mut query = RunQuery {
            experiment_ids: vec![experiment],
            view: ViewType::ActiveOnly,
            filter: vec![RunClause::Tag {
                key: SOURCE.to_owned(),
                test: TextTest::Compare {
                    op: TextOp::NotEqual,
                    value: String::new(),
                },
            }],
            order_by: Vec::new(),
            page: PageRequest {
                max_results: limits::SEARCH_DEFAULT_RESULTS,
                token: None,
            },
        };
        let mut imported = Self::default();
        loop {
            let page = client.store().search_runs(query.clone()).await?;
            for run in page.items {
                let models = links::of(&run);
                let tags = run.data.tags;
                let tag = |key: &str| tags.iter().find(|tag| tag.key == key);
                let Some(source) = tag(SOURCE).map(|tag| tag.value.clone()) else {
                    continue;
                };
                let id = run.info.run_id;
                if tag(INCOMPLETE).is_some() {
                    imported.cut_short.entry(source).or_default().push(id);
                } else {
                    let parent = parent_of(&tags).map(str::to_owned);
                    let before = Before { id, parent, models };
                    imported.whole.insert(source, before);
                }
            }
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(imported);
            }
        }
    }

    /// The run, if it is there. One that was cut short is deleted.
    pub(in crate::transfer) async fn settle(
        &mut self,
        client: &Client,
        source: &str,
    ) -> Result<Option<&Before>, CommandError> {
        for id in self.cut_short.remove(source).unwrap_or_default() {
            client.delete_run(&id).await?;
        }
        Ok(self.whole.get(source))
    }
}
