//! `hdfs://`: Hadoop's file system, by `WebHDFS`, its protocol over HTTP.
//!
//! MLflow asks by Hadoop's own protocol, which needs Java's library. `WebHDFS`
//! is a port of its own on the same host, or an address that
//! [`URL_VARIABLE`] names. A name node sends whoever reads or writes on to a data
//! node: one redirection is followed. `answers` reads what it says. Kerberos is
//! not spoken; a user is named, and not proved. So it is the operator's to say who:
//! in [`USER_VARIABLE`], or in a location of the server's own, which is the only
//! one with a user that `HostPolicy` lets through.

mod answers;

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use http::header::LOCATION;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Empty;
use percent_encoding::{percent_decode_str, utf8_percent_encode};

use crate::InvalidUri;
use crate::authority::Authority;
use crate::http_client::{HttpClient, KEPT, ResponseBody, pieces, whole};
use crate::tree::{Content, Entry, Fault, Files, Identity, Node};

/// Where `WebHDFS` is, for all `hdfs:` locations: `http://host:port`.
pub(crate) const URL_VARIABLE: &str = "RUNLEDGER_WEBHDFS_URL";
/// Who asks (MLflow's variable).
const USER_VARIABLE: &str = "MLFLOW_KERBEROS_USER";

/// Before every path.
const PREFIX: &str = "/webhdfs/v1";

/// Hadoop 3's port of `WebHDFS` on the name node.
const PORT: u16 = 9870;

/// Bytes of an answer that is read whole: a page of a list has 1,000 entries.
const ANSWER_BYTES: usize = 16 << 20;

const FORM: &str = "hdfs://<host>/<path>, or hdfs:/<path> with RUNLEDGER_WEBHDFS_URL";

/// Where to ask, and as whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct HdfsOptions {
    url: Option<String>,
    user: Option<String>,
}

impl HdfsOptions {
    pub(crate) fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text = |name| variable(name).filter(|value| !value.is_empty());
        let url = text(URL_VARIABLE).map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &url {
            let place = url
                .strip_prefix("http://")
                .or_else(|| url.strip_prefix("https://"));
            let is_place = place.is_some_and(|place| {
                !place.contains('@') && Authority::parse(url, place, FORM).is_ok()
            });
            if !is_place {
                return Err(format!(
                    "{URL_VARIABLE} must be http://<host>:<port> or https://<host>:<port>, not '{}'",
                    crate::redacted(url)
                ));
            }
        }
        Ok(Self {
            url,
            user: text(USER_VARIABLE),
        })
    }

    /// The file system that `authority` names.
    pub(crate) fn open(
        &self,
        uri: &str,
        authority: &str,
        http: HttpClient,
    ) -> Result<Hdfs, InvalidUri> {
        let named = (!authority.is_empty())
            .then(|| Authority::parse(uri, authority, FORM))
            .transpose()?;
        let user = named.as_ref().and_then(|named| named.user.clone());
        let base = match (&self.url, named) {
            (Some(url), _) => url.clone(),
            (None, Some(named)) if named.host.contains(':') => {
                format!("http://[{}]:{PORT}", named.host)
            }
            (None, Some(named)) => format!("http://{}:{PORT}", named.host),
            (None, None) => {
                return Err(InvalidUri::Storage {
                    uri: uri.to_owned(),
                    form: FORM,
                });
            }
        };
        Ok(Hdfs {
            http,
            base,
            user: user.or_else(|| self.user.clone()),
        })
    }
}

/// A file system.
#[derive(Debug)]
pub(crate) struct Hdfs {
    http: HttpClient,
    base: String,
    user: Option<String>,
}

impl Hdfs {
    /// The address of an operation; its arguments are written here.
    fn address(&self, path: &str, operation: &str, arguments: &[(&str, &str)]) -> String {
        let path = utf8_percent_encode(path, KEPT);
        let mut address = format!("{}{PREFIX}{path}?op={operation}", self.base);
        let user = self.user.as_deref().map(|user| ("user.name", user));
        for (name, value) in arguments.iter().copied().chain(user) {
            address.push('&');
            address.push_str(name);
            address.push('=');
            address.extend(utf8_percent_encode(value, KEPT));
        }
        address
    }

