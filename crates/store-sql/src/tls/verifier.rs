//! Which servers are trusted: libpq's `require`, `verify-ca` and `verify-full`.
//!
//! rustls knows the last of them only.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use x509_cert::{Certificate, der::Decode as _};

/// How much a server's certificate must prove. That the server has the key of
/// the certificate is checked in any case.
#[derive(Debug)]
pub(super) enum Trust {
    /// Nothing.
    Any,
    /// That an authority signed it, or that it is one of the certificates
    /// themselves.
    Signed {
        roots: RootCertStore,
        certificates: Vec<CertificateDer<'static>>,
        /// Whether it must name the host as well.
        named: bool,
    },
}

/// Checks certificates for rustls.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(trust: Trust, provider: Arc<CryptoProvider>) -> Self {
        Self { trust, provider }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Trust::Signed {
            roots,
            certificates,
            named,
        } = &self.trust
        else {
            return Ok(ServerCertVerified::assertion());
        };
        let parsed = ParsedCertificate::try_from(end_entity)?;
        if certificates.contains(end_entity) {
            // A self-signed certificate that is its own authority. rustls
            // refuses those; OpenSSL, and with it libpq, does not.
            verify_dates(end_entity, now)?;
        } else {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                roots,
                intermediates,
                now,
                algorithms,
            )?;
        }
        if *named {
            verify_server_name(&parsed, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn verify_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let refused = |error: CertificateError| Err(Error::InvalidCertificate(error));
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return refused(CertificateError::BadEncoding);
    };
    let dates = certificate.tbs_certificate.validity;
    let now = now.as_secs();
    if now < dates.not_before.to_unix_duration().as_secs() {
        return refused(CertificateError::NotValidYet);
    }
    if now > dates.not_after.to_unix_duration().as_secs() {
        return refused(CertificateError::Expired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};

    use super::*;
    use crate::tls::{provider, root_store};

    const NOW: u64 = 1_600_000_000;

    fn params(names: &[&str]) -> CertificateParams {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        params
    }

    /// An authority, and a certificate for `db.lan` that it signed.
    fn signed() -> (CertificateDer<'static>, CertificateDer<'static>) {
        let mut authority = params(&[]);
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let server = params(&["db.lan"])
            .signed_by(&KeyPair::generate().unwrap(), &issuer)
            .unwrap();
        (issuer.der().clone(), server.der().clone())
    }

    fn self_signed() -> CertificateDer<'static> {
        let key = KeyPair::generate().unwrap();
        params(&["db.lan"]).self_signed(&key).unwrap().der().clone()
    }

    fn verify(
        trusted: &CertificateDer<'static>,
        named: bool,
        presented: &CertificateDer<'_>,
        host: &str,
        now: u64,
    ) -> Result<(), Error> {
        let certificates = vec![trusted.clone()];
        let trust = Trust::Signed {
            roots: root_store(&certificates),
            certificates,
            named,
        };
        let host = ServerName::try_from(host.to_owned()).unwrap();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
        Verifier::new(trust, provider())
            .verify_server_cert(presented, &[], &host, &[], now)
            .map(|_| ())
    }

    #[test]
    fn an_authority_vouches_for_what_it_signed_and_nothing_else() {
        let (authority, server) = signed();
        assert!(verify(&authority, true, &server, "db.lan", NOW).is_ok());
        assert!(verify(&authority, true, &self_signed(), "db.lan", NOW).is_err());
        let (other, _) = signed();
        assert!(verify(&other, false, &server, "db.lan", NOW).is_err());
    }

    #[test]
    fn the_name_counts_only_if_asked_for() {
        let (authority, server) = signed();
        assert!(verify(&authority, true, &server, "other.lan", NOW).is_err());
        assert!(verify(&authority, false, &server, "other.lan", NOW).is_ok());
    }

    #[test]
    fn a_self_signed_certificate_may_be_its_own_authority() {
        let server = self_signed();
        assert!(verify(&server, true, &server, "db.lan", NOW).is_ok());
        assert!(verify(&server, true, &server, "other.lan", NOW).is_err());
    }

    #[test]
    fn dates_count_in_both_cases() {
        let (authority, server) = signed();
        let own = self_signed();
        for now in [0, 1_700_000_000] {
            assert!(
                verify(&authority, false, &server, "db.lan", now).is_err(),
                "{now}"
            );
            assert!(verify(&own, false, &own, "db.lan", now).is_err(), "{now}");
        }
    }

    #[test]
    fn with_no_authority_every_certificate_will_do() {
        let host = ServerName::try_from("db.lan").unwrap();
        let now = UnixTime::since_unix_epoch(Duration::ZERO);
        let verifier = Verifier::new(Trust::Any, provider());
        let answer = verifier.verify_server_cert(&self_signed(), &[], &host, &[], now);
        assert!(answer.is_ok());
    }
}
