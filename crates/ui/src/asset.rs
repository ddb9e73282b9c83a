//! One embedded file and its entity tag, computed at compile time.

use std::fmt;

/// A file of the web pages.
#[derive(Clone, Copy)]
pub struct Asset {
    /// Where it is served, relative to the base of the service; no leading slash.
    pub path: &'static str,
    /// The `Content-Type`, with a charset where it is text.
    pub content_type: &'static str,
    /// The file, uncompressed.
    pub bytes: &'static [u8],
    /// A strong `ETag`, quotes included. It tells builds apart; it is no proof of integrity.
    pub etag: &'static str,
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asset")
            .field("path", &self.path)
            .field("content_type", &self.content_type)
            .field("bytes", &self.bytes.len())
            .field("etag", &self.etag)
            .finish()
    }
}

/// Embeds `web/<path>`.
macro_rules! asset {
    ($path:literal, $content_type:literal) => {{
        const BYTES: &[u8] = include_bytes!(concat!("../web/", $path));
        const ETAG: [u8; $crate::asset::ETAG_LEN] = $crate::asset::etag(BYTES);
        $crate::Asset {
            path: $path,
            content_type: $content_type,
            bytes: BYTES,
            etag: match str::from_utf8(&ETAG) {
                Ok(etag) => etag,
                Err(_) => panic!("an entity tag is ASCII"),
            },
        }
    }};
}
pub(crate) use asset;

/// Two quotes around 16 hexadecimal digits.
pub(crate) const ETAG_LEN: usize = 18;

/// The 64-bit FNV-1a hash of `bytes` as a quoted entity tag.
pub(crate) const fn etag(bytes: &[u8]) -> [u8; ETAG_LEN] {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    let mut tag = [b'"'; ETAG_LEN];
    let mut digit = 0;
    while digit < 16 {
        tag[1 + digit] = b"0123456789abcdef"[((hash >> (60 - 4 * digit)) & 0xf) as usize];
        digit += 1;
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::etag;

    #[test]
    fn etag_is_the_published_hash_in_quotes() {
        // Test vectors of the FNV authors.
        assert_eq!(&etag(b""), b"\"cbf29ce484222325\"");
        assert_eq!(&etag(b"a"), b"\"af63dc4c8601ec8c\"");
        assert_eq!(&etag(b"foobar"), b"\"85944171f73967e8\"");
    }
}
