//! A plan as a table that fits a terminal of 80 columns and 24 lines.

use runledger_store_sql::PlannedStep;
use serde_json::{Value, json};

/// Columns of the whole table.
const WIDTH: usize = 80;
/// Between two columns.
const GAP: &str = "  ";

/// What the table says of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    revision: &'a str,
    title: &'a str,
    /// The tables that it goes through, with their rows.
    tables: &'a [(String, u64)],
}

impl Step<'_> {
    /// The rows of all its tables.
    fn rows(&self) -> u64 {
        let rows = self.tables.iter().map(|(_, rows)| *rows);
        rows.fold(0, u64::saturating_add)
    }

    /// The table with most rows, and the number of the others.
    fn largest_table(&self) -> Option<String> {
        let (name, _) = self.tables.iter().max_by_key(|(_, rows)| *rows)?;
        Some(match self.tables.len() - 1 {
            0 => name.clone(),
            others => format!("{name} +{others}"),
        })
    }
}

impl<'a> From<&'a PlannedStep> for Step<'a> {
    fn from(step: &'a PlannedStep) -> Self {
        Self {
            revision: step.revision,
            title: step.title,
            tables: &step.tables,
        }
    }
}

pub(super) fn json_of(step: &PlannedStep) -> Value {
    let tables: Vec<_> = step
        .tables
        .iter()
        .map(|(table, rows)| json!({"table": table, "rows": rows}))
        .collect();
    json!({"revision": step.revision, "title": step.title, "tables": tables})
}

/// One line per step, with the largest table that it goes through, how many
/// others there are, and the rows of all. Steps that go through no rows follow
/// each other on one line.
pub(super) fn table(steps: &[Step<'_>]) -> Vec<String> {
    if steps.is_empty() {
        return Vec::new();
    }
    let mut rows = vec![["STEP", "REVISION", "WHAT IS NEW", "TABLE", "ROWS"].map(str::to_owned)];
    let mut place = 0;
    while let Some(step) = steps.get(place) {
        let quick = steps[place..].iter().take_while(|step| step.rows() == 0);
        let quick = quick.count().max(1);
        let last = &steps[place + quick - 1];
        let (places, what) = if quick > 1 {
            let places = format!("{}-{}", place + 1, place + quick);
            (places, format!("{quick} steps without rows"))
        } else {
            ((place + 1).to_string(), step.title.to_owned())
        };
        let (table, count) = match step.largest_table() {
            Some(table) if step.rows() > 0 => (table, grouped(step.rows())),
            _ => ("-".to_owned(), "-".to_owned()),
        };
        rows.push([places, last.revision.to_owned(), what, table, count]);
        place += quick;
    }
    aligned(&rows)
}

/// Numbers to the right, words to the left; the third column gives way.
fn aligned(rows: &[[String; 5]]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let others = width(0) + width(1) + width(3) + width(4) + 4 * GAP.len();
    let what = width(2).min(WIDTH.saturating_sub(others).max(8));
    let line = |[step, revision, title, table, count]: &[String; 5]| {
        format!(
            "{step:>w0$}{GAP}{revision:<w1$}{GAP}{title:<what$}{GAP}{table:<w3$}{GAP}{count:>w4$}",
            title = shortened(title, what),
            w0 = width(0),
            w1 = width(1),
            w3 = width(3),
            w4 = width(4),
        )
    };
    rows.iter().map(line).collect()
}

fn shortened(words: &str, width: usize) -> String {
    if words.chars().count() <= width {
        return words.to_owned();
    }
    let kept: String = words.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step<'a>(revision: &'a str, title: &'a str, tables: &'a [(String, u64)]) -> Step<'a> {
        Step {
            revision,
            title,
            tables,
        }
    }

    #[test]
    fn columns_are_aligned_and_steps_without_rows_share_a_line() {
        let two = [("runs".to_owned(), 12), ("metrics".to_owned(), 1_234_567)];
        let empty = [("datasets".to_owned(), 0)];
        let lines = table(&[
            step("aaaa", "first", &[]),
            step("bbbb", "second", &empty),
            step("cccc", "a third", &two),
            step("dddd", "last", &[]),
        ]);
        let expected = [
            "STEP  REVISION  WHAT IS NEW           TABLE            ROWS",
            " 1-2  bbbb      2 steps without rows  -                   -",
            "   3  cccc      a third               metrics +1  1,234,579",
            "   4  dddd      last                  -                   -",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn long_words_give_way_to_the_numbers() {
        let long = "a title that goes on and on, far longer than what fits between the others";
        let tables = [("a_table_with_quite_a_long_name".to_owned(), u64::MAX)];
        let lines = table(&[step("0123456789ab", long, &tables)]);
        assert!(lines[1].contains("…"), "{lines:#?}");
        assert!(lines[1].ends_with("18,446,744,073,709,551,615"));
        let usual = [("metrics".to_owned(), 1_000_000_000)];
        let lines = table(&[step("0123456789ab", long, &usual)]);
        assert!(
            lines.iter().all(|line| line.chars().count() == WIDTH),
            "{lines:#?}"
        );
    }

    #[test]
    fn no_step_is_no_table() {
        assert!(table(&[]).is_empty());
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        let grouped: Vec<_> = [0, 999, 1000, 1_234_567].map(grouped).into();
        assert_eq!(grouped, ["0", "999", "1,000", "1,234,567"]);
    }
}
