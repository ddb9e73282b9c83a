//! Trees become text and trees again; no text makes a parser panic.

use proptest::prelude::*;
use runledger_search::{
    DatasetField, ExperimentClause, ExperimentKey, ExperimentNumber, LoggedModelClause,
    LoggedModelNumber, LoggedModelText, ModelVersionClause, ModelVersionText, NumberOp, NumberTest,
    Order, RegisteredModelClause, RunClause, RunKey, RunNumber, RunText, TextOp, TextTest,
    parse_experiment_filter, parse_experiment_order, parse_logged_model_filter,
    parse_logged_model_order_field, parse_model_version_filter, parse_model_version_order,
    parse_registered_model_filter, parse_registered_model_order, parse_run_filter, parse_run_order,
};

/// Any key but those with a backtick, which has no spelling.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,8}", "[^`]{0,12}"]
}

/// Any text that has a spelling: without one kind of quotes, and without a
/// backslash before the closing one.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z%_]{0,8}", "[^']{0,12}", "[^\"]{0,12}"]
        .prop_filter("ends in a backslash", |text| !text.ends_with('\\'))
        .prop_filter("has an escaped quote", |text| {
            !text.contains("\\'") && !text.contains("\\\"")
        })
}

fn number_op() -> impl Strategy<Value = NumberOp> {
    proptest::sample::select(vec![
        NumberOp::Less,
        NumberOp::LessOrEqual,
        NumberOp::Greater,
        NumberOp::GreaterOrEqual,
        NumberOp::Equal,
        NumberOp::NotEqual,
    ])
}

fn number() -> impl Strategy<Value = NumberTest> {
    use proptest::num::f64;
    let value = f64::POSITIVE | f64::NEGATIVE | f64::NORMAL | f64::ZERO | f64::INFINITE;
    (number_op(), value | f64::SUBNORMAL).prop_map(|(op, value)| NumberTest { op, value })
}

fn integer() -> impl Strategy<Value = NumberTest> {
    (number_op(), any::<i32>()).prop_map(|(op, value)| NumberTest {
        op,
        value: f64::from(value),
    })
}

fn compare(value: impl Strategy<Value = String>) -> impl Strategy<Value = TextTest> {
    let op = proptest::sample::select(vec![
        TextOp::Equal,
        TextOp::NotEqual,
        TextOp::Like,
        TextOp::ILike,
    ]);
    (op, value).prop_map(|(op, value)| TextTest::Compare { op, value })
}

/// Lists hold any text.
fn list() -> impl Strategy<Value = TextTest> {
    (any::<bool>(), proptest::collection::vec(".{0,12}", 1..4))
        .prop_map(|(negated, values)| TextTest::In { negated, values })
}

fn nullable() -> impl Strategy<Value = TextTest> {
    prop_oneof![
        4 => compare(value()),
        1 => Just(TextTest::IsNull),
        1 => Just(TextTest::IsNotNull),
    ]
}

fn run_text() -> impl Strategy<Value = RunText> {
    proptest::sample::select(vec![
        RunText::RunId,
        RunText::RunName,
        RunText::Status,
        RunText::UserId,
        RunText::ArtifactUri,
    ])
}

fn run_number() -> impl Strategy<Value = RunNumber> {
    proptest::sample::select(vec![RunNumber::StartTime, RunNumber::EndTime])
}

fn run_clause() -> impl Strategy<Value = RunClause> {
    let dataset = proptest::sample::select(vec![
        DatasetField::Name,
        DatasetField::Digest,
        DatasetField::Context,
    ]);
    prop_oneof![
        (key(), number()).prop_map(|(key, test)| RunClause::Metric { key, test }),
        (key(), nullable()).prop_map(|(key, test)| RunClause::Param { key, test }),
        (key(), nullable()).prop_map(|(key, test)| RunClause::Tag { key, test }),
        (run_text(), compare(value()))
            .prop_map(|(attribute, test)| RunClause::Text { attribute, test }),
        list().prop_map(|test| RunClause::Text {
            attribute: RunText::RunId,
            test
        }),
        (run_number(), number())
            .prop_map(|(attribute, test)| RunClause::Number { attribute, test }),
        (dataset, prop_oneof![compare(value()), list()])
            .prop_map(|(field, test)| RunClause::Dataset { field, test }),
    ]
}

fn experiment_clause() -> impl Strategy<Value = ExperimentClause> {
    let ids = proptest::collection::vec(any::<i64>().prop_map(|id| id.to_string()), 1..4);
    let attribute = proptest::sample::select(vec![
        ExperimentNumber::CreationTime,
        ExperimentNumber::LastUpdateTime,
    ]);
    prop_oneof![
        compare(value()).prop_map(ExperimentClause::Name),
        (any::<bool>(), ids).prop_map(|(negated, values)| ExperimentClause::Id { negated, values }),
        (attribute, integer())
            .prop_map(|(attribute, test)| ExperimentClause::Number { attribute, test }),
        (key(), nullable()).prop_map(|(key, test)| ExperimentClause::Tag { key, test }),
    ]
}

