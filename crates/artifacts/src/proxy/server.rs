//! A tracking server as a client reaches it: its API, and the artifacts behind
//! its proxy, with one account.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Empty;

use super::{PROXY, Proxy, basic};
use crate::authority::Authority;
use crate::http_client::{HttpClient, KEPT, Tls, whole};
use crate::{ArtifactPath, ArtifactRepository};

/// Bytes of an answer: a run with all that it logged.
const ANSWER_BYTES: usize = 64 << 20;

/// Why a tracking server cannot be asked, or did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is none.
    #[error(
        "the tracking URI '{}' is not of the form http(s)://<host>:<port>/<prefix>",
        crate::redacted(uri)
    )]
    Uri {
        /// The address.
        uri: String,
    },
    /// A variable of the environment cannot be followed.
    #[error("{variable}: {reason}")]
    Variable {
        /// The variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It did not answer.
    #[error("the tracking server does not answer")]
    Unavailable {
        /// What the network says.
        #[source]
        source: io::Error,
    },
    /// It said no.
    #[error("the tracking server answered {status}: {message}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        message: String,
    },
}

/// A tracking server. Clones share its connections.
#[derive(Clone)]
pub struct TrackingServer {
    http: HttpClient,
    base: Arc<str>,
    authorization: Option<HeaderValue>,
}

/// Without the account.
impl fmt::Debug for TrackingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackingServer").field(&self.base).finish()
    }
}

