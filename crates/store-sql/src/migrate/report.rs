//! Telling how far an upgrade is.

use diesel::QueryResult;

use crate::connection::Connection;

use super::{Progress, count_rows};

/// Where an upgrade tells how far it is.
pub(super) struct Report<'a> {
    /// The place of the step, from 1.
    pub(super) step: usize,
    /// How many steps there are.
    pub(super) of: usize,
    /// The version that the step leads to.
    pub(super) revision: &'static str,
    /// What is new in it.
    pub(super) title: &'static str,
    /// Who is told.
    pub(super) sink: &'a mut dyn FnMut(Progress<'_>),
}

impl Report<'_> {
    /// A step begins.
    pub(super) fn step(&mut self) {
        self.send(None, None, 0);
    }

    /// A table is gone through as a whole.
    pub(super) fn table(
        &mut self,
        connection: &mut Connection,
        table: &'static str,
    ) -> QueryResult<()> {
        let rows = count_rows(connection, table)?;
        self.send(Some(table), rows, 0);
        Ok(())
    }

    /// So many rows of a table are done.
    pub(super) fn rows(&mut self, table: &str, of: Option<u64>, done: u64) {
        self.send(Some(table), of, done);
    }

    fn send(&mut self, table: Option<&str>, rows: Option<u64>, rows_done: u64) {
        (self.sink)(Progress {
            step: self.step,
            of: self.of,
            revision: self.revision,
            title: self.title,
            table,
            rows,
            rows_done,
        });
    }
}
