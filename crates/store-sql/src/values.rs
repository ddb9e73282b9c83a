//! How values are kept in MLflow's schema, where a column does not say it.

use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    mysql::{Mysql, MysqlValue},
    pg::{Pg, PgValue},
    sql_types::{BigInt, Integer},
    sqlite::{Sqlite, SqliteValue},
};

/// A metric's value in its two columns.
///
/// A database cannot keep NaN and infinities everywhere: NaN is 0 with a flag,
/// an infinity is the largest number of its sign (MLflow 3.17
/// `SqlAlchemyStore`), and is read back as that number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StoredValue {
    /// The column `value`.
    pub(crate) value: f64,
    /// The column `is_nan`.
    pub(crate) is_nan: bool,
}

impl StoredValue {
    /// The columns for a value.
    pub(crate) fn of(value: f64) -> Self {
        if value.is_nan() {
            Self {
                value: 0.0,
                is_nan: true,
            }
        } else {
            Self {
                value: value.clamp(f64::MIN, f64::MAX),
                is_nan: false,
            }
        }
    }

    /// The value of the columns.
    pub(crate) fn read(self) -> f64 {
        if self.is_nan { f64::NAN } else { self.value }
    }
}

/// An id that the database gives, of a column `INTEGER`.
///
/// The column has 32 bits on PostgreSQL and MySQL, and 64 on SQLite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromSqlRow)]
pub(crate) struct SerialId(pub(crate) i64);

impl FromSql<Integer, Sqlite> for SerialId {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Sqlite>>::from_sql(value).map(Self)
    }
}

impl FromSql<Integer, Pg> for SerialId {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <i32 as FromSql<Integer, Pg>>::from_sql(value).map(|id| Self(id.into()))
    }
}

impl FromSql<Integer, Mysql> for SerialId {
    fn from_sql(value: MysqlValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Mysql>>::from_sql(value).map(Self)
    }
}