impl TrackingServer {
    /// The server of a tracking URI, with the account and the certificates that
    /// MLflow's variables name: `MLFLOW_TRACKING_USERNAME` and `_PASSWORD`, else
    /// `MLFLOW_TRACKING_TOKEN`, else those of the URI; `_INSECURE_TLS`,
    /// `_SERVER_CERT_PATH`.
    ///
    /// # Errors
    /// [`ServerError::Uri`], [`ServerError::Variable`].
    pub fn new(uri: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, ServerError> {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let wrong = || ServerError::Uri {
            uri: uri.to_owned(),
        };
        let (scheme, rest) = uri.split_once("://").ok_or_else(wrong)?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_web = matches!(scheme.as_str(), "http" | "https") && !path.contains(['?', '#']);
        let named = Authority::parse(uri, authority, "").map_err(|_| wrong())?;
        if !is_web {
            return Err(wrong());
        }
        let authorization = match (
            text("MLFLOW_TRACKING_USERNAME"),
            text("MLFLOW_TRACKING_PASSWORD"),
            text("MLFLOW_TRACKING_TOKEN"),
        ) {
            (Some(user), Some(password), _) => Some(basic(&user, &password)),
            (_, _, Some(token)) => Some(format!("Bearer {token}")),
            _ => named
                .user
                .map(|user| basic(&user, named.password.as_deref().unwrap_or_default())),
        };
        let authorization = authorization.map(|value| {
            let mut value = HeaderValue::try_from(value).map_err(|_| ServerError::Variable {
                variable: "MLFLOW_TRACKING_TOKEN",
                reason: "it holds characters that no header has".to_owned(),
            })?;
            value.set_sensitive(true);
            Ok(value)
        });
        let tls = Tls {
            authorities: text("MLFLOW_TRACKING_SERVER_CERT_PATH").map(Into::into),
            unverified: text("MLFLOW_TRACKING_INSECURE_TLS")
                .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1")),
        };
        if tls.unverified && tls.authorities.is_some() {
            return Err(ServerError::Variable {
                variable: "MLFLOW_TRACKING_INSECURE_TLS",
                reason: "leave it or MLFLOW_TRACKING_SERVER_CERT_PATH out".to_owned(),
            });
        }
        let http = HttpClient::new(&tls).map_err(|error| ServerError::Variable {
            variable: "MLFLOW_TRACKING_SERVER_CERT_PATH",
            reason: error.to_string(),
        })?;
        let place = authority
            .rsplit_once('@')
            .map_or(authority, |(_, place)| place);
        let path = path.trim_end_matches('/');
        let slash = if path.is_empty() { "" } else { "/" };
        Ok(Self {
            http,
            base: format!("{scheme}://{place}{slash}{path}").into(),
            authorization: authorization.transpose()?,
        })
    }

    /// Its address, without the account.
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Asks for `path`, which begins with a slash, with these parameters; the
    /// answer is JSON.
    ///
    /// # Errors
    /// [`ServerError::Unavailable`], [`ServerError::Refused`].
    pub async fn get(
        &self,
        path: &str,
        parameters: &[(&str, &str)],
    ) -> Result<serde_json::Value, ServerError> {
        let mut address = format!("{}{path}", self.base);
        for (index, (name, value)) in parameters.iter().enumerate() {
            address.push(if index == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            address.extend(percent_encoding::utf8_percent_encode(value, KEPT));
        }
        let mut request = Request::builder().method(Method::GET).uri(address);
        if let Some(value) = &self.authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Empty::<Bytes>::new());
        let request = request.map_err(|_| ServerError::Uri {
            uri: self.base.to_string(),
        })?;
        let unavailable = |source| ServerError::Unavailable { source };
        let response = self.http.send(request, None).await;
        let response = response.map_err(|error| unavailable(error.into_io()))?;
        let status = response.status();
        let text = whole(response.into_body(), ANSWER_BYTES)
            .await
            .map_err(unavailable)?;
        let value = serde_json::from_slice::<serde_json::Value>(&text);
        match value {
            Ok(value) if status == StatusCode::OK => Ok(value),
            value => {
                let message = value.ok().and_then(|value| {
                    let message = value["message"].as_str()?;
                    Some(message.chars().take(300).collect())
                });
                Err(ServerError::Refused {
                    status: status.as_u16(),
                    message: message.unwrap_or_else(|| "it is no tracking server".to_owned()),
                })
            }
        }
    }

    /// What is behind its proxy, below `path`.
    pub fn artifacts(&self, path: &ArtifactPath) -> Arc<dyn ArtifactRepository> {
        Arc::new(Proxy {
            http: self.http.clone(),
            base: format!("{}/api/2.0{PROXY}", self.base).into(),
            authorization: self.authorization.clone(),
            root: path.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(uri: &str, variables: &[(&str, &str)]) -> Result<TrackingServer, ServerError> {
        TrackingServer::new(uri, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_account_comes_from_the_environment_or_the_uri() {
        let header = |uri, variables: &[_]| {
            let value = server(uri, variables).unwrap().authorization;
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let (user, password) = (
            ("MLFLOW_TRACKING_USERNAME", "me"),
            ("MLFLOW_TRACKING_PASSWORD", "secret"),
        );
        let token = ("MLFLOW_TRACKING_TOKEN", "t");
        assert_eq!(header("http://host", &[]), None);
        let basic = Some("Basic bWU6c2VjcmV0".to_owned());
        assert_eq!(header("http://host", &[user, password, token]), basic);
        assert_eq!(header("http://me:secret@host", &[]), basic);
        assert_eq!(
            header("http://host", &[user, token]),
            Some("Bearer t".to_owned())
        );
    }

    #[test]
    fn addresses_keep_their_prefix_and_lose_their_account() {
        let address = |uri| server(uri, &[]).unwrap().address().to_owned();
        assert_eq!(address("http://me:secret@host:5000/"), "http://host:5000");
        assert_eq!(address("HTTPS://host/mlflow/"), "https://host/mlflow");
        for uri in [
            "http://",
            "ftp://host",
            "http://h/?x",
            "host",
            "http://h\\@x/",
        ] {
            assert!(server(uri, &[]).is_err(), "{uri}");
        }
    }

    #[test]
    fn contradictions_about_certificates_are_refused() {
        let both = [
            ("MLFLOW_TRACKING_INSECURE_TLS", "true"),
            ("MLFLOW_TRACKING_SERVER_CERT_PATH", "/x"),
        ];
        assert!(server("https://host", &both).is_err());
    }
}
