//! Values bound to a statement, on MySQL and MariaDB.

use diesel::{
    mysql::Mysql,
    prelude::*,
    query_builder::{AstPass, QueryFragment},
    sql_types::{BigInt, Bool, Double, Nullable, Text},
};

use crate::sql::{List, Piece, Prepared, Sql};

/// A statement binds 65,535 values at most; a longer list is bound as one JSON text, which
/// `MySQL` 8.0 and `MariaDB` 10.6 can read.
const BOUND_ONE_BY_ONE: usize = 10_000;

impl QueryFragment<Mysql> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        if self.prepared != Prepared::Always || self.pieces.iter().any(Piece::is_list) {
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
                    out.push_sql(if *negated { " not in (" } else { " in (" });
                    match list {
                        list if list.is_empty() => {
                            out.push_sql("select null from dual where 1 = 0");
                        }
                        List::Integers { values, .. } if values.len() > BOUND_ONE_BY_ONE => {
                            out.push_sql("select j.id from json_table(");
                            out.push_bind_param::<Text, _>(list.json())?;
                            out.push_sql(", '$[*]' columns (id bigint path '$')) j");
                        }
                        list => values(list, &mut out)?,
                    }
                    out.push_sql(")");
                }
                Piece::Array(list) => values(list, &mut out)?,
            }
        }
        Ok(())
    }
}

fn values<'b>(list: &'b List, out: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
    match list {
        List::Texts { values, .. } => {
            for (number, value) in values.iter().enumerate() {
                out.push_sql(if number == 0 { "" } else { ", " });
                out.push_bind_param::<Text, _>(value)?;
            }
        }
        List::Integers { values, .. } => {
            for (number, value) in values.iter().enumerate() {
                out.push_sql(if number == 0 { "" } else { ", " });
                out.push_bind_param::<BigInt, _>(value)?;
            }
        }
    }
    Ok(())
}

/// A pattern in which the escape character, which MySQL cannot do without,
/// stands for itself.
pub(super) fn escaped(pattern: &str) -> String {
    pattern.replace('\\', r"\\")
}

/// The ids of a page: see [`super::Dialect::of_page`].
pub(super) fn page(ids: &[String]) -> Sql {
    let mut sql = Sql::varying("(");
    for (place, id) in ids.iter().enumerate() {
        sql.push(if place == 0 {
            "select "
        } else {
            " union all select "
        });
        sql = sql
            .text(&**id)
            .sql(" as value, ")
            .int(place.try_into().unwrap_or(i64::MAX));
        sql.push(" as \"key\"");
    }
    sql.sql(") page")
}
