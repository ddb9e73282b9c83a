//! Lines of `MLSD` and `MLST` (RFC 3659).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use runledger_entities::time::{parse_timestamp, timestamp};

use crate::tree::{Kind, Node};

/// `type=file;size=3;modify=20261127080103;unique=1g2; a name`: the node, and the
/// name. Nothing for a line of another form, and for `.` and `..`.
pub(super) fn parse(line: &str) -> Option<(Node, &str)> {
    let (facts, name) = line.split_once(' ')?;
    let mut node = Node {
        kind: Kind::Other,
        size: 0,
        modified: None,
        id: None,
    };
    for fact in facts.split(';') {
        let Some((key, value)) = fact.split_once('=') else {
            continue;
        };
        match key.to_ascii_lowercase().as_str() {
            "type" => {
                node.kind = match value.to_ascii_lowercase().as_str() {
                    "file" => Kind::File,
                    "dir" => Kind::Directory,
                    // The directory that is listed, and the one above.
                    "cdir" | "pdir" => return None,
                    _ => Kind::Other,
                };
            }
            "size" => node.size = value.parse().unwrap_or(0),
            "modify" => node.modified = time(value),
            "unique" => node.id = Some(value.to_owned()),
            _ => {}
        }
    }
    Some((node, name))
}

/// As [`parse`], of a path that was asked for itself: a directory may say that
/// it is the listed one.
pub(super) fn of_one(line: &str) -> Option<Node> {
    let line = line.trim_start();
    let lower = line.to_ascii_lowercase();
    if lower.contains("type=cdir;") {
        return Some(Node {
            kind: Kind::Directory,
            size: 0,
            modified: None,
            id: None,
        });
    }
    parse(line).map(|(node, _)| node)
}

/// `20261127080103`, with a fraction perhaps; in UTC.
pub(super) fn time(text: &str) -> Option<SystemTime> {
    let digits = text.get(..14)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| &digits[from..to];
    let (date, clock) = (
        format!("{}-{}-{}", part(0, 4), part(4, 6), part(6, 8)),
        format!("{}:{}:{}", part(8, 10), part(10, 12), part(12, 14)),
    );
    let fraction = text.get(14..).filter(|rest| rest.starts_with('.'));
    let millis = parse_timestamp(&format!("{date}T{clock}{}Z", fraction.unwrap_or("")))?;
    UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(millis).ok()?))
}

/// The time as [`time`] reads it, in whole seconds.
pub(super) fn text(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let text = timestamp(i64::try_from(since.as_millis()).unwrap_or(0));
    let digits = text.chars().filter(char::is_ascii_digit);
    digits.take(14).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_and_names_kept() {
        let line = "Type=file;size=12;modify=20261127080103.5;perm=r;unique=8g1; a b;c=d ";
        let (node, name) = parse(line).unwrap();
        assert_eq!(name, "a b;c=d ");
        assert_eq!((node.kind, node.size), (Kind::File, 12));
        assert_eq!(node.id.as_deref(), Some("8g1"));
        let since = node.modified.unwrap().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(since.as_millis(), 1_795_766_463_500);
        assert_eq!(text(node.modified.unwrap()), "20261127080103");
    }

    #[test]
    fn links_and_the_directory_itself_are_no_entries() {
        let (link, _) = parse("type=OS.unix=symlink;size=1; x").unwrap();
        assert_eq!(link.kind, Kind::Other);
        assert!(parse("type=cdir; .").is_none());
        assert!(parse("total").is_none());
        assert_eq!(
            of_one(" type=cdir;size=4; /d").unwrap().kind,
            Kind::Directory
        );
        assert_eq!(time("2026112708010ü"), None);
    }
}
