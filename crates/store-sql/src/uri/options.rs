//! What stands after `?` in a database URI.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use super::Reason;

/// Options that wait to be read. One that nobody reads is refused at the end.
#[derive(Debug)]
pub(super) struct Options<'a> {
    unread: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    /// No option may be given twice, but for `host` (several servers).
    pub(super) fn new(query: &'a [(String, String)]) -> Result<Self, Reason> {
        let unread: Vec<_> = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        for (index, (name, _)) in unread.iter().enumerate() {
            if *name != "host" && unread[..index].iter().any(|(other, _)| other == name) {
                return Err(format!("the option {} is given twice", shown(name)).into());
            }
        }
        Ok(Self { unread })
    }

    /// The value of an option.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a str> {
        let index = self.unread.iter().position(|(other, _)| *other == name)?;
        Some(self.unread.remove(index).1)
    }

    /// A file.
    pub(super) fn path(&mut self, name: &str) -> Option<PathBuf> {
        self.take(name).map(PathBuf::from)
    }

    /// A whole number.
    pub(super) fn number<N: FromStr>(&mut self, name: &str) -> Result<Option<N>, Reason> {
        self.take(name).map(|value| number(name, value)).transpose()
    }

    /// `true` or `false`, as SQLAlchemy reads them: also yes/no, on/off, 1/0,
    /// in any case.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Reason> {
        self.take(name).map(|value| flag(name, value)).transpose()
    }

    /// Seconds, with decimals.
    pub(super) fn duration(&mut self, name: &str) -> Result<Option<Duration>, Reason> {
        self.take(name)
            .map(|value| {
                let seconds = value.parse::<f64>().ok();
                seconds
                    .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                    .ok_or_else(|| invalid(name, value, "a number of seconds"))
            })
            .transpose()
    }

    /// Refuses what was not read.
    ///
    /// The value is not repeated: it may be a secret.
    pub(super) fn finish(self) -> Result<(), Reason> {
        match self.unread.first() {
            None => Ok(()),
            Some((name, _)) if is_word(name) => {
                Err(format!("the option {} is not supported: leave it out", shown(name)).into())
            }
            // Perhaps a piece of a password that ought to be encoded.
            Some(_) => Err("what follows the first `?` is not name=value, joined by `&`".into()),
        }
    }
}

/// A whole number that stands in the option `name`.
pub(super) fn number<N: FromStr>(name: &str, value: &str) -> Result<N, Reason> {
    let parsed = value.trim().parse();
    parsed.map_err(|_| invalid(name, value, "a whole number that fits"))
}

fn flag(name: &str, value: &str) -> Result<bool, Reason> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Ok(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Ok(false),
        _ => Err(invalid(name, value, "true or false")),
    }
}

/// Refuses the value of an option that holds no secret.
pub(super) fn invalid(name: &str, value: &str, expected: impl fmt::Display) -> Reason {
    format!("the option {name} is {}, not {expected}", shown(value)).into()
}

fn is_word(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    (1..=40).contains(&name.len()) && name.chars().all(is_letter)
}

/// Words of a URI in a message: short, on one line.
pub(super) fn shown(words: &str) -> String {
    const LONGEST: usize = 60;
    let short: String = words.chars().take(LONGEST).collect();
    let more = if short.len() < words.len() { "…" } else { "" };
    format!("`{}{more}`", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_option_that_nobody_reads_is_named_without_its_value() {
        let query = query(&[("sslpassword", "hunter2")]);
        let error = Options::new(&query).unwrap().finish().unwrap_err();
        assert_eq!(
            error,
            "the option `sslpassword` is not supported: leave it out"
        );
    }

    #[test]
    fn a_bad_value_is_named() {
        let query = query(&[("connect_timeout", "soon"), ("ssl_disabled", "maybe")]);
        let mut options = Options::new(&query).unwrap();
        let number = options.number::<u32>("connect_timeout").unwrap_err();
        assert!(number.contains("connect_timeout is `soon`"), "{number}");
        let flag = options.flag("ssl_disabled").unwrap_err();
        assert!(flag.contains("ssl_disabled is `maybe`"), "{flag}");
    }

    #[test]
    fn only_hosts_may_be_given_twice() {
        assert!(Options::new(&query(&[("host", "a"), ("host", "b")])).is_ok());
        assert!(Options::new(&query(&[("user", "a"), ("user", "b")])).is_err());
    }
}
