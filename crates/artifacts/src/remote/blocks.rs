//! Blocks, the parts of Azure: who sends one names it, in its URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const PREFIX: &str = "runledger-part-";

/// The URL of a block of a file, out of one that may write the file.
pub(super) fn url(signed: &str, number: u32) -> String {
    // All names of a file must have one length.
    let name = BASE64.encode(format!("{PREFIX}{number:05}"));
    let name = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    format!("{signed}&comp=block&blockid={name}")
}

/// The name of the block that a URL of ours was for.
pub(super) fn name_in(url: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == "blockid")?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    let name = String::from_utf8(BASE64.decode(value.as_bytes()).ok()?).ok()?;
    let number = name.strip_prefix(PREFIX)?;
    let is_number = number.len() == 5 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_in_its_url() {
        let url = url("https://a/c/f?sig=x%3D", 12);
        assert_eq!(name_in(&url).as_deref(), Some("runledger-part-00012"));
        for url in [
            "",
            "https://a/c/f",
            "https://a/c/f?blockid=bm9uZQ==",
            "?blockid=%",
        ] {
            assert_eq!(name_in(url), None, "{url}");
        }
    }
}
