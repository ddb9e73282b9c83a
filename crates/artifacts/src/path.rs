//! Paths of artifacts: relative, normal, and unable to leave their root.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode;

/// The start of names that the local repository keeps for itself.
pub(crate) const RESERVED_PREFIX: &str = ".runledger-";

/// A path is refused if it still changes after this many further decodings.
const MAX_ENCODINGS: usize = 8;

/// Why a text is no artifact path.
///
/// The message is MLflow 3.17's, which names no reason; [`InvalidPath::reason`]
/// does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid path")]
pub struct InvalidPath {
    reason: &'static str,
}

impl InvalidPath {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// What is wrong with it, for logs.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

/// A relative path of an artifact, for example `model/MLmodel`.
///
/// Segments are separated by one `/`; there is none at either end. No segment
/// is empty, `.` or `..`, holds a control character, a backslash or a `#`, or
/// starts with `.runledger-`. The path does not start with a drive letter or
/// `file:`, and decoding it again, however often, yields no traversal and no
/// further separator. The empty path is the root.
///
/// `ArtifactPath::parse(path.as_str())` is always `path` again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(String);

impl ArtifactPath {
    /// Bytes of a path.
    pub const MAX_BYTES: usize = 4096;
    /// Bytes of one segment, the limit of common file systems.
    pub const MAX_SEGMENT_BYTES: usize = 255;

    /// The empty path.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads the percent-encoded path of a URL, decoding it exactly once.
    ///
    /// A `%` that two hexadecimal digits do not follow stands for itself; `+`
    /// is no space here.
    ///
    /// # Errors
    /// [`InvalidPath`] if the bytes are no UTF-8 or [`ArtifactPath::parse`]
    /// refuses the text.
    pub fn decode(encoded: &str) -> Result<Self, InvalidPath> {
        let text = percent_decode(encoded.as_bytes())
            .decode_utf8()
            .map_err(|_| InvalidPath::new("it is not UTF-8"))?;
        Self::parse(&text)
    }

    /// Reads a path that needs no decoding, such as the value of a query
    /// parameter.
    ///
    /// Repeated and trailing slashes are dropped, as MLflow 3.17 does.
    ///
    /// # Errors
    /// [`InvalidPath`] for everything that the type cannot hold.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidPath::new("it is too long"));
        }
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(InvalidPath::new("it holds a control character"));
        }
        refuse_escape(text.as_bytes())?;
        refuse_hidden_escape(text.as_bytes())?;
        let mut path = String::with_capacity(text.len());
        for segment in text.split('/').filter(|segment| !segment.is_empty()) {
            refuse_segment(segment)?;
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(segment);
        }
        Ok(Self(path))
    }

    /// The path `inner` below this one.
    ///
    /// # Errors
    /// [`InvalidPath`] if the whole is too long.
    pub fn join(&self, inner: &Self) -> Result<Self, InvalidPath> {
        if inner.is_root() {
            return Ok(self.clone());
        }
        if self.is_root() {
            return Self::parse(&inner.0);
        }
        Self::parse(&format!("{}/{}", self.0, inner.0))
    }

    /// The path of a name that a storage gives to something in this directory, if
    /// a client can ask for it by that.
    #[cfg(any(
        feature = "s3",
        feature = "azure",
        feature = "gcs",
        feature = "hdfs",
        feature = "ftp",
        feature = "sftp",
        feature = "http-proxy"
    ))]
    pub(crate) fn entry(&self, name: &str) -> Option<Self> {
        if name.is_empty() || name.contains('/') {
            return None;
        }
        let path = if self.is_root() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.0)
        };
        Self::parse(&path).ok().filter(|parsed| parsed.0 == path)
    }

    /// Whether this is the empty path.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The segments, outermost first; none for the root.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The last segment; the root has none.
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ArtifactPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        Self::parse(text)
    }
}

