//! What can go wrong with a collection.

use runledger_artifacts::ArtifactError;
use runledger_entities::ExperimentId;
use runledger_store::StoreError;

use crate::serve::RunError;

/// Why `gc` stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GcError {
    /// The store or the storage cannot be opened.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An age cannot be read.
    #[error("--older-than: '{text}' is no time; say '8h', '2d8h5m20s' or '2m4s', for example")]
    Age {
        /// What was given.
        text: String,
    },
    /// An id is none.
    #[error("--experiment-ids: '{text}' is no id of an experiment")]
    ExperimentId {
        /// What was given.
        text: String,
    },
    /// Something is not deleted for long enough.
    #[error("{what} is not older than the required age, {age}: nothing more was removed")]
    TooYoung {
        /// What it is.
        what: String,
        /// The age.
        age: String,
    },
    /// An experiment is not deleted, or not there.
    #[error("there is no deleted experiment with id {id}: only deleted ones can be removed")]
    NotDeleted {
        /// The experiment.
        id: ExperimentId,
    },
    /// It was not said where the artifacts behind the proxy are.
    #[error(
        "the artifacts of {what} are in '{place}', and so it stays: say where that is with \
         --artifacts-destination, as the server has it"
    )]
    NoDestination {
        /// Whose they are.
        what: String,
        /// Where, without secrets.
        place: String,
    },
    /// Not everything could be removed.
    #[error("{count} of what is deleted could not be removed and stays, see above")]
    Left {
        /// How much.
        count: usize,
    },
    /// Artifacts cannot be removed.
    #[error("the artifacts of {what} cannot be removed, and so it stays: {source}")]
    Artifacts {
        /// Whose they are.
        what: String,
        /// Why.
        source: ArtifactError,
    },
}

impl GcError {
    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Age { .. } | Self::ExperimentId { .. } => 2,
            Self::Run(error) => error.exit_code(),
            _ => 1,
        }
    }

    /// Whether it is about one thing only, so that others can still be removed.
    pub(super) fn is_of_one(&self) -> bool {
        match self {
            Self::NoDestination { .. } | Self::Artifacts { .. } => true,
            Self::Store(error) => matches!(
                error,
                StoreError::NotFound { .. }
                    | StoreError::Lifecycle { .. }
                    | StoreError::InvalidState { .. }
                    | StoreError::Corrupt { .. }
            ),
            _ => false,
        }
    }
}
