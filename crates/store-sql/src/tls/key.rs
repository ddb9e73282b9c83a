//! Private keys in the one form that the MySQL driver reads: RSA, PKCS #1.

use rustls::pki_types::PrivateKeyDer;
use x509_cert::{
    der::{Reader as _, Result, SliceReader, asn1::ObjectIdentifier, asn1::OctetStringRef},
    spki::AlgorithmIdentifierRef,
};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The key in PKCS #1, if it is an RSA key. OpenSSL 3 writes PKCS #8.
pub(super) fn rsa_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    match key {
        PrivateKeyDer::Pkcs1(key) => Some(key.secret_pkcs1_der().to_vec()),
        PrivateKeyDer::Pkcs8(key) => unwrapped(key.secret_pkcs8_der()).ok().flatten(),
        _ => None,
    }
}

/// What a PKCS #8 envelope holds, if that is an RSA key.
fn unwrapped(envelope: &[u8]) -> Result<Option<Vec<u8>>> {
    SliceReader::new(envelope)?.sequence(|reader| {
        let _version: u8 = reader.decode()?;
        let algorithm: AlgorithmIdentifierRef<'_> = reader.decode()?;
        let key: OctetStringRef<'_> = reader.decode()?;
        // Attributes and a public key may follow.
        reader.read_slice(reader.remaining_len())?;
        Ok((algorithm.oid == RSA).then(|| key.as_bytes().to_vec()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PKCS #8 envelope around three bytes, for a kind of key.
    fn envelope(algorithm: &[u8]) -> PrivateKeyDer<'static> {
        let content = [&[2, 1, 0], algorithm, &[4, 3, 7, 8, 9]].concat();
        let length = u8::try_from(content.len()).unwrap();
        let envelope = [&[0x30, length], content.as_slice()].concat();
        PrivateKeyDer::Pkcs8(envelope.into())
    }

    #[test]
    fn an_rsa_key_comes_out_of_its_envelope() {
        let rsa = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
        assert_eq!(rsa_key(&envelope(rsa)), Some(vec![7, 8, 9]));
        assert_eq!(
            rsa_key(&PrivateKeyDer::Pkcs1(vec![7].into())),
            Some(vec![7])
        );
    }

    #[test]
    fn other_kinds_of_key_are_not_taken_for_rsa() {
        let ed25519 = b"\x30\x05\x06\x03\x2b\x65\x70";
        assert_eq!(rsa_key(&envelope(ed25519)), None);
        assert_eq!(
            rsa_key(&PrivateKeyDer::Pkcs8(vec![0x30, 9, 9].into())),
            None
        );
    }
}
