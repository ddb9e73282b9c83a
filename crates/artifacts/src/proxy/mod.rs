//! `http://` and `https://`: the artifacts of another tracking server, through
//! its proxy, as MLflow's clients reach them.
//!
//! A location is `http://host/…/mlflow-artifacts/artifacts/<path>`; a user and a
//! password in it are sent (Basic). `answers` reads what the server says. A server
//! that ignores ranges, tells no length or no entity tag, as MLflow's does, is
//! read all the same.

mod answers;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{AUTHORIZATION, CONTENT_TYPE, RANGE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Empty;
use percent_encoding::utf8_percent_encode;

use crate::authority::Authority;
use crate::http_client::{HttpClient, KEPT, NoAnswer, ResponseBody, pieces, whole};
use crate::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ByteRange, ByteStream, FileInfo,
    InvalidPath, InvalidUri,
};

/// Where every tracking server has its proxy.
const PROXY: &str = "/mlflow-artifacts/artifacts";

const FORM: &str = "http(s)://<host>/…/mlflow-artifacts/artifacts/<path>";

/// Entries of one answer; some 20 MB of JSON.
const MAX_ENTRIES: usize = 250_000;
const LIST_BYTES: usize = 64 << 20;
const ERROR_BYTES: usize = 64 << 10;

/// The proxy of a server.
#[derive(Clone)]
pub(crate) struct Proxy {
    http: HttpClient,
    /// Up to [`PROXY`] and with it.
    base: Arc<str>,
    authorization: Option<HeaderValue>,
    root: ArtifactPath,
}

/// Without the password.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.base).finish()
    }
}

/// What is behind the proxy of a tracking server, below `path`: `server` is its address
/// without an account, `authorization` goes with every request.
///
/// ```
/// use runledger_artifacts::http_client::{HttpClient, Tls};
/// use runledger_artifacts::{ArtifactPath, proxied};
///
/// # fn main() -> std::io::Result<()> {
/// let http = HttpClient::new(&Tls::default())?;
/// let root = ArtifactPath::root();
/// let artifacts = proxied(http, "http://localhost:5000", None, &root);
/// # let _ = artifacts;
/// # Ok(())
/// # }
/// ```
pub fn proxied(
    http: HttpClient,
    server: &str,
    authorization: Option<HeaderValue>,
    path: &ArtifactPath,
) -> Arc<dyn ArtifactRepository> {
    Arc::new(Proxy {
        http,
        base: format!("{server}/api/2.0{PROXY}").into(),
        authorization,
        root: path.clone(),
    })
}

impl Proxy {
    /// The proxy of a location, whose path is decoded, and the path in it.
    ///
    /// # Errors
    /// [`InvalidUri`] if it is no such location.
    pub(crate) fn of(
        uri: &str,
        scheme: &str,
        authority: &str,
        path: &ArtifactPath,
        http: HttpClient,
    ) -> Result<(Self, ArtifactPath), InvalidUri> {
        let named = Authority::parse(uri, authority, FORM)?;
        let whole = format!("/{path}");
        let (before, rest) = whole
            .split_once(PROXY)
            .filter(|(_, rest)| rest.is_empty() || rest.starts_with('/'))
            .ok_or_else(|| InvalidUri::Storage {
                uri: uri.to_owned(),
                form: FORM,
            })?;
        let inner = ArtifactPath::parse(rest.trim_start_matches('/'));
        let inner = inner.map_err(|source| InvalidUri::Path {
            uri: uri.to_owned(),
            source,
        })?;
        let place = authority
            .rsplit_once('@')
            .map_or(authority, |(_, place)| place);
        let before = utf8_percent_encode(before, KEPT);
        let authorization = named.user.map(|user| {
            let account = basic(&user, named.password.as_deref().unwrap_or_default());
            let value = HeaderValue::try_from(account);
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        });
        let proxy = Self {
            http,
            base: format!("{scheme}://{place}{before}{PROXY}").into(),
            // Base64 is always a header.
            authorization: authorization.transpose().unwrap_or_default(),
            root: ArtifactPath::root(),
        };
        Ok((proxy, inner))
    }

    /// With another root.
    pub(crate) fn below(self, root: &ArtifactPath) -> Self {
        Self {
            root: root.clone(),
            ..self
        }
    }