fn refuse_segment(segment: &str) -> Result<(), InvalidPath> {
    if segment.len() > ArtifactPath::MAX_SEGMENT_BYTES {
        return Err(InvalidPath::new("a segment is too long"));
    }
    if segment.starts_with(RESERVED_PREFIX) {
        return Err(InvalidPath::new("a segment is reserved for the server"));
    }
    if segment.contains('#') {
        // MLflow 3.17 takes `#` for the start of a URL fragment and refuses it.
        return Err(InvalidPath::new("it holds a '#'"));
    }
    Ok(())
}

/// Refuses what would lead out of a root on any common platform.
fn refuse_escape(text: &[u8]) -> Result<(), InvalidPath> {
    if text.first() == Some(&b'/') {
        return Err(InvalidPath::new("it is absolute"));
    }
    if text.contains(&b'\\') {
        return Err(InvalidPath::new("it holds a backslash"));
    }
    if text.contains(&0) {
        return Err(InvalidPath::new("it holds a NUL"));
    }
    if text.get(1) == Some(&b':') && text[0].is_ascii_alphabetic() {
        return Err(InvalidPath::new("it starts with a drive letter"));
    }
    if text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"file:"))
    {
        return Err(InvalidPath::new("it is a file URI"));
    }
    if text
        .split(|byte| *byte == b'/')
        .any(|segment| segment == b"." || segment == b"..")
    {
        return Err(InvalidPath::new("it holds a '.' or '..' segment"));
    }
    Ok(())
}

/// Refuses a text in which a second decoding, here or in a proxy, a client or
/// a storage service, would find an escape or another separator.
///
/// Other characters may turn up there: MLflow 2.17 names images
/// `k%step%0%timestamp%17…`, and `%17` is none of its meaning.
fn refuse_hidden_escape(text: &[u8]) -> Result<(), InvalidPath> {
    if !text.contains(&b'%') {
        return Ok(());
    }
    let segments = |text: &[u8]| text.split(|byte| *byte == b'/').count();
    let mut text = text.to_vec();
    if let Some(percent) = before_uuid_of_image(&text) {
        text[percent] = b'+';
    }
    for _ in 0..MAX_ENCODINGS {
        let decoded: Vec<u8> = percent_decode(&text).collect();
        if decoded == text {
            return Ok(());
        }
        refuse_escape(&decoded)?;
        if segments(&decoded) != segments(&text) {
            return Err(InvalidPath::new("it holds an encoded separator"));
        }
        text = decoded;
    }
    Err(InvalidPath::new("it is encoded too often"))
}

