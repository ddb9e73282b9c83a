//! The trees that filters and orders become. Checked on MLflow 3.17.2, where it
//! does not answer with an internal error.

use runledger_search::{
    ExperimentClause, LoggedModelClause, LoggedModelKey, LoggedModelNumber, NumberOp, NumberTest,
    Order, PageTokenError, RunClause, RunKey, RunNumber, RunText, SearchError, TextOp, TextTest,
    parse_experiment_filter, parse_experiment_order, parse_logged_model_filter,
    parse_logged_model_order_field, parse_model_version_filter, parse_model_version_order,
    parse_registered_model_filter, parse_registered_model_order, parse_run_filter, parse_run_order,
};

fn printed<T: ToString>(clauses: Result<Vec<T>, SearchError>) -> String {
    match clauses {
        Ok(clauses) => {
            let clauses: Vec<String> = clauses.iter().map(T::to_string).collect();
            clauses.join(" AND ")
        }
        Err(error) => format!("error: {error}"),
    }
}

fn equal(value: &str) -> TextTest {
    TextTest::Compare {
        op: TextOp::Equal,
        value: value.to_owned(),
    }
}

#[test]
fn names_of_runs_are_read_in_every_spelling() {
    for (filter, tree) in [
        ("metrics.a > 1", "metrics.`a` > 1"),
        ("metric.`a b` <= -3.25", "metrics.`a b` <= -3.25"),
        ("metrics.\"a/b\" = 1e5", "metrics.`a/b` = 100000"),
        ("metrics.a.b != .5", "metrics.`a.b` != 0.5"),
        ("metrics.a[0] > 1e400", "metrics.`a[0]` > 1e999"),
        ("metrics.f1(macro) > 1.", "metrics.`f1(macro)` > 1"),
        ("metrics.val::loss > 1", "metrics.`val::loss` > 1"),
        ("metrics. > 1", "metrics.`` > 1"),
        ("parameters.and = 'x'", "params.`and` = 'x'"),
        ("param.'a b' like 'x%'", "params.`a b` LIKE 'x%'"),
        ("`tags`.mlflow.user is null", "tags.`mlflow.user` IS NULL"),
        ("tags.日本 IS NOT NULL", "tags.`日本` IS NOT NULL"),
        ("run_id = 'x'", "attributes.run_id = 'x'"),
        ("attr.`Run name` = 'x'", "attributes.run_name = 'x'"),
        ("run.Created < 5", "attributes.start_time < 5"),
        ("created < 5.5", "attributes.start_time < 5.5"),
        ("datasets.context in ('a')", "datasets.context IN ('a')"),
    ] {
        assert_eq!(printed(parse_run_filter(filter)), tree, "{filter}");
    }
}

#[test]
fn conjunctions_are_read_with_too_few_and_too_many_ands() {
    let tree = "metrics.`a` > 1 AND tags.`b` = 'x'";
    for filter in [
        "metrics.a > 1 AND tags.b = 'x'",
        "metrics.a>1 and tags.b='x'",
        "metrics.a > 1 tags.b = 'x'",
        " AND metrics.a > 1\n\tAnd and tags.b = \"x\" AND ",
    ] {
        assert_eq!(printed(parse_run_filter(filter)), tree, "{filter}");
    }
    assert_eq!(parse_run_filter(""), Ok(vec![]));
    assert_eq!(parse_run_filter("AND"), Ok(vec![]));
}

