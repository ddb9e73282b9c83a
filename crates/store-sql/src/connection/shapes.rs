//! Which statements of searches stay prepared.
//!
//! The text of a search follows from its filter and order. People ask for few
//! such shapes again and again: a statement that is prepared already saves a
//! round trip, and the database the reading of its text. How many are kept is
//! bounded, since each takes memory at both ends.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::sql::{Prepared, Sql};

/// How many are kept for each connection.
const MOST: usize = 100;

/// The shapes that are kept by one connection.
#[derive(Default)]
pub(crate) struct Shapes(HashSet<u64>);

impl Shapes {
    /// Keeps the prepared form of a statement, if it is one of those or there
    /// is room for it.
    pub(super) fn admit(&mut self, sql: &mut Sql) {
        if sql.prepared != Prepared::WhileRoom {
            return;
        }
        let mut hasher = DefaultHasher::new();
        for piece in &sql.pieces {
            std::mem::discriminant(piece).hash(&mut hasher);
            piece.fixed_text().hash(&mut hasher);
        }
        let shape = hasher.finish();
        if self.0.contains(&shape) || (self.0.len() < MOST && self.0.insert(shape)) {
            sql.prepared = Prepared::Always;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(condition: &'static str, value: &str) -> Sql {
        Sql::varying("select 1 from runs where ")
            .sql(condition)
            .text(value)
            .recurring()
    }

    #[test]
    fn a_shape_is_kept_whatever_its_values() {
        let mut shapes = Shapes::default();
        for value in ["a", "b"] {
            let mut sql = search("name = ", value);
            shapes.admit(&mut sql);
            assert_eq!(sql.prepared, Prepared::Always);
        }
        assert_eq!(shapes.0.len(), 1);
    }

    #[test]
    fn what_varies_is_not_kept_and_what_recurs_only_while_there_is_room() {
        let mut shapes = Shapes::default();
        let mut varies = Sql::varying("select ").text("a");
        shapes.admit(&mut varies);
        assert_eq!(varies.prepared, Prepared::Never);

        let mut first = search("name = ", "a");
        shapes.admit(&mut first);
        for pieces in 0..2 * MOST {
            let mut sql = (0..pieces).fold(search("name <> ", "a"), |sql, _| {
                sql.sql(" and name <> ").text("a")
            });
            shapes.admit(&mut sql);
            let kept = sql.prepared == Prepared::Always;
            assert_eq!(kept, pieces + 1 < MOST, "{pieces}");
        }
        let mut again = search("name = ", "b");
        shapes.admit(&mut again);
        assert_eq!(again.prepared, Prepared::Always);
    }
}
