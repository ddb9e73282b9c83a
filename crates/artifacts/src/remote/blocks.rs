//! Blocks, the parts of Azure: who sends one names it, in its URL.
//!
//! Azure knows no uploads, only a file's blocks that wait to be part of it.
//! What tells one upload from another is in the names: they begin with what is
//! the upload's alone.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::cloud::Fault;

/// Bytes of a name: all of a file's blocks must have one length, and those
/// that `object_store` sends have this.
const NAME: usize = 32;

/// Digits of the number of a part.
const NUMBER: usize = 5;

/// The name of an upload, which no other has.
pub(super) fn upload() -> Result<String, Fault> {
    let mut random = [0; 16];
    SystemRandom::new()
        .fill(&mut random)
        .map_err(|_| Fault::Other(io::Error::other("there are no random numbers")))?;
    let mut name = format!("{:032x}", u128::from_be_bytes(random));
    name.truncate(NAME - NUMBER);
    Ok(name)
}

/// The URL of a block of a file, out of one that may write the file.
pub(super) fn url(signed: &str, upload: &str, number: u32) -> String {
    let name = BASE64.encode(format!("{upload}{number:05}"));
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    format!("{signed}&comp=block&blockid={name}")
}

/// The name of the block of an upload that a URL of ours was for.
pub(super) fn name_in(url: &str, upload: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == "blockid")?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    let name = String::from_utf8(BASE64.decode(value.as_bytes()).ok()?).ok()?;
    let number = name.strip_prefix(upload)?;
    let is_number = number.len() == NUMBER && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && name.len() == NAME).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_in_its_url() {
        let upload = upload().unwrap();
        let url = url("https://a/c/f?sig=x%3D", &upload, 12);
        let name = name_in(&url, &upload).unwrap();
        assert_eq!(name, format!("{upload}00012"));
        // As long as those of `object_store`.
        assert_eq!(name.len(), 32);
        for url in [
            "",
            "https://a/c/f",
            "https://a/c/f?blockid=bm9uZQ==",
            "?blockid=%",
        ] {
            assert_eq!(name_in(url, &upload), None, "{url}");
            assert_eq!(name_in(url, ""), None, "{url}");
        }
    }

    #[test]
    fn a_block_of_another_upload_is_none() {
        let (one, other) = (upload().unwrap(), upload().unwrap());
        assert_ne!(one, other);
        let url = url("https://a/c/f?sig=x", &one, 1);
        for upload in [other.as_str(), "", &one[1..], &one[..20]] {
            assert_eq!(name_in(&url, upload), None, "{upload}");
        }
    }
}
