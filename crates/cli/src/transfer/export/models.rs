//! Logged models of an experiment, with their artifacts.

use std::collections::HashSet;

use runledger_entities::LoggedModel;
use runledger_protocol::messages::logged_models as messages;
use runledger_store::{LoggedModelQuery, PageRequest};

use super::{Archive, PAGE, artifacts};
use crate::command::CommandError;
use crate::term::json::pretty;
use crate::transfer::unfinished::Unfinished;
use crate::transfer::{Done, MODEL, MODELS, Owner, files, is_lacking};

/// Writes the logged models of an experiment. A store of MLflow 2 has none.
pub(super) async fn export(
    archive: &Archive<'_>,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<(), CommandError> {
    let are_there = each(archive, async |model: &LoggedModel| {
        one(archive, model, unfinished, done).await
    });
    if !are_there.await? {
        done.left_out.push(format!(
            "{} has no logged models, which need MLflow 3",
            archive.client.uri()
        ));
    }
    Ok(())
}

/// Hands on the logged models of an experiment; whether there can be any.
pub(super) async fn each(
    archive: &Archive<'_>,
    mut take: impl AsyncFnMut(&LoggedModel) -> Result<(), CommandError>,
) -> Result<bool, CommandError> {
    let mut query = LoggedModelQuery {
        experiment_ids: vec![archive.experiment],
        filter: Vec::new(),
        datasets: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: PAGE,
            token: None,
        },
    };
    // As with runs.
    let mut seen = HashSet::new();
    loop {
        let found = archive.client.models().search_logged_models(query.clone());
        let page = match found.await {
            Err(error) if is_lacking(&error) => return Ok(false),
            page => page?,
        };
        for model in &page.items {
            if seen.insert(model.model_id.clone()) {
                take(model).await?;
            }
        }
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(true);
        }
    }
}

async fn one(
    archive: &Archive<'_>,
    model: &LoggedModel,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<(), CommandError> {
    let id = files::name_of(model.model_id.as_str(), "logged model")?;
    let directory = archive.directory.join(MODELS).join(id);
    let text = pretty(&messages::one(model));
    let line = format!("model {id}");
    if unfinished.has(&line) && files::has(&directory.join(MODEL), &text).await {
        done.logged_models.before += 1;
        return Ok(());
    }
    files::make(&directory).await?;
    let (moving, goes_on) = (archive.moving, unfinished.goes_on);
    done.files += artifacts(moving, Owner::Model(id), &directory, goes_on).await?;
    files::write(&directory.join(MODEL), &text).await?;
    unfinished.add(&line).await?;
    done.logged_models.now += 1;
    Ok(())
}
