//! What webhooks are told, in MLflow's JSON as Python writes it.

use runledger_entities::{
    ModelVersionNumber, RunId, Tag, WebhookAction, WebhookEntity, WebhookEvent, quote, time,
};

use crate::{NewModelVersion, NewRegisteredModel};

/// The tag that holds the type of a prompt; deliveries leave it out.
const PROMPT_TYPE: &str = "_mlflow_prompt_type";

/// A change of the registry that webhooks may be told of.
#[derive(Clone, Copy, Debug)]
pub enum RegistryChange<'a> {
    /// A model, or a prompt, was created.
    ModelCreated(&'a NewRegisteredModel),
    /// A version was created, with this number.
    VersionCreated(&'a NewModelVersion, ModelVersionNumber),
    /// A tag was set.
    TagSet {
        /// The model.
        name: &'a str,
        /// Its version, if it is a tag of one.
        version: Option<ModelVersionNumber>,
        /// The tag.
        tag: &'a Tag,
    },
    /// A tag was deleted, or was not there.
    TagDeleted {
        /// The model.
        name: &'a str,
        /// Its version, if it is a tag of one.
        version: Option<ModelVersionNumber>,
        /// The key.
        key: &'a str,
    },
    /// An alias stands for a version now.
    AliasSet {
        /// The model.
        name: &'a str,
        /// The alias.
        alias: &'a str,
        /// The version.
        version: ModelVersionNumber,
    },
    /// An alias was deleted, or was not there.
    AliasDeleted {
        /// The model.
        name: &'a str,
        /// The alias.
        alias: &'a str,
    },
}

impl<'a> RegistryChange<'a> {
    /// The event, if webhooks are told of it: tags of models are told of prompts
    /// only.
    pub fn event(&self, is_prompt: bool) -> Option<WebhookEvent> {
        use WebhookAction::{Created, Deleted, Set};
        use WebhookEntity as E;

        let (model, prompt, action) = match self {
            Self::ModelCreated(_) => (Some(E::RegisteredModel), E::Prompt, Created),
            Self::VersionCreated(..) => (Some(E::ModelVersion), E::PromptVersion, Created),
            Self::TagSet { version: None, .. } => (None, E::PromptTag, Set),
            Self::TagDeleted { version: None, .. } => (None, E::PromptTag, Deleted),
            Self::TagSet { .. } => (Some(E::ModelVersionTag), E::PromptVersionTag, Set),
            Self::TagDeleted { .. } => (Some(E::ModelVersionTag), E::PromptVersionTag, Deleted),
            Self::AliasSet { .. } => (Some(E::ModelVersionAlias), E::PromptAlias, Created),
            Self::AliasDeleted { .. } => (Some(E::ModelVersionAlias), E::PromptAlias, Deleted),
        };
        let entity = if is_prompt { Some(prompt) } else { model };
        WebhookEvent::new(entity?, action).ok()
    }

    /// Whether it is of a prompt, where the change itself says so; otherwise its
    /// model does.
    pub fn is_prompt(&self) -> Option<bool> {
        match self {
            Self::ModelCreated(new) => Some(Tag::are_of_prompt(&new.tags)),
            Self::VersionCreated(new, _) => Some(Tag::are_of_prompt(&new.tags)),
            _ => None,
        }
    }

    /// The model that was changed.
    pub fn model(&self) -> &'a str {
        match self {
            Self::ModelCreated(new) => &new.name,
            Self::VersionCreated(new, _) => &new.name,
            Self::TagSet { name, .. }
            | Self::TagDeleted { name, .. }
            | Self::AliasSet { name, .. }
            | Self::AliasDeleted { name, .. } => name,
        }
    }

    /// What happened, as a JSON object.
    pub fn data(&self, is_prompt: bool) -> String {
        let mut data = Data::new();
        data.text("name", self.model());
        match self {
            Self::ModelCreated(new) => {
                let hidden: &[_] = if is_prompt {
                    &[Tag::IS_PROMPT, PROMPT_TYPE]
                } else {
                    &[]
                };
                data.tags(&new.tags, hidden);
                // Of a model MLflow says an empty one, of a version none.
                data.text(
                    "description",
                    new.description.as_deref().unwrap_or_default(),
                );
            }
            Self::VersionCreated(new, version) => {
                data.text("version", &version.to_string());
                if is_prompt {
                    let text = new.tags.iter().rfind(|tag| tag.key == Tag::PROMPT_TEXT);
                    data.maybe_text("template", text.map(|tag| &*tag.value));
                    let hidden = [Tag::IS_PROMPT, PROMPT_TYPE, Tag::PROMPT_TEXT];
                    data.tags(&new.tags, &hidden);
                } else {
                    data.text("source", &new.source);
                    let run = new.run_id.as_ref().map(RunId::as_str);
                    data.maybe_text("run_id", run.filter(|run| !run.is_empty()));
                    data.tags(&new.tags, &[]);
                }
                let description = new.description.as_deref();
                data.maybe_text("description", description.filter(|text| !text.is_empty()));
            }
            Self::TagSet { version, tag, .. } => {
                data.version(*version);
                data.text("key", &tag.key);
                data.text("value", &tag.value);
            }
            Self::TagDeleted { version, key, .. } => {
                data.version(*version);
                data.text("key", key);
            }
            Self::AliasSet { alias, version, .. } => {
                data.text("alias", alias);
                data.version(Some(*version));
            }
            Self::AliasDeleted { alias, .. } => data.text("alias", alias),
        }
        data.end()
    }
}