    fn request(method: Method, address: &str) -> Result<Request<()>, Fault> {
        let request = Request::builder().method(method).uri(address).body(());
        request.map_err(|error| Fault::Other(io::Error::other(error)))
    }

    async fn send(&self, method: Method, address: &str) -> Result<Response<ResponseBody>, Fault> {
        let request = Self::request(method, address)?.map(|()| Empty::<Bytes>::new());
        let answer = self.http.send(request, None).await;
        answer.map_err(|error| Fault::of_connection(error.into_io()))
    }

    /// An operation that the name node does itself: the text of its answer.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        operation: &str,
        arguments: &[(&str, &str)],
    ) -> Result<Bytes, Fault> {
        let address = self.address(path, operation, arguments);
        let response = self.send(method, &address).await?;
        text_of(response).await
    }

    /// Where a data node is asked, as the name node says.
    fn redirection(&self, response: &Response<ResponseBody>) -> Result<Option<String>, Fault> {
        if response.status() != StatusCode::TEMPORARY_REDIRECT {
            return Ok(None);
        }
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|location| location.to_str().ok());
        match location {
            Some(location) if is_data_node(location, &self.base) => Ok(Some(location.to_owned())),
            Some(_) => Err(Fault::strange("a redirection that is not to a data node")),
            None => Err(Fault::strange("a redirection to nowhere")),
        }
    }
}

/// Whether it is an address of `WebHDFS`, as safe as that of the name node. Which
/// host it is on is the name node's to say.
fn is_data_node(location: &str, name_node: &str) -> bool {
    let Ok(address) = location.parse::<Uri>() else {
        return false;
    };
    let is_safe = match address.scheme_str() {
        Some("https") => true,
        Some("http") => !name_node.starts_with("https:"),
        _ => false,
    };
    let is_plain = address
        .authority()
        .is_some_and(|authority| !authority.as_str().contains('@'));
    let is_below = address.path().strip_prefix(PREFIX).is_some_and(|path| {
        let path: Vec<u8> = percent_decode_str(path).collect();
        let mut segments = path.split(|byte| *byte == b'/');
        path.starts_with(b"/") && !segments.any(|segment| matches!(segment, b"." | b".."))
    });
    is_safe && is_plain && is_below
}

/// The text of an answer that is a success.
async fn text_of(response: Response<ResponseBody>) -> Result<Bytes, Fault> {
    let status = response.status();
    let text = whole(response.into_body(), ANSWER_BYTES).await;
    let text = text.map_err(Fault::of_connection)?;
    if status.is_success() {
        return Ok(text);
    }
    Err(answers::fault(status, &text))
}

