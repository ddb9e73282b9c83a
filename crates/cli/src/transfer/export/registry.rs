//! Registered models with their versions, each in a file.

use std::path::Path;

use runledger::Client;
use runledger_artifacts::transfer;
use runledger_entities::{RegisteredModel, Tag};
use runledger_protocol::messages::{model_versions, registered_models};
use serde_json::Value;

use crate::args::{ExportArgs, Format};
use crate::command::CommandError;
use crate::models::versions_of;
use crate::term::json::pretty;
use crate::transfer::{Done, REGISTRY, files};

/// Characters of a model's name in the name of its file.
const NAME: usize = 60;

/// The registered models that the flags name.
pub(super) async fn find(
    client: &Client,
    args: &ExportArgs,
) -> Result<Vec<RegisteredModel>, CommandError> {
    if args.format == Format::Parquet && !args.registered_model.is_empty() {
        return Err(CommandError::Usage(
            "--registered-model needs --format ndjson: tables hold no registered models".to_owned(),
        ));
    }
    let mut names: Vec<&String> = args.registered_model.iter().collect();
    names.sort_unstable();
    names.dedup();
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let model = client.get_registered_model(name).await?;
        if Tag::are_of_prompt(&model.tags) {
            return Err(CommandError::Refused(format!(
                "'{name}' is a prompt, which cannot be exported: leave it out"
            )));
        }
        found.push(model);
    }
    Ok(found)
}

/// Writes a registered model with all its versions.
pub(super) async fn export(
    client: &Client,
    directory: &Path,
    model: &RegisteredModel,
    done: &mut Done,
) -> Result<(), CommandError> {
    let versions = versions_of(client, &model.name).await?;
    let mut all = value(&registered_models::one(model));
    let list = value(&model_versions::page(&versions, None));
    all["model_versions"] = list["model_versions"].clone();
    let folder = directory.join(REGISTRY);
    files::make(&folder).await?;
    let path = folder.join(format!("{}.json", file_name(&model.name)));
    files::write(&path, &pretty(all.to_string().as_bytes())).await?;
    done.registered_models.now += 1;
    done.model_versions.now += versions.len();
    Ok(())
}

fn value(message: &[u8]) -> Value {
    serde_json::from_slice(message).expect("messages are written as JSON")
}

/// A name as that of a file: what is plain in it, and what tells it from others.
fn file_name(name: &str) -> String {
    let plain = |char: char| {
        if char.is_ascii_alphanumeric() || char == '-' {
            char
        } else {
            '_'
        }
    };
    let plain: String = name.chars().map(plain).take(NAME).collect();
    format!("{plain}-{:016x}", transfer::stable_hash(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_a_file_of_its_own() {
        let (a, b) = (file_name("a b"), file_name("a/b"));
        assert!(a.starts_with("a_b-") && b.starts_with("a_b-"));
        assert_ne!(a, b);
        assert_eq!(file_name(&"é".repeat(500)).len(), NAME + 17);
    }
}
