//! `wasbs://` and `abfss://`: Azure Blob Storage.

use std::fmt;

use object_store::ClientOptions;
use object_store::azure::{AzureConfigKey, MicrosoftAzure, MicrosoftAzureBuilder, split_sas};

use super::connector::Connector;
use super::objects::{Container, Dialect};
use super::retries;
use super::shared_key::SharedKey;
use crate::{ArtifactError, InvalidUri};

/// Azure's clouds, by what follows `blob.` and `dfs.` in their hosts (MLflow
/// 3.17 knows no others).
const CLOUDS: [&str; 3] = [
    "core.windows.net",
    "core.chinacloudapi.cn",
    "core.usgovcloudapi.net",
];

/// Variables of Azure's own about who we are.
const IDENTITY: [(&str, AzureConfigKey); 7] = [
    ("AZURE_CLIENT_ID", AzureConfigKey::ClientId),
    ("AZURE_CLIENT_SECRET", AzureConfigKey::ClientSecret),
    ("AZURE_TENANT_ID", AzureConfigKey::AuthorityId),
    ("AZURE_AUTHORITY_HOST", AzureConfigKey::AuthorityHost),
    (
        "AZURE_FEDERATED_TOKEN_FILE",
        AzureConfigKey::FederatedTokenFile,
    ),
    ("IDENTITY_ENDPOINT", AzureConfigKey::MsiEndpoint),
    ("MSI_ENDPOINT", AzureConfigKey::MsiEndpoint),
];

/// Who we are to Azure: the first that there is of a connection string, a key
/// of the account, a shared access signature (for `abfss:`), and an identity.
#[derive(Clone, Default)]
pub(crate) struct AzureOptions {
    connection: Option<Connection>,
    key: Option<String>,
    signature: Option<String>,
    identity: Vec<(AzureConfigKey, String)>,
}

/// Without secrets.
impl fmt::Debug for AzureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureOptions").finish_non_exhaustive()
    }
}

/// What a connection string says.
#[derive(Clone, Default, PartialEq, Eq)]
struct Connection {
    account: Option<String>,
    key: Option<String>,
    signature: Option<String>,
    endpoint: Option<String>,
}

impl AzureOptions {
    pub(crate) fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let text = |name: &str| variable(name).filter(|value| !value.is_empty());
        let connection = text("AZURE_STORAGE_CONNECTION_STRING");
        Ok(Self {
            connection: connection
                .map(|text| Connection::parse(&text))
                .transpose()?,
            key: text("AZURE_STORAGE_ACCESS_KEY"),
            signature: text("AZURE_STORAGE_SAS_TOKEN"),
            identity: IDENTITY
                .into_iter()
                .filter_map(|(name, key)| Some((key, text(name)?)))
                .collect(),
        })
    }

    /// The container of `container@account.host`.
    pub(crate) fn open(
        &self,
        uri: &str,
        scheme: &str,
        authority: &str,
        connector: Connector,
    ) -> Result<Container<MicrosoftAzure>, ArtifactError> {
        let (container, account, cloud) =
            parts(scheme, authority).ok_or_else(|| InvalidUri::Storage {
                uri: uri.to_owned(),
                form: "wasbs://<container>@<account>.blob.core.windows.net/<path> or \
                       abfss://<container>@<account>.dfs.core.windows.net/<path>",
            })?;
        let connection = self.connection_to(scheme);
        if !connection.is_to(account) {
            return Err(ArtifactError::NotServed {
                uri: uri.to_owned(),
            });
        }
        let account = connection.account.as_deref().unwrap_or(account);
        let endpoint = connection.endpoint.clone();
        let endpoint = endpoint.unwrap_or_else(|| format!("https://{account}.blob.{cloud}"));
        let plain = endpoint.starts_with("http://");
        let mut builder = MicrosoftAzureBuilder::new()
            .with_http_connector(connector)
            .with_client_options(ClientOptions::new().with_allow_http(plain))
            .with_retry(retries())
            .with_container_name(container)
            .with_account(account)
            .with_endpoint(endpoint.clone());
        let mut shared = None;
        let mut signs = true;
        if let Some(key) = &connection.key {
            builder = builder.with_access_key(key);
            shared = SharedKey::new(account, container, &endpoint, key).map(Box::new);
        } else if let Some(signature) = &connection.signature {
            let pairs = split_sas(signature.trim_start_matches('?')).map_err(wrong)?;
            builder = builder.with_sas_authorization(pairs);
            signs = false;
        } else {
            for (key, value) in &self.identity {
                builder = builder.with_config(*key, value);
            }
        }
        Ok(Container {
            store: builder.build().map_err(wrong)?,
            dialect: Dialect::Azure(shared),
            signs,
        })
    }
}

impl AzureOptions {
    /// The connection string, or what it would say. Any client may name any
    /// account in `wasbs:`, which gets no signature of ours (nor does MLflow
    /// 3.17 send it there); the hosts of `abfss:` are the operator's.
    fn connection_to(&self, scheme: &str) -> Connection {
        let signature = self.signature.clone().filter(|_| scheme == "abfss");
        self.connection.clone().unwrap_or_else(|| Connection {
            key: self.key.clone(),
            signature,
            ..Connection::default()
        })
    }
}

fn wrong(error: object_store::Error) -> ArtifactError {
    ArtifactError::internal("connect to Azure", std::io::Error::other(error))
}

/// The container, the account and the cloud.
fn parts<'a>(scheme: &str, authority: &'a str) -> Option<(&'a str, &'a str, &'static str)> {
    let (container, host) = authority.split_once('@')?;
    let (account, host) = host.split_once('.')?;
    let host = host.strip_prefix(if scheme == "abfss" { "dfs." } else { "blob." })?;
    let cloud = CLOUDS.into_iter().find(|cloud| *cloud == host)?;
    let legal = |text: &str, more: &[u8]| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || more.contains(&byte);
        !text.is_empty() && text.bytes().all(known)
    };
    (legal(container, b"-$_") && legal(account, b"-")).then_some((container, account, cloud))
}

