//! The one error of every store.

use std::fmt;

use runledger_entities::{Coded, ErrorCode, LifecycleStage, RunId, limits, quote};

/// What a "not found" or "already exists" is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// An experiment by id.
    Experiment,
    /// An experiment by name.
    ExperimentName,
    /// A run.
    Run,
    /// A tag of an experiment.
    ExperimentTag,
    /// A tag of a run.
    RunTag,
    /// A logged model.
    LoggedModel,
    /// A tag of a logged model.
    LoggedModelTag,
    /// A registered model, by name.
    RegisteredModel,
    /// A version of a registered model, by number.
    ModelVersion,
    /// The newest version of a registered model that has none, by its name.
    LatestModelVersion,
    /// An alias of a registered model.
    ModelAlias,
    /// A trace.
    Trace,
    /// A tag of a trace.
    TraceTag,
    /// A trace that an assessment is looked for in.
    AssessedTrace,
    /// An assessment of a trace.
    Assessment,
    /// A webhook.
    Webhook,
}

/// A param that was logged before with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamChange {
    /// The param.
    pub key: String,
    /// The value it has.
    pub old: String,
    /// The value that was refused.
    pub new: String,
}

/// Whether the same call may succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// It will fail again.
    Never,
    /// It may succeed, and repeating it does no harm.
    AfterDelay,
}

/// Why a store did not do what it was asked.
///
/// The messages are those of MLflow 3.17's SQL store where it has one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The thing is not there.
    #[error("{}", not_found(*.what, .id, .owner))]
    NotFound {
        /// What was looked for.
        what: Resource,
        /// Its id, name or key.
        id: String,
        /// What it would belong to; empty for things that belong to nothing.
        owner: String,
    },
    /// The name is taken.
    #[error("Experiment(name={name}) already exists.")]
    ExperimentExists {
        /// The name.
        name: String,
    },
    /// The name of a registered model is taken.
    #[error("{}", registered_model_exists(.name, *.is_prompt, *.new_is_prompt))]
    RegisteredModelExists {
        /// The name.
        name: String,
        /// Whether what has the name is a prompt.
        is_prompt: bool,
        /// Whether what was to get it is one.
        new_is_prompt: bool,
    },
    /// An experiment, run or logged model is in the wrong lifecycle stage.
    #[error(
        "The {what} {id} must be in the '{}' state. Current state is {}.",
        .wanted.name(), .current.name()
    )]
    Lifecycle {
        /// `experiment`, `run` or `logged model`.
        what: &'static str,
        /// Its id.
        id: String,
        /// The stage that the operation needs.
        wanted: LifecycleStage,
        /// The stage that it is in.
        current: LifecycleStage,
    },
    /// A deleted experiment cannot be renamed.
    #[error("Cannot rename a non-active experiment.")]
    RenameDeleted,
    /// Params were logged before with other values.
    #[error("{}", params_changed(.run_id, .changes, *.single))]
    ParamsChanged {
        /// The run.
        run_id: RunId,
        /// What would have changed.
        changes: Vec<ParamChange>,
        /// Whether the call was for one param (`log-parameter`).
        single: bool,
    },
    /// The request contradicts itself or the database.
    #[error("{message}")]
    InvalidArgument {
        /// What is wrong, with the value.
        message: String,
    },
    /// Something is in a state in which this cannot be done with it.
    #[error("{message}")]
    InvalidState {
        /// What is in which state.
        message: String,
    },
    /// The store cannot do this.
    #[error("{operation} is not supported by {store}")]
    Unsupported {
        /// The operation.
        operation: &'static str,
        /// The store's kind.
        store: &'static str,
    },
    /// The store was opened for reading only.
    #[error("the store is open for reading only: nothing can be written")]
    ReadOnly,
    /// The store is busy or away; the call had no effect.
    #[error("the tracking store is not available now: {reason}; try again")]
    Unavailable {
        /// Why.
        reason: &'static str,
    },
    /// A tracking server refused, with this code and these words.
    #[error("{message}")]
    Answered {
        /// Its code.
        code: ErrorCode,
        /// Its words.
        message: String,
    },
    /// A tracking server gave no answer.
    #[error(
        "{server} gave no answer: {reason}. Check that the address is right and that the server \
         runs, and try again{}",
        if *.may_have_arrived { "; the request may have arrived all the same" } else { "" }
    )]
    NoAnswer {
        /// Its address, without a password.
        server: String,
        /// What the network says.
        reason: String,
        /// Whether the call may have had an effect.
        may_have_arrived: bool,
    },
    /// Stored data breaks an invariant.
    #[error("stored data cannot be read: {place}, {key}: {reason}")]
    Corrupt {
        /// The table or file.
        place: &'static str,
        /// The row or line.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A fault of the store or below it.
    #[error("the tracking store failed")]
    Internal {
        /// The cause; it is logged, clients do not see it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StoreError {
    /// A [`StoreError::NotFound`] of something that belongs to nothing.
    pub fn not_found(what: Resource, id: impl fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
            owner: String::new(),
        }
    }

    /// A [`StoreError::NotFound`] of something that belongs to `owner`.
    pub fn not_found_in(what: Resource, id: impl fmt::Display, owner: impl fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
            owner: owner.to_string(),
        }
    }

    /// A [`StoreError::InvalidArgument`].
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidArgument {
            message: message.into(),
        }
    }

    /// Of a read of more spans than [`limits::SPANS_READ_BYTES`].
    pub fn too_many_spans() -> Self {
        Self::invalid(format!(
            "The spans of these traces have more than {} bytes, which is as much as can be read \
             at once. Ask for fewer traces.",
            limits::SPANS_READ_BYTES
        ))
    }

    /// A [`StoreError::Internal`].
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal {
            source: source.into(),
        }
    }

    /// Whether the same call may succeed later.
    pub fn retry(&self) -> Retry {
        match self {
            Self::Unavailable { .. }
            | Self::Answered {
                code: ErrorCode::RequestLimitExceeded | ErrorCode::TemporarilyUnavailable,
                ..
            }
            | Self::NoAnswer {
                may_have_arrived: false,
                ..
            } => Retry::AfterDelay,
            _ => Retry::Never,
        }
    }
}

