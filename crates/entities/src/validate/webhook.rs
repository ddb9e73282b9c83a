//! Webhooks: names, URLs, events, and what their columns hold.
//!
//! Whether the host of a URL may be reached is the server's to say.

use crate::{InvalidWebhook, WebhookEvent, limits};

/// Checks the name of a webhook: letters and digits of ASCII, with dots,
/// underscores and hyphens between them.
pub fn webhook_name(name: &str) -> Result<(), InvalidWebhook> {
    let ends = |b: u8| b.is_ascii_alphanumeric();
    let inside = |b: u8| ends(b) || matches!(b, b'.' | b'_' | b'-');
    let bytes = name.as_bytes();
    let good = bytes.len() <= limits::WEBHOOK_NAME
        && bytes.first().is_some_and(|b| ends(*b))
        && bytes.last().is_some_and(|b| ends(*b))
        && bytes.iter().all(|b| inside(*b));
    if good {
        Ok(())
    } else {
        Err(InvalidWebhook::Name {
            name: name.to_owned(),
        })
    }
}

/// Checks the scheme and the host of a URL, and its length.
pub fn webhook_url(url: &str, allowed: &[String]) -> Result<(), InvalidWebhook> {
    if url.trim().is_empty() {
        return Err(InvalidWebhook::BlankUrl {
            url: url.to_owned(),
        });
    }
    too_long(
        "URL",
        url.chars().count(),
        limits::WEBHOOK_URL,
        "characters",
    )?;
    let (scheme, rest) = split_scheme(url.trim());
    if !allowed.contains(&scheme) {
        return Err(InvalidWebhook::Scheme {
            scheme,
            allowed: allowed.to_vec(),
        });
    }
    let host = rest.strip_prefix("//").and_then(|rest| {
        let authority = rest.split(['/', '?', '#']).next()?;
        let host = authority.rsplit('@').next()?;
        match host.strip_prefix('[') {
            Some(address) => address.split(']').next(),
            None => host.split(':').next(),
        }
    });
    if host.is_none_or(str::is_empty) {
        return Err(InvalidWebhook::NoHost {
            url: url.to_owned(),
        });
    }
    Ok(())
}

/// The scheme in lower case, empty if there is none, and what follows it.
fn split_scheme(url: &str) -> (String, &str) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(legal) =>
        {
            (scheme.to_ascii_lowercase(), rest)
        }
        _ => (String::new(), url),
    }
}

/// Checks that there are events, and no event twice; returns them in order.
pub fn webhook_events(events: Vec<WebhookEvent>) -> Result<Vec<WebhookEvent>, InvalidWebhook> {
    if events.is_empty() {
        return Err(InvalidWebhook::NoEvents);
    }
    let events = WebhookEvent::sorted(events);
    let twice = events.windows(2).find(|pair| pair[0] == pair[1]);
    match twice {
        Some(pair) => Err(InvalidWebhook::EventTwice { event: pair[0] }),
        None => Ok(events),
    }
}

/// Checks that a description fits its column.
pub fn webhook_description(text: &str) -> Result<(), InvalidWebhook> {
    let length = text.chars().count();
    let limit = limits::WEBHOOK_DESCRIPTION;
    too_long("description", length, limit, "characters")
}

/// Checks that a secret, once encrypted, fits its column.
pub fn webhook_secret(secret: &str) -> Result<(), InvalidWebhook> {
    too_long("secret", secret.len(), limits::WEBHOOK_SECRET, "bytes")
}

fn too_long(
    what: &'static str,
    length: usize,
    limit: usize,
    unit: &'static str,
) -> Result<(), InvalidWebhook> {
    if length <= limit {
        return Ok(());
    }
    Err(InvalidWebhook::TooLong {
        what,
        length,
        limit,
        unit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WebhookAction, WebhookEntity};

    #[test]
    fn names_begin_and_end_with_a_letter_or_digit() {
        let longest = "a".repeat(63);
        for good in ["a", "A.b_c-1", "0", &longest] {
            assert_eq!(webhook_name(good), Ok(()), "{good}");
        }
        let too_long = "a".repeat(64);
        for bad in ["", "-a", "a-", "a b", "é", "a\n", &too_long] {
            assert!(webhook_name(bad).is_err(), "{bad}");
        }
        assert_eq!(
            webhook_name("a\n").unwrap_err().to_string(),
            "Webhook name 'a\\n' is invalid. It must start and end with a letter or digit, be \
             less than 63 characters long, and contain only letters, digits, dots (.), \
             underscores (_), and hyphens (-)."
        );
    }

    #[test]
    fn urls_have_an_allowed_scheme_and_a_host() {
        let allowed = ["http".to_owned(), "https".to_owned()];
        let refusal = |url| webhook_url(url, &allowed).unwrap_err().to_string();
        for good in [
            "https://example.com",
            "HTTP://127.0.0.1:1/x?y",
            "http://u:p@h/",
            "https://[::1]:8443/",
            "https://[fd00::1]/",
            " http://h/",
        ] {
            assert_eq!(webhook_url(good, &allowed), Ok(()), "{good}");
        }
        assert_eq!(
            refusal("   "),
            "Webhook URL cannot be empty or just whitespace: '   '"
        );
        for (url, scheme) in [("ftp://x/", "ftp"), ("//x/y", ""), ("not a url", "")] {
            assert_eq!(
                refusal(url),
                format!(
                    "Invalid webhook URL scheme: '{scheme}'. Allowed schemes are: http, https."
                )
            );
        }
        for url in ["http://", "http:///x", "http:x", "http://:80/"] {
            assert_eq!(
                refusal(url),
                format!("Webhook URL must include a hostname: '{url}'")
            );
        }
        assert!(refusal(&format!("http://h/{}", "x".repeat(500))).contains("at most 500"));
    }

    #[test]
    fn events_are_there_and_differ() {
        let event = WebhookEvent::new(WebhookEntity::Prompt, WebhookAction::Created).unwrap();
        assert!(webhook_events(vec![event]).is_ok());
        assert_eq!(
            webhook_events(Vec::new()).unwrap_err().to_string(),
            "Webhook events must be a non-empty list of WebhookEvent objects: []."
        );
        let twice = webhook_events(vec![event, event]).unwrap_err().to_string();
        assert!(twice.contains("'prompt.created' is there twice"), "{twice}");
    }
}
