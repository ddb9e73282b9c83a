//! The methods of [`ModelRegistryStore`], each a call of the REST API (MLflow 2 and 3).

use async_trait::async_trait;
use runledger_entities::{
    ModelUri, ModelVersion, ModelVersionNumber, RegisteredModel, RunId, Tag, limits,
};
use runledger_protocol::Endpoint;
use runledger_search::{RegistryFilter, SearchError};
use runledger_store::{
    DescriptionPatch, ModelRegistryStore, ModelVersionQuery, NewModelVersion, NewRegisteredModel,
    Page, PageRequest, RegisteredModelQuery, Resource, StageChange, StoreError,
};
use serde_json::{Map, Value, json};

use super::tracking::{check_spelling, joined, order_texts, plainly};
use super::{RestStore, answers, gather::Gather, refusal, requests};

/// Versions of one request; servers would give more.
const VERSIONS_PAGE: u32 = 10_000;

#[async_trait]
impl ModelRegistryStore for RestStore {
    async fn create_registered_model(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, StoreError> {
        let mut message = named(&new.name);
        requests::insert(&mut message, "description", new.description.as_deref());
        message.insert("tags".to_owned(), requests::list(&new.tags, requests::tag));
        let answer = self
            .post_once(Endpoint::CreateRegisteredModel, &Value::Object(message))
            .await
            .map_err(|error| refusal::known(error, taken(&new.name)))?;
        one_model(&answer)
    }

    async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        check_name(name)?;
        let answer = self
            .get(Endpoint::GetRegisteredModel, &[("name", name)])
            .await
            .map_err(of_registered_model(name))?;
        one_model(&answer)
    }

    async fn search_registered_models(
        &self,
        query: RegisteredModelQuery,
    ) -> Result<Page<RegisteredModel>, StoreError> {
        let search = Search {
            endpoint: Endpoint::SearchRegisteredModels,
            filter: filter(
                &query.filter,
                runledger_search::parse_registered_model_filter,
            )?,
            order: order_texts(&query.order_by),
        };
        let mut gather = Gather::new(query.page, limits::REGISTERED_MODELS_MAX_RESULTS);
        while let Some(page) = gather.next() {
            let answer = self.search_registry(&search, &page).await?;
            let read = answers::page(&answer, "registered_models", answers::registered_model);
            gather.add(read?);
        }
        Ok(gather.page())
    }

    async fn update_registered_model(
        &self,
        name: &str,
        patch: DescriptionPatch,
    ) -> Result<RegisteredModel, StoreError> {
        check_name(name)?;
        let mut message = named(name);
        requests::insert(&mut message, "description", patch.description.as_deref());
        let answer = self
            .post(Endpoint::UpdateRegisteredModel, &Value::Object(message))
            .await
            .map_err(of_registered_model(name))?;
        one_model(&answer)
    }

    async fn rename_registered_model(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, StoreError> {
        check_name(name)?;
        let message = json!({"name": name, "new_name": new_name});
        let answer = self
            .post_once(Endpoint::RenameRegisteredModel, &message)
            .await
            .map_err(|error| {
                let mut candidates = taken(new_name);
                candidates.push(StoreError::not_found(Resource::RegisteredModel, name));
                refusal::known(error, candidates)
            })?;
        one_model(&answer)
    }

    async fn delete_registered_model(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let message = Value::Object(named(name));
        let deleted = self.post_once(Endpoint::DeleteRegisteredModel, &message);
        deleted.await.map(drop).map_err(of_registered_model(name))
    }

    async fn set_registered_model_tag(&self, name: &str, tag: Tag) -> Result<(), StoreError> {
        check_name(name)?;
        let message = json!({"name": name, "key": tag.key, "value": tag.value});
        let set = self.post(Endpoint::SetRegisteredModelTag, &message).await;
        set.map(drop).map_err(of_registered_model(name))
    }

    async fn delete_registered_model_tag(&self, name: &str, key: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let message = json!({"name": name, "key": key});
        let deleted = self.post(Endpoint::DeleteRegisteredModelTag, &message);
        deleted.await.map(drop).map_err(of_registered_model(name))
    }

    async fn set_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        check_versioned(name, version)?;
        let message = json!({"name": name, "alias": alias, "version": version.to_string()});
        let set = self.post(Endpoint::SetRegisteredModelAlias, &message).await;
        set.map(drop).map_err(of_version(name, version))
    }

