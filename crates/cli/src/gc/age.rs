//! Ages in MLflow's form: `1d2h3m4s`, each part with decimals if need be.

use std::time::Duration;

/// Reads an age. Parts may be left out, but not change places.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut age = Duration::ZERO;
    for (unit, seconds) in [('d', 86_400.0), ('h', 3600.0), ('m', 60.0), ('s', 1.0)] {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let Some(after) = after.strip_prefix(unit) else {
            continue;
        };
        let number: f64 = number.parse().ok()?;
        age = age.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
        rest = after;
    }
    (rest.is_empty() && !text.is_empty()).then_some(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        assert_eq!(parse("30d"), Some(Duration::from_hours(30 * 24)));
        assert_eq!(parse("1d2h3m4s"), Some(Duration::from_secs(93_784)));
        assert_eq!(parse("1.5h"), Some(Duration::from_mins(90)));
        assert_eq!(parse("0s"), Some(Duration::ZERO));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "5",
            "d",
            "1h1d",
            "1d 2h",
            "-1d",
            "1.2.3d",
            "1w",
            "1e9d",
            "99999999999999999999d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