    fn address(&self, path: &ArtifactPath) -> Result<String, InvalidPath> {
        let path = self.root.join(path)?;
        Ok(format!(
            "{}/{}",
            self.base,
            utf8_percent_encode(path.as_str(), KEPT)
        ))
    }

    fn request(&self, method: Method, address: &str) -> Result<Request<()>, ArtifactError> {
        let request = Request::builder().method(method).uri(address).body(());
        let mut request = request.map_err(|error| {
            let error = std::io::Error::other(error);
            ArtifactError::internal("ask a tracking server", error)
        })?;
        if let Some(value) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        Ok(request)
    }

    async fn send(
        &self,
        request: Request<()>,
        operation: &'static str,
    ) -> Result<Response<ResponseBody>, ArtifactError> {
        let request = request.map(|()| Empty::<Bytes>::new());
        let answer = self.http.send(request, None).await;
        answer.map_err(|error| unavailable(operation, error))
    }

    /// Why an answer is no success.
    async fn refused(
        &self,
        response: Response<ResponseBody>,
        path: &ArtifactPath,
        operation: &'static str,
    ) -> ArtifactError {
        let status = response.status();
        let text = whole(response.into_body(), ERROR_BYTES).await;
        answers::error(status, &text.unwrap_or_default(), path, operation)
    }

    /// Asks for a file, or for a part of it, which a server may ignore.
    async fn open(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<Response<ResponseBody>, ArtifactError> {
        const OPERATION: &str = "read a file";
        let mut request = self.request(Method::GET, &self.address(file)?)?;
        let range = range.map(|range| match range {
            ByteRange::From(first) => format!("bytes={first}-"),
            ByteRange::Between(first, last) => format!("bytes={first}-{last}"),
            ByteRange::Last(count) => format!("bytes=-{count}"),
        });
        if let Some(Ok(value)) = range.map(HeaderValue::try_from) {
            request.headers_mut().insert(RANGE, value);
        }
        let response = self.send(request, OPERATION).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE
            && let Some(size_bytes) = answers::whole_size(response.headers())
        {
            return Err(ArtifactError::RangeNotSatisfiable { size_bytes });
        }
        let error = self.refused(response, file, OPERATION).await;
        let is_about_path = matches!(
            error,
            ArtifactError::NotFound { .. } | ArtifactError::Internal { .. }
        );
        // Servers differ in what they say of a directory.
        if is_about_path && self.list(file).await.is_ok_and(|found| !found.is_empty()) {
            return Err(ArtifactError::IsDirectory { path: file.clone() });
        }
        Err(error)
    }

    /// The size of a file whose server does not say it beside the content.
    async fn size(&self, file: &ArtifactPath) -> Result<u64, ArtifactError> {
        let (folder, name) = match file.as_str().rsplit_once('/') {
            Some((folder, name)) => (ArtifactPath::parse(folder)?, name),
            None => (ArtifactPath::root(), file.as_str()),
        };
        let entries = self.list(&folder).await?;
        let entry = entries
            .iter()
            .find(|entry| entry.name == name && !entry.is_dir);
        let not_found = || ArtifactError::NotFound { path: file.clone() };
        Ok(entry.ok_or_else(not_found)?.file_size)
    }
}

/// The header of an account.
fn basic(user: &str, password: &str) -> String {
    let account = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {account}")
}

/// Exactly the bytes of `range` of a content that begins at `from`.
fn cut(
    body: ResponseBody,
    from: u64,
    range: Range<u64>,
) -> futures_core::stream::BoxStream<'static, Result<Bytes, ArtifactError>> {
    let state = (pieces(body), from, range.end);
    let start = range.start;
    stream::try_unfold(state, move |(mut content, mut at, end)| async move {
        let failed = |source| ArtifactError::Unavailable {
            operation: "read a file",
            source,
        };
        while at < end {
            let Some(mut chunk) = content.try_next().await.map_err(failed)? else {
                return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
            };
            let begin = at;
            at += chunk.len() as u64;
            let skipped = usize::try_from(start.saturating_sub(begin)).unwrap_or(usize::MAX);
            let beyond = usize::try_from(at.saturating_sub(end)).unwrap_or(usize::MAX);
            chunk.truncate(chunk.len() - beyond.min(chunk.len()));
            let chunk = chunk.slice(skipped.min(chunk.len())..);
            if !chunk.is_empty() {
                return Ok(Some((chunk, (content, at, end))));
            }
        }
        Ok(None)
    })
    .boxed()
}