    async fn delete_model_alias(&self, name: &str, alias: &str) -> Result<(), StoreError> {
        check_name(name)?;
        let message = json!({"name": name, "alias": alias});
        let deleted = self.post(Endpoint::DeleteRegisteredModelAlias, &message);
        deleted.await.map(drop).map_err(of_registered_model(name))
    }

    /// Servers of MLflow 3.17, and ours, take `latest` for the newest version.
    async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError> {
        check_name(name)?;
        let answer = self
            .get(
                Endpoint::GetModelVersionByAlias,
                &[("name", name), ("alias", alias)],
            )
            .await
            .map_err(|error| {
                let candidates = [
                    StoreError::not_found(Resource::RegisteredModel, name),
                    StoreError::not_found(Resource::LatestModelVersion, name),
                    StoreError::not_found_in(Resource::ModelAlias, alias, name),
                ];
                refusal::known(error, candidates)
            })?;
        one_version(&answer)
    }

    async fn create_model_version(&self, new: NewModelVersion) -> Result<ModelVersion, StoreError> {
        check_name(&new.name)?;
        if let Some(location) = new.storage_location.filter(|it| *it != new.source) {
            return Err(StoreError::invalid(format!(
                "A tracking server finds out itself where the files of a version are: \
                 'storage_location' cannot be '{location}' where 'source' is '{}'. Leave it out, \
                 or make it the source.",
                new.source
            )));
        }
        let mut message = named(&new.name);
        message.insert("source".to_owned(), json!(new.source));
        let run_id = new.run_id.as_ref().map(RunId::as_str);
        requests::insert(&mut message, "run_id", run_id);
        requests::insert(&mut message, "run_link", new.run_link.as_deref());
        // Servers take a logged model as a source only where it is named, too.
        if let Some(ModelUri::LoggedModel(id)) = ModelUri::parse(&new.source) {
            requests::insert(&mut message, "model_id", Some(id.as_str()));
        }
        requests::insert(&mut message, "description", new.description.as_deref());
        message.insert("tags".to_owned(), requests::list(&new.tags, requests::tag));
        let answer = self
            .post_once(Endpoint::CreateModelVersion, &Value::Object(message))
            .await
            .map_err(of_registered_model(&new.name))?;
        one_version(&answer)
    }

    async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, StoreError> {
        check_versioned(name, version)?;
        let number = version.to_string();
        let answer = self
            .get(
                Endpoint::GetModelVersion,
                &[("name", name), ("version", &number)],
            )
            .await
            .map_err(of_version(name, version))?;
        one_version(&answer)
    }

    async fn search_model_versions(
        &self,
        query: ModelVersionQuery,
    ) -> Result<Page<ModelVersion>, StoreError> {
        let search = Search {
            endpoint: Endpoint::SearchModelVersions,
            filter: filter(&query.filter, runledger_search::parse_model_version_filter)?,
            order: order_texts(&query.order_by),
        };
        let mut gather = Gather::new(query.page, VERSIONS_PAGE);
        while let Some(page) = gather.next() {
            let answer = self.search_registry(&search, &page).await?;
            let read = answers::page(&answer, "model_versions", answers::model_version);
            gather.add(read?);
        }
        Ok(gather.page())
    }