#[test]
fn quotes_are_taken_off_once() {
    for (filter, value) in [
        ("tags.a = 'it''s'", "it''s"),
        ("tags.a = \"it's\"", "it's"),
        (r"tags.a = 'a\'b'", r"a\'b"),
        (r"tags.a = 'C:\'", r"C:\"),
        ("tags.a = ''", ""),
    ] {
        let tree = RunClause::Tag {
            key: "a".to_owned(),
            test: equal(value),
        };
        assert_eq!(parse_run_filter(filter), Ok(vec![tree]), "{filter}");
    }
}

#[test]
fn lists_are_read_as_python_reads_them() {
    let tree = RunClause::Text {
        attribute: RunText::RunId,
        test: TextTest::In {
            negated: true,
            values: vec!["a'b".to_owned(), "cd\n".to_owned()],
        },
    };
    assert_eq!(
        parse_run_filter(r#"run_id NOT IN ('a\'b', "c" 'd\n',)"#),
        Ok(vec![tree])
    );
}

#[test]
fn what_mlflow_answers_with_an_internal_error_is_an_error_of_the_filter() {
    let comparator = "error: Invalid comparator '=' for a list of values. Use IN or NOT IN.";
    let ill_formed = "error: While parsing a list in the query, expected a non-empty list of \
                      string values, but got ill-formed list.";
    for (filter, message) in [
        ("run_id = ('a')", comparator),
        ("dataset.name = ('a', 'b')", comparator),
        ("run_id IN (a)", ill_formed),
        (r"run_id IN ('\N{DASH}')", ill_formed),
    ] {
        assert_eq!(printed(parse_run_filter(filter)), message, "{filter}");
    }
    assert_eq!(
        printed(parse_experiment_filter("experiment_id = ('1')")),
        comparator
    );
    for (filter, message) in [
        ("params.a = ('x')", comparator),
        (
            "metrics.a > 'x'",
            "error: Expected numeric value type for metrics.a. Found 'x'",
        ),
    ] {
        assert_eq!(printed(parse_logged_model_filter(filter)), message);
    }
    assert!(printed(parse_logged_model_filter("tags = 'x'")).contains("key 'tags'"));
}

#[test]
fn duplicate_keys_of_an_order_are_an_error() {
    for clauses in [["metrics.a", "metric.a DESC"], ["start_time", "created"]] {
        let clauses = clauses.map(str::to_owned);
        assert_eq!(
            printed(parse_run_order(&clauses)),
            format!(
                "error: `order_by` contains duplicate fields: ['{}', '{}']",
                clauses[0], clauses[1]
            )
        );
    }
}

#[test]
fn orders_have_a_direction() {
    let order = parse_run_order(&[
        "tags.`a b` desc".to_owned(),
        "params.\"c\"".to_owned(),
        "Created DESC".to_owned(),
    ]);
    let key = |key, descending| Order { key, descending };
    assert_eq!(
        order,
        Ok(vec![
            key(RunKey::Tag("a b".to_owned()), true),
            key(RunKey::Param("c".to_owned()), false),
            key(RunKey::Number(RunNumber::StartTime), true),
        ])
    );
    let order = parse_experiment_order(&["name".to_owned(), "experiment_id DESC".to_owned()]);
    assert_eq!(printed(order), "name ASC AND experiment_id DESC");
}

#[test]
fn experiment_ids_are_integers_as_python_reads_them() {
    for (filter, ids) in [
        ("experiment_id = '1'", &["1"][..]),
        ("experiment_id IN (' 1 ', '+02', '1_0')", &["1", "2", "10"]),
        (
            "experiment_id = '99999999999999999999'",
            &["99999999999999999999"],
        ),
    ] {
        let tree = ExperimentClause::Id {
            negated: false,
            values: ids.iter().map(|&id| id.to_owned()).collect(),
        };
        assert_eq!(parse_experiment_filter(filter), Ok(vec![tree]), "{filter}");
    }
}

#[test]
fn values_of_logged_models_need_no_quotes() {
    for (filter, tree) in [
        ("params.a = 1", "params.`a` = '1'"),
        ("tags.a = '''x'''", "tags.`a` = 'x'"),
        ("params.a = \"x\"", "params.`a` = '\"x\"'"),
        ("name in ('a')", "name IN ('a')"),
        ("metrics.`a b` > 1_000", "metrics.`a b` > 1000"),
        ("creation_time >= 1.5", "creation_timestamp >= 1.5"),
        ("last_updated_timestamp < 1", "last_updated_timestamp < 1"),
        (
            "attributes.creation_timestamp_ms < 1",
            "creation_timestamp < 1",
        ),
    ] {
        assert_eq!(printed(parse_logged_model_filter(filter)), tree, "{filter}");
    }
}

#[test]
fn statuses_of_logged_models_are_numbers_with_names() {
    for (filter, tree) in [
        ("status = '2'", "status = 2"),
        ("status = 'READY'", "status = 2"),
        ("status != LOGGED_MODEL_PENDING", "status != 1"),
        ("status IN ('READY')", "status = 2"),
        (
            "status NOT IN ('READY', '1')",
            "status != 2 AND status != 1",
        ),
        ("experiment_id = 'READY'", "experiment_id = -1"),
    ] {
        assert_eq!(printed(parse_logged_model_filter(filter)), tree, "{filter}");
    }
    for filter in ["status LIKE '2'", "status IN ('1', '2')"] {
        assert!(printed(parse_logged_model_filter(filter)).starts_with("error: "));
    }
}

#[test]
fn not_a_number_is_kept_for_metrics_of_logged_models() {
    let clauses = parse_logged_model_filter("metrics.a != nan").unwrap();
    let [LoggedModelClause::Metric { test, .. }] = &clauses[..] else {
        panic!("one metric was expected: {clauses:?}");
    };
    let NumberTest { op, value } = test;
    assert!(*op == NumberOp::NotEqual && value.is_nan());
}

#[test]
fn logged_models_are_ordered_by_attributes_and_metrics() {
    let name = Some("d".to_owned());
    let metric = LoggedModelKey::Metric {
        key: "a.b".to_owned(),
        dataset_name: name.clone(),
        dataset_digest: None,
    };
    assert_eq!(
        parse_logged_model_order_field("metrics.a.b", false, name, Some(String::new())),
        Ok(Order {
            key: metric,
            descending: true
        })
    );
    assert_eq!(
        parse_logged_model_order_field("creation_time", true, None, None),
        Ok(Order {
            key: LoggedModelKey::Number(LoggedModelNumber::CreationTimestamp),
            descending: false
        })
    );
}

#[test]
fn errors_say_where() {
    for (filter, part) in [
        ("metrics.a > 1 AND params.b = x", "x"),
        ("tags.é = 'é' OR tags.b = 'c'", "OR"),
        ("status > 'é' AND foo.bar = 1", "foo.bar"),
        ("params.a <> 'x'", "<>"),
        ("status IS NULL", "IS NULL"),
        ("run_id IN ()", "()"),
    ] {
        let span = parse_run_filter(filter).unwrap_err().span().unwrap();
        assert_eq!(&filter[span], part, "{filter}");
    }
}

#[test]
fn every_error_is_an_invalid_parameter() {
    use runledger_entities::{Coded, ErrorCode};

    let error = parse_run_filter("OR").unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidParameterValue);
    assert_eq!(
        PageTokenError::Base64.code(),
        ErrorCode::InvalidParameterValue
    );
}

#[test]
fn filters_of_the_registry_become_trees() {
    let models =
        |filter: &str| printed(parse_registered_model_filter(filter).map(|read| read.clauses));
    for (filter, tree) in [
        ("name like 'a%'", "name LIKE 'a%'"),
        ("attribute.name not in ('a',)", "name NOT IN ('a')"),
        ("tag.'a b' = \"x\"", "tags.`a b` = 'x'"),
    ] {
        assert_eq!(models(filter), tree, "{filter}");
    }
    let versions =
        |filter: &str| printed(parse_model_version_filter(filter).map(|read| read.clauses));
    for (filter, tree) in [
        ("version_number >= ' 1_0 '", "version_number >= 10"),
        (
            "run_id in ('a', 'b') and name = 'm'",
            "run_id IN ('a', 'b') AND name = 'm'",
        ),
        ("source_path ILIKE 's3://%'", "source_path ILIKE 's3://%'"),
    ] {
        assert_eq!(versions(filter), tree, "{filter}");
    }
    let order = ["timestamp DESC".to_owned(), "name".to_owned()];
    assert_eq!(
        printed(parse_registered_model_order(&order)),
        "last_updated_timestamp DESC AND name ASC"
    );
    let order = [
        "tags.name DESC".to_owned(),
        "attribute.version_number".to_owned(),
    ];
    assert_eq!(
        printed(parse_model_version_order(&order)),
        "name DESC AND version_number ASC"
    );
    let twice = ["timestamp".to_owned(), "last_updated_timestamp".to_owned()];
    assert_eq!(
        printed(parse_registered_model_order(&twice)),
        "error: `order_by` contains duplicate fields: ['timestamp', 'last_updated_timestamp']"
    );
}

#[test]
fn the_first_clause_about_prompts_decides() {
    for (filter, prompts, clauses) in [
        ("", false, 0),
        ("tags.`mlflow.prompt.is_prompt` = 'true'", true, 1),
        ("tags.`mlflow.prompt.is_prompt` = 'TRUE'", true, 1),
        ("tags.`mlflow.prompt.is_prompt` != 'false'", true, 1),
        ("tags.`mlflow.prompt.is_prompt` != 'true'", false, 0),
        (
            "tags.`mlflow.prompt.is_prompt` = 'false' AND name = 'a'",
            false,
            1,
        ),
        ("tags.`mlflow.prompt.is_prompt` LIKE 'true'", false, 0),
        (
            "tags.`mlflow.prompt.is_prompt` = 'false' AND tags.`mlflow.prompt.is_prompt` = 'true'",
            false,
            0,
        ),
    ] {
        let models = parse_registered_model_filter(filter).unwrap();
        assert_eq!(
            (models.prompts, models.clauses.len()),
            (prompts, clauses),
            "{filter}"
        );
        let versions = parse_model_version_filter(filter).unwrap();
        assert_eq!(
            (versions.prompts, versions.clauses.len()),
            (prompts, clauses),
            "{filter}"
        );
    }
}