/// Keys and values of logged models know fewer quotes.
fn logged_model_clause() -> impl Strategy<Value = LoggedModelClause> {
    let key = || "[^`\n]{1,12}";
    let value =
        || "[^']{0,12}".prop_filter("ends in a backslash", |text: &String| !text.ends_with('\\'));
    let text = move || prop_oneof![compare(value()), list()];
    let attribute = proptest::sample::select(vec![
        LoggedModelText::Name,
        LoggedModelText::ModelId,
        LoggedModelText::ModelType,
        LoggedModelText::SourceRunId,
        LoggedModelText::ArtifactLocation,
        LoggedModelText::StatusMessage,
        LoggedModelText::LifecycleStage,
    ]);
    let time = proptest::sample::select(vec![
        LoggedModelNumber::CreationTimestamp,
        LoggedModelNumber::LastUpdatedTimestamp,
    ]);
    prop_oneof![
        (key(), number()).prop_map(|(key, test)| LoggedModelClause::Metric { key, test }),
        (key(), text()).prop_map(|(key, test)| LoggedModelClause::Param { key, test }),
        (key(), text()).prop_map(|(key, test)| LoggedModelClause::Tag { key, test }),
        (attribute, text())
            .prop_map(|(attribute, test)| LoggedModelClause::Text { attribute, test }),
        (time, number())
            .prop_map(|(attribute, test)| LoggedModelClause::Number { attribute, test }),
    ]
}

fn registered_model_clause() -> impl Strategy<Value = RegisteredModelClause> {
    prop_oneof![
        prop_oneof![compare(value()), list()].prop_map(RegisteredModelClause::Name),
        (key(), compare(value())).prop_map(|(key, test)| RegisteredModelClause::Tag { key, test }),
    ]
}

fn model_version_clause() -> impl Strategy<Value = ModelVersionClause> {
    let listed = proptest::sample::select(vec![ModelVersionText::Name, ModelVersionText::RunId]);
    prop_oneof![
        (listed, prop_oneof![compare(value()), list()])
            .prop_map(|(attribute, test)| ModelVersionClause::Text { attribute, test }),
        compare(value()).prop_map(|test| ModelVersionClause::Text {
            attribute: ModelVersionText::SourcePath,
            test
        }),
        integer().prop_map(ModelVersionClause::Number),
        (key(), compare(value())).prop_map(|(key, test)| ModelVersionClause::Tag { key, test }),
    ]
}

fn run_order() -> impl Strategy<Value = Order<RunKey>> {
    // In an order, a shell's rules for quotes and spaces apply to a key as well.
    let key = || "[a-zé日/.:-]{1,6}( [a-z]{1,3})?";
    let key = prop_oneof![
        key().prop_map(RunKey::Metric),
        key().prop_map(RunKey::Param),
        key().prop_map(RunKey::Tag),
        run_text().prop_map(RunKey::Text),
        run_number().prop_map(RunKey::Number),
    ];
    (key, any::<bool>()).prop_map(|(key, descending)| Order { key, descending })
}

fn joined<T: ToString>(clauses: &[T]) -> String {
    let clauses: Vec<String> = clauses.iter().map(T::to_string).collect();
    clauses.join(" AND ")
}

proptest! {
    #[test]
    fn run_filters(filter in proptest::collection::vec(run_clause(), 0..5)) {
        prop_assert_eq!(parse_run_filter(&joined(&filter)), Ok(filter));
    }

    #[test]
    fn experiment_filters(filter in proptest::collection::vec(experiment_clause(), 0..5)) {
        prop_assert_eq!(parse_experiment_filter(&joined(&filter)), Ok(filter));
    }

    #[test]
    fn logged_model_filters(filter in proptest::collection::vec(logged_model_clause(), 0..5)) {
        prop_assert_eq!(parse_logged_model_filter(&joined(&filter)), Ok(filter));
    }

    #[test]
    fn registered_model_filters(filter in proptest::collection::vec(registered_model_clause(), 0..5)) {
        let read = parse_registered_model_filter(&joined(&filter)).map(|read| read.clauses);
        prop_assert_eq!(read, Ok(filter));
    }

    #[test]
    fn model_version_filters(filter in proptest::collection::vec(model_version_clause(), 0..5)) {
        let read = parse_model_version_filter(&joined(&filter)).map(|read| read.clauses);
        prop_assert_eq!(read, Ok(filter));
    }

    #[test]
    fn run_orders(order in run_order()) {
        prop_assert_eq!(parse_run_order(&[order.to_string()]), Ok(vec![order]));
    }

    #[test]
    fn experiment_orders(descending: bool, name: bool) {
        let key = if name { ExperimentKey::Name } else { ExperimentKey::Id };
        let order = Order { key, descending };
        prop_assert_eq!(parse_experiment_order(&[order.to_string()]), Ok(vec![order]));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in prop_oneof![
        ".*",
        "[a'\"`.()\\[\\]<>=!,;:*/#$%?\\\\ \n\\-0-9Eé]*",
        "((metrics|params|tags|run_id|x)[. ]?|'|\"|`|=|IN|NOT|IS|NULL|AND|LIKE|DESC| |\\(|\\)|1|\\.)*",
    ]) {
        for error in [
            parse_run_filter(&text).err(),
            parse_experiment_filter(&text).err(),
            parse_logged_model_filter(&text).err(),
            parse_registered_model_filter(&text).err(),
            parse_model_version_filter(&text).err(),
        ].into_iter().flatten() {
            if let Some(span) = error.span() {
                prop_assert!(text.get(span).is_some());
            }
        }
        let _ = parse_run_order(std::slice::from_ref(&text));
        let _ = parse_experiment_order(std::slice::from_ref(&text));
        let _ = parse_registered_model_order(std::slice::from_ref(&text));
        let _ = parse_model_version_order(std::slice::from_ref(&text));
        let _ = parse_logged_model_order_field(&text, true, None, None);
    }
}
