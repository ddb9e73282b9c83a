//! Ids as newtypes.

use std::{fmt, str::FromStr};

use crate::{Coded, ErrorCode};

/// The id of an experiment: a non-negative number, a decimal string on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExperimentId(pub i64);

impl ExperimentId {
    /// The experiment that every store has from the start.
    pub const DEFAULT: Self = Self(0);
}

impl fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ExperimentId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        text.trim().parse().map(Self).map_err(|_| ParseIdError {
            text: text.to_owned(),
        })
    }
}

/// Text that is not an experiment id. The message is MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid experiment ID '{text}'. Experiment ID must be a valid integer.")]
pub struct ParseIdError {
    /// The text as it was given.
    pub text: String,
}

impl Coded for ParseIdError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is: an id that names nothing is answered
            /// with "not found" by the store that is asked for it.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The id as owned text.
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The id of a run: 32 lower-case hexadecimal digits when we make it,
    /// opaque otherwise.
    RunId
}

text_id! {
    /// The id of a logged model: `m-` and 32 hexadecimal digits.
    LoggedModelId
}

text_id! {
    /// The id of a trace: `tr-` and the 32 hexadecimal digits of OpenTelemetry,
    /// or without the prefix where an old client asked us for one.
    TraceId
}

text_id! {
    /// The id of an assessment: `a-` and 32 hexadecimal digits.
    AssessmentId
}

text_id! {
    /// The id of a webhook: a UUID.
    WebhookId
}

impl WebhookId {
    /// A new random id.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }
}

impl TraceId {
    /// A new random id, as clients of MLflow 2.x get it.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }
}

impl AssessmentId {
    /// A new random id.
    pub fn random() -> Self {
        Self(format!("a-{}", uuid::Uuid::new_v4().simple()))
    }
}

impl RunId {
    /// A new random id.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }
}

impl LoggedModelId {
    /// A new random id.
    pub fn random() -> Self {
        Self(format!("m-{}", uuid::Uuid::new_v4().simple()))
    }
}
