//! What commands print: lines, tables and cards for people, JSON for programs.
//!
//! A terminal gets lines of its width, and colour unless `NO_COLOR` is set. A
//! pipe or a file gets everything in full. Names never move the cursor: their
//! control characters are escaped (`text`).

pub(crate) mod json;
pub(crate) mod table;
pub(crate) mod text;

use std::env;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use terminal_size::{Width, terminal_size_of};

/// How what is written looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// The columns of the terminal, if it is one.
    pub(crate) width: Option<usize>,
    /// Whether there are colours.
    pub(crate) colour: bool,
}

impl Look {
    /// That of stdout.
    pub(crate) fn of_stdout() -> Self {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return Self::default();
        }
        let width = terminal_size_of(&stdout).map(|(Width(width), _)| usize::from(width));
        Self {
            width: width.filter(|width| *width > 0),
            colour: wants_colour(|name| env::var(name).ok()),
        }
    }

    /// A number of a metric: short on a terminal, in full elsewhere.
    pub(crate) fn number(self, value: f64) -> String {
        if self.width.is_some() {
            text::number(value)
        } else {
            text::exact(value)
        }
    }
}

/// Whether a terminal shows colours, by the variables that terminals agreed on.
fn wants_colour(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && variable("TERM").as_deref() != Some("dumb")
}

/// What a word is about, which is its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// A heading.
    Heading,
    /// Of less importance.
    Faint,
    /// Well.
    Good,
    /// Not well.
    Bad,
    /// Not quite well.
    Doubtful,
    /// Going on.
    Busy,
    /// Of one of several things that are told apart, counted from 0.
    Series(u8),
}

/// The colours of things that are told apart.
const SERIES: [&str; 8] = ["36", "35", "33", "32", "34", "31", "96", "95"];

impl Tone {
    /// The parameters of the escape sequence that begins it.
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Heading => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Doubtful => Some("33"),
            Self::Busy => Some("36"),
            Self::Series(number) => Some(SERIES[usize::from(number) % SERIES.len()]),
        }
    }

    /// The text in this tone.
    pub(crate) fn paint(self, text: &str, look: Look) -> String {
        match self.code() {
            Some(code) if look.colour && !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// Stdout, which says when nobody reads any more.
pub(crate) struct Out {
    writer: BufWriter<Stdout>,
    pub(crate) look: Look,
}

impl Out {
    /// Stdout of this process.
    pub(crate) fn new() -> Self {
        Self {
            writer: BufWriter::new(io::stdout()),
            look: Look::of_stdout(),
        }
    }

    /// One line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.writer, "{text}")
    }

    /// Several lines.
    pub(crate) fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        lines.iter().try_for_each(|line| self.line(line))
    }

    /// A JSON text, one member a line.
    pub(crate) fn json(&mut self, compact: &[u8]) -> io::Result<()> {
        self.writer.write_all(&json::pretty(compact))?;
        self.writer.write_all(b"\n")
    }

    /// Everything so far, for good.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_left_out_where_somebody_says_so() {
        let with = |pairs: &[(&str, &str)]| {
            wants_colour(|name| {
                let found = pairs.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(with(&[("TERM", "xterm")]) && with(&[("NO_COLOR", "")]));
        assert!(!with(&[("NO_COLOR", "1")]) && !with(&[("TERM", "dumb")]));
    }

    #[test]
    fn a_tone_is_nothing_without_colours() {
        let colour = Look {
            width: None,
            colour: true,
        };
        assert_eq!(Tone::Bad.paint("x", colour), "\x1b[31mx\x1b[0m");
        assert_eq!(Tone::Bad.paint("x", Look::default()), "x");
        assert_eq!(Tone::Plain.paint("x", colour), "x");
    }
}
