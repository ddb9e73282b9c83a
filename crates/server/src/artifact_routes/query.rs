//! Which file of what: the query strings of the routes that are no messages.

use runledger_artifacts::ArtifactPath;
use runledger_protocol::{RequestError, query_pairs};

use super::{ArtifactRouteError, archive};

/// The owner of a file and the path of the file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArtifactQuery {
    /// The id of the run; empty where the route names the owner itself.
    pub(crate) run_id: String,
    /// The path below the owner's `artifact_uri`.
    pub(crate) path: ArtifactPath,
}

impl ArtifactQuery {
    /// `/get-artifact?run_id=…&path=…`; older clients say `run_uuid`.
    pub(crate) fn of_run(query: Option<&str>) -> Result<Self, ArtifactRouteError> {
        let path = path_or_all(query)?;
        let run_id = parameter(query, "run_id")
            .or_else(|| parameter(query, "run_uuid"))
            .ok_or_else(|| RequestError::missing("run_id"))?;
        Ok(Self {
            run_id,
            path: ArtifactPath::parse(&path)?,
        })
    }

    /// `…/artifacts/files?artifact_file_path=…`; the route names the model. An
    /// archive may be of all that it has.
    pub(crate) fn of_model(query: Option<&str>) -> Result<Self, ArtifactRouteError> {
        let path = match parameter(query, "artifact_file_path") {
            Some(path) if !path.is_empty() => path,
            _ if archive::is_wanted(query)? => String::new(),
            _ => return Err(ArtifactRouteError::NoFilePath),
        };
        Ok(Self {
            run_id: String::new(),
            path: ArtifactPath::parse(&path)?,
        })
    }

    /// `upload-artifact?run_uuid=…&path=…`.
    pub(crate) fn of_upload(query: Option<&str>) -> Result<Self, ArtifactRouteError> {
        let required = |name: &str| {
            parameter(query, name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| RequestError::rule(format!("Request must specify {name}.")))
        };
        let run_id = required("run_uuid")?;
        let path = required("path")?;
        // MLflow fails with 500 on a path that ends in a slash.
        if path.ends_with('/') {
            return Err(file_name_needed().into());
        }
        Ok(Self {
            run_id,
            path: ArtifactPath::parse(&path)?,
        })
    }
}

/// The spans of a trace, or a file that is attached to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceArtifactQuery {
    /// The id of the trace.
    pub(crate) trace_id: String,
    /// The name of the attached file; absent for the spans.
    pub(crate) path: Option<String>,
}

impl TraceArtifactQuery {
    /// `/get-trace-artifact?request_id=…&path=…`
    pub(crate) fn of(query: Option<&str>) -> Result<Self, ArtifactRouteError> {
        let trace_id = parameter(query, "request_id")
            .filter(|id| !id.is_empty())
            .ok_or(ArtifactRouteError::NoTrace)?;
        Ok(Self {
            trace_id,
            path: parameter(query, "path").filter(|path| !path.is_empty()),
        })
    }
}

/// The path of a file.
pub(crate) fn file_of(name: &str) -> Result<ArtifactPath, ArtifactRouteError> {
    Ok(ArtifactPath::parse(name)?)
}

/// The path of a file that is attached to a trace.
pub(crate) fn attachment(name: &str) -> Result<ArtifactPath, ArtifactRouteError> {
    Ok(ArtifactPath::parse(&format!("attachments/{name}"))?)
}

/// A file of a version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelVersionArtifactQuery {
    /// The name of the registered model.
    pub(crate) name: String,
    /// The number of the version as the client wrote it.
    pub(crate) version: String,
    /// The path below the version's files.
    pub(crate) path: ArtifactPath,
}

impl ModelVersionArtifactQuery {
    /// `/model-versions/get-artifact?name=…&version=…&path=…`
    pub(crate) fn of(query: Option<&str>) -> Result<Self, ArtifactRouteError> {
        let required =
            |name: &str| parameter(query, name).ok_or_else(|| RequestError::missing(name));
        Ok(Self {
            path: ArtifactPath::parse(&path_or_all(query)?)?,
            name: required("name")?,
            version: required("version")?,
        })
    }
}

/// The path, which an archive of everything does without.
fn path_or_all(query: Option<&str>) -> Result<String, RequestError> {
    match parameter(query, "path") {
        Some(path) => Ok(path),
        None if archive::is_wanted(query)? => Ok(String::new()),
        None => Err(RequestError::missing("path")),
    }
}

/// The error of a write to a path that ends in a slash.
pub(super) fn file_name_needed() -> RequestError {
    RequestError::rule("Artifact path must include a filename (cannot end with '/').")
}

/// The first value of a parameter.
pub(super) fn parameter(query: Option<&str>, name: &str) -> Option<String> {
    query_pairs(query?).find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_name_of_the_run_is_read() {
        for query in ["run_id=r&path=a%20b", "path=a%20b&run_uuid=r"] {
            let read = ArtifactQuery::of_run(Some(query)).unwrap();
            assert_eq!((read.run_id.as_str(), read.path.as_str()), ("r", "a b"));
        }
    }

    #[test]
    fn missing_parameters_are_named_as_in_mlflow() {
        let message = |query| {
            ArtifactQuery::of_upload(Some(query))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(message("path=a"), "Request must specify run_uuid.");
        assert_eq!(message("run_uuid=r&path="), "Request must specify path.");
        assert!(ArtifactQuery::of_run(None).is_err());
        assert!(ArtifactQuery::of_model(Some("artifact_file_path=")).is_err());
    }

    #[test]
    fn an_archive_may_be_of_everything() {
        let run = ArtifactQuery::of_run(Some("run_id=r&archive=zip")).unwrap();
        assert!(run.path.is_root());
        let model = ArtifactQuery::of_model(Some("archive=zip")).unwrap();
        assert!(model.path.is_root());
        let version = ModelVersionArtifactQuery::of(Some("name=m&version=1&archive=zip")).unwrap();
        assert!(version.path.is_root());
        assert!(ArtifactQuery::of_run(Some("run_id=r&archive=tar")).is_err());
    }

    #[test]
    fn paths_are_decoded_once() {
        for query in [
            "run_id=r&path=../x",
            "run_id=r&path=%2e%2e/x",
            "run_id=r&path=%252e%252e/x",
        ] {
            let error = ArtifactQuery::of_run(Some(query)).unwrap_err();
            assert_eq!(error.to_string(), "Invalid path");
        }
    }
}
