//! The model registry: names, aliases and tags of models and versions.

use super::{InvalidValue, excerpt, is_other_path, length, name, normalize_path};
use crate::{ModelStage, RegisteredModel, Tag, limits};

/// Checks the name of a registered model, which is a part of URIs and the name
/// of a folder.
pub fn registered_model_name(parameter: &str, name: &str) -> Result<(), InvalidValue> {
    if name.trim().is_empty() {
        return Err(InvalidValue::Blank {
            parameter: parameter.to_owned(),
        });
    }
    if name.contains(['/', ':']) {
        return Err(InvalidValue::RegisteredModelName {
            name: excerpt(name),
        });
    }
    let resolved = normalize_path(name);
    if is_other_path(name, &resolved) {
        return Err(InvalidValue::NameNotUnique {
            parameter: "name".to_owned(),
            name: excerpt(name),
            resolved: excerpt(&resolved),
        });
    }
    Ok(())
}

/// Checks the key of a tag of a registered model or a version.
pub fn registry_tag_key(key: &str) -> Result<(), InvalidValue> {
    name("key", key)
}

/// Checks a tag of a registered model.
pub fn registered_model_tag(tag: &Tag) -> Result<(), InvalidValue> {
    registry_tag_key(&tag.key)?;
    length("key", &tag.key, limits::KEY)?;
    length("value", &tag.value, limits::REGISTRY_TAG_VALUE)
}

/// Checks a tag of a version.
pub fn model_version_tag(tag: &Tag) -> Result<(), InvalidValue> {
    if tag.key == Tag::PROMPT_TEXT {
        return length("value", &tag.value, limits::REGISTRY_TAG_VALUE).map_err(|_| {
            InvalidValue::PromptTooLong {
                limit: limits::REGISTRY_TAG_VALUE,
            }
        });
    }
    registered_model_tag(tag)
}

/// Checks an alias that is looked up or deleted.
pub fn model_alias(alias: &str) -> Result<(), InvalidValue> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if alias.is_empty() || !alias.chars().all(allowed) {
        return Err(InvalidValue::AliasCharacters {
            alias: excerpt(alias),
        });
    }
    length(
        "Registered model alias name",
        alias,
        limits::REGISTERED_MODEL_ALIAS,
    )
}

/// Checks an alias that is to be set: some say something else already.
pub fn new_model_alias(alias: &str) -> Result<(), InvalidValue> {
    model_alias(alias)?;
    if alias.to_lowercase() == RegisteredModel::LATEST {
        return Err(InvalidValue::AliasLatest);
    }
    let is_version = alias
        .strip_prefix(['v', 'V'])
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(char::is_numeric));
    if is_version {
        return Err(InvalidValue::AliasOfVersion {
            alias: alias.to_owned(),
        });
    }
    Ok(())
}

/// Checks that a version can take the place of those that are in its new stage.
///
/// `given` is the stage as the client wrote it.
pub fn archiving(stage: ModelStage, given: &str) -> Result<(), InvalidValue> {
    if stage.is_active() {
        return Ok(());
    }
    Err(InvalidValue::ArchivingInactive {
        stage: excerpt(given),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<(), InvalidValue>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_parts_of_uris_and_names_of_folders() {
        for good in [
            "m",
            "a b",
            "é",
            "a.b",
            "100%",
            "...x".trim_start_matches(".."),
        ] {
            assert_eq!(registered_model_name("name", good), Ok(()), "{good}");
        }
        assert_eq!(
            refusal(registered_model_name("new_name", " \t")),
            "Missing value for required parameter 'new_name'."
        );
        assert_eq!(
            refusal(registered_model_name("name", "a/b")),
            "Invalid model name 'a/b'. Names cannot contain '/' or ':'."
        );
        for bad in [".", "..", "..x"] {
            let error = registered_model_name("name", bad).unwrap_err();
            assert!(matches!(error, InvalidValue::NameNotUnique { .. }), "{bad}");
        }
    }

    #[test]
    fn some_aliases_mean_something_else() {
        for good in ["champion", "a-b_c", "é", "v", "v1x", "1"] {
            assert_eq!(new_model_alias(good), Ok(()), "{good}");
        }
        assert_eq!(
            refusal(new_model_alias("a.b")),
            "Invalid alias name: 'a.b'. Names may only contain alphanumerics, underscores (_), \
             and dashes (-)."
        );
        assert_eq!(
            refusal(new_model_alias("LATEST")),
            "'latest' alias name (case insensitive) is reserved."
        );
        assert_eq!(
            refusal(new_model_alias("V12")),
            "Version alias name 'V12' is reserved."
        );
        assert_eq!(model_alias("latest"), Ok(()));
        let long = "x".repeat(limits::REGISTERED_MODEL_ALIAS + 1);
        assert_eq!(
            refusal(model_alias(&long)),
            "'Registered model alias name' exceeds the maximum length of 255 characters"
        );
    }

    #[test]
    fn a_prompt_that_is_too_long_is_called_one() {
        let text = "x".repeat(limits::REGISTRY_TAG_VALUE + 1);
        assert_eq!(
            refusal(model_version_tag(&Tag::new(Tag::PROMPT_TEXT, text.clone()))),
            "Prompt text exceeds max length of 100000 characters."
        );
        assert_eq!(
            refusal(model_version_tag(&Tag::new("k", text))),
            "'value' exceeds the maximum length of 100000 characters"
        );
    }

    #[test]
    fn only_an_active_stage_archives() {
        assert_eq!(archiving(ModelStage::Production, "production"), Ok(()));
        assert_eq!(
            refusal(archiving(ModelStage::Archived, "archived")),
            "Model version transition cannot archive existing model versions because 'archived' \
             is not an Active stage. Valid stages are ['Staging', 'Production']"
        );
    }
}
