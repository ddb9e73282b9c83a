//! Versions of registered models: `model-versions/*`.

use runledger_entities::{ModelVersion, RunId, Tag, limits};

use super::{Request, most, pairs, registry_max_results};
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
    /// `model-versions/create`
    CreateBody {
        name: String,
        source: String,
        run_id: String,
        tags: List<pairs::Pair, { most::PAIRS }>,
        run_link: String,
        description: String,
        model_id: String,
    }
    /// `model-versions/get`, `delete`, `get-download-uri`
    VersionBody {
        name: String,
        version: String,
    }
    /// `model-versions/update`
    UpdateBody {
        name: String,
        version: String,
        description: String,
    }
    /// `model-versions/transition-stage`
    TransitionBody {
        name: String,
        version: String,
        stage: String,
        archive_existing_versions: bool,
    }
    /// `model-versions/search`
    SearchBody {
        filter: String,
        max_results: i64,
        order_by: List<String, { most::ORDER_BY }>,
        page_token: String,
    }
    /// `model-versions/set-tag`, `delete-tag`
    TagBody {
        name: String,
        version: String,
        key: String,
        value: String,
    }
}

/// Asks for a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateModelVersion {
    /// The name of its registered model, not empty.
    pub name: String,
    /// The URI that it is made of, not empty.
    pub source: String,
    /// The run that made it, if the request says anything about it; may be empty.
    pub run_id: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// A link to the run; empty if absent.
    pub run_link: String,
    /// Free text; empty if absent.
    pub description: String,
    /// The logged model that it is made of, if the request says anything about it;
    /// may be empty.
    pub model_id: Option<String>,
}

impl Request for CreateModelVersion {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            source: body.source.required_text("source")?,
            run_id: body.run_id.optional("run_id")?,
            tags: pairs::tags(body.tags, "tags")?,
            run_link: body.run_link.or_default("run_link")?,
            description: body.description.or_default("description")?,
            model_id: body.model_id.optional("model_id")?,
        })
    }
}

/// Names a version: to get or delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersionByNumber {
    /// The name of its registered model, not empty.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
}

impl Request for ModelVersionByNumber {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: VersionBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            version: body.version.required_text("version")?,
        })
    }
}

/// Asks where the files of a version are. MLflow requires nothing here: what is
/// missing is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetDownloadUri {
    /// The name of its registered model.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
}

impl Request for GetDownloadUri {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: VersionBody = decode(input)?;
        Ok(Self {
            name: body.name.or_default("name")?,
            version: body.version.or_default("version")?,
        })
    }
}

/// Sets the description of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateModelVersion {
    /// The name of its registered model, not empty.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
    /// The new description.
    pub description: Option<String>,
}

impl Request for UpdateModelVersion {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: UpdateBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            version: body.version.required_text("version")?,
            description: body.description.optional("description")?,
        })
    }
}

/// Moves a version to a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionModelVersion {
    /// The name of its registered model, not empty.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
    /// The stage as the client wrote it.
    pub stage: String,
    /// Whether the versions that are in the stage are archived.
    pub archive_existing_versions: bool,
}

impl Request for TransitionModelVersion {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TransitionBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            version: body.version.required_text("version")?,
            stage: body.stage.required_text("stage")?,
            archive_existing_versions: body
                .archive_existing_versions
                .or_default("archive_existing_versions")?,
        })
    }
}

/// Searches versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchModelVersions {
    /// The filter; empty if absent.
    pub filter: String,
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// Order-by clauses.
    pub order_by: Vec<String>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchModelVersions {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        Ok(Self {
            filter: body.filter.or_default("filter")?,
            max_results: registry_max_results(
                body.max_results.optional("max_results")?,
                limits::MODEL_VERSIONS_MAX_RESULTS,
                limits::MODEL_VERSIONS_MAX_RESULTS,
            )?,
            order_by: body.order_by.all("order_by")?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

/// Sets a tag of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetModelVersionTag {
    /// The name of its registered model, not empty.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
    /// The tag; its key is not empty.
    pub tag: Tag,
}

impl Request for SetModelVersionTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            version: body.version.required_text("version")?,
            tag: Tag {
                key: body.key.required_text("key")?,
                value: body.value.or_default("value")?,
            },
        })
    }
}

