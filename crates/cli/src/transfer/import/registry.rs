//! Registered models, under the names that they had.
//!
//! Nothing is added to a model that somebody else has registered: an alias of it may decide
//! what is in use.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use runledger::{Client, rest};
use runledger_entities::{
    Coded as _, ErrorCode, LoggedModelId, ModelStage, ModelUri, ModelVersion, ModelVersionNumber,
    RegisteredModel, Tag, validate,
};
use runledger_store::{NewModelVersion, NewRegisteredModel};
use serde_json::Value;

use super::{INCOMPLETE, Known};
use crate::command::CommandError;
use crate::models::versions_of;
use crate::transfer::{Done, REGISTRY, files, is_lacking};

/// The tag of a registered model that was imported: when it was registered where it comes from,
/// and under which name. Another store may have one of that name, too.
const SOURCE: &str = "runledger.import.registered_model";

/// The tag with the number that a version had where it comes from.
const NUMBER: &str = "runledger.import.version";

/// Reads the registered models of an archive.
pub(super) async fn import(
    client: &Client,
    directory: &Path,
    known: &Known<'_>,
    done: &mut Done,
) -> Result<(), CommandError> {
    let folder = directory.join(REGISTRY);
    for name in files::names(&folder, ".json").await? {
        let file = folder.join(format!("{name}.json"));
        let all = files::read_json(&file).await?;
        let (model, versions) = read(&all).map_err(|error| files::unreadable(&file, &*error))?;
        let Some(there) = begin(client, &model, done).await? else {
            continue;
        };
        let numbers = add_versions(client, &model.name, versions, known, done).await?;
        for alias in &model.aliases {
            let is_set = there.aliases.iter().any(|it| it.alias == alias.alias);
            if let Some(number) = numbers.get(&alias.version).filter(|_| !is_set) {
                let (name, alias) = (&model.name, &alias.alias);
                let set = client.set_registered_model_alias(name, alias, *number);
                set.await?;
            }
        }
    }
    Ok(())
}

type Read = (RegisteredModel, Vec<ModelVersion>);

/// A model with its versions, the oldest first.
fn read(all: &Value) -> Result<Read, Box<dyn std::error::Error>> {
    let model = rest::read::registered_model(&all["registered_model"])?;
    validate::registered_model_name("name", &model.name)?;
    for tag in &model.tags {
        validate::registered_model_tag(tag)?;
    }
    for alias in &model.aliases {
        validate::new_model_alias(&alias.alias)?;
    }
    let versions = all["model_versions"].as_array().into_iter().flatten();
    let versions = versions.map(rest::read::model_version);
    let mut versions = versions.collect::<Result<Vec<_>, _>>()?;
    versions.sort_by_key(|version| version.version);
    for tag in versions.iter().flat_map(|version| &version.tags) {
        validate::model_version_tag(tag)?;
    }
    Ok((model, versions))
}

