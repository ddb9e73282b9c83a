//! Filters, orders and metric clauses of traces become text and trees again.

use proptest::prelude::*;
use runledger_entities::AssessmentKind;
use runledger_search::{
    AssessmentTest, NumberOp, NumberTest, Order, SpanText, TextOp, TextTest, TraceClause, TraceKey,
    TraceMetricClause, TraceMetricField, TraceNumber, TraceText, parse_trace_filter,
    parse_trace_metric_filter, parse_trace_order,
};

/// Keys that mean nothing else, whatever stands before them.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{9,12}", "x[^`]{0,12}", "mlflow\\.x[a-z]{1,5}"]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z%_]{0,8}", "[^'\\\\]{0,12}", "[^\"\\\\]{0,12}"]
}

fn compare(ops: &[TextOp]) -> impl Strategy<Value = TextTest> + use<> {
    let op = proptest::sample::select(ops.to_vec());
    (op, value()).prop_map(|(op, value)| TextTest::Compare { op, value })
}

const ALL: [TextOp; 5] = [
    TextOp::Equal,
    TextOp::NotEqual,
    TextOp::Like,
    TextOp::ILike,
    TextOp::RLike,
];

fn null() -> impl Strategy<Value = TextTest> {
    prop_oneof![Just(TextTest::IsNull), Just(TextTest::IsNotNull)]
}

fn list() -> impl Strategy<Value = TextTest> {
    (any::<bool>(), proptest::collection::vec(".{0,12}", 1..4))
        .prop_map(|(negated, values)| TextTest::In { negated, values })
}

fn number(ops: &[NumberOp]) -> impl Strategy<Value = NumberTest> + use<> {
    let op = proptest::sample::select(ops.to_vec());
    (op, any::<i32>()).prop_map(|(op, value)| NumberTest {
        op,
        value: f64::from(value) / 4.0,
    })
}

const ORDERED: [NumberOp; 4] = [
    NumberOp::Less,
    NumberOp::LessOrEqual,
    NumberOp::Greater,
    NumberOp::GreaterOrEqual,
];

fn trace_number() -> impl Strategy<Value = TraceNumber> {
    proptest::sample::select(vec![
        TraceNumber::Timestamp,
        TraceNumber::ExecutionTime,
        TraceNumber::EndTime,
    ])
}

fn span() -> impl Strategy<Value = TraceClause> {
    let field = prop_oneof![
        proptest::sample::select(vec![SpanText::Name, SpanText::Type, SpanText::Status]),
        "[a-zA-Z_.é /-]{1,10}".prop_map(SpanText::Attribute),
    ];
    let content = compare(&[TextOp::Like, TextOp::ILike]).prop_map(|test| TraceClause::Span {
        field: SpanText::Content,
        test,
    });
    prop_oneof![
        3 => (field, prop_oneof![compare(&ALL), list()])
            .prop_map(|(field, test)| TraceClause::Span { field, test }),
        1 => content,
    ]
}

fn assessment() -> impl Strategy<Value = TraceClause> {
    let kind =
        proptest::sample::select(vec![AssessmentKind::Feedback, AssessmentKind::Expectation]);
    let test = prop_oneof![
        compare(&ALL).prop_map(AssessmentTest::Text),
        null().prop_map(AssessmentTest::Text),
        number(&ORDERED).prop_map(AssessmentTest::Number),
    ];
    (kind, key(), test).prop_map(|(kind, name, test)| TraceClause::Assessment { kind, name, test })
}

fn clause() -> impl Strategy<Value = TraceClause> {
    let listed = proptest::sample::select(vec![
        TraceText::RequestId,
        TraceText::Status,
        TraceText::ClientRequestId,
    ]);
    let named = proptest::sample::select(vec![TraceText::Name, TraceText::Session]);
    let usage = || prop_oneof![compare(&ALL[..2]), null()];
    let text = || prop_oneof![compare(&ALL), null()];
    prop_oneof![
        (listed, prop_oneof![compare(&ALL), list()])
            .prop_map(|(attribute, test)| TraceClause::Text { attribute, test }),
        (named, text()).prop_map(|(attribute, test)| TraceClause::Text { attribute, test }),
        (trace_number(), number(&ORDERED))
            .prop_map(|(attribute, test)| TraceClause::Number { attribute, test }),
        (key(), text()).prop_map(|(key, test)| TraceClause::Tag { key, test }),
        (key(), text()).prop_map(|(key, test)| TraceClause::Metadata { key, test }),
        usage().prop_map(TraceClause::TokenUsage),
        usage().prop_map(TraceClause::Cost),
        value().prop_map(TraceClause::Run),
        "[a-z.]{1,6}/[0-9]{1,3}".prop_map(TraceClause::Prompt),
        value().prop_map(TraceClause::Issue),
        span(),
        assessment(),
    ]
}

fn order() -> impl Strategy<Value = Order<TraceKey>> {
    let text = proptest::sample::select(vec![
        TraceText::RequestId,
        TraceText::Status,
        TraceText::Name,
        TraceText::Session,
    ]);
    let key = || "x[a-zé/.:-]{1,6}( [a-z]{1,3})?";
    let key = prop_oneof![
        text.prop_map(TraceKey::Text),
        trace_number().prop_map(TraceKey::Number),
        Just(TraceKey::ExperimentId),
        key().prop_map(TraceKey::Tag),
        key().prop_map(TraceKey::Metadata),
    ];
    (key, any::<bool>()).prop_map(|(key, descending)| Order { key, descending })
}

fn metric_clause() -> impl Strategy<Value = TraceMetricClause> {
    use TraceMetricField as F;

    let plain = proptest::sample::select(vec![
        F::Status,
        F::SpanName,
        F::SpanStatus,
        F::SpanType,
        F::AssessmentName,
        F::AssessmentType,
    ]);
    let field = prop_oneof![
        plain,
        "[a-z][a-zA-Z_. -]{0,10}".prop_map(F::Tag),
        "[a-z][a-zA-Z_. -]{0,10}".prop_map(F::Metadata),
    ];
    (field, value()).prop_map(|(field, value)| TraceMetricClause { field, value })
}

proptest! {
    #[test]
    fn trace_filters(filter in proptest::collection::vec(clause(), 0..5)) {
        let text: Vec<String> = filter.iter().map(ToString::to_string).collect();
        let text = text.join(" AND ");
        prop_assert_eq!(parse_trace_filter(&text), Ok(filter), "{}", text);
    }

    #[test]
    fn trace_orders(order in order()) {
        let text = order.to_string();
        prop_assert_eq!(parse_trace_order(std::slice::from_ref(&text)), Ok(vec![order]), "{}", text);
    }

    #[test]
    fn metric_clauses(clause in metric_clause()) {
        let text = clause.to_string();
        prop_assert_eq!(parse_trace_metric_filter(&text), Ok(clause), "{}", text);
    }
}
