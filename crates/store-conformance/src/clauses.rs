//! Short ways to write down filters and orders.

use runledger_search::{
    DatasetField, NumberOp, NumberTest, Order, RunClause, RunKey, RunNumber, RunText, TextOp,
    TextTest,
};

pub(crate) const TEXT_OPS: [TextOp; 4] =
    [TextOp::Equal, TextOp::NotEqual, TextOp::Like, TextOp::ILike];

pub(crate) const NUMBER_OPS: [NumberOp; 6] = [
    NumberOp::Less,
    NumberOp::LessOrEqual,
    NumberOp::Greater,
    NumberOp::GreaterOrEqual,
    NumberOp::Equal,
    NumberOp::NotEqual,
];

pub(crate) fn number(op: NumberOp, value: f64) -> NumberTest {
    NumberTest { op, value }
}

pub(crate) fn text(op: TextOp, value: &str) -> TextTest {
    TextTest::Compare {
        op,
        value: value.to_owned(),
    }
}

pub(crate) fn equal(value: &str) -> TextTest {
    text(TextOp::Equal, value)
}

pub(crate) fn unequal(value: &str) -> TextTest {
    text(TextOp::NotEqual, value)
}

pub(crate) fn one_of(values: &[&str]) -> TextTest {
    TextTest::In {
        negated: false,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

pub(crate) fn none_of(values: &[&str]) -> TextTest {
    TextTest::In {
        negated: true,
        values: values.iter().map(|&value| value.to_owned()).collect(),
    }
}

pub(crate) fn metric(key: &str, op: NumberOp, value: f64) -> RunClause {
    RunClause::Metric {
        key: key.to_owned(),
        test: number(op, value),
    }
}

pub(crate) fn param(key: &str, test: TextTest) -> RunClause {
    RunClause::Param {
        key: key.to_owned(),
        test,
    }
}

pub(crate) fn tag(key: &str, test: TextTest) -> RunClause {
    RunClause::Tag {
        key: key.to_owned(),
        test,
    }
}

pub(crate) fn attribute(attribute: RunText, test: TextTest) -> RunClause {
    RunClause::Text { attribute, test }
}

pub(crate) fn time(attribute: RunNumber, op: NumberOp, value: f64) -> RunClause {
    RunClause::Number {
        attribute,
        test: number(op, value),
    }
}

pub(crate) fn dataset(field: DatasetField, test: TextTest) -> RunClause {
    RunClause::Dataset { field, test }
}

pub(crate) fn ascending<K>(key: K) -> Order<K> {
    Order {
        key,
        descending: false,
    }
}

pub(crate) fn descending<K>(key: K) -> Order<K> {
    Order {
        key,
        descending: true,
    }
}

pub(crate) fn metric_key(key: &str) -> RunKey {
    RunKey::Metric(key.to_owned())
}
