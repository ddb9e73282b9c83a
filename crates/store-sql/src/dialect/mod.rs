//! Where the SQL of the three databases differs.
//!
//! Statements are written once, in the SQL that the three share; a piece that
//! they write differently comes from a method here. Double quotes mark
//! identifiers on all of them (MySQL's sessions are set to that). How a bound
//! value is written is decided by the driver of each: [`sqlite`], [`postgres`]
//! and [`mysql`].

mod mysql;
mod postgres;
mod sqlite;

use crate::sql::Sql;

/// The kind of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite 3.35 or later, built in.
    Sqlite,
    /// PostgreSQL 12 or later.
    Postgres,
    /// MySQL 8.0 or later, MariaDB 10.6 or later.
    Mysql,
}

impl Dialect {
    /// The name, as in the messages of this crate.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
        }
    }

    /// A test that a row exists.
    ///
    /// The plus keeps SQLite (3.51 and later) from turning the test into a join,
    /// which it then puts after those of the order: on a later page every run of
    /// an experiment was looked up in the order before any was filtered.
    pub(crate) fn exists(self) -> Exists {
        let open = match self {
            Self::Sqlite => "+exists (",
            Self::Postgres | Self::Mysql => "exists (",
        };
        Exists { open, close: ")" }
    }

    /// A test that a row exists, made for one row after the other: the database
    /// does not read all rows that pass it and join them.
    ///
    /// PostgreSQL makes joins of such tests, but for those with an `offset`.
    pub(crate) fn exists_by_row(self) -> Exists {
        let Exists { open, close } = self.exists();
        let close = match self {
            Self::Postgres => " offset 0)",
            Self::Sqlite | Self::Mysql => close,
        };
        Exists { open, close }
    }

    /// After an `insert`: what is there already takes the new value of `column`.
    /// `key` are the columns of the key that the insert may meet.
    pub(crate) fn or_replace(self, key: &'static str, column: &'static str) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres => Sql::new(" on conflict (")
                .sql(key)
                .sql(") do update set ")
                .sql(column)
                .sql(" = excluded.")
                .sql(column),
            Self::Mysql => Sql::new(" on duplicate key update ")
                .sql(column)
                .sql(" = values(")
                .sql(column)
                .sql(")"),
        }
    }

    /// [`Self::or_replace`] for several columns.
    pub(crate) fn or_replace_all(
        self,
        key: &'static str,
        columns: impl IntoIterator<Item = &'static str>,
    ) -> Sql {
        let mut sql = match self {
            Self::Sqlite | Self::Postgres => {
                Sql::new(" on conflict (").sql(key).sql(") do update set ")
            }
            Self::Mysql => Sql::new(" on duplicate key update "),
        };
        for (number, column) in columns.into_iter().enumerate() {
            sql.push(if number == 0 { "" } else { ", " });
            sql.push(column);
            sql = match self {
                Self::Sqlite | Self::Postgres => sql.sql(" = excluded.").sql(column),
                Self::Mysql => sql.sql(" = values(").sql(column).sql(")"),
            };
        }
        sql
    }

    /// After an `insert`: what is there already stays. `column` is any column
    /// of the table.
    pub(crate) fn or_keep(self, column: &'static str) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres => Sql::new(" on conflict do nothing"),
            // `insert ignore` would also let values through that do not fit.
            Self::Mysql => Sql::new(" on duplicate key update ")
                .sql(column)
                .sql(" = ")
                .sql(column),
        }
    }

    /// Whether `insert … returning` is possible. Without it the id of a row that
    /// was just added is [`Self::LAST_ID`].
    pub(crate) fn returns(self) -> bool {
        self != Self::Mysql
    }

    /// The id that MySQL gave to the last row that this connection added.
    pub(crate) const LAST_ID: &'static str = "select cast(last_insert_id() as signed)";

    /// The rows of a table that belong to the runs of one page: `page.key` is the
    /// place of the run in the list (from 0), `page.value` its id, which `of`
    /// compares a column of `name`, the table, with. It belongs behind `from`.
    ///
    /// The page is the outer loop: the table is read by its index, run by run,
    /// even where a few runs hold all of it. PostgreSQL, left alone, then reads
    /// the whole table once.
    pub(crate) fn of_page(
        self,
        ids: &[String],
        table: &'static str,
        name: &'static str,
        of: &'static str,
    ) -> Sql {
        let page = match self {
            Self::Sqlite => Sql::new("json_each(")
                .array(ids.to_vec())
                .sql(") page cross join "),
            Self::Postgres => postgres::page(ids).sql(" page cross join lateral (select * from "),
            Self::Mysql => mysql::page(ids).sql(" straight_join "),
        };
        let table = page.sql(table).sql(" ").sql(name);
        match self {
            Self::Sqlite | Self::Mysql => table.sql(" on ").sql(of),
            Self::Postgres => table.sql(" where ").sql(of).sql(" offset 0) ").sql(name),
        }
    }

    /// Orders rows of `table` as they were added, where nothing else says it.
    pub(crate) fn as_added(self, rowid: &'static str, otherwise: &'static str) -> &'static str {
        match self {
            Self::Sqlite => rowid,
            Self::Postgres | Self::Mysql => otherwise,
        }
    }

    /// Whether a missing value is smaller than every other, so that it comes
    /// last in a descending order.
    pub(crate) fn null_is_smallest(self) -> bool {
        self != Self::Postgres
    }

    /// Whether the orders that are asked for most have indexes: see
    /// [`crate::indexes`].
    pub(crate) fn has_order_indexes(self) -> bool {
        self != Self::Sqlite
    }

    /// Makes an equality of texts exact, whatever the collation of the column.
    ///
    /// MySQL's default collations take `a` for `A` and, with older ones, for
    /// `a ` too: the plain comparison finds the rows by their index, the one of
    /// the bytes keeps the right ones.
    pub(crate) fn equal(self, column: &'static str, value: &str) -> Sql {
        let equal = Sql::varying(column).sql(" = ").text(value);
        match self {
            Self::Sqlite | Self::Postgres => equal,
            Self::Mysql => {
                let mut both = equal.sql(" and ");
                both.append(self.compare(column, " = ", value));
                both
            }
        }
    }

    /// Beside a test that the value of a param or tag is this one: what the
    /// database must be told to look it up in the index of values
    /// ([`crate::indexes`]). PostgreSQL's holds short ones only.
    pub(crate) fn in_value_index(self, value: &str) -> &'static str {
        match self {
            Self::Postgres if value.len() <= 500 => " and octet_length(p.value) <= 500",
            Self::Sqlite | Self::Postgres | Self::Mysql => "",
        }
    }

    /// [`Self::equal`] for a column of a joined table.
    pub(crate) fn equal_in(self, table: &'static str, column: &'static str, value: &str) -> Sql {
        let equal = Sql::varying(table).sql(column).sql(" = ").text(value);
        match self {
            Self::Sqlite | Self::Postgres => equal,
            Self::Mysql => equal
                .sql(" and cast(")
                .sql(table)
                .sql(column)
                .sql(" as binary) = cast(")
                .text(value)
                .sql(" as binary)"),
        }
    }

    /// The table `metrics`, to be read by run and key. Left alone SQLite prefers
    /// the primary key, because it holds all columns, and reads the points of
    /// every run. `index` is whether there is one by run, key and step.
    pub(crate) fn series(self, index: bool) -> &'static str {
        match (self, index) {
            (Self::Sqlite, true) => "metrics indexed by index_metrics_run_uuid_key_step",
            (Self::Sqlite, false) => "metrics indexed by index_metrics_run_uuid",
            (Self::Mysql, true) => "metrics force index (index_metrics_run_uuid_key_step)",
            (Self::Mysql, false) | (Self::Postgres, _) => "metrics",
        }
    }

    /// Whether a statement can name the index that it is to use. PostgreSQL
    /// chooses by itself, and well: it knows how its rows are spread.
    pub(crate) fn names_indexes(self) -> bool {
        self != Self::Postgres
    }

    /// The table `metrics`, to be read along its primary key.
    pub(crate) fn by_key(self) -> &'static str {
        match self {
            Self::Sqlite => "metrics indexed by sqlite_autoindex_metrics_1",
            Self::Postgres => "metrics",
            Self::Mysql => "metrics force index (primary)",
        }
    }

    /// Compares texts by their characters, case and all: `operator` is ` = ` or
    /// ` <> `.
    pub(crate) fn compare(self, column: &'static str, operator: &'static str, value: &str) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres => Sql::varying(column).sql(operator).text(value),
            Self::Mysql => Sql::varying("cast(")
                .sql(column)
                .sql(" as binary)")
                .sql(operator)
                .sql("cast(")
                .text(value)
                .sql(" as binary)"),
        }
    }

    /// That a text is like a pattern, case and all. Patterns have no escape
    /// character (MLflow 3.17 on SQLite, which has none).
    pub(crate) fn like(self, column: &'static str, pattern: &str) -> Sql {
        match self {
            Self::Sqlite => Sql::varying(column).sql(" like ").text(pattern),
            Self::Postgres => Sql::varying(column)
                .sql(" like ")
                .text(pattern)
                .sql(" escape ''"),
            // Of bytes, `_` would be one.
            Self::Mysql => Sql::varying("convert(")
                .sql(column)
                .sql(" using utf8mb4) collate utf8mb4_bin like ")
                .text(mysql::escaped(pattern)),
        }
    }

    /// That a text is like a pattern, whatever the case of either.
    pub(crate) fn like_any_case(self, column: &'static str, pattern: &str) -> Sql {
        let lower = Sql::varying("lower(").sql(column).sql(") like lower(");
        match self {
            Self::Sqlite => lower.text(pattern).sql(")"),
            Self::Postgres => lower.text(pattern).sql(") escape ''"),
            Self::Mysql => lower.text(mysql::escaped(pattern)).sql(")"),
        }
    }

    /// That a regular expression is found in a text, case and all.
    pub(crate) fn regex(self, column: &'static str, pattern: &str) -> Sql {
        match self {
            // The function is ours: see `sqlite::connect`.
            Self::Sqlite => Sql::varying("regexp(")
                .text(pattern)
                .sql(", ")
                .sql(column)
                .sql(")"),
            Self::Postgres => Sql::varying(column).sql(" ~ ").text(pattern),
            Self::Mysql => Sql::varying("convert(")
                .sql(column)
                .sql(" using utf8mb4) collate utf8mb4_bin regexp ")
                .text(pattern),
        }
    }

    /// A missing number of 64 bits.
    pub(crate) fn no_integer(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "cast(null as bigint)",
            Self::Mysql => "cast(null as signed)",
        }
    }

    /// The name of the type of double precision, in a cast.
    pub(crate) fn double(self) -> &'static str {
        match self {
            Self::Sqlite | Self::Postgres => "double precision",
            Self::Mysql => "double",
        }
    }

    /// That a text is one of a list (or none of it), case and all.
    pub(crate) fn one_of(self, column: &'static str, negated: bool, values: Vec<String>) -> Sql {
        match self {
            Self::Sqlite | Self::Postgres => Sql::varying(column).in_texts(negated, values),
            Self::Mysql => Sql::varying("cast(")
                .sql(column)
                .sql(" as binary)")
                .in_texts(negated, values),
        }
    }

    /// After a `select`: the rows are locked until the end of the transaction.
    /// SQLite has one writer at a time.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::Mysql => " for update",
        }
    }

    /// After a `select`: the rows are locked as by [`Self::for_update`], and those
    /// that another transaction has locked are left out.
    pub(crate) fn for_update_of_free(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres | Self::Mysql => " for update skip locked",
        }
    }

    /// Begins a transaction that only reads, and sees one state of the database.
    pub(crate) fn begin_read(self) -> &'static str {
        match self {
            Self::Sqlite => "begin",
            Self::Postgres => "begin isolation level repeatable read read only",
            Self::Mysql => {
                "set transaction isolation level repeatable read; start transaction read only"
            }
        }
    }

    /// Begins a transaction that writes.
    pub(crate) fn begin_write(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres | Self::Mysql => "begin",
        }
    }
}

/// How a test that a row exists is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exists {
    open: &'static str,
    close: &'static str,
}

impl Exists {
    /// That this `select` finds a row.
    pub(crate) fn of(self, select: Sql) -> Sql {
        Sql::varying(self.open).with(select).sql(self.close)
    }

    /// That it finds none.
    pub(crate) fn not_of(self, select: Sql) -> Sql {
        Sql::varying("not exists (").with(select).sql(self.close)
    }
}
