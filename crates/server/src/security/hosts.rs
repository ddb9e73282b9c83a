//! The `Host` allow-list, against DNS rebinding.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::pattern;

/// Which `Host` values are served.
#[derive(Debug)]
pub(super) enum Hosts {
    /// Every value.
    Any,
    /// The local machine and addresses of private networks.
    Local,
    /// Those that match an entry.
    Listed(Vec<String>),
}

impl Hosts {
    pub(super) fn new(allowed: &[String]) -> Self {
        if allowed.is_empty() {
            Self::Local
        } else if allowed.iter().any(|entry| entry == "*") {
            Self::Any
        } else {
            Self::Listed(allowed.to_vec())
        }
    }

    /// Whether a request with this `Host` header is served.
    pub(super) fn allow(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Local => is_local(name(host)),
            Self::Listed(entries) => entries
                .iter()
                .any(|entry| pattern::matches(entry, host) || pattern::matches(entry, name(host))),
        }
    }
}

/// A host without its port.
fn name(host: &str) -> &str {
    if host.starts_with('[') {
        return host.find(']').map_or(host, |end| &host[..=end]);
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

fn is_local(name: &str) -> bool {
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return address.is_loopback() || address.is_private() || address.is_unspecified();
    }
    name.strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .and_then(|address| address.parse::<Ipv6Addr>().ok())
        .is_some_and(|address| address.is_loopback() || address.is_unique_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_and_private_addresses_are_served_by_default() {
        let hosts = Hosts::new(&[]);
        for host in [
            "localhost",
            "LOCALHOST:9",
            "localhost:",
            "127.0.0.1:5000",
            "0.0.0.0:1",
            "[::1]",
            "[::1]:5000",
            "10.0.0.1",
            "192.168.3.4:80",
            "172.16.0.1",
            "172.31.255.1:9",
            "[fd00::1]:5000",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
    }

    #[test]
    fn names_and_public_addresses_are_not() {
        let hosts = Hosts::new(&[]);
        for host in [
            "",
            "evil.com",
            "localhost.evil.com",
            "10.evil.com",
            "192.168.1.1.evil.com",
            "172.15.0.1",
            "8.8.8.8",
            "[2001:db8::1]",
            "[::1",
            "127.0.0.1.",
            "::1",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
    }

    #[test]
    fn a_list_replaces_the_default() {
        let hosts = Hosts::new(&["mlflow.example.com".to_owned(), "*.lan:5000".to_owned()]);
        for host in [
            "mlflow.example.com",
            "mlflow.example.com:5000",
            "a.lan:5000",
        ] {
            assert!(hosts.allow(host), "{host}");
        }
        for host in [
            "localhost",
            "a.lan",
            "a.lan:80",
            "mlflow.example.com.evil.org",
        ] {
            assert!(!hosts.allow(host), "{host}");
        }
        assert!(Hosts::new(&["x".to_owned(), "*".to_owned()]).allow("evil.com"));
    }
}
