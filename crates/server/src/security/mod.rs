//! What keeps other web sites out: the `Host` allow-list, the `Origin` check
//! on writes, CORS answers, and security headers.
//!
//! The rules are those of MLflow 3.17's security middleware, except where they
//! were weaker than they looked or stopped honest users:
//!
//! * private networks are recognised as IP addresses, so that a name such as
//!   `10.example.com` is no way around the check;
//! * a page's own server is no foreign origin, whatever its name;
//! * writes are checked on every path, not below the API prefixes only.
//!
//! A refusal names the value that was seen and the flag to set. Who the caller
//! is, and what the caller may do, is left to others.

mod cors;
mod guard;
mod hosts;
mod pattern;

use http::HeaderValue;

use cors::Origins;
pub(crate) use guard::guard;
use hosts::Hosts;

/// What `--allowed-hosts` and its kin say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityConfig {
    /// `Host` values that are served. `*` and `?` are wildcards; an entry
    /// without a port stands for every port; `*` alone is everything. Empty:
    /// the local machine and addresses of private networks.
    pub allowed_hosts: Vec<String>,
    /// Origins beside the server's own and local ones whose pages may write
    /// and read, with the same wildcards; `*` alone is every origin, without
    /// credentials.
    pub cors_allowed_origins: Vec<String>,
    /// The `X-Frame-Options` of every response: `SAMEORIGIN`, `DENY`, or
    /// `NONE` for no such header.
    pub x_frame_options: String,
    /// Leaves out all checks and headers.
    pub disabled: bool,
}

impl Default for SecurityConfig {
    fn default() -> Self {
        Self {
            allowed_hosts: Vec::new(),
            cors_allowed_origins: Vec::new(),
            x_frame_options: "SAMEORIGIN".to_owned(),
            disabled: false,
        }
    }
}

/// Why a [`SecurityConfig`] cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecurityConfig {
    /// No such value of `X-Frame-Options`.
    #[error("'{value}' is no value of X-Frame-Options: use SAMEORIGIN, DENY or NONE")]
    XFrameOptions {
        /// The value.
        value: String,
    },
}

/// A [`SecurityConfig`], ready to be asked.
#[derive(Debug)]
pub(crate) struct Security {
    hosts: Hosts,
    origins: Origins,
    x_frame_options: Option<HeaderValue>,
    static_prefix: String,
    disabled: bool,
}

impl Security {
    /// Checks the configuration. `/health` and `/version` below
    /// `static_prefix` (`/x` or empty) are served to every host.
    pub(crate) fn new(
        config: &SecurityConfig,
        static_prefix: &str,
    ) -> Result<Self, InvalidSecurityConfig> {
        let x_frame_options = match config.x_frame_options.to_ascii_uppercase().as_str() {
            "SAMEORIGIN" => Some(HeaderValue::from_static("SAMEORIGIN")),
            "DENY" => Some(HeaderValue::from_static("DENY")),
            "NONE" => None,
            _ => {
                return Err(InvalidSecurityConfig::XFrameOptions {
                    value: config.x_frame_options.clone(),
                });
            }
        };
        Ok(Self {
            hosts: Hosts::new(&config.allowed_hosts),
            origins: Origins::new(&config.cors_allowed_origins),
            x_frame_options,
            static_prefix: static_prefix.to_owned(),
            disabled: config.disabled,
        })
    }
}

#[cfg(test)]
mod tests;
