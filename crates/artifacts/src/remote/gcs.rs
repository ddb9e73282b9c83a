//! `gs://`: Google Cloud Storage.

use object_store::ClientOptions;
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};

use super::connector::Connector;
use super::objects::{Container, Dialect};
use super::retries;
use crate::{ArtifactError, InvalidUri};

/// Who we are to Google: a file of credentials, else what Google's tools left
/// on this machine, else the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct GcsOptions {
    credentials: Option<String>,
    emulator: Option<String>,
}

impl GcsOptions {
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let emulator = text("STORAGE_EMULATOR_HOST").map(|host| {
            let host = host.trim_end_matches('/');
            if host.contains("://") {
                host.to_owned()
            } else {
                format!("http://{host}")
            }
        });
        Self {
            credentials: text("GOOGLE_APPLICATION_CREDENTIALS"),
            emulator,
        }
    }

    pub(crate) fn open(
        &self,
        uri: &str,
        bucket: &str,
        connector: Connector,
    ) -> Result<Container<GoogleCloudStorage>, ArtifactError> {
        if !crate::storages::is_bucket(bucket) {
            return Err(InvalidUri::Storage {
                uri: uri.to_owned(),
                form: "gs://<bucket>/<path>",
            }
            .into());
        }
        let mut builder = GoogleCloudStorageBuilder::new()
            .with_http_connector(connector)
            .with_retry(retries())
            .with_bucket_name(bucket);
        if let Some(emulator) = &self.emulator {
            // It asks for no credentials, and so there are none to sign with.
            builder = builder
                .with_base_url(emulator)
                .with_bearer_token("emulator")
                .with_client_options(ClientOptions::new().with_allow_http(true));
        } else if let Some(path) = &self.credentials {
            builder = builder.with_application_credentials(path);
        }
        let wrong =
            |error| ArtifactError::internal("connect to Google", std::io::Error::other(error));
        Ok(Container {
            store: builder.build().map_err(wrong)?,
            dialect: Dialect::Google,
            signs: self.emulator.is_none(),
        })
    }
}
