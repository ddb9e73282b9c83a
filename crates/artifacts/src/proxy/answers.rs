//! What a tracking server says of artifacts.

use std::io;
use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, StatusCode};
use serde_json::Value;

use crate::{ArtifactError, ArtifactPath, ArtifactRead, FileInfo, InvalidPath};

/// What the headers say of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Description {
    size: u64,
    modified: Option<SystemTime>,
    etag: Option<String>,
}

impl Description {
    /// Neither a weak tag nor a date of whole seconds tells two contents apart:
    /// from a server that offers no more, as MLflow's, there is no tag.
    pub(super) fn of(headers: &HeaderMap, size: u64) -> Self {
        let modified = text(headers, &LAST_MODIFIED);
        let etag = text(headers, &ETAG)
            .filter(|etag| etag.starts_with('"') && etag.len() > 2 && etag.ends_with('"'));
        Self {
            size,
            modified: modified.and_then(|text| httpdate::parse_http_date(text).ok()),
            etag: etag.map(str::to_owned),
        }
    }

    pub(super) fn read(
        self,
        range: Range<u64>,
        content: BoxStream<'static, Result<Bytes, ArtifactError>>,
    ) -> ArtifactRead {
        ArtifactRead {
            size: self.size,
            range,
            modified: self.modified,
            etag: self.etag,
            content,
        }
    }
}

/// The length of a whole answer.
pub(super) fn size(headers: &HeaderMap) -> Option<u64> {
    text(headers, &CONTENT_LENGTH)?.parse().ok()
}

/// The size of the file of which an answer has no part: `bytes */9`.
pub(super) fn whole_size(headers: &HeaderMap) -> Option<u64> {
    let (_, size) = text(headers, &CONTENT_RANGE)?.rsplit_once('/')?;
    size.parse().ok()
}

/// The part of a file that an answer has, and the size of the file: `bytes 3-5/9`.
pub(super) fn part(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let (place, size) = text(headers, &CONTENT_RANGE)?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (first, last) = place.split_once('-')?;
    let (first, last, size) = (
        first.parse::<u64>().ok()?,
        last.parse::<u64>().ok()?,
        size.parse().ok()?,
    );
    (first <= last && last < size).then(|| (first..last + 1, size))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The entries of a list, as far as they have names that a client can ask for.
pub(super) fn entries(text: &[u8], directory: &ArtifactPath) -> io::Result<Vec<FileInfo>> {
    let value: Value = serde_json::from_slice(text).map_err(io::Error::other)?;
    let files = match &value["files"] {
        Value::Array(files) => files.as_slice(),
        Value::Null => &[],
        _ => return Err(io::Error::other("a list of artifacts has no files")),
    };
    let entry = |file: &Value| {
        let name = file["path"].as_str()?;
        let size = &file["file_size"];
        let size = size
            .as_u64()
            .or_else(|| size.as_str().and_then(|digits| digits.parse().ok()));
        directory.entry(name)?;
        Some(FileInfo {
            name: name.to_owned(),
            is_dir: file["is_dir"].as_bool().unwrap_or(false),
            file_size: size.unwrap_or(0),
        })
    };
    Ok(files.iter().filter_map(entry).collect())
}

/// The error that an answer tells of.
pub(super) fn error(
    status: StatusCode,
    text: &[u8],
    path: &ArtifactPath,
    operation: &'static str,
) -> ArtifactError {
    let value: Value = serde_json::from_slice(text).unwrap_or(Value::Null);
    let message = value["message"].as_str().unwrap_or_default();
    let said = || {
        let message: String = message.chars().take(300).collect();
        io::Error::other(format!("the tracking server answered {status}: {message}"))
    };
    let path = path.clone();
    if message.contains("refers to a directory") {
        return ArtifactError::IsDirectory { path };
    }
    if message.contains("parent directories is a file") {
        return ArtifactError::ParentIsFile { path };
    }
    match status {
        StatusCode::NOT_FOUND => ArtifactError::NotFound { path },
        StatusCode::BAD_REQUEST if message == "Invalid path" => {
            InvalidPath::new("the tracking server refuses it").into()
        }
        StatusCode::NOT_IMPLEMENTED => ArtifactError::Unsupported { operation },
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => ArtifactError::Unavailable {
            operation,
            source: said(),
        },
        _ => ArtifactError::internal(operation, said()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_left_out() {
        let text = br#"{"files":[{"path":"a","file_size":"3"},{"path":"..","is_dir":true},
            {"path":"b/c"},{"path":"d","is_dir":true},{"is_dir":true}]}"#;
        let root = ArtifactPath::root();
        let found = entries(text, &root).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|e| (e.name.as_str(), e.file_size))
            .collect();
        assert_eq!(names, [("a", 3), ("d", 0)]);
        assert_eq!(entries(b"{}", &root).unwrap(), []);
        assert!(entries(b"<html>", &root).is_err());
    }

    #[test]
    fn parts_have_their_place() {
        let part_of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, http::HeaderValue::from_static(text));
            (part(&headers), whole_size(&headers))
        };
        assert_eq!(part_of("bytes 3-5/9"), (Some((3..6, 9)), Some(9)));
        assert_eq!(part_of("bytes */9"), (None, Some(9)));
        for text in ["bytes 3-9/9", "bytes 5-3/9", "bytes 3-5/*", "3-5/9"] {
            assert_eq!(part_of(text).0, None, "{text}");
        }
    }

    #[test]
    fn only_a_strong_tag_is_one() {
        let date = http::HeaderValue::from_static("Fri, 27 Nov 2026 08:01:03 GMT");
        let mut headers = HeaderMap::new();
        assert_eq!(Description::of(&headers, 3).etag, None);
        headers.insert(LAST_MODIFIED, date);
        let described = Description::of(&headers, 3);
        assert_eq!(described.etag, None);
        assert!(described.modified.is_some());
        for weak in ["W/\"abc\"", "\"\"", "abc"] {
            headers.insert(ETAG, http::HeaderValue::from_static(weak));
            assert_eq!(Description::of(&headers, 3).etag, None, "{weak}");
        }
        headers.insert(ETAG, http::HeaderValue::from_static("\"abc\""));
        let strong = Description::of(&headers, 3).etag;
        assert_eq!(strong.as_deref(), Some("\"abc\""));
    }
}
