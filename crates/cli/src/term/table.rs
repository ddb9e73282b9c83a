//! Tables: in full in a pipe, as wide as the terminal on one.

use super::text::{fitted, plain, width};
use super::{Look, Tone};

/// Between two columns.
const GAP: usize = 2;

/// A column of a table.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    title: String,
    /// To how many columns of the terminal it may shrink; `None` if it is never cut.
    least: Option<usize>,
    is_number: bool,
}

impl Column {
    /// Of words that are never cut: ids, for example.
    pub(crate) fn whole(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            least: None,
            is_number: false,
        }
    }

    /// Of words that give way on a narrow terminal, to this width at least.
    pub(crate) fn flexible(title: impl Into<String>, least: usize) -> Self {
        Self {
            least: Some(least),
            ..Self::whole(title)
        }
    }

    /// The same, with its words at the right edge.
    pub(crate) fn right(self) -> Self {
        Self {
            is_number: true,
            ..self
        }
    }
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Of a text in a tone.
    pub(crate) fn of(text: &str, tone: Tone) -> Self {
        Self {
            text: plain(text).into_owned(),
            tone,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::of(text, Tone::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// A table in the making.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Of these columns, without rows.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self {
            columns: columns
                .into_iter()
                .map(|column| Column {
                    title: plain(&column.title).into_owned(),
                    ..column
                })
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether it has no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The heading and the rows.
    pub(crate) fn lines(&self, look: Look) -> Vec<String> {
        let widths = self.widths(look.width);
        let heading = self
            .columns
            .iter()
            .map(|column| Cell::of(&column.title, Tone::Heading));
        let heading: Vec<Cell> = heading.collect();
        let rows = std::iter::once(&heading).chain(&self.rows);
        rows.map(|row| self.line(row, &widths, look)).collect()
    }

    fn widths(&self, room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .map(|column| width(&column.title))
            .collect();
        for row in &self.rows {
            for (most, cell) in widths.iter_mut().zip(row) {
                *most = (*most).max(width(&cell.text));
            }
        }
        let Some(room) = room else {
            return widths;
        };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        // The widest gives way first, so that short words stay whole.
        while excess > 0 {
            let shrinkable = self.columns.iter().zip(&mut widths);
            let shrinkable = shrinkable
                .filter_map(|(column, width)| Some((column.least?, width)))
                .filter(|(least, width)| **width > *least);
            let Some((_, widest)) = shrinkable.max_by_key(|(_, width)| **width) else {
                break;
            };
            *widest -= 1;
            excess -= 1;
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], look: Look) -> String {
        let mut line = String::new();
        let mut waiting = 0;
        for ((cell, column), room) in row.iter().zip(&self.columns).zip(widths) {
            let text = fitted(&cell.text, *room);
            let free = room.saturating_sub(width(&text));
            let (before, after) = if column.is_number {
                (free, 0)
            } else {
                (0, free)
            };
            // Spaces wait for a word, so that no line ends in them.
            waiting += before;
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', waiting));
                line.push_str(&cell.tone.paint(&text, look));
                waiting = 0;
            }
            waiting += after + GAP;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec![
            Column::flexible("NAME", 6),
            Column::whole("ID"),
            Column::flexible("LOSS", 4).right(),
        ]);
        table.row(["a name that is long".into(), "1234".into(), "0.25".into()]);
        table.row(["b".into(), "1".into(), Cell::default()]);
        table
    }

    fn at(width: usize) -> Look {
        Look {
            width: Some(width),
            colour: false,
        }
    }

    #[test]
    fn a_pipe_gets_everything() {
        let expected = [
            "NAME                 ID    LOSS",
            "a name that is long  1234  0.25",
            "b                    1",
        ];
        assert_eq!(table().lines(Look::default()), expected);
    }

    #[test]
    fn a_narrow_terminal_cuts_what_may_be_cut() {
        let lines = table().lines(at(24));
        assert_eq!(lines[1], "a name that…  1234  0.25");
        let lines = table().lines(at(3));
        assert_eq!(lines[1], "a nam…  1234  0.25", "no id is cut");
    }

    #[test]
    fn a_name_is_one_line() {
        let mut table = Table::new(vec![Column::whole("A")]);
        table.row(["x\ny\x1b[0m".into()]);
        assert_eq!(table.lines(Look::default())[1], "x\\ny\\x1b[0m");
    }
}