/// Where the `%` is that MLflow 2.17 puts before the UUID in the name of an image,
/// `k%step%0%timestamp%1795724213453%5c25db82-08c6-4635-ab83-e54d11456a37.png`.
///
/// Three UUIDs of 256 begin like the escape of a separator or a NUL, and MLflow
/// 3.17 refuses these images. They are harmless: what follows is hexadecimal.
fn before_uuid_of_image(text: &[u8]) -> Option<usize> {
    const STAMP: &[u8] = b"%timestamp%";
    let stamp = text.windows(STAMP.len()).rposition(|part| part == STAMP)? + STAMP.len();
    let digits = text[stamp..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (percent, uuid) = text[stamp + digits..].split_first()?;
    let groups = [8, 4, 4, 4, 12];
    let mut rest = uuid.splitn(groups.len(), |byte| *byte == b'-');
    let is_uuid = groups.into_iter().all(|length| {
        rest.next()
            .and_then(|group| {
                group
                    .get(..length)
                    .filter(|_| length == 12 || group.len() == length)
            })
            .is_some_and(|group| group.iter().all(u8::is_ascii_hexdigit))
    });
    (digits > 0 && *percent == b'%' && is_uuid).then_some(stamp + digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_and_odd_names_are_kept() {
        for name in [
            "model/MLmodel",
            "a b",
            "a+b",
            "ü/日本",
            "p%",
            "p%q",
            "q?x",
            "a;b",
            "a&b",
            "~x",
            "...",
            "..x",
            "x..",
            ".hidden",
            "dir/C:x",
            "s3:x",
            "k%step%0%timestamp%1795724213453%c9a8.png",
            "images/k%step%0%timestamp%1795724213453%5c25db82-08c6-4635-ab83-e54d11456a37.png",
            "images/k%step%0%timestamp%1795724213453%2F25db82-08c6-4635-ab83-e54d11456a37%compressed.webp",
            "images/k%step%0%timestamp%1795724213453%0025db82-08c6-4635-ab83-e54d11456a37.png",
            "a%0ab",
            "a%ffb",
        ] {
            assert_eq!(
                ArtifactPath::parse(name).map(|p| p.to_string()),
                Ok(name.to_owned())
            );
        }
    }

    #[test]
    fn slashes_are_normalised() {
        assert_eq!(ArtifactPath::parse("d//e/").unwrap().as_str(), "d/e");
    }

    #[test]
    fn escapes_are_refused() {
        for text in [
            "/x",
            "..",
            "a/..",
            "../x",
            "a/../x",
            ".",
            "./x",
            "a\\b",
            "..\\x",
            "C:",
            "c:/x",
            "file:x",
            "FILE:///x",
            "a\0b",
            "a\nb",
            "a#b",
        ] {
            assert!(ArtifactPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn escapes_that_are_still_encoded_are_refused() {
        for text in [
            "%2e%2e/x",
            "a/%2E%2e",
            "%2e./x",
            "a%2fb",
            "a%5cb",
            "%252e%252e/x",
            "%2fetc",
            "a%00b",
            "a%25252fb",
            "%2525252525252525252525252525252525252541",
        ] {
            assert!(ArtifactPath::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn decoding_happens_exactly_once() {
        assert_eq!(
            ArtifactPath::decode("a%20b/p%2541").unwrap().as_str(),
            "a b/p%41"
        );
        assert!(ArtifactPath::decode("%2e%2e/x").is_err());
        assert!(ArtifactPath::decode("%252e%252e/x").is_err());
        assert!(ArtifactPath::decode("a%ffb").is_err());
    }

    #[test]
    fn lengths_are_bounded() {
        let segment = "s".repeat(ArtifactPath::MAX_SEGMENT_BYTES);
        assert!(ArtifactPath::parse(&segment).is_ok());
        assert!(ArtifactPath::parse(&format!("{segment}s")).is_err());
        let long = ArtifactPath::parse(&"d/".repeat(2000)).unwrap();
        assert!(long.join(&long).is_err());
    }

    #[test]
    fn reserved_names_are_refused() {
        assert!(ArtifactPath::parse("a/.runledger-uploads/x").is_err());
    }

    /// Text made of the pieces that matter, so that the cases are dense.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("..".to_owned()),
            Just("/".to_owned()),
            Just("\\".to_owned()),
            Just("%".to_owned()),
            Just("25".to_owned()),
            Just("%2e".to_owned()),
            Just("%2F".to_owned()),
            Just("%5c".to_owned()),
            Just("%00".to_owned()),
            Just(":".to_owned()),
            "[a-z.~+ é]{1,3}",
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    fn escapes(text: &str) -> bool {
        text.starts_with('/')
            || text.contains(['\\', '\0'])
            || text
                .split('/')
                .any(|segment| segment == ".." || segment == ".")
    }

    proptest! {
        #[test]
        fn no_accepted_path_escapes_however_often_it_is_decoded(text in hostile()) {
            for path in [ArtifactPath::parse(&text), ArtifactPath::decode(&text)].into_iter().flatten() {
                let mut text = path.to_string();
                for _ in 0..20 {
                    prop_assert!(!escapes(&text), "{path:?}");
                    text = percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned();
                }
            }
        }

        #[test]
        fn parsing_the_printed_path_yields_it_again(text in hostile()) {
            if let Ok(path) = ArtifactPath::decode(&text) {
                prop_assert_eq!(ArtifactPath::parse(path.as_str()), Ok(path.clone()));
                prop_assert_eq!(path.segments().collect::<Vec<_>>().join("/"), path.as_str());
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = ArtifactPath::decode(&text);
        }
    }
}