/// The model that takes the versions, made if it is missing; none if it is another's.
async fn begin(
    client: &Client,
    model: &RegisteredModel,
    done: &mut Done,
) -> Result<Option<RegisteredModel>, CommandError> {
    let name = &model.name;
    let origin = format!("{} {name}", model.creation_timestamp);
    match client.registry().get_registered_model(name).await {
        Ok(there) if there.tags.contains(&Tag::new(SOURCE, &*origin)) => {
            done.registered_models.before += 1;
            Ok(Some(there))
        }
        Ok(_) => {
            done.left_out.push(format!(
                "the registered model '{name}' was left out: {} has one of this name already",
                client.uri()
            ));
            Ok(None)
        }
        Err(error) if error.code() == ErrorCode::ResourceDoesNotExist => {
            let mut tags = model.tags.clone();
            tags.retain(|tag| tag.key != SOURCE);
            tags.push(Tag::new(SOURCE, origin));
            let new = NewRegisteredModel {
                name: name.clone(),
                description: model.description.clone(),
                tags,
            };
            done.registered_models.now += 1;
            Ok(Some(client.create_registered_model(new).await?))
        }
        Err(error) if is_lacking(&error) => {
            done.left_out.push(format!(
                "the registered model '{name}' was left out: {} has no registry",
                client.uri()
            ));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Adds the versions that are not there yet; the numbers that all have now.
async fn add_versions(
    client: &Client,
    name: &str,
    versions: Vec<ModelVersion>,
    known: &Known<'_>,
    done: &mut Done,
) -> Result<HashMap<ModelVersionNumber, ModelVersionNumber>, CommandError> {
    let mut numbers = HashMap::new();
    let mut cut_short = HashSet::new();
    for there in versions_of(client, name).await? {
        let tag = |key| there.tags.iter().find(|tag| tag.key == key);
        let before = tag(NUMBER).and_then(|tag| tag.value.parse().ok());
        if let Some(before) = before.map(ModelVersionNumber) {
            numbers.insert(before, there.version);
            if tag(INCOMPLETE).is_some() {
                cut_short.insert(before);
            }
        }
    }
    for version in versions {
        let before = version.version;
        let stage = version.current_stage;
        if let Some(there) = numbers.get(&before) {
            if cut_short.contains(&before) {
                set_stage(client, name, *there, stage).await?;
            }
            done.model_versions.before += 1;
            continue;
        }
        let new = new_version(client, name, version, known).await?;
        let made = match client.create_model_version(new).await {
            // Its source is not there, or cannot be one there.
            Err(error)
                if matches!(
                    error.code(),
                    Some(ErrorCode::InvalidParameterValue | ErrorCode::ResourceDoesNotExist)
                ) =>
            {
                done.left_out.push(format!(
                    "version {before} of '{name}' was left out: {error}"
                ));
                continue;
            }
            made => made?.version,
        };
        if stage != ModelStage::None {
            set_stage(client, name, made, stage).await?;
        }
        numbers.insert(before, made);
        done.model_versions.now += 1;
    }
    Ok(numbers)
}

/// Gives a version its stage, which makes it complete.
async fn set_stage(
    client: &Client,
    name: &str,
    version: ModelVersionNumber,
    stage: ModelStage,
) -> Result<(), CommandError> {
    let moved = client.transition_model_version_stage(name, version, stage, false);
    moved.await?;
    let completed = client.delete_model_version_tag(name, version, INCOMPLETE);
    Ok(completed.await?)
}

/// The version as it is to be made. One that is to have a stage is not complete without.
async fn new_version(
    client: &Client,
    name: &str,
    version: ModelVersion,
    known: &Known<'_>,
) -> Result<NewModelVersion, CommandError> {
    let source = source(client, &version, known).await?;
    let run = version.run_id.as_ref();
    let mut tags = version.tags;
    tags.retain(|tag| tag.key != NUMBER && tag.key != INCOMPLETE);
    tags.push(Tag::new(NUMBER, version.version.to_string()));
    if version.current_stage != ModelStage::None {
        tags.push(Tag::new(INCOMPLETE, "true"));
    }
    Ok(NewModelVersion {
        name: name.to_owned(),
        source,
        storage_location: None,
        run_id: run.and_then(|run| known.runs.get(run.as_str()).cloned()),
        run_link: version.run_link.filter(|link| !link.is_empty()),
        description: version.description,
        tags,
    })
}

/// What a version is made of, where that is now: a logged model, or artifacts of its run. What
/// is neither stays as it was.
async fn source(
    client: &Client,
    version: &ModelVersion,
    known: &Known<'_>,
) -> Result<String, CommandError> {
    let told = version.source.as_deref().unwrap_or_default();
    let segments: Vec<&str> = told.split('/').collect();
    let model = match (ModelUri::parse(told), &segments[..]) {
        (Some(ModelUri::LoggedModel(id)), _) => Some(id),
        (_, [.., "models", id, "artifacts"]) => Some(LoggedModelId::new(*id)),
        _ => None,
    };
    if let Some(now) = model.and_then(|id| known.models.now(&id)) {
        return Ok(format!("models:/{now}"));
    }
    if let Some(run) = &version.run_id
        && let Some(now) = known.runs.get(run.as_str())
    {
        let inner = told.strip_prefix(&format!("runs:/{run}/"));
        let of_run = format!("/{run}/artifacts/");
        let inner = inner.or_else(|| told.split_once(&of_run).map(|(_, inner)| inner));
        if let Some(inner) = inner {
            let uri = client.get_run(now).await?.info.artifact_uri;
            return Ok(format!("{}/{inner}", uri.trim_end_matches('/')));
        }
    }
    Ok(told.to_owned())
}
