//! Registered models: `registered-models/*`.

use runledger_entities::{ModelAlias, ModelVersion, RegisteredModel, Tag, limits};

use super::{Request, model_versions::write_version, most, pairs, registry_max_results};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        write::{self, Object},
    },
};

messages! {
    /// `registered-models/create`
    CreateBody {
        name: String,
        tags: List<pairs::Pair, { most::PAIRS }>,
        description: String,
    }
    /// `registered-models/get`, `delete`
    NameBody {
        name: String,
    }
    /// `registered-models/update`
    UpdateBody {
        name: String,
        description: String,
    }
    /// `registered-models/rename`
    RenameBody {
        name: String,
        new_name: String,
    }
    /// `registered-models/search`
    SearchBody {
        filter: String,
        max_results: i64,
        order_by: List<String, { most::ORDER_BY }>,
        page_token: String,
    }
    /// `registered-models/get-latest-versions`
    LatestBody {
        name: String,
        stages: List<String, { most::STAGES }>,
    }
    /// `registered-models/set-tag`, `delete-tag`
    TagBody {
        name: String,
        key: String,
        value: String,
    }
    /// `registered-models/alias`
    AliasBody {
        name: String,
        alias: String,
        version: String,
    }
}

/// Asks for a new registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRegisteredModel {
    /// Its name, not empty.
    pub name: String,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Free text; empty if absent.
    pub description: String,
}

impl Request for CreateRegisteredModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            tags: pairs::tags(body.tags, "tags")?,
            description: body.description.or_default("description")?,
        })
    }
}

/// Names a registered model: to get or delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredModelByName {
    /// The name, not empty.
    pub name: String,
}

impl Request for RegisteredModelByName {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: NameBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
        })
    }
}

/// Sets the description of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRegisteredModel {
    /// The name, not empty.
    pub name: String,
    /// The new description; empty if absent.
    pub description: String,
}

impl Request for UpdateRegisteredModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: UpdateBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            description: body.description.or_default("description")?,
        })
    }
}

/// Gives a registered model another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenameRegisteredModel {
    /// The name, not empty.
    pub name: String,
    /// The new one, not empty.
    pub new_name: String,
}

impl Request for RenameRegisteredModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: RenameBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            new_name: body.new_name.required_text("new_name")?,
        })
    }
}

/// Searches registered models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRegisteredModels {
    /// The filter; empty if absent.
    pub filter: String,
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// Order-by clauses.
    pub order_by: Vec<String>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchRegisteredModels {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        Ok(Self {
            filter: body.filter.or_default("filter")?,
            max_results: registry_max_results(
                body.max_results.optional("max_results")?,
                limits::REGISTERED_MODELS_DEFAULT_RESULTS,
                limits::REGISTERED_MODELS_MAX_RESULTS,
            )?,
            order_by: body.order_by.all("order_by")?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

/// Asks for the newest version of each stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetLatestVersions {
    /// The name, not empty.
    pub name: String,
    /// The stages as the client wrote them; all if there are none.
    pub stages: Vec<String>,
}

impl Request for GetLatestVersions {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: LatestBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            stages: body.stages.all("stages")?,
        })
    }
}

/// Sets a tag of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRegisteredModelTag {
    /// The name, not empty.
    pub name: String,
    /// The tag; its key is not empty.
    pub tag: Tag,
}

impl Request for SetRegisteredModelTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            tag: Tag {
                key: body.key.required_text("key")?,
                value: body.value.or_default("value")?,
            },
        })
    }
}

/// Deletes a tag of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteRegisteredModelTag {
    /// The name, not empty.
    pub name: String,
    /// The key, not empty.
    pub key: String,
}

impl Request for DeleteRegisteredModelTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            key: body.key.required_text("key")?,
        })
    }
}

/// Makes an alias stand for a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetRegisteredModelAlias {
    /// The name, not empty.
    pub name: String,
    /// The alias, not empty.
    pub alias: String,
    /// The number of the version as the client wrote it.
    pub version: String,
}

impl Request for SetRegisteredModelAlias {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: AliasBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            alias: body.alias.required_text("alias")?,
            version: body.version.required_text("version")?,
        })
    }
}

/// Names an alias: to get its version, or to delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredModelAlias {
    /// The name, not empty.
    pub name: String,
    /// The alias, not empty.
    pub alias: String,
}

impl Request for RegisteredModelAlias {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: AliasBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            alias: body.alias.required_text("alias")?,
        })
    }
}

/// The answer to creating, getting, updating and renaming a registered model.
pub fn one(model: &RegisteredModel) -> Vec<u8> {
    write::object(|o| o.object("registered_model", |o| write_model(o, model)))
}

/// The answer to `registered-models/search`.
pub fn page(models: &[RegisteredModel], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("registered_models", models, write_model);
        o.maybe_text("next_page_token", next_page_token);
    })
}

/// The answer to `registered-models/get-latest-versions`.
pub fn latest(versions: &[ModelVersion]) -> Vec<u8> {
    write::object(|o| o.list("model_versions", versions, write_version))
}

fn write_model(o: &mut Object<'_>, model: &RegisteredModel) {
    o.text("name", &model.name);
    o.int("creation_timestamp", model.creation_timestamp);
    o.maybe_int("last_updated_timestamp", model.last_updated_timestamp);
    // Unlike that of a version, an empty description is left out.
    let description = model.description.as_deref();
    o.maybe_text("description", description.filter(|text| !text.is_empty()));
    o.list("latest_versions", &model.latest_versions, write_version);
    o.list("tags", &model.tags, pairs::write_tag);
    o.list("aliases", &model.aliases, |o, alias: &ModelAlias| {
        o.text("alias", &alias.alias);
        o.text("version", &alias.version.to_string());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_has_its_version_as_a_text() {
        let model = RegisteredModel {
            name: "m".to_owned(),
            creation_timestamp: 1,
            last_updated_timestamp: Some(2),
            description: Some(String::new()),
            latest_versions: Vec::new(),
            tags: vec![Tag::new("k", "")],
            aliases: vec![ModelAlias {
                alias: "a".to_owned(),
                version: runledger_entities::ModelVersionNumber(3),
            }],
        };
        assert_eq!(
            String::from_utf8(one(&model)).unwrap(),
            "{\"registered_model\":{\"name\":\"m\",\"creation_timestamp\":1,\
             \"last_updated_timestamp\":2,\"tags\":[{\"key\":\"k\",\"value\":\"\"}],\
             \"aliases\":[{\"alias\":\"a\",\"version\":\"3\"}]}}"
        );
    }

    #[test]
    fn a_page_is_bounded() {
        let read = |query| SearchRegisteredModels::decode(Input::Query(query));
        assert_eq!(read("filter=").unwrap().max_results, 100);
        assert_eq!(read("max_results=7").unwrap().max_results, 7);
        assert_eq!(
            read("max_results=0").unwrap_err().to_string(),
            "Invalid value for max_results. It must be a positive integer, but got 0"
        );
        assert_eq!(
            read("max_results=1001").unwrap_err().to_string(),
            "Invalid value 1001 for parameter 'max_results' supplied:  Hint: Value was of type \
             'int'. See the API docs for more information about request parameters."
        );
    }
}
