//! Wildcards of host and origin lists: `*` and `?`.
//!
//! MLflow uses Python's `fnmatch`, in which `[…]` is a set of characters; here
//! brackets stand for themselves, as IPv6 addresses need them.

/// Whether `text` as a whole matches, without regard to ASCII case.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to go back to when the text does not fit: after the last star,
    // which then takes one more byte. Earlier stars need no second look.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(byte) if *byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, taken)) = retry else {
                    return false;
                };
                p = star;
                t = taken + 1;
                retry = Some((star, t));
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "anything:80"),
            ("*.example.com", "a.b.Example.com"),
            ("host:*", "host:5000"),
            ("host?", "host1"),
            ("a*b*c", "a-b-b-c"),
            ("[::1]", "[::1]"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn everything_else_does_not() {
        for (pattern, text) in [
            ("", "x"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.com.evil.org"),
            ("host", "host:5000"),
            ("host?", "host"),
            ("a*b*c", "a-c-b"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