#[async_trait]
impl Files for Hdfs {
    async fn list(&self, directory: &str, max: usize) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let arguments = [("startAfter", after.as_str())];
            let arguments = if after.is_empty() {
                &[][..]
            } else {
                &arguments[..]
            };
            let text = self
                .ask(Method::GET, directory, "LISTSTATUS_BATCH", arguments)
                .await?;
            let page = answers::page(&text)?;
            let last = page.entries.last().map(|entry| entry.name.clone());
            // A file lists as itself, without a name.
            if last.as_deref() == Some("") {
                return Err(Fault::NotFound);
            }
            entries.extend(page.entries);
            match last {
                Some(last) if page.is_more && entries.len() <= max => after = last,
                _ => return Ok(entries),
            }
        }
    }

    async fn look(&self, path: &str) -> Result<Option<Node>, Fault> {
        match self.ask(Method::GET, path, "GETFILESTATUS", &[]).await {
            Err(Fault::NotFound) => Ok(None),
            text => answers::node(&text?).map(Some),
        }
    }

    async fn open(&self, path: &str, from: u64) -> Result<Content, Fault> {
        let from = from.to_string();
        let address = self.address(path, "OPEN", &[("offset", &from)]);
        let mut response = self.send(Method::GET, &address).await?;
        if let Some(address) = self.redirection(&response)? {
            response = self.send(Method::GET, &address).await?;
        }
        if response.status().is_success() {
            return Ok(pieces(response.into_body()));
        }
        Err(text_of(response)
            .await
            .err()
            .unwrap_or_else(|| Fault::strange("no content")))
    }

    async fn write(&self, path: &str, content: Content) -> Result<(), Fault> {
        let address = self.address(path, "CREATE", &[("overwrite", "false")]);
        let response = self.send(Method::PUT, &address).await?;
        let Some(address) = self.redirection(&response)? else {
            text_of(response).await?;
            return Err(Fault::strange("an upload without a data node"));
        };
        let mut request = Self::request(Method::PUT, &address)?;
        request.headers_mut().insert(
            http::header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/octet-stream"),
        );
        let response = self.http.send_streamed(request, content).await;
        let response = response.map_err(|error| Fault::of_connection(error.into_io()))?;
        text_of(response).await.map(drop)
    }

    async fn replace(&self, from: &str, to: &str) -> Result<(), Fault> {
        let arguments = [("destination", to), ("renameoptions", "OVERWRITE")];
        let text = self.ask(Method::PUT, from, "RENAME", &arguments).await?;
        if answers::is_done(&text) {
            return Ok(());
        }
        // Gateways (HttpFS) do not know the option, and rename to no name that is there.
        self.remove_file(to).await?;
        let text = self
            .ask(Method::PUT, from, "RENAME", &[("destination", to)])
            .await?;
        if answers::is_done(&text) {
            return Ok(());
        }
        Err(Fault::Other(io::Error::other("the file was not renamed")))
    }

    async fn touch(&self, path: &str, modified: SystemTime) -> Result<(), Fault> {
        let since = modified
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let millis = since.as_millis().to_string();
        let arguments = [("modificationtime", millis.as_str()), ("accesstime", "-1")];
        self.ask(Method::PUT, path, "SETTIMES", &arguments)
            .await
            .map(drop)
    }

    /// `fileId` is counted up.
    async fn identity(&self) -> Result<Identity, Fault> {
        Ok(Identity::Lasting)
    }

    async fn make_directory(&self, path: &str) -> Result<(), Fault> {
        self.ask(Method::PUT, path, "MKDIRS", &[]).await.map(drop)
    }

    async fn remove_file(&self, path: &str) -> Result<(), Fault> {
        match self
            .ask(Method::DELETE, path, "DELETE", &[("recursive", "false")])
            .await
        {
            Ok(_) | Err(Fault::NotFound) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    async fn remove_directory(&self, path: &str) -> Result<(), Fault> {
        self.remove_file(path).await
    }
}

#[cfg(test)]
mod tests {
    use super::is_data_node;

    #[test]
    fn only_a_data_node_is_followed() {
        for name_node in ["http://name:9870", "https://name:9871"] {
            for (location, is_good) in [
                ("https://data:9865/webhdfs/v1/a%20b?op=OPEN", true),
                (
                    "http://data:9864/webhdfs/v1/a?op=OPEN",
                    name_node.starts_with("http:"),
                ),
                (
                    "http://[::1]:9864/webhdfs/v1/a",
                    name_node.starts_with("http:"),
                ),
                ("httpx://data/webhdfs/v1/a", false),
                ("http:data", false),
                ("/webhdfs/v1/a", false),
                ("https://me:secret@data/webhdfs/v1/a", false),
                ("https://data/latest/meta-data", false),
                ("https://data/webhdfs/v1", false),
                ("https://data/webhdfs/v12/a", false),
                ("https://data/webhdfs/v1/../../x", false),
                ("https://data/webhdfs/v1/%2e%2e/x", false),
                ("https://data/webhdfs/v1/a%2f..%2fx", false),
                ("ftp://data/webhdfs/v1/a", false),
                ("", false),
            ] {
                let is_followed = is_data_node(location, name_node);
                assert_eq!(is_followed, is_good, "{location} from {name_node}");
            }
        }
    }
}
