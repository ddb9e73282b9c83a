//! How many connections to a database server are kept, from MLflow's
//! environment variables.

use std::{borrow::Cow, ops::RangeInclusive, str::FromStr, time::Duration};

/// How connections to a database server are kept.
///
/// The defaults are SQLAlchemy's, which MLflow has: 5 connections stay open, 10
/// more may be opened under load, and none is closed for its age. SQLite has no
/// server; what is said here does not matter to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Connections that stay open. At least 1, at most [`PoolOptions::MOST`].
    pub size: usize,
    /// Connections that are opened beyond those under load, and closed after
    /// it. At most [`PoolOptions::MOST`]; SQLAlchemy's -1 for "any number" is
    /// that.
    pub overflow: usize,
    /// The age at which a connection is replaced before it is used again.
    pub recycle: Option<Duration>,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            size: 5,
            overflow: 10,
            recycle: None,
        }
    }
}

/// An environment variable that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {name} is '{value}', not {expected}")]
pub struct InvalidVariable {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
    /// What it should be.
    pub expected: Cow<'static, str>,
}

const SIZE: &str = "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE";
const OVERFLOW: &str = "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW";
const RECYCLE: &str = "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE";
const ECHO: &str = "MLFLOW_SQLALCHEMYSTORE_ECHO";
const CLASS: &str = "MLFLOW_SQLALCHEMYSTORE_POOLCLASS";

/// SQLAlchemy's pools that MLflow knows.
const CLASSES: &str = "AssertionPool, AsyncAdaptedQueuePool, FallbackAsyncAdaptedQueuePool, \
                       NullPool, QueuePool, SingletonThreadPool or StaticPool";

impl PoolOptions {
    /// The most connections of either kind: a thread belongs to each.
    pub const MOST: usize = 1000;

    /// Reads MLflow's environment variables:
    ///
    /// - `MLFLOW_SQLALCHEMYSTORE_POOL_SIZE`, `…_MAX_OVERFLOW`: connections;
    /// - `MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE`: seconds, -1 for never;
    /// - `MLFLOW_SQLALCHEMYSTORE_ECHO`: `true` or `false`, without effect: what
    ///   is logged is for the program to say;
    /// - `MLFLOW_SQLALCHEMYSTORE_POOLCLASS`: a class of SQLAlchemy.
    ///   `NullPool` keeps no connection, and here one; `StaticPool` and
    ///   `AssertionPool` have one in all; the others are this pool.
    ///
    /// As in MLflow, 0 and an empty value are the default.
    ///
    /// # Errors
    /// [`InvalidVariable`] names the first one that MLflow would refuse too, or
    /// that is beyond the limits.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidVariable> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut options = Self::default();
        if let Some(size @ 1..) = whole_number(set, SIZE, 0..=Self::MOST, "from 1 to 1000")? {
            options.size = size;
        }
        let overflow = "from 1 to 1000, or -1 for as many";
        match whole_number(set, OVERFLOW, -1..=1000, overflow)? {
            None | Some(0) => {}
            Some(count) => options.overflow = usize::try_from(count).unwrap_or(Self::MOST),
        }
        let seconds = "a number of seconds, or -1 for never";
        if let Some(age @ 1..) = whole_number(set, RECYCLE, -1..=i64::MAX, seconds)? {
            options.recycle = Some(Duration::from_secs(age.unsigned_abs()));
        }
        if let Some(value) = set(ECHO) {
            let known = ["true", "false", "1", "0"];
            if !known.contains(&value.to_ascii_lowercase().as_str()) {
                return Err(refused(ECHO, value, "true or false"));
            }
        }
        if let Some(class) = set(CLASS) {
            match class.as_str() {
                "QueuePool"
                | "AsyncAdaptedQueuePool"
                | "FallbackAsyncAdaptedQueuePool"
                | "SingletonThreadPool" => {}
                "NullPool" => options.size = 1,
                "StaticPool" | "AssertionPool" => (options.size, options.overflow) = (1, 0),
                _ => return Err(refused(CLASS, class, CLASSES)),
            }
        }
        Ok(options)
    }
}

fn whole_number<N: FromStr + PartialOrd>(
    variable: impl Fn(&str) -> Option<String>,
    name: &'static str,
    range: RangeInclusive<N>,
    expected: &'static str,
) -> Result<Option<N>, InvalidVariable> {
    let Some(value) = variable(name) else {
        return Ok(None);
    };
    let number = value.trim().parse().ok();
    match number.filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(refused(name, value, expected)),
    }
}

fn refused(name: &'static str, value: String, expected: &'static str) -> InvalidVariable {
    InvalidVariable {
        name,
        value,
        expected: expected.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<PoolOptions, InvalidVariable> {
        PoolOptions::from_environment(|name| {
            let mut variables = variables.iter();
            let found = variables.find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_it_is_sqlalchemys_pool() {
        let options = read(&[(SIZE, ""), (OVERFLOW, "0"), (RECYCLE, "-1")]).unwrap();
        assert_eq!(options, PoolOptions::default());
        assert_eq!((options.size, options.overflow), (5, 10));
    }

    #[test]
    fn each_variable_has_its_effect() {
        let options = read(&[
            (SIZE, " 20 "),
            (OVERFLOW, "-1"),
            (RECYCLE, "3600"),
            (ECHO, "True"),
        ]);
        let options = options.unwrap();
        assert_eq!((options.size, options.overflow), (20, PoolOptions::MOST));
        assert_eq!(options.recycle, Some(Duration::from_hours(1)));
    }

    #[test]
    fn a_pool_of_one_has_one_whatever_else_is_said() {
        let options = read(&[(SIZE, "20"), (CLASS, "StaticPool")]).unwrap();
        assert_eq!((options.size, options.overflow), (1, 0));
    }

    #[test]
    fn a_bad_value_is_named_with_its_variable() {
        for (name, value) in [
            (SIZE, "many"),
            (SIZE, "-1"),
            (SIZE, "1001"),
            (OVERFLOW, "-2"),
            (RECYCLE, "1.5"),
            (ECHO, "yes"),
            (CLASS, "Pool"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(&format!("{name} is '{value}'")), "{error}");
        }
    }
}