impl Coded for StoreError {
    fn code(&self) -> ErrorCode {
        match self {
            // As MLflow has it.
            Self::NotFound {
                what: Resource::ModelAlias,
                ..
            } => ErrorCode::InvalidParameterValue,
            Self::NotFound { .. } => ErrorCode::ResourceDoesNotExist,
            Self::ExperimentExists { .. } | Self::RegisteredModelExists { .. } => {
                ErrorCode::ResourceAlreadyExists
            }
            Self::Lifecycle { .. } | Self::ParamsChanged { .. } | Self::InvalidArgument { .. } => {
                ErrorCode::InvalidParameterValue
            }
            Self::RenameDeleted | Self::InvalidState { .. } => ErrorCode::InvalidState,
            Self::Unsupported { .. } => ErrorCode::NotImplemented,
            Self::ReadOnly => ErrorCode::PermissionDenied,
            Self::Answered { code, .. } => *code,
            Self::Unavailable { .. } | Self::NoAnswer { .. } => ErrorCode::TemporarilyUnavailable,
            Self::Corrupt { .. } => ErrorCode::DataLoss,
            Self::Internal { .. } => ErrorCode::InternalError,
        }
    }
}

fn not_found(what: Resource, id: &str, owner: &str) -> String {
    match what {
        Resource::Experiment => format!("No Experiment with id={id} exists"),
        Resource::ExperimentName => format!("Could not find experiment with name '{id}'"),
        Resource::Run => format!("Run with id={id} not found"),
        Resource::ExperimentTag => {
            format!("No tag with name: {id} in experiment with id {owner}")
        }
        Resource::RunTag => format!("No tag with name: {id} in run with id {owner}"),
        Resource::LoggedModel => format!("Logged model with ID '{id}' not found."),
        Resource::LoggedModelTag => {
            format!("No tag with key '{id}' found for model with ID '{owner}'.")
        }
        Resource::RegisteredModel => format!("Registered Model with name={id} not found"),
        Resource::ModelVersion => {
            format!("Model Version (name={owner}, version={id}) not found")
        }
        Resource::LatestModelVersion => format!("Latest version not found for model {id}."),
        Resource::ModelAlias => format!("Registered model alias {id} not found."),
        Resource::Trace => format!("Trace with ID '{id}' not found."),
        Resource::TraceTag => {
            format!("No trace tag with key '{id}' for trace with ID '{owner}'")
        }
        Resource::AssessedTrace => format!("Trace with request_id '{id}' not found"),
        Resource::Assessment => {
            format!("Assessment with ID '{id}' not found for trace '{owner}'")
        }
        Resource::Webhook => format!("Webhook with ID {id} not found."),
    }
}

fn registered_model_exists(name: &str, is_prompt: bool, new_is_prompt: bool) -> String {
    match (is_prompt, new_is_prompt) {
        (true, true) => format!("Prompt (name={name}) already exists."),
        (false, false) => format!("Registered Model (name={name}) already exists."),
        (is_prompt, _) => {
            let (new, old) = if is_prompt {
                ("registered model", "prompt")
            } else {
                ("prompt", "registered model")
            };
            format!(
                "Tried to create a {new} with name '{name}', but the name is already taken by a \
                 {old}. MLflow does not allow creating a model and a prompt with the same name."
            )
        }
    }
}

fn params_changed(run_id: &RunId, changes: &[ParamChange], single: bool) -> String {
    if let ([change], true) = (changes, single) {
        return format!(
            "Changing param values is not allowed. Param with key='{}' was already logged with \
             value='{}' for run ID='{run_id}'. Attempted logging new value '{}'.",
            change.key, change.old, change.new
        );
    }
    let list: Vec<_> = changes
        .iter()
        .map(|change| {
            format!(
                "{{'key': {}, 'old_value': {}, 'new_value': {}}}",
                quote::python(&change.key),
                quote::python(&change.old),
                quote::python(&change.new)
            )
        })
        .collect();
    format!(
        "Changing param values is not allowed. Params were already logged='[{}]' for run \
         ID='{run_id}'.",
        list.join(", ")
    )
}
