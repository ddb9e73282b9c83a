//! The SDK's client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation, ResponseChecksumValidation};

use super::connector::Connector;
use super::{S3, S3Options};
use crate::http_client::{HttpClient, Tls};

/// Tries of one request.
const ATTEMPTS: u32 = 4;

/// How long one request may take with all of its tries; a body that is read
/// does not count.
const OPERATION_TIME: Duration = Duration::from_mins(5);

impl S3 {
    /// Finds regions and credentials where Amazon's tools do: environment,
    /// profiles, web identity, container, machine.
    ///
    /// # Errors
    /// If the certificates of the options cannot be read.
    pub(crate) async fn connect(options: S3Options) -> io::Result<Self> {
        // Credentials come from Amazon's own addresses, whose certificates are always looked at.
        let credentials = Connector::new(HttpClient::new(&Tls {
            authorities: options.tls.authorities.clone(),
            unverified: false,
        })?);
        let connector = Connector::new(HttpClient::new(&options.tls)?);
        let timeouts = TimeoutConfig::builder()
            .operation_timeout(OPERATION_TIME)
            .build();
        // As boto3 has it. The machine is not asked where it stands.
        let region = RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
            .or_else(ProfileFileRegionProvider::new())
            .or_else(Region::new("us-east-1"));
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(credentials)
            .region(region)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts)
            // Our client has a limit on pauses, which a slow reader may exceed.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let loader = if options.unsigned {
            loader.no_credentials()
        } else {
            loader
        };
        let shared = loader.load().await;
        let mut config = Builder::from(&shared)
            .http_client(connector)
            .force_path_style(options.force_path_style());
        if let Some(endpoint) = &options.endpoint {
            config = config.endpoint_url(endpoint);
        }
        // Many services that speak S3 know no other checksums than Amazon's
        // first ones; TLS and the signature protect what is sent.
        if shared.request_checksum_calculation().is_none() {
            config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        }
        if shared.response_checksum_validation().is_none() {
            config = config.response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Ok(Self {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            options: Arc::new(options),
        })
    }
}
