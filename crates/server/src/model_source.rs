//! What a version may be made of, and where its files are.
//!
//! A client says what the source of a new version is, and a source can be a path
//! of this machine or a part of somebody else's artifacts. So it must lie in what
//! the run or logged model of the same request owns, and must not name a foreign host
//! (MLflow 3.17, `_create_model_version`). Sources in other storage are the client's
//! business.

mod uri;

use std::path::{Path, PathBuf};

use runledger_artifacts::ArtifactUri;
use runledger_entities::{
    ErrorCode, LoggedModelId, ModelStage, ModelUri, ModelVersion, RunId, Tag, validate,
};
use runledger_store::{
    ModelRegistryStore, ModelRegistryStoreExt as _, Resource, StoreError, locations,
};
use serde_json::{Value, json};

use crate::{
    app::{Registry, Tracking},
    failure::Failure,
};
use uri::Uri;

/// What MLflow's clients name as the source of a prompt, which has no files.
const PROMPT_SOURCES: [&str; 2] = ["dummy-source", "prompt-template"];

/// What a client says about a new version.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) source: String,
    pub(crate) run_id: Option<String>,
    pub(crate) model_id: Option<String>,
}

/// Where a new version comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) source: String,
    /// The URI of its files.
    pub(crate) storage_location: String,
    /// The run that made it; may be empty.
    pub(crate) run_id: Option<String>,
    /// The logged model that it is, if it is one.
    pub(crate) model_id: Option<LoggedModelId>,
}

/// Checks what a client says, and finds out what it leaves open.
pub(crate) async fn origin(
    registry: Registry<'_>,
    claimed: Claimed,
    tags: &[Tag],
) -> Result<Origin, Failure> {
    if Tag::are_of_prompt(tags) {
        return of_prompt(claimed);
    }
    registry
        .tracking
        .hosts
        .check(&claimed.source)
        .map_err(|foreign| {
            Failure::invalid(format!(
                "'source' cannot use the '{}' scheme: {foreign}",
                foreign.scheme
            ))
        })?;
    let mut origin = match Uri::split(&claimed.source).scheme() {
        "models" => of_model(registry, claimed).await?,
        _ => plain(claimed),
    };
    if let Some(id) = &origin.model_id {
        check_in_model(registry.tracking, &origin.source, id).await?;
        let model = registry.tracking.models.get_logged_model(id).await?;
        if let Some(ModelUri::LoggedModel(_)) = ModelUri::parse(&origin.source) {
            origin.storage_location = model.artifact_location;
        }
        if origin.run_id.as_deref().unwrap_or_default().is_empty() {
            origin.run_id = model.source_run_id.map(RunId::into_string);
        }
    } else {
        let run_id = origin.run_id.as_deref().unwrap_or_default();
        check_in_run(registry.tracking, &origin.source, run_id).await?;
    }
    Ok(origin)
}

fn of_prompt(claimed: Claimed) -> Result<Origin, Failure> {
    if !PROMPT_SOURCES.contains(&claimed.source.as_str()) {
        return Err(Failure::invalid(format!(
            "Invalid prompt source: '{}'. Prompt sources must use an MLflow placeholder.",
            claimed.source
        )));
    }
    Ok(Origin {
        model_id: None,
        ..plain(claimed)
    })
}

fn plain(claimed: Claimed) -> Origin {
    let model_id = claimed.model_id.filter(|id| !id.is_empty());
    Origin {
        storage_location: claimed.source.clone(),
        source: claimed.source,
        run_id: Some(claimed.run_id.unwrap_or_default()),
        model_id: model_id.map(LoggedModelId::new),
    }
}

/// A source that is a logged model or another version, whose run and files a copy
/// takes over.
async fn of_model(registry: Registry<'_>, claimed: Claimed) -> Result<Origin, Failure> {
    let source = &claimed.source;
    let found = match ModelUri::parse(source) {
        _ if Uri::split(source).authority.is_some() => {
            return Err(Failure::invalid(format!(
                "Invalid model version source: '{source}'. Registered model sources must use the \
                 active model registry."
            )));
        }
        None => return Err(not_in_owner(source, "model_id")),
        Some(ModelUri::LoggedModel(_)) => return Ok(plain(claimed)),
        Some(uri) => version_of(registry.store, source, uri).await?,
    };
    let own_run = found.run_id.as_ref().map_or("", RunId::as_str);
    let other_run = claimed.run_id.as_deref().is_some_and(|id| id != own_run);
    let other_model = claimed.model_id.as_deref().is_some_and(|id| !id.is_empty());
    if other_run || other_model {
        return Err(Failure::invalid(format!(
            "Invalid model version source: '{source}'. The run_id and model_id request parameters \
             must match the referenced model version."
        )));
    }
    Ok(Origin {
        source: format!("models:/{}/{}", found.name, found.version),
        storage_location: found.download_uri().to_owned(),
        run_id: claimed
            .run_id
            .or_else(|| found.run_id.map(RunId::into_string)),
        model_id: None,
    })
}