/// The body of a delivery: what happened, when, in milliseconds since the epoch,
/// and the object that [`RegistryChange::data`] or [`example_data`] made.
pub fn delivery_body(event: WebhookEvent, at: i64, data: &str) -> String {
    format!(
        "{{\"entity\": \"{}\", \"action\": \"{}\", \"timestamp\": \"{}\", \"data\": {data}}}",
        event.entity(),
        event.action(),
        time::iso(at),
    )
}

/// What a webhook is told of an event when it is tested.
pub fn example_data(event: WebhookEvent) -> String {
    use WebhookAction::Set;
    use WebhookEntity as E;

    let version = ModelVersionNumber(1);
    let tag = Tag::new("example_key", "example_value");
    let name = match event.entity() {
        E::RegisteredModel | E::ModelVersion | E::ModelVersionTag | E::ModelVersionAlias => {
            "example_model"
        }
        _ => "example_prompt",
    };
    let set = event.action() == Set;
    let tagged = |version| {
        if set {
            RegistryChange::TagSet {
                name,
                version,
                tag: &tag,
            }
        } else {
            RegistryChange::TagDeleted {
                name,
                version,
                key: &tag.key,
            }
        }
    };
    let model = |description: &str| NewRegisteredModel {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        tags: vec![tag.clone()],
    };
    match event.entity() {
        E::RegisteredModel => {
            RegistryChange::ModelCreated(&model("An example registered model")).data(false)
        }
        E::Prompt => RegistryChange::ModelCreated(&model("An example prompt")).data(true),
        E::ModelVersion => {
            let new = NewModelVersion {
                name: name.to_owned(),
                source: "models:/123".to_owned(),
                run_id: Some(RunId::new("abcd1234abcd5678")),
                description: Some("An example model version".to_owned()),
                tags: vec![tag],
                ..NewModelVersion::default()
            };
            RegistryChange::VersionCreated(&new, version).data(false)
        }
        E::PromptVersion => {
            let new = NewModelVersion {
                name: name.to_owned(),
                description: Some("An example prompt version".to_owned()),
                tags: vec![tag, Tag::new(Tag::PROMPT_TEXT, "Hello {{name}}!")],
                ..NewModelVersion::default()
            };
            RegistryChange::VersionCreated(&new, version).data(true)
        }
        E::ModelVersionTag | E::PromptVersionTag => tagged(Some(version)).data(false),
        E::PromptTag => tagged(None).data(true),
        E::ModelVersionAlias | E::PromptAlias => {
            let alias = "example_alias";
            let change = match event.action() {
                WebhookAction::Created => RegistryChange::AliasSet {
                    name,
                    alias,
                    version,
                },
                _ => RegistryChange::AliasDeleted { name, alias },
            };
            change.data(false)
        }
        E::BudgetPolicy => BUDGET.to_owned(),
    }
}

/// The example of an event of MLflow's gateway.
const BUDGET: &str = r#"{"budget_policy_id": "bp-abc123", "budget_unit": "USD", "budget_amount": 100.0, "current_spend": 105.5, "duration_unit": "MONTHS", "duration_value": 1, "target_scope": "ENDPOINT", "workspace": "default", "target_value": "ep-abc123", "window_start": 1704067200000}"#;

/// A JSON object under construction.
struct Data(String);

impl Data {
    fn new() -> Self {
        Self("{".to_owned())
    }

    fn key(&mut self, key: &'static str) {
        if self.0.len() > 1 {
            self.0.push_str(", ");
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\": ");
    }

    fn text(&mut self, key: &'static str, text: &str) {
        self.key(key);
        self.0.push_str(&quote::json_whole(text));
    }

