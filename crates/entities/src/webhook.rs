//! Webhooks: addresses that are told of changes in the model registry.

use std::fmt;

use crate::{Coded, ErrorCode, WebhookId, quote};

/// A webhook. Its secret is no part of it: nobody who lists webhooks sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: WebhookId,
    /// Its name; several webhooks may have the same.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where deliveries go.
    pub url: String,
    /// What it is told of, ordered; at least one, each once.
    pub events: Vec<WebhookEvent>,
    /// Whether it is told of anything.
    pub status: WebhookStatus,
    /// Milliseconds since the epoch.
    pub creation_timestamp: i64,
    /// Milliseconds since the epoch.
    pub last_updated_timestamp: i64,
}

/// Whether a webhook is told of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WebhookStatus {
    /// It is.
    #[default]
    Active,
    /// It is not, until it is made active again.
    Disabled,
}

impl WebhookStatus {
    /// MLflow's name of it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Disabled => "DISABLED",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ACTIVE" => Some(Self::Active),
            "DISABLED" => Some(Self::Disabled),
            _ => None,
        }
    }
}

/// Defines an enum whose variants have a name in the database, and the same in
/// capital letters and a number on the wire.
macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($(#[$item:meta])* $variant:ident = $number:literal, $name:literal, $wire:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type {
            $($(#[$item])* $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the database and in what is delivered.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The name in requests and answers.
            pub fn wire_name(self) -> &'static str {
                match self {
                    $(Self::$variant => $wire,)*
                }
            }

            /// The one of this name in the database.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The one of this name in a request.
            pub fn from_wire_name(name: &str) -> Option<Self> {
                match name {
                    $($wire => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The one of this number in a request.
            pub fn from_number(number: i64) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

named! {
    /// What an event is about.
    WebhookEntity {
        /// A registered model.
        RegisteredModel = 1, "registered_model", "REGISTERED_MODEL";
        /// A version of one.
        ModelVersion = 2, "model_version", "MODEL_VERSION";
        /// A tag of a version.
        ModelVersionTag = 3, "model_version_tag", "MODEL_VERSION_TAG";
        /// An alias of a version.
        ModelVersionAlias = 4, "model_version_alias", "MODEL_VERSION_ALIAS";
        /// A prompt.
        Prompt = 5, "prompt", "PROMPT";
        /// A version of a prompt.
        PromptVersion = 6, "prompt_version", "PROMPT_VERSION";
        /// A tag of a prompt.
        PromptTag = 7, "prompt_tag", "PROMPT_TAG";
        /// A tag of a version of a prompt.
        PromptVersionTag = 8, "prompt_version_tag", "PROMPT_VERSION_TAG";
        /// An alias of a version of a prompt.
        PromptAlias = 9, "prompt_alias", "PROMPT_ALIAS";
        /// A budget of MLflow's gateway, which is not on this server.
        BudgetPolicy = 10, "budget_policy", "BUDGET_POLICY";
    }
}

named! {
    /// What happened.
    WebhookAction {
        /// It was created.
        Created = 1, "created", "CREATED";
        /// It was changed; MLflow has no event with it.
        Updated = 2, "updated", "UPDATED";
        /// It was deleted.
        Deleted = 3, "deleted", "DELETED";
        /// It was set.
        Set = 4, "set", "SET";
        /// It was exceeded.
        Exceeded = 5, "exceeded", "EXCEEDED";
    }
}

impl WebhookEntity {
    /// What can happen to it, in the order of the names.
    pub fn actions(self) -> &'static [WebhookAction] {
        use WebhookAction::{Created, Deleted, Exceeded, Set};

        match self {
            Self::RegisteredModel | Self::ModelVersion | Self::Prompt | Self::PromptVersion => {
                &[Created]
            }
            Self::ModelVersionTag | Self::PromptTag | Self::PromptVersionTag => &[Deleted, Set],
            Self::ModelVersionAlias | Self::PromptAlias => &[Created, Deleted],
            Self::BudgetPolicy => &[Exceeded],
        }
    }
}

/// Something that a webhook can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WebhookEvent {
    entity: WebhookEntity,
    action: WebhookAction,
}

impl WebhookEvent {
    /// An event.
    ///
    /// # Errors
    /// [`InvalidWebhook::Action`] if that cannot happen to such a thing.
    pub fn new(entity: WebhookEntity, action: WebhookAction) -> Result<Self, InvalidWebhook> {
        if entity.actions().contains(&action) {
            Ok(Self { entity, action })
        } else {
            Err(InvalidWebhook::Action { entity, action })
        }
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        WebhookEntity::ALL.iter().flat_map(|&entity| {
            let actions = entity.actions().iter();
            actions.map(move |&action| Self { entity, action })
        })
    }

    /// What it is about.
    pub fn entity(self) -> WebhookEntity {
        self.entity
    }

    /// What happened.
    pub fn action(self) -> WebhookAction {
        self.action
    }

    /// Orders events as the database does: by the names.
    #[must_use]
    pub fn sorted(mut events: Vec<Self>) -> Vec<Self> {
        events.sort_unstable_by_key(|event| (event.entity.name(), event.action.name()));
        events
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.entity, self.action)
    }
}

/// Why something about a webhook is refused. The messages are MLflow 3.17's where
/// it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// The name breaks the rule of names.
    #[error(
        "Webhook name {} is invalid. It must start and end with a letter or digit, be less than \
         63 characters long, and contain only letters, digits, dots (.), underscores (_), and \
         hyphens (-).",
        quote::python(name)
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The URL is blank.
    #[error(
        "Webhook URL cannot be empty or just whitespace: {}",
        quote::python(url)
    )]
    BlankUrl {
        /// The URL.
        url: String,
    },
    /// The URL is of a scheme that is not allowed.
    #[error(
        "Invalid webhook URL scheme: {}. Allowed schemes are: {}.",
        quote::python(scheme), allowed.join(", ")
    )]
    Scheme {
        /// The scheme; empty if there is none.
        scheme: String,
        /// Those that are allowed.
        allowed: Vec<String>,
    },
    /// The URL names no host.
    #[error("Webhook URL must include a hostname: {}", quote::python(url))]
    NoHost {
        /// The URL.
        url: String,
    },
    /// The URL cannot be sent to.
    #[error("Invalid webhook URL {}: {reason}", quote::python(url))]
    Url {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There are no events.
    #[error("Webhook events must be a non-empty list of WebhookEvent objects: [].")]
    NoEvents,
    /// An event is there twice.
    #[error("Webhook events must differ from each other: '{event}' is there twice.")]
    EventTwice {
        /// The event.
        event: WebhookEvent,
    },
    /// What is said to happen cannot happen to such a thing.
    #[error(
        "Invalid action '{action}' for entity '{entity}'. Valid actions are: [{}]",
        valid_actions(*entity)
    )]
    Action {
        /// The thing.
        entity: WebhookEntity,
        /// What is said to happen to it.
        action: WebhookAction,
    },
    /// An event names no thing that there is, or nothing that can happen.
    #[error(
        "Invalid webhook event: '{parameter}' must be one of {}.", choices.join(", ")
    )]
    Unknown {
        /// The parameter.
        parameter: String,
        /// What it may be.
        choices: Vec<&'static str>,
    },
    /// A text is longer than its column.
    #[error("The {what} of a webhook has at most {limit} {unit}, this one has {length}.")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
        /// What is counted.
        unit: &'static str,
    },
}

