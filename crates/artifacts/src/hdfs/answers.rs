//! What a name node says, in JSON.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use http::StatusCode;
use serde_json::Value;

use crate::tree::{Entry, Fault, Kind, Node};

/// A part of a list.
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    pub(super) is_more: bool,
}

pub(super) fn page(text: &[u8]) -> Result<Page, Fault> {
    let value = parse(text)?;
    let listing = &value["DirectoryListing"];
    let entries = listing["partialListing"]["FileStatuses"]["FileStatus"]
        .as_array()
        .ok_or_else(|| Fault::strange("a list without entries"))?;
    let entries = entries.iter().map(|status| {
        let Node { kind, size, .. } = node_of(status)?;
        let name = status["pathSuffix"].as_str();
        let name = name.ok_or_else(|| Fault::strange("an entry without a name"))?;
        Ok(Entry {
            name: name.to_owned(),
            kind,
            size,
        })
    });
    Ok(Page {
        entries: entries.collect::<Result<_, Fault>>()?,
        is_more: listing["remainingEntries"].as_u64().unwrap_or(0) > 0,
    })
}

pub(super) fn node(text: &[u8]) -> Result<Node, Fault> {
    node_of(&parse(text)?["FileStatus"])
}

/// Whether it is not the answer `{"boolean": false}`.
pub(super) fn is_done(text: &[u8]) -> bool {
    parse(text).is_ok_and(|value| value["boolean"] != Value::Bool(false)) || text.is_empty()
}

/// What an answer that is no success means.
pub(super) fn fault(status: StatusCode, text: &[u8]) -> Fault {
    let exception = parse(text).map(|value| value["RemoteException"].clone());
    let exception = exception.unwrap_or(Value::Null);
    let name = exception["exception"].as_str().unwrap_or_default();
    let message = exception["message"].as_str().unwrap_or_default();
    let error = || {
        // The first line: the others are a trace of Java's stack.
        let message = message.lines().next().unwrap_or_default();
        let message: String = message.chars().take(300).collect();
        io::Error::other(format!("HDFS answered {status} {name}: {message}"))
    };
    match name {
        "FileNotFoundException" | "ParentNotDirectoryException" => Fault::NotFound,
        "AccessControlException" if message.contains("not a directory") => Fault::NotFound,
        "DSQuotaExceededException" | "NSQuotaExceededException" | "QuotaExceededException" => {
            Fault::Full
        }
        "StandbyException" | "SafeModeException" | "RetriableException" => {
            Fault::Unavailable(error())
        }
        "" if status == StatusCode::NOT_FOUND => Fault::Other(io::Error::other(
            "there is no WebHDFS at the address: set RUNLEDGER_WEBHDFS_URL to http://host:port",
        )),
        _ if status == StatusCode::SERVICE_UNAVAILABLE => Fault::Unavailable(error()),
        _ => Fault::Other(error()),
    }
}

fn node_of(status: &Value) -> Result<Node, Fault> {
    let kind = match status["type"].as_str() {
        Some("FILE") => Kind::File,
        Some("DIRECTORY") => Kind::Directory,
        Some(_) => Kind::Other,
        None => return Err(Fault::strange("a file without a type")),
    };
    let modified = status["modificationTime"].as_u64();
    Ok(Node {
        kind,
        size: status["length"].as_u64().unwrap_or(0),
        modified: modified.and_then(|ms| UNIX_EPOCH.checked_add(Duration::from_millis(ms))),
        id: status["fileId"].as_u64().map(|id| format!("{id:x}")),
    })
}

fn parse(text: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(text).map_err(Fault::strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exception(name: &str, message: &str) -> Vec<u8> {
        let value = serde_json::json!({
            "RemoteException": { "exception": name, "javaClassName": "x", "message": message }
        });
        value.to_string().into_bytes()
    }

    #[test]
    fn exceptions_have_their_meaning() {
        let fault =
            |name: &str, message: &str| fault(StatusCode::FORBIDDEN, &exception(name, message));
        assert!(matches!(
            fault("FileNotFoundException", ""),
            Fault::NotFound
        ));
        let below = "/f (is not a directory)";
        assert!(matches!(
            fault("AccessControlException", below),
            Fault::NotFound
        ));
        assert!(matches!(
            fault("AccessControlException", "no"),
            Fault::Other(_)
        ));
        assert!(matches!(
            fault("StandbyException", ""),
            Fault::Unavailable(_)
        ));
        assert!(matches!(fault("DSQuotaExceededException", ""), Fault::Full));
    }

    #[test]
    fn a_rename_that_was_refused_is_seen() {
        assert!(is_done(b""));
        assert!(is_done(b"{\"boolean\":true}"));
        assert!(!is_done(b"{\"boolean\":false}"));
    }

    #[test]
    fn a_list_without_its_form_is_an_error() {
        for text in ["", "{}", "[]", "<html>", r#"{"DirectoryListing":{}}"#] {
            assert!(page(text.as_bytes()).is_err(), "{text}");
        }
    }
}