/// The version that a URI names.
async fn version_of(
    store: &dyn ModelRegistryStore,
    source: &str,
    uri: ModelUri,
) -> Result<ModelVersion, Failure> {
    let name = match &uri {
        ModelUri::Version { name, .. }
        | ModelUri::Latest { name }
        | ModelUri::Stage { name, .. }
        | ModelUri::Alias { name, .. } => name,
        ModelUri::LoggedModel(_) => return Err(not_in_owner(source, "model_id")),
    };
    validate::registered_model_name("name", name)?;
    if Tag::are_of_prompt(&store.get_registered_model(name).await?.tags) {
        return Err(Failure::invalid(format!(
            "Invalid model version source: '{source}'. Prompt versions cannot be used as model \
             version sources."
        )));
    }
    match &uri {
        ModelUri::Version { version, .. } => Ok(store.get_model_version(name, *version).await?),
        ModelUri::Alias { alias, .. } => {
            validate::model_alias(alias)?;
            Ok(store.resolve_model_alias(name, alias).await?)
        }
        ModelUri::Stage { stage, .. } => {
            let wanted: ModelStage = stage.parse()?;
            newest(store, name, &[wanted], &format!(" and stage '{stage}'")).await
        }
        ModelUri::Latest { .. } | ModelUri::LoggedModel(_) => {
            newest(store, name, &ModelStage::ALL, "").await
        }
    }
}

async fn newest(
    store: &dyn ModelRegistryStore,
    name: &str,
    stages: &[ModelStage],
    in_stage: &str,
) -> Result<ModelVersion, Failure> {
    let versions = store.latest_model_versions(name, stages).await?;
    let newest = versions.into_iter().max_by_key(|version| version.version);
    newest.ok_or_else(|| {
        Failure::new(
            ErrorCode::ResourceDoesNotExist,
            format!("No versions of model with name '{name}'{in_stage} found"),
        )
    })
}

/// The refusal of a source that is not in what `parameter` names.
fn not_in_owner(source: &str, parameter: &str) -> Failure {
    Failure::invalid(format!(
        "Invalid model version source: '{source}'. The {parameter} request parameter must identify \
         the resource that contains the source."
    ))
}

/// The refusal of a path of this machine.
fn not_in_folder(source: &str, parameter: &str) -> Failure {
    Failure::invalid(format!(
        "Invalid model version source: '{source}'. To use a local path as a model version source, \
         the {parameter} request parameter has to be specified and the local path has to be \
         contained within the artifact directory of the run specified by the {parameter}."
    ))
}

async fn check_in_run(tracking: &Tracking, source: &str, run_id: &str) -> Result<(), Failure> {
    let uri = Uri::split(source);
    if uri.is_local() {
        if !run_id.is_empty() {
            let root = root_of_run(tracking, source, run_id).await?;
            if is_local_within(source, &root) {
                return Ok(());
            }
        }
        return Err(not_in_folder(source, "run_id"));
    }
    check_absolute(source)?;
    let allowed = match uri.scheme() {
        "runs" => {
            uri.authority.is_none()
                && run_of(uri.path).is_some_and(|(id, _)| !run_id.is_empty() && id == run_id)
        }
        "models" => uri.authority.is_none(),
        _ if uri.is_of_proxy() => {
            !run_id.is_empty() && uri.is_within(&root_of_run(tracking, source, run_id).await?)
        }
        _ => true,
    };
    let parameter = if uri.scheme() == "models" {
        "model_id"
    } else {
        "run_id"
    };
    // A logged model has to be named by its own parameter.
    let is_model = matches!(ModelUri::parse(source), Some(ModelUri::LoggedModel(_)));
    if allowed && !is_model {
        Ok(())
    } else {
        Err(not_in_owner(source, parameter))
    }
}