    fn maybe_text(&mut self, key: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        } else {
            self.key(key);
            self.0.push_str("null");
        }
    }

    fn version(&mut self, version: Option<ModelVersionNumber>) {
        if let Some(version) = version {
            self.text("version", &version.to_string());
        }
    }

    /// Tags as a Python dictionary: each key where it came first, with the value
    /// that came last.
    fn tags(&mut self, tags: &[Tag], hidden: &[&str]) {
        self.key("tags");
        self.0.push('{');
        let shown = tags.iter().enumerate().filter(|(place, tag)| {
            let first = tags.iter().position(|other| other.key == tag.key);
            first == Some(*place) && !hidden.contains(&tag.key.as_str())
        });
        for (number, (_, tag)) in shown.enumerate() {
            let last = tags.iter().rfind(|other| other.key == tag.key);
            let value = last.map_or("", |last| &last.value);
            self.0.push_str(if number == 0 { "" } else { ", " });
            self.0.push_str(&quote::json_whole(&tag.key));
            self.0.push_str(": ");
            self.0.push_str(&quote::json_whole(value));
        }
        self.0.push('}');
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> WebhookEvent {
        WebhookEvent::all()
            .find(|event| event.to_string() == text)
            .unwrap()
    }

    /// What MLflow 3.17.2 sent to a receiver when each event was tested.
    #[test]
    fn examples_are_mlflows() {
        for (name, data) in [
            (
                "registered_model.created",
                r#"{"name": "example_model", "tags": {"example_key": "example_value"}, "description": "An example registered model"}"#,
            ),
            (
                "model_version.created",
                r#"{"name": "example_model", "version": "1", "source": "models:/123", "run_id": "abcd1234abcd5678", "tags": {"example_key": "example_value"}, "description": "An example model version"}"#,
            ),
            (
                "model_version_tag.set",
                r#"{"name": "example_model", "version": "1", "key": "example_key", "value": "example_value"}"#,
            ),
            (
                "model_version_tag.deleted",
                r#"{"name": "example_model", "version": "1", "key": "example_key"}"#,
            ),
            (
                "model_version_alias.created",
                r#"{"name": "example_model", "alias": "example_alias", "version": "1"}"#,
            ),
            (
                "model_version_alias.deleted",
                r#"{"name": "example_model", "alias": "example_alias"}"#,
            ),
            (
                "prompt.created",
                r#"{"name": "example_prompt", "tags": {"example_key": "example_value"}, "description": "An example prompt"}"#,
            ),
            (
                "prompt_version.created",
                r#"{"name": "example_prompt", "version": "1", "template": "Hello {{name}}!", "tags": {"example_key": "example_value"}, "description": "An example prompt version"}"#,
            ),
            (
                "prompt_tag.set",
                r#"{"name": "example_prompt", "key": "example_key", "value": "example_value"}"#,
            ),
            (
                "prompt_tag.deleted",
                r#"{"name": "example_prompt", "key": "example_key"}"#,
            ),
            (
                "prompt_version_tag.set",
                r#"{"name": "example_prompt", "version": "1", "key": "example_key", "value": "example_value"}"#,
            ),
            (
                "prompt_version_tag.deleted",
                r#"{"name": "example_prompt", "version": "1", "key": "example_key"}"#,
            ),
            (
                "prompt_alias.created",
                r#"{"name": "example_prompt", "alias": "example_alias", "version": "1"}"#,
            ),
            (
                "prompt_alias.deleted",
                r#"{"name": "example_prompt", "alias": "example_alias"}"#,
            ),
            ("budget_policy.exceeded", BUDGET),
        ] {
            assert_eq!(example_data(event(name)), data, "{name}");
        }
    }

    #[test]
    fn a_body_is_what_mlflow_sends() {
        let new = NewRegisteredModel {
            name: "m".to_owned(),
            description: None,
            tags: vec![Tag::new("b", "1"), Tag::new("a", "é"), Tag::new("b", "2")],
        };
        let change = RegistryChange::ModelCreated(&new);
        let event = change.event(false).unwrap();
        assert_eq!(
            delivery_body(event, 1_795_766_350_568, &change.data(false)),
            r#"{"entity": "registered_model", "action": "created", "timestamp": "2026-11-27T07:59:10.568000+00:00", "data": {"name": "m", "tags": {"b": "2", "a": "\u00e9"}, "description": ""}}"#
        );
    }

    #[test]
    fn a_version_of_a_prompt_shows_its_text_apart() {
        let tags = [
            (Tag::IS_PROMPT, "TRUE"),
            (Tag::PROMPT_TEXT, "Hi {{x}}"),
            (PROMPT_TYPE, "text"),
            ("q", "1"),
        ];
        let new = NewModelVersion {
            name: "p".to_owned(),
            description: Some(String::new()),
            tags: tags.map(|(key, value)| Tag::new(key, value)).to_vec(),
            ..NewModelVersion::default()
        };
        let change = RegistryChange::VersionCreated(&new, ModelVersionNumber(1));
        assert_eq!(change.is_prompt(), Some(true));
        assert_eq!(
            change.data(true),
            r#"{"name": "p", "version": "1", "template": "Hi {{x}}", "tags": {"q": "1"}, "description": null}"#
        );
    }

    #[test]
    fn tags_of_models_are_told_of_prompts_only() {
        let tag = Tag::new("k", "v");
        let (name, version) = ("m", None);
        let set = RegistryChange::TagSet {
            name,
            version,
            tag: &tag,
        };
        assert_eq!(set.event(false), None);
        assert_eq!(set.event(true), Some(event("prompt_tag.set")));
    }
}
