//! `Range` and the conditional headers of RFC 9110.

use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, RANGE};
use runledger_artifacts::ByteRange;

/// The one range of bytes that a request asks for.
///
/// Several ranges, other units and malformed headers are ignored: the whole
/// file is the answer to them.
pub(crate) fn range(headers: &HeaderMap) -> Option<ByteRange> {
    let spec = text(headers, &RANGE)?.trim().strip_prefix("bytes=")?;
    let (first, last) = spec.split_once('-')?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Some(ByteRange::Between(first, last)),
        (Some(first), None) if last.trim().is_empty() => Some(ByteRange::From(first)),
        (None, Some(count)) if first.trim().is_empty() => Some(ByteRange::Last(count)),
        _ => None,
    }
}

/// Whether the answer depends on the version of the file.
pub(crate) fn are_there(headers: &HeaderMap) -> bool {
    [IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE]
        .iter()
        .any(|name| headers.contains_key(name))
}

/// Whether the client has this version already (`If-None-Match`, or
/// `If-Modified-Since` in its absence).
pub(crate) fn is_unchanged(
    headers: &HeaderMap,
    etag: Option<&str>,
    modified: Option<SystemTime>,
) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        return headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .any(|tag| tag == "*" || Some(tag.strip_prefix("W/").unwrap_or(tag)) == etag);
    }
    let since =
        text(headers, &IF_MODIFIED_SINCE).and_then(|text| httpdate::parse_http_date(text).ok());
    match (since, modified) {
        (Some(since), Some(modified)) => seconds(modified) <= seconds(since),
        _ => false,
    }
}

/// Whether a `Range` is meant for this version (`If-Range`): never where a storage
/// has no tag, for then a date of whole seconds is no proof either.
pub(crate) fn range_applies(
    headers: &HeaderMap,
    etag: Option<&str>,
    modified: Option<SystemTime>,
) -> bool {
    if !headers.contains_key(IF_RANGE) {
        return true;
    }
    let (Some(condition), Some(etag)) = (text(headers, &IF_RANGE), etag) else {
        return false;
    };
    if condition.starts_with('"') {
        return condition == etag;
    }
    match (httpdate::parse_http_date(condition), modified) {
        (Ok(date), Some(modified)) => seconds(date) == seconds(modified),
        _ => false,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// HTTP dates have whole seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn one_range_is_read() {
        for (value, expected) in [
            ("bytes=0-1", ByteRange::Between(0, 1)),
            ("bytes=3-", ByteRange::From(3)),
            ("bytes=-2", ByteRange::Last(2)),
        ] {
            assert_eq!(range(&headers(RANGE, value)), Some(expected), "{value}");
        }
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_ignored() {
        for value in [
            "bytes=0-0,2-3",
            "bytes=a",
            "lines=1-2",
            "bytes=3-1",
            "bytes=-",
            "bytes=+1-2",
            "bytes=1-x",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(range(&headers(RANGE, value)), None, "{value}");
        }
    }

    #[test]
    fn entity_tags_are_compared() {
        for value in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(
                is_unchanged(&headers(IF_NONE_MATCH, value), Some("\"a\""), None),
                "{value}"
            );
        }
        assert!(!is_unchanged(
            &headers(IF_NONE_MATCH, "\"b\""),
            Some("\"a\""),
            None
        ));
        assert!(!is_unchanged(&HeaderMap::new(), Some("\"a\""), None));
    }

    #[test]
    fn dates_are_compared_by_the_second() {
        let time = UNIX_EPOCH + Duration::from_millis(1_795_531_823_938);
        let date = httpdate::fmt_http_date(time);
        assert!(is_unchanged(
            &headers(IF_MODIFIED_SINCE, &date),
            Some("\"a\""),
            Some(time)
        ));
        let later = time + Duration::from_secs(2);
        assert!(!is_unchanged(
            &headers(IF_MODIFIED_SINCE, &date),
            Some("\"a\""),
            Some(later)
        ));
        assert!(range_applies(
            &headers(IF_RANGE, &date),
            Some("\"a\""),
            Some(time)
        ));
        assert!(!range_applies(
            &headers(IF_RANGE, &date),
            Some("\"a\""),
            Some(later)
        ));
    }

    #[test]
    fn a_range_of_another_version_does_not_apply() {
        assert!(range_applies(
            &headers(IF_RANGE, "\"a\""),
            Some("\"a\""),
            None
        ));
        assert!(!range_applies(
            &headers(IF_RANGE, "\"b\""),
            Some("\"a\""),
            None
        ));
        assert!(!range_applies(
            &headers(IF_RANGE, "W/\"a\""),
            Some("\"a\""),
            None
        ));
    }

    #[test]
    fn what_has_no_tag_is_never_the_same() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_531_823);
        let date = httpdate::fmt_http_date(time);
        for value in ["\"a\"", "\"\"", "W/\"a\""] {
            let known = headers(IF_NONE_MATCH, value);
            assert!(!is_unchanged(&known, None, Some(time)), "{value}");
        }
        for value in ["\"a\"", date.as_str()] {
            let resumed = headers(IF_RANGE, value);
            assert!(!range_applies(&resumed, None, Some(time)), "{value}");
        }
        assert!(range_applies(&HeaderMap::new(), None, None));
    }
}
