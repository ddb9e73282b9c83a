//! What the fields of request messages are, for the description of the API.

use runledger_entities::{
    LoggedModelStatus, RunStatus, SourceType, TraceState, ViewType, WebhookAction, WebhookEntity,
    WebhookStatus,
};

use super::{
    field::{List, Texts},
    python::AnyJson,
};

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Described {
    /// A text.
    Text,
    /// An integer of so many bits.
    Integer(u8),
    /// A double.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of these names.
    OneOf(&'static [&'static str]),
    /// A list.
    List(Box<Self>),
    /// A message: its fields by name.
    Message(Vec<(&'static str, Self)>),
}

/// A type of a field that can be described.
pub(crate) trait Describe {
    /// Its description.
    fn describe() -> Described;
}

macro_rules! describe {
    ($($type:ty: $description:expr;)*) => {$(
        impl Describe for $type {
            fn describe() -> Described {
                $description
            }
        }
    )*};
}

describe! {
    String: Described::Text;
    i64: Described::Integer(64);
    i32: Described::Integer(32);
    f64: Described::Number;
    bool: Described::Flag;
    RunStatus: Described::OneOf(&["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]);
    ViewType: Described::OneOf(&["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]);
    LoggedModelStatus: Described::OneOf(&[
        "LOGGED_MODEL_STATUS_UNSPECIFIED",
        "LOGGED_MODEL_PENDING",
        "LOGGED_MODEL_READY",
        "LOGGED_MODEL_UPLOAD_FAILED",
    ]);
    TraceState: Described::OneOf(&["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"]);
    SourceType: Described::OneOf(&[
        "SOURCE_TYPE_UNSPECIFIED",
        "HUMAN",
        "LLM_JUDGE",
        "CODE",
    ]);
    WebhookStatus: Described::OneOf(&["ACTIVE", "DISABLED"]);
    WebhookEntity: Described::OneOf(&[
        "REGISTERED_MODEL",
        "MODEL_VERSION",
        "MODEL_VERSION_TAG",
        "MODEL_VERSION_ALIAS",
        "PROMPT",
        "PROMPT_VERSION",
        "PROMPT_TAG",
        "PROMPT_VERSION_TAG",
        "PROMPT_ALIAS",
        "BUDGET_POLICY",
    ]);
    WebhookAction: Described::OneOf(&["CREATED", "UPDATED", "DELETED", "SET", "EXCEEDED"]);
    // Any value, which has no description of its own.
    AnyJson: Described::Message(Vec::new());
}

impl<const MAX: usize> Describe for Texts<MAX> {
    fn describe() -> Described {
        Described::Message(Vec::new())
    }
}

impl<T: Describe, const MAX: usize> Describe for List<T, MAX> {
    fn describe() -> Described {
        Described::List(Box::new(T::describe()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::field::{Field, Scalar};

    fn all_are_names_of<T: Describe + Scalar>() {
        let Described::OneOf(names) = T::describe() else {
            panic!("not an enum");
        };
        for name in names {
            assert!(
                matches!(T::from_text(name), Some(Field::Value(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_those_that_are_read() {
        all_are_names_of::<RunStatus>();
        all_are_names_of::<ViewType>();
        all_are_names_of::<LoggedModelStatus>();
        all_are_names_of::<TraceState>();
        all_are_names_of::<SourceType>();
        all_are_names_of::<WebhookStatus>();
        all_are_names_of::<WebhookEntity>();
        all_are_names_of::<WebhookAction>();
    }
}
