//! Lists of artifacts, and the requests about single ones that come as JSON.
//!
//! Paths are passed on as the client wrote them; whoever uses one checks it.

use runledger_entities::RunId;

use super::Request;
use crate::{
    Input, RequestError,
    json::{decode::decode, message::messages, write},
};

/// The longest time in seconds that a presigned URL may hold.
const MAX_EXPIRATION: i64 = 604_800;

/// The time in seconds that a URL to upload holds where the client does not say.
const UPLOAD_EXPIRATION: i64 = 900;

messages! {
    /// `artifacts/list`
    ListBody {
        run_id: String,
        run_uuid: String,
        path: String,
    }
    /// `logged-models/{model_id}/artifacts/directories`
    DirectoryBody {
        artifact_directory_path: String,
    }
    /// `artifacts/presigned-*-url`
    PresignBody {
        run_id: String,
        model_id: String,
        path: String,
        expiration: i64,
    }
}

/// Lists a directory of a run's artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListArtifacts {
    /// The run.
    pub run_id: RunId,
    /// The directory; the root if absent.
    pub path: Option<String>,
}

impl Request for ListArtifacts {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: ListBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.or_run_uuid(body.run_uuid)?),
            path: body.path.non_empty("path")?,
        })
    }
}

/// Lists a directory of a logged model's artifacts. The model is named by the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListLoggedModelArtifacts {
    /// The directory; the root if absent.
    pub artifact_directory_path: Option<String>,
}

impl Request for ListLoggedModelArtifacts {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: DirectoryBody = decode(input)?;
        Ok(Self {
            artifact_directory_path: body
                .artifact_directory_path
                .non_empty("artifact_directory_path")?,
        })
    }
}

/// What a presigned URL is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresignOwner {
    /// A run's artifact.
    Run(RunId),
    /// A logged model's artifact.
    LoggedModel(runledger_entities::LoggedModelId),
}

/// Asks for a URL to upload an artifact to (MLflow 3.x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresignUpload {
    /// Whose artifact.
    pub owner: PresignOwner,
    /// Its path.
    pub path: String,
    /// Seconds for which the URL shall hold.
    pub expiration: i64,
}

impl Request for PresignUpload {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: PresignBody = decode(input)?;
        let path = body.path.required_text("path")?;
        let run_id = body.run_id.non_empty("run_id")?;
        let model_id = body.model_id.non_empty("model_id")?;
        let expiration = body.expiration.optional("expiration")?;
        let owner = match (run_id, model_id) {
            (Some(run_id), None) => PresignOwner::Run(RunId::new(run_id)),
            (None, Some(model_id)) => {
                PresignOwner::LoggedModel(runledger_entities::LoggedModelId::new(model_id))
            }
            _ => {
                return Err(RequestError::rule(
                    "Exactly one of run_id and model_id must be provided.",
                ));
            }
        };
        Ok(Self {
            owner,
            path,
            expiration: expiration.unwrap_or(UPLOAD_EXPIRATION),
        })
    }
}

/// Asks for a URL to download an artifact from (MLflow 3.x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresignDownload {
    /// The run.
    pub run_id: RunId,
    /// The artifact's path.
    pub path: String,
    /// Seconds for which the URL shall hold; the server's default if absent.
    pub expiration: Option<i64>,
}

impl Request for PresignDownload {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: PresignBody = decode(input)?;
        let run_id = RunId::new(body.run_id.required_text("run_id")?);
        let path = body.path.required_text("path")?;
        let expiration = body.expiration.optional("expiration")?;
        if let Some(seconds) = expiration
            && !(1..=MAX_EXPIRATION).contains(&seconds)
        {
            return Err(RequestError::rule(format!(
                "expiration must be between 1 and {MAX_EXPIRATION} seconds (got {seconds})."
            )));
        }
        Ok(Self {
            run_id,
            path,
            expiration,
        })
    }
}

/// A file or directory in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileInfo<'a> {
    /// The path, relative to the root of the list.
    pub path: &'a str,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The size in bytes of a file. MLflow leaves it out for empty files.
    pub file_size: Option<u64>,
}

/// The answer to `artifacts/list` and its kin for logged models.
pub fn list(root_uri: &str, files: &[FileInfo<'_>]) -> Vec<u8> {
    write::object(|o| {
        o.text("root_uri", root_uri);
        o.list("files", files, write_file);
    })
}

/// The answer to a list of the artifact proxy, whose paths are base names.
pub fn proxy_list(files: &[FileInfo<'_>]) -> Vec<u8> {
    write::object(|o| o.list("files", files, write_file))
}

fn write_file(o: &mut write::Object<'_>, file: &FileInfo<'_>) {
    o.text("path", file.path);
    o.flag("is_dir", file.is_dir);
    if let Some(size) = file.file_size.filter(|size| *size > 0) {
        o.uint("file_size", size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_said_of_files_that_have_one() {
        let file = |path, is_dir, file_size| FileInfo {
            path,
            is_dir,
            file_size,
        };
        let files = [
            file("a", false, Some(3)),
            file("b", false, Some(0)),
            file("d", true, None),
        ];
        assert_eq!(
            String::from_utf8(list("mlflow-artifacts:/1", &files)).unwrap(),
            r#"{"root_uri":"mlflow-artifacts:/1","files":[{"path":"a","is_dir":false,"file_size":3},{"path":"b","is_dir":false},{"path":"d","is_dir":true}]}"#
        );
        assert_eq!(proxy_list(&[]), b"{}");
    }

    #[test]
    fn an_upload_url_is_for_a_run_or_a_model() {
        for body in [
            "{\"path\":\"x\"}",
            "{\"path\":\"x\",\"run_id\":\"r\",\"model_id\":\"m\"}",
        ] {
            let error = PresignUpload::decode(Input::Body(body.as_bytes())).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Exactly one of run_id and model_id must be provided."
            );
        }
    }
}
