//! Tests of one column.

use runledger_search::{NumberOp, NumberTest, TextOp, TextTest};

use crate::sql::Sql;

/// Opens a test that a row exists.
///
/// The plus keeps SQLite (3.51 and later) from turning the test into a join,
/// which it then puts after those of the order: on a later page every run of an
/// experiment was looked up in the order before any was filtered.
pub(super) const EXISTS: &str = "+exists (";

/// A comparison of a number column.
pub(crate) fn number(column: &'static str, test: NumberTest) -> Sql {
    let operator = match test.op {
        NumberOp::Less => " < ",
        NumberOp::LessOrEqual => " <= ",
        NumberOp::Greater => " > ",
        NumberOp::GreaterOrEqual => " >= ",
        NumberOp::Equal => " = ",
        NumberOp::NotEqual => " <> ",
    };
    Sql::varying(column).sql(operator).real(test.value)
}

/// A comparison of the columns `value` and `is_nan` of a metric: NaN is unequal
/// to everything and nothing else (MLflow 3.17).
pub(crate) fn metric(value: &'static str, is_nan: &'static str, test: NumberTest) -> Sql {
    let compared = number(value, test);
    let (before, after) = if test.op == NumberOp::NotEqual {
        ("(", " or ")
    } else {
        ("(not ", " and ")
    };
    let mut sql = Sql::varying(before).sql(is_nan).sql(after);
    sql.append(compared);
    sql.sql(")")
}

/// A test of a text column that is there.
pub(crate) fn text(column: &'static str, test: &TextTest) -> Sql {
    let sql = Sql::varying(column);
    match test {
        TextTest::Compare {
            op: TextOp::Equal,
            value,
        } => sql.sql(" = ").text(&**value),
        TextTest::Compare {
            op: TextOp::NotEqual,
            value,
        } => sql.sql(" <> ").text(&**value),
        TextTest::Compare {
            op: TextOp::Like,
            value,
        } => sql.sql(" like ").text(&**value),
        TextTest::Compare {
            op: TextOp::ILike,
            value,
        } => Sql::varying("lower(")
            .sql(column)
            .sql(") like lower(")
            .text(&**value)
            .sql(")"),
        TextTest::In { negated, values } => sql
            .sql(if *negated { " not in" } else { " in" })
            .sql(" (select value from json_each(")
            .texts(values.iter().map(String::as_str))
            .sql("))"),
        TextTest::IsNull => sql.sql(" is null"),
        TextTest::IsNotNull => sql.sql(" is not null"),
    }
}

/// A test of a text that is a row of its own: `select` finds the row, `column`
/// is its value. Without the row, only "is null" is true.
pub(crate) fn row_text(select: Sql, column: &'static str, test: &TextTest) -> Sql {
    let negated = *test == TextTest::IsNull;
    let mut sql = Sql::varying(if negated { "not exists (" } else { EXISTS });
    sql.append(select);
    if !matches!(test, TextTest::IsNull | TextTest::IsNotNull) {
        sql.push(" and ");
        sql.append(text(column, test));
    }
    sql.sql(")")
}
