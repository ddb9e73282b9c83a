//! Values bound to a statement, on SQLite.

use diesel::{
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    sql_types::{BigInt, Bool, Double, Nullable, Text},
    sqlite::Sqlite,
};

use crate::sql::{Piece, Prepared, Sql};

impl QueryFragment<Sqlite> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if self.prepared != Prepared::Always {
            out.unsafe_to_cache_prepared();
        }
        for piece in &self.pieces {
            match piece {
                Piece::Static(text) => out.push_sql(text),
                Piece::Text(value) => out.push_bind_param::<Text, _>(value)?,
                Piece::OptionalText(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                Piece::Integer(value) => out.push_bind_param::<BigInt, _>(value)?,
                Piece::OptionalInteger(value) => {
                    out.push_bind_param::<Nullable<BigInt>, _>(value)?;
                }
                Piece::Real(value) => out.push_bind_param::<Double, _>(value)?,
                Piece::OptionalReal(value) => out.push_bind_param::<Nullable<Double>, _>(value)?,
                Piece::Bool(value) => out.push_bind_param::<Bool, _>(value)?,
                Piece::In { negated, list } => {
                    out.push_sql(if *negated { " not in" } else { " in" });
                    // One JSON text: the statement does not depend on the length of the list.
                    out.push_sql(" (select value from json_each(");
                    out.push_bind_param::<Text, _>(list.json())?;
                    out.push_sql("))");
                }
                Piece::Array(list) => out.push_bind_param::<Text, _>(list.json())?,
            }
        }
        Ok(())
    }
}
