//! Times and durations as protobuf writes them in JSON.

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A time in milliseconds since the epoch, as `2026-01-02T03:04:05.678Z`.
pub fn timestamp(millis: i64) -> String {
    let (days, rest) = (millis.div_euclid(DAY), millis.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (seconds, millis) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if millis > 0 {
        let fraction = format!(".{millis:03}");
        text.push_str(&fraction);
    }
    text.push('Z');
    text
}

/// A time as Python's `isoformat` writes it, in UTC.
pub fn iso(millis: i64) -> String {
    let text = timestamp(millis);
    let text = text.trim_end_matches('Z');
    // Python counts microseconds.
    let micros = if text.contains('.') { "000" } else { "" };
    format!("{text}{micros}+00:00")
}

/// A duration of milliseconds, as `1.500s`.
pub fn duration(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let (seconds, millis) = (millis.unsigned_abs() / 1000, millis.unsigned_abs() % 1000);
    if millis == 0 {
        format!("{sign}{seconds}s")
    } else {
        format!("{sign}{seconds}.{millis:03}s")
    }
}

/// Reads a time; what is finer than a millisecond is cut off.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-').map(|part| number(part, 4));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = rest.rfind(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let minutes = match zone.strip_prefix('Z') {
        Some("") => 0,
        Some(_) => return None,
        None => {
            let (sign, zone) = zone.split_at(1);
            let (hours, minutes) = zone.split_once(':')?;
            let minutes = number(hours, 2)? * 60 + number(minutes, 2)?;
            if sign == "-" { -minutes } else { minutes }
        }
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':').map(|part| number(part, 2));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second - minutes * 60;
    Some(days(year, month, day) * DAY + seconds * 1000 + thousandths(fraction)?)
}

/// Reads a duration; what is finer than a millisecond is cut off.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.strip_suffix('s')?;
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text),
    };
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    Some(sign * (number(seconds, 12)? * 1000 + thousandths(fraction)?))
}

/// A number of at most so many digits, and at least one.
fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= digits;
    let plain = plain && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

fn thousandths(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    number(fraction, 9)?;
    let three: String = fraction.chars().chain("00".chars()).take(3).collect();
    number(&three, 3)
}

/// The days since the epoch of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the day that not all years have is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of so many days since the epoch.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_protobuf_writes_them() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(1_795_735_305_754), "2026-11-26T23:21:45.754Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(timestamp(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(iso(500), "1970-01-01T00:00:00.500000+00:00");
        assert_eq!(duration(-250), "-0.250s");
        assert_eq!(duration(3000), "3s");
    }

    #[test]
    fn times_are_read() {
        for (text, millis) in [
            ("1970-01-01T00:00:00.5Z", Some(500)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1970-01-01T00:00:00.123456789Z", Some(123)),
            ("1970-01-01T00:00:00", None),
            ("1970-13-01T00:00:00Z", None),
            ("bad", None),
            ("", None),
        ] {
            assert_eq!(parse_timestamp(text), millis, "{text}");
        }
        for (text, millis) in [
            ("1.5s", Some(1500)),
            ("-0.25s", Some(-250)),
            ("0s", Some(0)),
            ("1", None),
            ("xs", None),
        ] {
            assert_eq!(parse_duration(text), millis, "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_come_back(millis in -62_000_000_000_000_i64..253_000_000_000_000) {
            prop_assert_eq!(parse_timestamp(&timestamp(millis)), Some(millis));
            prop_assert_eq!(parse_duration(&duration(millis)), Some(millis));
        }

        #[test]
        fn any_text_is_read_without_panic(text in ".{0,40}") {
            let _ = (parse_timestamp(&text), parse_duration(&text));
        }
    }
}
