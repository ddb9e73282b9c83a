//! Versions of registered models: their numbers, stages and states.

use std::{fmt, str::FromStr};

use crate::{Coded, ErrorCode, RunId, Tag};

/// A version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelVersion {
    /// The name of the registered model.
    pub name: String,
    /// The number, unique in its model.
    pub version: ModelVersionNumber,
    /// Milliseconds since the epoch.
    pub creation_timestamp: i64,
    /// Milliseconds since the epoch; absent in rows of early releases.
    pub last_updated_timestamp: Option<i64>,
    /// Who made it; MLflow leaves it out.
    pub user_id: Option<String>,
    /// Where in its life it is.
    pub current_stage: ModelStage,
    /// Free text.
    pub description: Option<String>,
    /// The URI that it was made of.
    pub source: Option<String>,
    /// The URI of its files, where that is not the source.
    pub storage_location: Option<String>,
    /// The run that made it; may be empty.
    pub run_id: Option<RunId>,
    /// A link to that run, where it is on another server; may be empty.
    pub run_link: Option<String>,
    /// Whether it can be used.
    pub status: ModelVersionStatus,
    /// More about the status.
    pub status_message: Option<String>,
    /// Tags, ordered by key.
    pub tags: Vec<Tag>,
    /// The aliases that stand for it, in order.
    pub aliases: Vec<String>,
}

impl ModelVersion {
    /// The URI of its files; empty if there is none.
    pub fn download_uri(&self) -> &str {
        let location = self.storage_location.as_deref();
        location
            .filter(|location| !location.is_empty())
            .or(self.source.as_deref())
            .unwrap_or_default()
    }
}

/// The number of a version, counted from 1; a decimal string on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelVersionNumber(pub i64);

impl fmt::Display for ModelVersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ModelVersionNumber {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        text.trim()
            .parse()
            .map(Self)
            .map_err(|_| ParseVersionError {
                text: text.to_owned(),
            })
    }
}

/// Text that is not the number of a version. The message is MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Parameter 'version' must be an integer, got '{text}'.")]
pub struct ParseVersionError {
    /// The text as it was given.
    pub text: String,
}

impl Coded for ParseVersionError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

/// Where in its life a version is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelStage {
    /// In none of the others.
    #[default]
    None,
    /// Being tried.
    Staging,
    /// In use.
    Production,
    /// Out of use.
    Archived,
}

impl ModelStage {
    /// Every stage.
    pub const ALL: [Self; 4] = [Self::None, Self::Staging, Self::Production, Self::Archived];

    /// What MLflow keeps in the place of the stage of a deleted version, whose
    /// number is not given again.
    pub const DELETED: &'static str = "Deleted_Internal";

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Staging => "Staging",
            Self::Production => "Production",
            Self::Archived => "Archived",
        }
    }

    /// The stage of this name, as it is stored.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether versions in this stage are in use, or about to be: only such a
    /// stage can take the place of the versions that are in it.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Staging | Self::Production)
    }
}

/// In any case, as clients may write it.
impl FromStr for ModelStage {
    type Err = ParseStageError;

    fn from_str(text: &str) -> Result<Self, ParseStageError> {
        let lower = text.to_lowercase();
        Self::ALL
            .into_iter()
            .find(|stage| stage.name().to_lowercase() == lower)
            .ok_or_else(|| ParseStageError {
                text: text.to_owned(),
            })
    }
}

/// Text that names no stage. The message is MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Invalid Model Version stage: {text}. Value must be one of None, Staging, Production, Archived."
)]
pub struct ParseStageError {
    /// The text as it was given.
    pub text: String,
}

impl Coded for ParseStageError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

/// Whether a version can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ModelVersionStatus {
    /// It is still being made.
    PendingRegistration,
    /// It could not be made.
    FailedRegistration,
    /// It can be used.
    #[default]
    Ready,
}

impl ModelVersionStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [
        Self::PendingRegistration,
        Self::FailedRegistration,
        Self::Ready,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PendingRegistration => "PENDING_REGISTRATION",
            Self::FailedRegistration => "FAILED_REGISTRATION",
            Self::Ready => "READY",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_in_any_case() {
        assert_eq!("pRoduction".parse(), Ok(ModelStage::Production));
        assert_eq!("none".parse(), Ok(ModelStage::None));
        let error = "bogus".parse::<ModelStage>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "Invalid Model Version stage: bogus. Value must be one of None, Staging, Production, \
             Archived."
        );
        assert!(ModelStage::DELETED.parse::<ModelStage>().is_err());
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, number) in [("7", 7), (" 7 ", 7), ("+7", 7), ("-1", -1), ("007", 7)] {
            assert_eq!(text.parse(), Ok(ModelVersionNumber(number)), "{text}");
        }
        for text in ["", "abc", "1.0", "v1"] {
            let error = text.parse::<ModelVersionNumber>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("Parameter 'version' must be an integer, got '{text}'.")
            );
        }
    }

    #[test]
    fn files_are_where_they_are_stored_or_else_at_the_source() {
        let version = |storage: Option<&str>, source: Option<&str>| ModelVersion {
            name: "m".to_owned(),
            version: ModelVersionNumber(1),
            creation_timestamp: 0,
            last_updated_timestamp: None,
            user_id: None,
            current_stage: ModelStage::None,
            description: None,
            source: source.map(str::to_owned),
            storage_location: storage.map(str::to_owned),
            run_id: None,
            run_link: None,
            status: ModelVersionStatus::Ready,
            status_message: None,
            tags: Vec::new(),
            aliases: Vec::new(),
        };
        assert_eq!(
            version(Some("s3://a"), Some("models:/m/1")).download_uri(),
            "s3://a"
        );
        assert_eq!(version(Some(""), Some("s3://b")).download_uri(), "s3://b");
        assert_eq!(version(None, None).download_uri(), "");
    }
}
