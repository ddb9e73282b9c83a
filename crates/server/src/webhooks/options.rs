//! How webhooks are told, and where they may be.

use std::time::Duration;

/// How webhooks are told, and where they may be.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// Schemes that URLs may have, in lower case: `https`
    /// (`MLFLOW_WEBHOOK_ALLOWED_SCHEMES`).
    pub allowed_schemes: Vec<String>,
    /// Whether a webhook may be at an address that is not open to everybody: of
    /// this machine, of a private network, of a cloud's metadata
    /// (`MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS`).
    pub allow_private_addresses: bool,
    /// How long one attempt may take: 30 seconds (`MLFLOW_WEBHOOK_REQUEST_TIMEOUT`).
    pub request_time: Duration,
    /// Deliveries that are sent at a time: 10
    /// (`MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS`).
    pub workers: usize,
    /// How often a delivery is tried again at most: by default until it expires
    /// (`MLFLOW_WEBHOOK_REQUEST_MAX_RETRIES`).
    pub most_retries: Option<u32>,
    /// For how long a delivery is tried: 24 hours.
    pub expiry: Duration,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            allowed_schemes: vec!["https".to_owned()],
            allow_private_addresses: false,
            request_time: Duration::from_secs(30),
            workers: 10,
            most_retries: None,
            expiry: Duration::from_hours(24),
        }
    }
}