impl Connection {
    fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        let (mut scheme, mut suffix) = ("https", CLOUDS[0]);
        for pair in text
            .split(';')
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair
                .split_once('=')
                .ok_or("AZURE_STORAGE_CONNECTION_STRING: it has a part without '='")?;
            match name.to_ascii_lowercase().as_str() {
                "accountname" => found.account = Some(value.to_owned()),
                "accountkey" => found.key = Some(value.to_owned()),
                "sharedaccesssignature" => found.signature = Some(value.to_owned()),
                "blobendpoint" => found.endpoint = Some(value.trim_end_matches('/').to_owned()),
                "defaultendpointsprotocol" => scheme = value,
                "endpointsuffix" => suffix = value,
                // Other services have endpoints there, too.
                _ => {}
            }
        }
        if found.key.is_none() && found.signature.is_none() {
            return Err(
                "AZURE_STORAGE_CONNECTION_STRING: it has neither AccountKey nor \
                 SharedAccessSignature"
                    .to_owned(),
            );
        }
        if found.account.is_none() {
            found.account = found.endpoint.as_deref().and_then(account_of);
        }
        if let (None, Some(account)) = (&found.endpoint, &found.account) {
            found.endpoint = Some(format!("{scheme}://{account}.blob.{suffix}"));
        }
        Ok(found)
    }

    /// Whether it is one to this account; one that names none is to any.
    fn is_to(&self, account: &str) -> bool {
        let own = self.account.as_deref();
        own.is_none_or(|own| own.eq_ignore_ascii_case(account))
    }
}

/// The account whose host an endpoint of Azure's clouds is.
fn account_of(endpoint: &str) -> Option<String> {
    let (_, host) = endpoint.split_once("://")?;
    let (account, cloud) = host.split_once(".blob.")?;
    CLOUDS.contains(&cloud).then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client::{HttpClient, Tls};

    #[test]
    fn hosts_are_azures() {
        let found = parts("wasbs", "c-1@acc.blob.core.windows.net");
        assert_eq!(found, Some(("c-1", "acc", "core.windows.net")));
        assert!(parts("abfss", "c@acc.dfs.core.chinacloudapi.cn").is_some());
        for authority in [
            "",
            "c",
            "acc.blob.core.windows.net",
            "c@acc.dfs.core.windows.net",
            "c@acc.blob.example.com",
            "c@acc.blob.core.windows.net.example.com",
            "c@acc.blob.core.windows.net:81",
            "c@evil.example/acc.blob.core.windows.net",
            "u:p@c@acc.blob.core.windows.net",
            "c@a/b.blob.core.windows.net",
        ] {
            assert_eq!(parts("wasbs", authority), None, "{authority}");
        }
    }

    #[test]
    fn a_connection_string_names_its_endpoint() {
        let text = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5==;\
                    BlobEndpoint=http://127.0.0.1:10000/a/;";
        let found = Connection::parse(text).unwrap();
        assert_eq!(found.endpoint.as_deref(), Some("http://127.0.0.1:10000/a"));
        assert_eq!(found.key.as_deref(), Some("a2V5=="));
        let found = Connection::parse("AccountName=a;AccountKey=k;EndpointSuffix=core.x").unwrap();
        assert_eq!(found.endpoint.as_deref(), Some("https://a.blob.core.x"));
        assert!(Connection::parse("AccountName=a").is_err());
        assert!(Connection::parse("nonsense").is_err());
    }

    fn options(variables: &[(&str, &str)]) -> AzureOptions {
        let found = |name: &str| {
            let pair = variables.iter().find(|(known, _)| *known == name);
            pair.map(|(_, value)| (*value).to_owned())
        };
        AzureOptions::from_environment(found).unwrap()
    }

    #[test]
    fn a_signature_is_not_sent_to_any_account() {
        let options = options(&[("AZURE_STORAGE_SAS_TOKEN", "sig=x")]);
        assert_eq!(options.connection_to("wasbs").signature, None);
        let signature = options.connection_to("abfss").signature;
        assert_eq!(signature.as_deref(), Some("sig=x"));
    }

    #[test]
    fn a_connection_is_to_one_account() {
        for (text, account) in [
            ("AccountName=acc;AccountKey=a2V5", "acc"),
            (
                "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sig=x",
                "acc",
            ),
        ] {
            let connection = Connection::parse(text).unwrap();
            assert_eq!(connection.account.as_deref(), Some(account));
            assert!(connection.is_to("acc") && !connection.is_to("evil"));
        }
        // An emulator's, perhaps.
        let connection =
            Connection::parse("BlobEndpoint=http://127.0.0.1:1/acc;AccountKey=k").unwrap();
        assert!(connection.is_to("any"));
    }

    #[test]
    fn another_account_is_not_served() {
        let options = options(&[(
            "AZURE_STORAGE_CONNECTION_STRING",
            "AccountName=acc;AccountKey=a2V5",
        )]);
        let http = HttpClient::new(&Tls::default()).unwrap();
        let open = |account: &str| {
            let authority = format!("c@{account}.blob.core.windows.net");
            let connector = Connector::new(http.clone());
            options.open(
                &format!("wasbs://{authority}/x"),
                "wasbs",
                &authority,
                connector,
            )
        };
        assert!(open("acc").is_ok());
        let refused = open("evil");
        assert!(
            matches!(refused, Err(ArtifactError::NotServed { .. })),
            "{refused:?}"
        );
    }
}