fn unavailable(operation: &'static str, error: NoAnswer) -> ArtifactError {
    ArtifactError::Unavailable {
        operation,
        source: error.into_io(),
    }
}

#[async_trait]
impl ArtifactRepository for Proxy {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        const OPERATION: &str = "list a directory";
        let path = self.root.join(directory)?;
        let query = utf8_percent_encode(path.as_str(), KEPT);
        let request = self.request(Method::GET, &format!("{}?path={query}", self.base))?;
        let response = self.send(request, OPERATION).await?;
        if !response.status().is_success() {
            return Err(self.refused(response, directory, OPERATION).await);
        }
        let text = whole(response.into_body(), LIST_BYTES).await;
        let text = text.map_err(|source| ArtifactError::Unavailable {
            operation: OPERATION,
            source,
        })?;
        let mut entries = answers::entries(&text, directory)
            .map_err(|source| ArtifactError::internal(OPERATION, source))?;
        if entries.len() > MAX_ENTRIES {
            return Err(ArtifactError::TooManyEntries {
                path: directory.clone(),
                max: MAX_ENTRIES,
            });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name).then(a.is_dir.cmp(&b.is_dir)));
        Ok(entries)
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        let response = self.open(file, range).await?;
        if response.status() == StatusCode::PARTIAL_CONTENT {
            let (part, size) = answers::part(response.headers()).ok_or_else(|| {
                let error = std::io::Error::other("a part of a file without its place");
                ArtifactError::internal("read a file", error)
            })?;
            // A gateway may send less, or something else.
            let wanted = match range {
                Some(range) => range.resolve(size)?,
                None => 0..size,
            };
            if part != wanted {
                let error = std::io::Error::other("another part of the file than was asked for");
                return Err(ArtifactError::internal("read a file", error));
            }
            let described = answers::Description::of(response.headers(), size);
            let content = cut(response.into_body(), part.start, part.clone());
            return Ok(described.read(part, content));
        }
        let size = match answers::size(response.headers()) {
            Some(size) => size,
            None => self.size(file).await?,
        };
        let described = answers::Description::of(response.headers(), size);
        let wanted = match range {
            Some(range) => range.resolve(size)?,
            None => 0..size,
        };
        let content = cut(response.into_body(), 0, wanted.clone());
        Ok(described.read(wanted, content))
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        const OPERATION: &str = "store an upload";
        if file.is_root() {
            return Err(ArtifactError::IsDirectory { path: file.clone() });
        }
        let mut request = self.request(Method::PUT, &self.address(file)?)?;
        let name = file.file_name().unwrap_or_default();
        let guessed = mime_guess::from_path(name).first_raw();
        let kind = HeaderValue::from_static(guessed.unwrap_or("application/octet-stream"));
        request.headers_mut().insert(CONTENT_TYPE, kind);
        let upload = crate::counted::Counted::new(file, max_bytes);
        let response = self
            .http
            .send_streamed(request, upload.count(content))
            .await;
        if let Some(error) = upload.error() {
            return Err(error);
        }
        let response = response.map_err(|error| unavailable(OPERATION, error))?;
        if !response.status().is_success() {
            return Err(self.refused(response, file, OPERATION).await);
        }
        upload
            .whole()
            .map_err(|source| ArtifactError::Unavailable {
                operation: OPERATION,
                source,
            })?;
        Ok(upload.total())
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        const OPERATION: &str = "remove artifacts";
        if path.is_root() {
            return Err(InvalidPath::new("the root cannot be removed").into());
        }
        let request = self.request(Method::DELETE, &self.address(path)?)?;
        let response = self.send(request, OPERATION).await?;
        if response.status().is_success() {
            return Ok(());
        }
        match self.refused(response, path, OPERATION).await {
            ArtifactError::NotFound { .. } => Ok(()),
            error => Err(error),
        }
    }
}
