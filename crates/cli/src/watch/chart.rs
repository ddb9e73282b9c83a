//! A chart of one metric of several runs, in lines of text.

use super::canvas::Canvas;
use crate::term::text::{fitted, number, plain, width};
use crate::term::{Look, Tone};

/// The columns of the numbers beside the axis.
const LABELS: usize = 9;

/// A line of a frame: texts of one tone after another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<(String, Tone)>);

impl Line {
    /// Adds a text, as far as it fits into so many columns.
    pub(super) fn add(&mut self, text: &str, tone: Tone, columns: usize) {
        let room = columns.saturating_sub(self.width());
        let text = fitted(text, room);
        if !text.is_empty() {
            self.0.push((text.into_owned(), tone));
        }
    }

    /// Adds spaces up to a column.
    pub(super) fn pad(&mut self, column: usize) {
        let missing = column.saturating_sub(self.width());
        if missing > 0 {
            self.0.push((" ".repeat(missing), Tone::Plain));
        }
    }

    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| width(text)).sum()
    }

    /// The text with its colours.
    pub(super) fn text(&self, look: Look) -> String {
        let parts = self.0.iter();
        parts.map(|(text, tone)| tone.paint(text, look)).collect()
    }
}

/// The points of one run, from left to right.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) letter: char,
    pub(super) tone: Tone,
    pub(super) points: Vec<(f64, f64)>,
}

/// What a chart shows.
#[derive(Clone, Debug)]
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    pub(super) series: &'a [Series],
    /// Whether the scale of values is logarithmic.
    pub(super) is_log: bool,
    /// How a place of the horizontal axis is written.
    pub(super) label: fn(f64) -> String,
}

/// From a number to a dot.
#[derive(Clone, Copy, Debug)]
struct Scale {
    low: f64,
    high: f64,
    dots: usize,
}

impl Scale {
    fn of(values: impl Iterator<Item = f64>, dots: usize) -> Option<Self> {
        let finite = values.filter(|value| value.is_finite());
        let range = finite.fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (low, high) = range?;
        Some(Self { low, high, dots })
    }

    /// The dot of a value, from 0 on; in the middle if all values are the same.
    fn dot(self, value: f64) -> Option<usize> {
        if !value.is_finite() {
            return None;
        }
        let last = self.dots.saturating_sub(1);
        // Halves, so that the difference of the largest numbers is one.
        let range = self.high / 2.0 - self.low / 2.0;
        let part = if range > 0.0 {
            (value / 2.0 - self.low / 2.0) / range
        } else {
            0.5
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "from 0 to the number of dots of a terminal"
        )]
        let dot = (part.clamp(0.0, 1.0) * last as f64).round() as usize;
        Some(dot)
    }
}

