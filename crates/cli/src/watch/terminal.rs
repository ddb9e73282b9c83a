//! The terminal while it is ours: a page of its own, and keys one by one. It is
//! given back however the program ends.

use std::io::{self, Write};
use std::panic;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};

use super::chart::Line;
use crate::term::Look;

/// The terminal, until it is dropped.
#[derive(Debug)]
pub(super) struct Terminal {
    look: Look,
}

impl Terminal {
    /// Takes the terminal over.
    pub(super) fn new() -> io::Result<Self> {
        let before = panic::take_hook();
        // Before the words of a panic, which would be lost with the page.
        panic::set_hook(Box::new(move |what| {
            give_back();
            before(what);
        }));
        let terminal = Self {
            look: Look::of_stdout(),
        };
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(terminal)
    }

    /// Columns and rows.
    pub(super) fn size() -> (usize, usize) {
        let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
        (usize::from(columns), usize::from(rows))
    }

    /// Shows lines in the place of what was there.
    pub(super) fn show(&self, lines: &[Line]) -> io::Result<()> {
        let mut frame = Vec::new();
        queue!(frame, BeginSynchronizedUpdate)?;
        for (row, line) in lines.iter().enumerate() {
            queue!(frame, MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX)))?;
            // Cleared first: after a line of the whole width there is no place left
            // from which to clear.
            queue!(frame, Clear(ClearType::CurrentLine))?;
            frame.extend_from_slice(line.text(self.look).as_bytes());
        }
        queue!(
            frame,
            Clear(ClearType::FromCursorDown),
            EndSynchronizedUpdate
        )?;
        let mut stdout = io::stdout().lock();
        stdout.write_all(&frame)?;
        stdout.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once more does no harm.
fn give_back() {
    let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}
