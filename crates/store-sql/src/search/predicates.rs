//! Tests of one column.

use runledger_search::{NumberOp, NumberTest, TextOp, TextTest};

use crate::{
    dialect::{Dialect, Exists},
    sql::Sql,
};

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
pub(crate) fn text(dialect: Dialect, column: &'static str, test: &TextTest) -> Sql {
    match test {
        TextTest::Compare { op, value } => match op {
            TextOp::Equal => dialect.equal(column, value),
            TextOp::NotEqual => dialect.compare(column, " <> ", value),
            TextOp::Like => dialect.like(column, value),
            TextOp::ILike => dialect.like_any_case(column, value),
            TextOp::RLike => dialect.regex(column, value),
        },
        TextTest::In { negated, values } => dialect.one_of(column, *negated, values.clone()),
        TextTest::IsNull => Sql::varying(column).sql(" is null"),
        TextTest::IsNotNull => Sql::varying(column).sql(" is not null"),
    }
}

/// A test of a text that is a row of its own: `select` finds the row, `column`
/// is its value. Without the row, only "is null" is true.
pub(crate) fn row_text(
    dialect: Dialect,
    exists: Exists,
    select: Sql,
    column: &'static str,
    test: &TextTest,
) -> Sql {
    match test {
        TextTest::IsNull => exists.not_of(select),
        TextTest::IsNotNull => exists.of(select),
        _ => exists.of(select.sql(" and ").with(text(dialect, column, test))),
    }
}
