//! What cases of the registry begin and end with.

use std::fmt::Debug;

use runledger_entities::{
    Coded as _, ErrorCode, ModelVersion, ModelVersionNumber, RegisteredModel, Tag,
};
use runledger_search::{
    ModelVersionClause, ModelVersionKey, Order, RegisteredModelClause, RegisteredModelKey,
    RegistryFilter,
};
use runledger_store::{
    ModelRegistryStore, ModelVersionQuery, NewModelVersion, NewRegisteredModel,
    RegisteredModelQuery, StoreError,
};

use crate::{
    World,
    case::Outcome,
    setup::{assert_refused, tags, whole},
};

/// A number as its type.
pub(super) fn v(number: i64) -> ModelVersionNumber {
    ModelVersionNumber(number)
}

pub(super) fn new_registered_model(name: &str, pairs: &[(&str, &str)]) -> NewRegisteredModel {
    NewRegisteredModel {
        name: name.to_owned(),
        description: None,
        tags: tags(pairs),
    }
}

pub(super) fn new_version(name: &str) -> NewModelVersion {
    NewModelVersion {
        name: name.to_owned(),
        source: "s3://bucket/model".to_owned(),
        ..NewModelVersion::default()
    }
}

/// The tag of prompts.
pub(super) const PROMPT: (&str, &str) = (Tag::IS_PROMPT, "true");

#[track_caller]
pub(super) fn assert_no_model<T: Debug>(result: Result<T, StoreError>, name: &str) {
    assert_refused(
        result,
        ErrorCode::ResourceDoesNotExist,
        &format!("Registered Model with name={name} not found"),
    );
}

#[track_caller]
pub(super) fn assert_no_version<T: Debug>(result: Result<T, StoreError>, name: &str, version: i64) {
    assert_refused(
        result,
        ErrorCode::ResourceDoesNotExist,
        &format!("Model Version (name={name}, version={version}) not found"),
    );
}

/// `name/version` of each.
pub(super) fn shown(versions: &[ModelVersion]) -> Vec<String> {
    versions
        .iter()
        .map(|version| format!("{}/{}", version.name, version.version))
        .collect()
}

impl World {
    /// A registered model with as many versions as that.
    pub(super) async fn registered(
        &self,
        name: &str,
        versions: usize,
    ) -> Result<&dyn ModelRegistryStore, StoreError> {
        let store = self.registry()?;
        store
            .create_registered_model(new_registered_model(name, &[]))
            .await?;
        for _ in 0..versions {
            store.create_model_version(new_version(name)).await?;
        }
        Ok(store)
    }

    pub(super) async fn registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        self.registry()?.get_registered_model(name).await
    }

    pub(super) async fn version(
        &self,
        name: &str,
        number: i64,
    ) -> Result<ModelVersion, StoreError> {
        self.registry()?.get_model_version(name, v(number)).await
    }

    /// Asserts the largest number that a version of a model ever had, which servers do not
    /// tell.
    pub(super) async fn assert_last_version(&self, name: &str, number: i64) -> Outcome {
        match self.registry()?.last_model_version(name).await {
            Err(error) if self.is_behind_a_server => {
                assert_eq!(error.code(), ErrorCode::NotImplemented, "{error}");
            }
            last => assert_eq!(last?, v(number)),
        }
        Ok(())
    }

    /// The text of an entity that was told as an empty one: servers do not tell it from none.
    pub(super) fn empty_text(&self) -> Option<&'static str> {
        (!self.is_behind_a_server).then_some("")
    }

    /// The names of the registered models that are found, in order.
    pub(super) async fn models_found(
        &self,
        filter: RegistryFilter<RegisteredModelClause>,
        order_by: &[Order<RegisteredModelKey>],
    ) -> Result<Vec<String>, StoreError> {
        let query = RegisteredModelQuery {
            filter,
            order_by: order_by.to_vec(),
            page: whole(),
        };
        let page = self.registry()?.search_registered_models(query).await?;
        assert_eq!(page.next_token, None, "everything fits on one page");
        Ok(page.items.into_iter().map(|model| model.name).collect())
    }

    /// The versions that are found, in order, as [`shown`].
    pub(super) async fn versions_found(
        &self,
        filter: RegistryFilter<ModelVersionClause>,
        order_by: &[Order<ModelVersionKey>],
    ) -> Result<Vec<String>, StoreError> {
        let query = ModelVersionQuery {
            filter,
            order_by: order_by.to_vec(),
            page: whole(),
        };
        let page = self.registry()?.search_model_versions(query).await?;
        assert_eq!(page.next_token, None, "everything fits on one page");
        Ok(shown(&page.items))
    }
}
