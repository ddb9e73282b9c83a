//! Values bound to a statement, and the ids of a page, on PostgreSQL.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    sql_types::{Array, BigInt, Bool, Double, Nullable, Text},
};

use crate::sql::{List, Piece, Prepared, Sql};

impl QueryFragment<Pg> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
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
                    out.push_sql(if *negated { " <> all (" } else { " = any (" });
                    array(list, &mut out)?;
                    out.push_sql(")");
                }
                Piece::Array(list) => array(list, &mut out)?,
            }
        }
        Ok(())
    }
}

fn array<'b>(list: &'b List, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    match list {
        List::Texts { values, .. } => out.push_bind_param::<Array<Text>, _>(values),
        List::Integers { values, .. } => out.push_bind_param::<Array<BigInt>, _>(values),
    }
}

/// The ids of a page: see [`super::Dialect::of_page`].
pub(super) fn page(ids: &[String]) -> Sql {
    match ids {
        // Of a list PostgreSQL expects ten ids: it would plan anew each time,
        // for one, and planning takes longer than reading a run.
        [id] => Sql::new("(select ")
            .text(id)
            .sql("::text as value, 0::bigint as key)"),
        _ => Sql::new("(select id as value, place - 1 as key from unnest(")
            .array(ids.to_vec())
            .sql(") with ordinality listed(id, place))"),
    }
}