impl Chart<'_> {
    /// The lines: a title, the drawing, and the horizontal axis. Needs at least 4
    /// rows and 24 columns to show anything.
    pub(super) fn lines(&self, columns: usize, rows: usize) -> Vec<Line> {
        let mut lines = vec![self.heading(columns)];
        let (across, down) = (columns.saturating_sub(LABELS + 1), rows.saturating_sub(2));
        let mut canvas = Canvas::new(across, down);
        let (dots_across, dots_down) = canvas.dots();
        let points = || self.series.iter().flat_map(|series| &series.points);
        let values = points().map(|(_, value)| self.scaled(*value));
        let drawn = points().filter(|(_, value)| self.scaled(*value).is_finite());
        let scales =
            Scale::of(values, dots_down).zip(Scale::of(drawn.map(|(x, _)| *x), dots_across));
        let Some((of_value, of_place)) = scales else {
            let mut line = Line::default();
            line.pad(LABELS + 1);
            line.add("no values to draw", Tone::Faint, columns);
            lines.push(line);
            lines.resize(rows, Line::default());
            return lines;
        };
        for series in self.series {
            self.draw(&mut canvas, series, of_value, of_place);
        }
        for (at, parts) in canvas.rows().enumerate() {
            let label = self.label_of(at, down, of_value);
            let mut line = Line(vec![
                (format!("{label:>LABELS$}"), Tone::Faint),
                ("│".to_owned(), Tone::Faint),
            ]);
            line.0.extend(parts);
            lines.push(line);
        }
        // Without room for a drawing there is none.
        lines.resize(rows.saturating_sub(1), Line::default());
        lines.push(self.axis(of_place, columns));
        lines
    }

    fn scaled(&self, value: f64) -> f64 {
        if !self.is_log {
            value
        } else if value > 0.0 {
            value.log10()
        } else {
            f64::NAN
        }
    }

    /// The name, and the newest value of each run.
    fn heading(&self, columns: usize) -> Line {
        let mut line = Line::default();
        line.add(&plain(self.title), Tone::Heading, columns);
        let newest = self.series.iter().filter_map(|series| {
            let (_, value) = series.points.last()?;
            Some((
                format!("  {} {}", series.letter, number(*value)),
                series.tone,
            ))
        });
        for (text, tone) in newest {
            if line.width() + width(&text) <= columns {
                line.add(&text, tone, columns);
            }
        }
        line
    }

    fn draw(&self, canvas: &mut Canvas, series: &Series, of_value: Scale, of_place: Scale) {
        let top = of_value.dots.saturating_sub(1);
        let mut before = None;
        let mut last = None;
        for (place, value) in &series.points {
            let value = of_value.dot(self.scaled(*value));
            let dot = of_place.dot(*place).zip(value);
            // Rows count from the top. A value that is none interrupts the line.
            let dot = dot.map(|(x, y)| (x, top - y));
            if let Some(dot) = dot {
                canvas.line(before.unwrap_or(dot), dot, series.tone);
                last = Some(dot);
            }
            before = dot;
        }
        if let Some(dot) = last {
            canvas.letter(dot, series.letter, series.tone);
        }
    }

    /// The number beside a row: at the top, in the middle and at the bottom.
    fn label_of(&self, row: usize, rows: usize, scale: Scale) -> String {
        let last = rows.saturating_sub(1);
        let value = if row == 0 {
            scale.high
        } else if row == last {
            scale.low
        } else if rows >= 5 && row == last / 2 && last.is_multiple_of(2) {
            scale.low / 2.0 + scale.high / 2.0
        } else {
            return String::new();
        };
        if scale.low >= scale.high && row != 0 {
            return String::new();
        }
        let value = if self.is_log {
            10_f64.powf(value)
        } else {
            value
        };
        fitted(&number(value), LABELS).into_owned()
    }

    fn axis(&self, of_place: Scale, columns: usize) -> Line {
        let mut line = Line::default();
        line.pad(LABELS);
        line.add("└", Tone::Faint, columns);
        let (from, to) = ((self.label)(of_place.low), (self.label)(of_place.high));
        line.add(&from, Tone::Faint, columns);
        let end = columns.saturating_sub(width(&to));
        if from != to && end > line.width() + 1 {
            line.pad(end);
            line.add(&to, Tone::Faint, columns);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chart(series: &[Series], is_log: bool) -> Vec<String> {
        let chart = Chart {
            title: "loss",
            series,
            is_log,
            label: |x| format!("{x}"),
        };
        let lines = chart.lines(30, 6).into_iter();
        lines.map(|line| line.text(Look::default())).collect()
    }

    fn series(points: &[(f64, f64)]) -> Series {
        Series {
            letter: 'A',
            tone: Tone::Series(0),
            points: points.to_vec(),
        }
    }

    #[test]
    fn a_falling_loss_falls() {
        let points: Vec<_> = (0..40_i32)
            .map(|n| (f64::from(n), 1.0 / f64::from(n + 1)))
            .collect();
        let expected = [
            "loss  A 0.025",
            "        1│⡇",
            "         │⢸",
            "         │⠈⢆",
            "    0.025│ ⠈⠑⠒⠤⠤⠤⠤⢄⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀A",
            "         └0                 39",
        ];
        let lines = chart(&[series(&points)], false);
        let lines: Vec<_> = lines.iter().map(|line| line.trim_end()).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_no_number_is_no_point() {
        let lines = chart(&[series(&[(0.0, f64::NAN), (1.0, f64::INFINITY)])], false);
        assert!(lines[1].contains("no values"), "{lines:?}");
        let lines = chart(&[series(&[(0.0, -1.0), (1.0, 0.0)])], true);
        assert!(lines[1].contains("no values"), "{lines:?}");
        let lines = chart(&[series(&[(3.0, 2.0)])], false);
        assert!(lines.concat().contains('A'), "{lines:?}");
    }

    proptest! {
        #[test]
        fn a_chart_fits_whatever_it_shows(
            points in proptest::collection::vec((any::<f64>(), any::<f64>()), 0..30),
            title in "\\PC{0,60}",
            columns in 0_usize..90,
            rows in 2_usize..20,
            is_log: bool,
        ) {
            let series = [series(&points)];
            let chart = Chart { title: &title, series: &series, is_log, label: number };
            let lines = chart.lines(columns, rows);
            prop_assert_eq!(lines.len(), rows);
            let fits = |line: &Line| line.width() <= columns.max(LABELS + 1);
            prop_assert!(lines.iter().all(fits));
        }
    }
}