async fn check_in_model(
    tracking: &Tracking,
    source: &str,
    id: &LoggedModelId,
) -> Result<(), Failure> {
    let uri = Uri::split(source);
    if uri.is_local() {
        let root = root_of_model(tracking, source, id).await?;
        if is_local_within(source, &root) {
            return Ok(());
        }
        return Err(not_in_folder(source, "model_id"));
    }
    check_absolute(source)?;
    let allowed = match uri.scheme() {
        "models" => match ModelUri::parse(source) {
            _ if uri.authority.is_some() => false,
            Some(ModelUri::LoggedModel(named)) => named == *id,
            Some(_) => true,
            None => false,
        },
        "runs" => false,
        _ if uri.is_of_proxy() => uri.is_within(&root_of_model(tracking, source, id).await?),
        _ => true,
    };
    if allowed {
        Ok(())
    } else {
        Err(not_in_owner(source, "model_id"))
    }
}

async fn root_of_run(tracking: &Tracking, source: &str, id: &str) -> Result<String, Failure> {
    match tracking.store.get_run(&RunId::new(id)).await {
        Ok(run) => Ok(run.info.artifact_uri),
        Err(StoreError::NotFound {
            what: Resource::Run,
            ..
        }) => Err(not_in_owner(source, "run_id")),
        Err(error) => Err(error.into()),
    }
}

async fn root_of_model(
    tracking: &Tracking,
    source: &str,
    id: &LoggedModelId,
) -> Result<String, Failure> {
    match tracking.models.get_logged_model(id).await {
        Ok(model) => Ok(model.artifact_location),
        Err(StoreError::NotFound {
            what: Resource::LoggedModel,
            ..
        }) => Err(not_in_owner(source, "model_id")),
        Err(error) => Err(error.into()),
    }
}

/// Whether a path of this machine lies in the folder of `root`. Links are not
/// looked at: when files are read, the kernel keeps them below the roots.
fn is_local_within(source: &str, root: &str) -> bool {
    match (local_path(source), local_path(root)) {
        (Some(source), Some(root)) => source.starts_with(root),
        _ => false,
    }
}

fn local_path(uri: &str) -> Option<PathBuf> {
    match ArtifactUri::parse(uri) {
        Ok(ArtifactUri::Local(path)) => std::path::absolute(Path::new(&path)).ok(),
        _ => None,
    }
}

/// Refuses a source that is not on this machine and whose path is not absolute, or
/// means another however often it is decoded.
fn check_absolute(source: &str) -> Result<(), Failure> {
    if uri::is_absolute(source) {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "Invalid model version source: '{source}'. If supplying a source as an http, https, local \
         file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided \
         without relative path references present. Please provide an absolute path."
    )))
}

/// The run and the path in it of a `runs:` URI, by its path.
fn run_of(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    let (id, rest) = path.split_once('/').unwrap_or((path, ""));
    (!id.is_empty()).then_some((id, rest))
}

/// Notes on a logged model that a version was made of it.
pub(crate) async fn link(
    tracking: &Tracking,
    id: &LoggedModelId,
    version: &ModelVersion,
) -> Result<(), Failure> {
    let model = tracking.models.get_logged_model(id).await?;
    let tag = model.tags.iter().find(|tag| tag.key == Tag::MODEL_VERSIONS);
    let mut versions: Vec<Value> = tag
        .and_then(|tag| serde_json::from_str(&tag.value).ok())
        .unwrap_or_default();
    let this = json!({"name": version.name, "version": version.version.0});
    if versions.contains(&this) {
        return Ok(());
    }
    versions.push(this);
    let tag = Tag::new(Tag::MODEL_VERSIONS, Value::from(versions).to_string());
    tracking.models.set_logged_model_tags(id, vec![tag]).await?;
    Ok(())
}

/// The URI of the files of a version, with the run of a `runs:` URI looked up.
pub(crate) async fn files(tracking: &Tracking, version: &ModelVersion) -> Result<String, Failure> {
    let uri = version.download_uri();
    let split = Uri::split(uri);
    match run_of(split.path) {
        Some((id, path)) if split.scheme() == "runs" => {
            let run = tracking.store.get_run(&RunId::new(id)).await?;
            Ok(locations::append(&run.info.artifact_uri, &[path]))
        }
        _ => Ok(uri.to_owned()),
    }
}
