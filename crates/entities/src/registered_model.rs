//! Registered models: names under which versions of models are kept.

use crate::{ModelVersion, ModelVersionNumber, Tag};

/// A registered model.
///
/// Prompts of MLflow 3.x are registered models, too: they carry the tag
/// [`Tag::IS_PROMPT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredModel {
    /// Its name, unique among registered models.
    pub name: String,
    /// Milliseconds since the epoch.
    pub creation_timestamp: i64,
    /// Milliseconds since the epoch; absent in rows of early releases.
    pub last_updated_timestamp: Option<i64>,
    /// Free text.
    pub description: Option<String>,
    /// Of each stage that has versions the newest one, ordered by number.
    pub latest_versions: Vec<ModelVersion>,
    /// Tags, ordered by key.
    pub tags: Vec<Tag>,
    /// Aliases, ordered by name.
    pub aliases: Vec<ModelAlias>,
}

/// A name for one version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelAlias {
    /// The name, unique in its model.
    pub alias: String,
    /// The version that it stands for.
    pub version: ModelVersionNumber,
}

impl RegisteredModel {
    /// The alias that every model has without having it: its newest version
    /// (MLflow 3.17), in any case.
    pub const LATEST: &'static str = "latest";
}

impl Tag {
    /// The tag that makes a registered model, or a version of one, a prompt.
    pub const IS_PROMPT: &'static str = "mlflow.prompt.is_prompt";
    /// The tag of a version that holds the text of a prompt.
    pub const PROMPT_TEXT: &'static str = "mlflow.prompt.text";
    /// The tag of a logged model that lists the versions made of it, as a JSON list.
    pub const MODEL_VERSIONS: &'static str = "mlflow.modelVersions";

    /// Whether tags are those of a prompt: the last value of the tag counts.
    pub fn are_of_prompt(tags: &[Self]) -> bool {
        tags.iter()
            .rfind(|tag| tag.key == Self::IS_PROMPT)
            .is_some_and(|tag| tag.value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_of_the_tag_decides_what_is_a_prompt() {
        let tags = |values: &[&str]| -> Vec<Tag> {
            let of = values.iter().map(|value| Tag::new(Tag::IS_PROMPT, *value));
            of.collect()
        };
        assert!(Tag::are_of_prompt(&tags(&["True"])));
        assert!(Tag::are_of_prompt(&tags(&["no", "true"])));
        assert!(!Tag::are_of_prompt(&tags(&["true", "false"])));
        assert!(!Tag::are_of_prompt(&[]));
    }
}