    async fn update_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        patch: DescriptionPatch,
    ) -> Result<ModelVersion, StoreError> {
        check_versioned(name, version)?;
        let mut message = versioned(name, version);
        requests::insert(&mut message, "description", patch.description.as_deref());
        let answer = self
            .post(Endpoint::UpdateModelVersion, &Value::Object(message))
            .await
            .map_err(of_version(name, version))?;
        one_version(&answer)
    }

    async fn transition_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        change: StageChange,
    ) -> Result<ModelVersion, StoreError> {
        check_versioned(name, version)?;
        let mut message = versioned(name, version);
        message.insert("stage".to_owned(), json!(change.stage.name()));
        let archive = json!(change.archive_others);
        message.insert("archive_existing_versions".to_owned(), archive);
        let answer = self
            .post(Endpoint::TransitionModelVersion, &Value::Object(message))
            .await
            .map_err(of_version(name, version))?;
        one_version(&answer)
    }

    async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        check_versioned(name, version)?;
        let message = Value::Object(versioned(name, version));
        let deleted = self.post_once(Endpoint::DeleteModelVersion, &message);
        deleted.await.map(drop).map_err(of_version(name, version))
    }

    async fn set_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        tag: Tag,
    ) -> Result<(), StoreError> {
        check_versioned(name, version)?;
        let mut message = versioned(name, version);
        message.insert("key".to_owned(), json!(tag.key));
        message.insert("value".to_owned(), json!(tag.value));
        let set = self
            .post(Endpoint::SetModelVersionTag, &Value::Object(message))
            .await;
        set.map(drop).map_err(of_version(name, version))
    }

    async fn delete_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), StoreError> {
        check_versioned(name, version)?;
        let mut message = versioned(name, version);
        message.insert("key".to_owned(), json!(key));
        let deleted = self
            .post(Endpoint::DeleteModelVersionTag, &Value::Object(message))
            .await;
        deleted.map(drop).map_err(of_version(name, version))
    }

    /// Not in the REST API, which does not tell of deleted versions.
    async fn last_model_version(&self, _name: &str) -> Result<ModelVersionNumber, StoreError> {
        Err(StoreError::Unsupported {
            operation: "the number of the last version, deleted ones included,",
            store: "the REST API of tracking servers",
        })
    }
}

/// A search, but for its page.
struct Search {
    endpoint: Endpoint,
    filter: String,
    order: Vec<String>,
}

impl RestStore {
    async fn search_registry(
        &self,
        search: &Search,
        page: &PageRequest,
    ) -> Result<Value, StoreError> {
        let most = page.max_results.to_string();
        let mut asked = vec![("max_results", most.as_str())];
        if !search.filter.is_empty() {
            asked.push(("filter", &search.filter));
        }
        asked.extend(search.order.iter().map(|clause| ("order_by", &**clause)));
        if let Some(token) = &page.token {
            asked.push(("page_token", token));
        }
        self.get(search.endpoint, &asked).await.map_err(plainly)
    }
}

fn filter<C: ToString>(
    filter: &RegistryFilter<C>,
    parse: impl Fn(&str) -> Result<RegistryFilter<C>, SearchError>,
) -> Result<String, StoreError>
where
    RegistryFilter<C>: PartialEq,
{
    let text = joined(&filter.clauses);
    check_spelling(&text, filter, parse)?;
    Ok(text)
}

fn named(name: &str) -> Map<String, Value> {
    let mut message = Map::new();
    message.insert("name".to_owned(), json!(name));
    message
}

fn versioned(name: &str, version: ModelVersionNumber) -> Map<String, Value> {
    let mut message = named(name);
    message.insert("version".to_owned(), json!(version.to_string()));
    message
}

/// No model is called nothing, but servers say otherwise that it is not there.
fn check_name(name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::not_found(Resource::RegisteredModel, name));
    }
    Ok(())
}

fn check_versioned(name: &str, version: ModelVersionNumber) -> Result<(), StoreError> {
    check_name(name).map_err(|_| StoreError::not_found_in(Resource::ModelVersion, version, name))
}

fn one_model(answer: &Value) -> Result<RegisteredModel, StoreError> {
    answers::registered_model(answers::member(answer, "registered_model")?)
}

fn one_version(answer: &Value) -> Result<ModelVersion, StoreError> {
    answers::model_version(answers::member(answer, "model_version")?)
}

/// What is said of a name that is taken, by a model or a prompt.
fn taken(name: &str) -> Vec<StoreError> {
    let kinds = [(false, false), (false, true), (true, false), (true, true)];
    let exists = kinds.map(
        |(is_prompt, new_is_prompt)| StoreError::RegisteredModelExists {
            name: name.to_owned(),
            is_prompt,
            new_is_prompt,
        },
    );
    exists.into()
}

/// The error of a call about a registered model.
fn of_registered_model(name: &str) -> impl Fn(StoreError) -> StoreError {
    move |error| {
        refusal::known(
            error,
            [StoreError::not_found(Resource::RegisteredModel, name)],
        )
    }
}

/// The error of a call about a version.
fn of_version(name: &str, version: ModelVersionNumber) -> impl Fn(StoreError) -> StoreError {
    move |error| {
        let unknown = StoreError::not_found_in(Resource::ModelVersion, version, name);
        refusal::known(error, [unknown])
    }
}
