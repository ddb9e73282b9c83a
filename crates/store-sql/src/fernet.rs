//! Secrets in the database, encrypted as Python's Fernet does it: AES-128 in CBC
//! mode, and an HMAC-SHA256 over all of it.
//!
//! MLflow keeps the secrets of webhooks so, by the key in
//! `MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY`.

use std::fmt;

use aes::{
    Aes128,
    cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose},
};
use ring::{
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// The first byte of a token.
const VERSION: u8 = 0x80;

/// Bytes before the ciphertext: the version, a time, and the initial vector.
const HEAD: usize = 1 + 8 + BLOCK;

/// Bytes of a block, of a key of AES-128, and of an initial vector.
const BLOCK: usize = 16;

/// Bytes of the HMAC.
const TAG: usize = 32;

/// Tokens and keys, with or without their padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A key that the secrets of webhooks are encrypted with. It is never printed.
#[derive(Clone)]
pub struct WebhookKey {
    signing: hmac::Key,
    encryption: [u8; BLOCK],
}

impl fmt::Debug for WebhookKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKey(…)")
    }
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{VARIABLE} holds no Fernet key: it must be 32 bytes in URL-safe base64, as \
     `Fernet.generate_key()` of Python's cryptography makes them"
)]
pub struct InvalidWebhookKey;

/// Where MLflow has the key.
const VARIABLE: &str = "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY";

impl WebhookKey {
    /// The environment variable that holds the key.
    pub const VARIABLE: &'static str = VARIABLE;

    /// Reads a key as Fernet writes it.
    ///
    /// # Errors
    /// [`InvalidWebhookKey`] if the text is none.
    pub fn parse(text: &str) -> Result<Self, InvalidWebhookKey> {
        let bytes = BASE64.decode(text.trim()).map_err(|_| InvalidWebhookKey)?;
        let (signing, encryption) = bytes.split_at_checked(BLOCK).ok_or(InvalidWebhookKey)?;
        Ok(Self {
            signing: hmac::Key::new(hmac::HMAC_SHA256, signing),
            encryption: encryption.try_into().map_err(|_| InvalidWebhookKey)?,
        })
    }

    /// Encrypts a text at a time in milliseconds since the epoch; nothing if the
    /// system has no random bytes.
    pub(crate) fn encrypt(&self, text: &str, now: i64) -> Option<String> {
        let mut vector = [0; BLOCK];
        SystemRandom::new().fill(&mut vector).ok()?;
        self.encrypt_with(text, now / 1000, vector)
    }

    fn encrypt_with(&self, text: &str, seconds: i64, vector: [u8; BLOCK]) -> Option<String> {
        let cipher = cbc::Encryptor::<Aes128>::new(&self.encryption.into(), &vector.into());
        // Room for the padding: at least one byte, at most a block.
        let mut buffer = vec![0; (text.len() / BLOCK + 1) * BLOCK];
        buffer[..text.len()].copy_from_slice(text.as_bytes());
        let encrypted = cipher.encrypt_padded::<Pkcs7>(&mut buffer, text.len());
        let mut token = Vec::with_capacity(HEAD + text.len() + BLOCK + TAG);
        token.push(VERSION);
        token.extend_from_slice(&seconds.to_be_bytes());
        token.extend_from_slice(&vector);
        token.extend_from_slice(encrypted.ok()?);
        let tag = hmac::sign(&self.signing, &token);
        token.extend_from_slice(tag.as_ref());
        Some(general_purpose::URL_SAFE.encode(token))
    }

    /// Decrypts what [`Self::encrypt`] or MLflow encrypted; nothing if it was
    /// encrypted with another key, or is damaged.
    pub(crate) fn decrypt(&self, token: &str) -> Option<String> {
        let token = BASE64.decode(token.trim()).ok()?;
        let (signed, tag) = token.split_at_checked(token.len().checked_sub(TAG)?)?;
        hmac::verify(&self.signing, signed, tag).ok()?;
        let (head, encrypted) = signed.split_at_checked(HEAD)?;
        if head.first() != Some(&VERSION) {
            return None;
        }
        let vector: [u8; BLOCK] = head[HEAD - BLOCK..].try_into().ok()?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.encryption.into(), &vector.into());
        let mut buffer = encrypted.to_vec();
        let text = cipher.decrypt_padded::<Pkcs7>(&mut buffer).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and token of the Fernet specification's `generate.json`.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn key() -> WebhookKey {
        WebhookKey::parse(KEY).unwrap()
    }

    #[test]
    fn the_vector_of_the_specification() {
        let vector = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let token = key().encrypt_with("hello", 499_162_800, vector);
        assert_eq!(token.as_deref(), Some(TOKEN));
        assert_eq!(key().decrypt(TOKEN).as_deref(), Some("hello"));
    }

    #[test]
    fn what_is_encrypted_comes_back() {
        for text in ["", "x", "0123456789abcdef", "é😀", &"s".repeat(687)] {
            let token = key().encrypt(text, 1_800_000_000_000).unwrap();
            assert!(token.len() <= 1000, "it fits its column");
            assert_eq!(key().decrypt(&token).as_deref(), Some(text));
        }
        assert_ne!(key().encrypt("x", 0), key().encrypt("x", 0));
    }

    #[test]
    fn another_key_and_a_damaged_token_give_nothing() {
        let other = WebhookKey::parse(&"A".repeat(43)).unwrap();
        assert_eq!(other.decrypt(TOKEN), None);
        for place in 0..TOKEN.len() {
            let mut token = TOKEN.to_owned();
            let damaged = if token.as_bytes()[place] == b'Q' {
                "R"
            } else {
                "Q"
            };
            token.replace_range(place..=place, damaged);
            let read = key().decrypt(&token);
            assert!(read.is_none() || place == TOKEN.len() - 3, "{place}");
        }
        for token in ["", "gA==", "x y"] {
            assert_eq!(key().decrypt(token), None);
        }
    }

    #[test]
    fn a_key_has_32_bytes() {
        for text in [
            "",
            "short",
            "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4AAAA=",
            "!",
        ] {
            assert!(WebhookKey::parse(text).is_err(), "{text}");
        }
        assert!(!format!("{:?}", key()).contains("cw_0"));
    }
}
