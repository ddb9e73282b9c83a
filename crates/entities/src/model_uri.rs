//! `models:/` URIs: how versions and logged models are named in one text.

use crate::{LoggedModelId, ModelVersionNumber};

/// What a `models:/` URI names.
///
/// ```
/// use runledger_entities::ModelUri;
///
/// let uri = ModelUri::parse("models:/churn@champion");
/// assert!(matches!(uri, Some(ModelUri::Alias { .. })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelUri {
    /// `models:/m-…`: a logged model.
    LoggedModel(LoggedModelId),
    /// `models:/name/3`: a version.
    Version {
        /// The registered model.
        name: String,
        /// The number.
        version: ModelVersionNumber,
    },
    /// `models:/name/latest`: the newest version of any stage.
    Latest {
        /// The registered model.
        name: String,
    },
    /// `models:/name/Production`: the newest version of a stage.
    Stage {
        /// The registered model.
        name: String,
        /// The stage, as it was written.
        stage: String,
    },
    /// `models:/name@alias`: the version of an alias.
    Alias {
        /// The registered model.
        name: String,
        /// The alias.
        alias: String,
    },
}

impl ModelUri {
    /// Reads a URI; `None` if it is none of the forms above. A host is not looked
    /// at: whoever asks must see to it.
    pub fn parse(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("models") {
            return None;
        }
        let path = match rest.strip_prefix("//") {
            Some(rest) => &rest[rest.find('/')?..],
            None => rest,
        };
        let path = path.split('?').next()?.strip_prefix('/')?;
        let path = path.trim_start_matches('/');
        match path.split_once('/') {
            Some((name, suffix)) => Self::of_suffix(name, suffix),
            None => Self::of_one(path),
        }
    }

    fn of_suffix(name: &str, suffix: &str) -> Option<Self> {
        if name.trim().is_empty() || suffix.trim().is_empty() || suffix.contains('/') {
            return None;
        }
        let name = name.to_owned();
        if suffix.bytes().all(|byte| byte.is_ascii_digit()) {
            let version = suffix.parse().ok()?;
            return Some(Self::Version { name, version });
        }
        if suffix.eq_ignore_ascii_case("latest") {
            return Some(Self::Latest { name });
        }
        let stage = suffix.to_owned();
        Some(Self::Stage { name, stage })
    }

    fn of_one(path: &str) -> Option<Self> {
        if path.trim().is_empty() {
            return None;
        }
        match path.rsplit_once('@') {
            Some((_, alias)) if alias.trim().is_empty() => None,
            Some((name, alias)) => Some(Self::Alias {
                name: name.to_owned(),
                alias: alias.to_owned(),
            }),
            None => Some(Self::LoggedModel(LoggedModelId::new(path))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let name = || "a b".to_owned();
        for (uri, expected) in [
            (
                "models:/m-1",
                ModelUri::LoggedModel(LoggedModelId::new("m-1")),
            ),
            (
                "models:/a b/12",
                ModelUri::Version {
                    name: name(),
                    version: ModelVersionNumber(12),
                },
            ),
            ("models:/a b/LATEST", ModelUri::Latest { name: name() }),
            (
                "models:/a b/production",
                ModelUri::Stage {
                    name: name(),
                    stage: "production".to_owned(),
                },
            ),
            (
                "models:/a b@x",
                ModelUri::Alias {
                    name: name(),
                    alias: "x".to_owned(),
                },
            ),
            (
                "models://host/a b@x?y=z",
                ModelUri::Alias {
                    name: name(),
                    alias: "x".to_owned(),
                },
            ),
        ] {
            assert_eq!(ModelUri::parse(uri), Some(expected), "{uri}");
        }
    }

    #[test]
    fn everything_else_is_none() {
        for uri in [
            "models:/",
            "models:/ ",
            "models:m/1",
            "models:/m/",
            "models:/m/1/x",
            "models:/m@",
            "models://m",
            "runs:/m/1",
            "m/1",
            "",
            "models:/m/99999999999999999999",
        ] {
            assert_eq!(ModelUri::parse(uri), None, "{uri}");
        }
    }
}
