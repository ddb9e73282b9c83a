//! What the program says to its user.
//!
//! A closed pipe at the other end is no reason to stop serving, so that
//! failures to write are ignored.

use std::error::Error;
use std::io::{self, Write};

use crate::term::text::plain;

/// One line about the start, on stdout.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

/// A result for another program, on stdout.
pub(crate) fn json(value: &serde_json::Value) {
    let _ = writeln!(io::stdout(), "{value:#}");
}

/// One line about how far something is, on stderr.
pub(crate) fn progress(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// One line about something that has no effect, on stderr.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// An error and its causes, on one line of stderr.
pub(crate) fn error(error: &dyn Error) {
    let text = chain(error);
    let _ = writeln!(io::stderr(), "error: {}", plain(&text.replace('\n', " ")));
}

/// An error and its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}
