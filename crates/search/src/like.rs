//! `LIKE` and `ILIKE`, as SQLite compares for MLflow.
//!
//! `%` is any run of characters, `_` any one, nothing is an escape. `LIKE` is
//! case-sensitive (MLflow asks SQLite for that in every session); `ILIKE` folds
//! ASCII letters only, as SQLite's `lower` does.

/// Whether a value is like a pattern.
///
/// ```
/// use runledger_search::like::like;
///
/// assert!(like("resnet50", "res%5_"));
/// assert!(!like("ResNet50", "res%"));
/// ```
pub fn like(value: &str, pattern: &str) -> bool {
    matches(value, pattern, |a, b| a == b)
}

/// Whether a value is like a pattern, without regard to the case of ASCII letters.
pub fn ilike(value: &str, pattern: &str) -> bool {
    matches(value, pattern, |a, b| a.eq_ignore_ascii_case(&b))
}

/// The most memory that a regular expression takes when it is ready, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// A regular expression, as `RLIKE` takes it.
///
/// The expressions of the crate `regex`: those of Python but for looking around
/// and references back, and found in a time that does not explode. One that is
/// not understood is found in nothing, as in MLflow on SQLite.
#[derive(Clone, Debug)]
pub struct Pattern(Option<regex::Regex>);

impl Pattern {
    /// Reads an expression.
    pub fn new(expression: &str) -> Self {
        let built = regex::RegexBuilder::new(expression)
            .size_limit(PATTERN_SIZE)
            .build();
        Self(built.ok())
    }

    /// Whether it is found in a text.
    ///
    /// ```
    /// use runledger_search::like::Pattern;
    ///
    /// assert!(Pattern::new("^a.c").is_in("abcd"));
    /// assert!(!Pattern::new("(").is_in("("));
    /// ```
    pub fn is_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Takes at most the product of both lengths: only the last `%` is ever
/// widened, for what an earlier one could take in addition, the last one can.
fn matches(value: &str, pattern: &str, equal: fn(char, char) -> bool) -> bool {
    let mut value = value.chars();
    let mut pattern = pattern.chars();
    // What follows the last `%`, and where its run ends so far.
    let mut wild = None;
    loop {
        let mut pattern_after = pattern.clone();
        let mut value_after = value.clone();
        match (pattern_after.next(), value_after.next()) {
            (None, None) => return true,
            (Some('%'), _) => {
                wild = Some((pattern_after.clone(), value.clone()));
                pattern = pattern_after;
                continue;
            }
            // More is wanted than there is; a wider run leaves even less.
            (Some(_), None) => return false,
            (Some(wanted), Some(found)) if wanted == '_' || equal(wanted, found) => {
                pattern = pattern_after;
                value = value_after;
                continue;
            }
            (_, Some(_)) => {}
        }
        let Some((after_wild, run_end)) = &mut wild else {
            return false;
        };
        if run_end.next().is_none() {
            return false;
        }
        pattern = after_wild.clone();
        value = run_end.clone();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, in exponential time.
    fn naive(value: &[char], pattern: &[char]) -> bool {
        match pattern {
            [] => value.is_empty(),
            ['%', rest @ ..] => (0..=value.len()).any(|run| naive(&value[run..], rest)),
            ['_', rest @ ..] => !value.is_empty() && naive(&value[1..], rest),
            [c, rest @ ..] => value.first() == Some(c) && naive(&value[1..], rest),
        }
    }

    proptest! {
        #[test]
        fn like_is_its_definition(value in "[abé]{0,8}", pattern in "[abé%_]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(like(&value, &pattern), naive(&chars(&value), &chars(&pattern)));
        }
    }

    #[test]
    fn ilike_folds_ascii_only() {
        assert!(ilike("ResNet", "rES%T"));
        assert!(!ilike("É", "é"));
    }

    #[test]
    fn many_wildcards_take_no_exponential_time() {
        let pattern = "%a".repeat(2000) + "b";
        assert!(!like(&"a".repeat(4000), &pattern));
    }
}
