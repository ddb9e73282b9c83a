//! Nothing that a client sends takes too long, or too deep a stack.

use runledger_search::{
    MAX_CLAUSES, MAX_LENGTH, MAX_PAGE_TOKEN, PageToken, PageTokenError, SearchError,
    parse_experiment_filter, parse_logged_model_filter, parse_run_filter, parse_run_order,
};

#[test]
fn long_texts_are_refused() {
    let long = "x".repeat(MAX_LENGTH + 1);
    let length = long.len();
    assert_eq!(
        parse_run_filter(&long),
        Err(SearchError::TooLong { length })
    );
    assert_eq!(
        parse_run_order(std::slice::from_ref(&long)),
        Err(SearchError::TooLong { length })
    );
    assert_eq!(
        PageToken::decode(&"x".repeat(MAX_PAGE_TOKEN + 1)),
        Err(PageTokenError::TooLong {
            length: MAX_PAGE_TOKEN + 1
        })
    );
}

#[test]
fn many_clauses_are_refused() {
    let clauses = |count: usize| vec!["tags.a='x'"; count].join(" AND ");
    assert_eq!(
        parse_run_filter(&clauses(MAX_CLAUSES)).map(|filter| filter.len()),
        Ok(MAX_CLAUSES)
    );
    assert_eq!(
        parse_experiment_filter(&clauses(MAX_CLAUSES + 1)),
        Err(SearchError::TooManyClauses {
            count: MAX_CLAUSES + 1
        })
    );
}

/// Openings without ends, chains and nests, each as long as is read at all. All
/// of them take well under a second in linear time, many minutes in quadratic
/// time, and more than the stack there is where one is read by recursion.
#[test]
fn texts_made_to_be_slow_or_deep_are_read() {
    for unit in [
        "/*", "'", "''", "\\'", "'\\'", "\"", "`", "´", "[", "(", "a=", "a.", "a::", "a-", "a,",
        "a ", "- ", "-- ", "1", "1.", "a(", "[a", "x IN(", "''\\", "é",
    ] {
        let text = unit.repeat(MAX_LENGTH / unit.len());
        assert!(parse_run_filter(&text).is_err(), "{unit}");
        assert!(parse_logged_model_filter(&text).is_err(), "{unit}");
        let _ = parse_run_order(&[text]);
    }
}

#[test]
fn deep_nests_are_refused() {
    let nest = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        parse_run_filter(&format!("run_id IN {open}'a'{close}"))
    };
    assert!(nest(50).is_ok());
    assert!(matches!(nest(1000), Err(SearchError::TooDeep { .. })));
    let tuples = format!("run_id IN {}'a'{}", "(".repeat(99), ",)".repeat(99));
    assert!(parse_run_filter(&tuples).is_err());
}
