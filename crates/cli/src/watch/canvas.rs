//! A drawing of dots: each character of the terminal is two by four of them.

use crate::term::Tone;

/// The first of the 256 patterns of dots in Unicode.
const BLANK: u32 = 0x2800;

/// The bits of the dots of a character, by row and column.
const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A character of the drawing.
#[derive(Clone, Copy, Debug, Default)]
struct Spot {
    dots: u32,
    /// In the place of the dots.
    letter: Option<char>,
    tone: Tone,
}

/// A drawing.
#[derive(Debug)]
pub(super) struct Canvas {
    columns: usize,
    rows: usize,
    spots: Vec<Spot>,
}

impl Canvas {
    /// An empty one of so many characters.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            rows,
            spots: vec![Spot::default(); columns * rows],
        }
    }

    /// Its dots in both directions.
    pub(super) fn dots(&self) -> (usize, usize) {
        (self.columns * 2, self.rows * 4)
    }

    fn dot(&mut self, x: usize, y: usize, tone: Tone) {
        if x < self.columns * 2 && y < self.rows * 4 {
            let spot = &mut self.spots[y / 4 * self.columns + x / 2];
            spot.dots |= BITS[y % 4][x % 2];
            spot.tone = tone;
        }
    }

    /// A straight line of dots between two, both included. The rows count from the
    /// top.
    pub(super) fn line(&mut self, from: (usize, usize), to: (usize, usize), tone: Tone) {
        let (across, down) = (from.0.abs_diff(to.0), from.1.abs_diff(to.1));
        let steps = across.max(down);
        for step in 0..=steps {
            let at = |from: usize, to: usize| {
                let way = from.abs_diff(to) * step;
                let way = (way + steps / 2).checked_div(steps).unwrap_or(0);
                if from <= to { from + way } else { from - way }
            };
            self.dot(at(from.0, to.0), at(from.1, to.1), tone);
        }
    }

    /// A letter in the place of the character with this dot, or of the next one to
    /// the left that has none.
    pub(super) fn letter(&mut self, (x, y): (usize, usize), letter: char, tone: Tone) {
        if x >= self.columns * 2 || y >= self.rows * 4 {
            return;
        }
        let row = y / 4 * self.columns;
        let spots = &mut self.spots[row..=row + x / 2];
        if let Some(spot) = spots.iter_mut().rfind(|spot| spot.letter.is_none()) {
            spot.letter = Some(letter);
            spot.tone = tone;
        }
    }

    /// Its rows, each as texts of one tone after another.
    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<(String, Tone)>> {
        // `chunks` takes no size of zero.
        let rows = self.spots.chunks(self.columns.max(1)).take(self.rows);
        rows.map(|row| {
            let mut parts: Vec<(String, Tone)> = Vec::new();
            for spot in row {
                let blank = || match spot.dots {
                    0 => Some(' '),
                    dots => char::from_u32(BLANK + dots),
                };
                let char = spot.letter.or_else(blank).unwrap_or(' ');
                match parts.last_mut() {
                    Some((text, tone)) if *tone == spot.tone || char == ' ' => text.push(char),
                    _ => parts.push((char.to_string(), spot.tone)),
                }
            }
            parts
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(canvas: &Canvas) -> Vec<String> {
        let rows = canvas.rows();
        rows.map(|row| row.into_iter().map(|(text, _)| text).collect())
            .collect()
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let mut canvas = Canvas::new(2, 1);
        canvas.line((0, 3), (3, 0), Tone::Plain);
        assert_eq!(text(&canvas), ["⡠⠊"]);
        let mut back = Canvas::new(2, 1);
        back.line((3, 0), (0, 3), Tone::Plain);
        assert_eq!(text(&back), ["⡠⠊"]);
    }

    #[test]
    fn letters_stand_beside_each_other() {
        let mut canvas = Canvas::new(3, 1);
        for letter in ['A', 'B', 'C', 'D'] {
            canvas.letter((5, 0), letter, Tone::Plain);
        }
        assert_eq!(text(&canvas), ["CBA"]);
    }

    #[test]
    fn what_is_outside_is_left_out() {
        let mut canvas = Canvas::new(1, 1);
        canvas.line((0, 0), (9, 9), Tone::Plain);
        canvas.letter((9, 9), 'A', Tone::Plain);
        assert_eq!(text(&canvas), ["⠑"]);
        assert_eq!(text(&Canvas::new(0, 3)), Vec::<String>::new());
    }
}