fn valid_actions(entity: WebhookEntity) -> String {
    let actions = entity.actions().iter();
    let quoted: Vec<String> = actions.map(|action| format!("'{action}'")).collect();
    quoted.join(", ")
}

impl Coded for InvalidWebhook {
    fn code(&self) -> ErrorCode {
        match self {
            // MLflow's answer is that of its database.
            Self::EventTwice { .. } => ErrorCode::BadRequest,
            _ => ErrorCode::InvalidParameterValue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_are_mlflows_fifteen() {
        let all: Vec<String> = WebhookEvent::all().map(|event| event.to_string()).collect();
        assert_eq!(all.len(), 15);
        assert!(all.contains(&"prompt_version_tag.deleted".to_owned()));
    }

    #[test]
    fn what_cannot_happen_is_refused_in_mlflows_words() {
        let refused = WebhookEvent::new(WebhookEntity::ModelVersionTag, WebhookAction::Created);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "Invalid action 'created' for entity 'model_version_tag'. Valid actions are: \
             ['deleted', 'set']"
        );
    }

    #[test]
    fn names_go_there_and_back() {
        for &entity in WebhookEntity::ALL {
            assert_eq!(WebhookEntity::from_name(entity.name()), Some(entity));
            assert_eq!(
                WebhookEntity::from_wire_name(entity.wire_name()),
                Some(entity)
            );
            assert_eq!(entity.name().to_uppercase(), entity.wire_name());
        }
        for &action in WebhookAction::ALL {
            assert_eq!(WebhookAction::from_name(action.name()), Some(action));
            assert_eq!(action.name().to_uppercase(), action.wire_name());
        }
    }

    #[test]
    fn events_are_ordered_by_their_names() {
        let event = |entity, action| WebhookEvent::new(entity, action).unwrap();
        let set = event(WebhookEntity::PromptTag, WebhookAction::Set);
        let deleted = event(WebhookEntity::PromptTag, WebhookAction::Deleted);
        let model = event(WebhookEntity::ModelVersion, WebhookAction::Created);
        let sorted = WebhookEvent::sorted(vec![set, model, deleted]);
        assert_eq!(sorted, [model, deleted, set]);
    }
}