/// Deletes a tag of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteModelVersionTag {
    /// The name of its registered model, not empty.
    pub name: String,
    /// Its number as the client wrote it.
    pub version: String,
    /// The key, not empty.
    pub key: String,
}

impl Request for DeleteModelVersionTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            version: body.version.required_text("version")?,
            key: body.key.required_text("key")?,
        })
    }
}

/// The answer to creating, getting and changing a version.
pub fn one(version: &ModelVersion) -> Vec<u8> {
    write::object(|o| o.object("model_version", |o| write_version(o, version)))
}

/// The answer to `model-versions/search`.
pub fn page(versions: &[ModelVersion], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("model_versions", versions, write_version);
        o.maybe_text("next_page_token", next_page_token);
    })
}

/// The answer to `model-versions/get-download-uri`.
pub fn download_uri(uri: &str) -> Vec<u8> {
    write::object(|o| o.text("artifact_uri", uri))
}

pub(super) fn write_version(o: &mut Object<'_>, version: &ModelVersion) {
    o.text("name", &version.name);
    o.text("version", &version.version.to_string());
    o.int("creation_timestamp", version.creation_timestamp);
    o.maybe_int("last_updated_timestamp", version.last_updated_timestamp);
    o.maybe_text("user_id", version.user_id.as_deref());
    o.text("current_stage", version.current_stage.name());
    o.maybe_text("description", version.description.as_deref());
    o.maybe_text("source", version.source.as_deref());
    o.maybe_text("run_id", version.run_id.as_ref().map(RunId::as_str));
    o.text("status", version.status.name());
    let status_message = version.status_message.as_deref();
    o.maybe_text(
        "status_message",
        status_message.filter(|text| !text.is_empty()),
    );
    o.list("tags", &version.tags, pairs::write_tag);
    o.maybe_text("run_link", version.run_link.as_deref());
    o.texts("aliases", &version.aliases);
}

#[cfg(test)]
mod tests {
    use runledger_entities::{ModelStage, ModelVersionNumber, ModelVersionStatus};

    use super::*;

    #[test]
    fn a_version_shows_what_was_set() {
        let version = ModelVersion {
            name: "m".to_owned(),
            version: ModelVersionNumber(12),
            creation_timestamp: 1,
            last_updated_timestamp: Some(2),
            user_id: None,
            current_stage: ModelStage::Staging,
            description: Some(String::new()),
            source: Some("s3://b/x".to_owned()),
            storage_location: Some("s3://b/y".to_owned()),
            run_id: Some(RunId::new("")),
            run_link: None,
            status: ModelVersionStatus::Ready,
            status_message: Some(String::new()),
            tags: Vec::new(),
            aliases: vec!["a".to_owned(), "b\"".to_owned()],
        };
        assert_eq!(
            String::from_utf8(one(&version)).unwrap(),
            "{\"model_version\":{\"name\":\"m\",\"version\":\"12\",\"creation_timestamp\":1,\
             \"last_updated_timestamp\":2,\"current_stage\":\"Staging\",\"description\":\"\",\
             \"source\":\"s3://b/x\",\"run_id\":\"\",\"status\":\"READY\",\
             \"aliases\":[\"a\",\"b\\\"\"]}}"
        );
    }

    #[test]
    fn what_a_request_leaves_out_is_told_from_what_is_empty() {
        let read = |body: &str| CreateModelVersion::decode(Input::Body(body.as_bytes())).unwrap();
        let without = read(r#"{"name": "m", "source": "s"}"#);
        assert_eq!((without.run_id, without.model_id), (None, None));
        let empty = read(r#"{"name": "m", "source": "s", "run_id": "", "model_id": ""}"#);
        assert_eq!(empty.run_id.as_deref(), Some(""));
        assert_eq!(empty.model_id.as_deref(), Some(""));
    }
}
