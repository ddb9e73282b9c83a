//! Searches: every field, every operator, order and pages.

use std::collections::HashSet;

use runledger_entities::{AssessmentValue, ExperimentId, RunId, TraceState, trace_keys};
use runledger_search::{eval, parse_trace_filter, parse_trace_order};
use runledger_store::TraceQuery;

use super::setup::{BEGIN, HERE, feedback, id, map, short, span, told};
use super::span_text::written;
use crate::{
    World,
    case::{Outcome, cases},
    setup::page,
};

cases![
    filters_find_what_the_evaluation_in_memory_finds,
    orders_are_those_of_the_evaluation_in_memory,
    clauses_about_spans_are_about_one_span,
    the_text_of_spans_is_searched,
    traces_of_a_run_began_in_it_or_are_linked_to_it,
    prompts_and_issues_find_their_traces,
    assessments_find_their_traces,
    an_assessment_of_a_session_counts_for_all_of_it,
    a_search_without_experiments_finds_nothing,
    many_experiments_can_be_searched,
    pages_visit_every_trace_once,
    pages_go_on_where_they_were_whatever_comes_meanwhile,
    filters_are_counted,
    two_filters_may_be_about_two_spans,
];

/// Traces that differ in everything that can be searched.
async fn population(w: &World) -> Outcome {
    for n in 0..12_i64 {
        let mut info = told(&format!("tr-{n:02}"));
        info.request_time = BEGIN + n / 3;
        info.execution_duration = (n % 4 != 0).then_some(n * 10);
        info.state = [TraceState::Ok, TraceState::Error, TraceState::InProgress]
            [usize::try_from(n % 3).unwrap_or_default()];
        if n % 2 == 0 {
            info.client_request_id = Some(format!("C{}", n % 5));
            info.tags = map(&[(
                "k",
                ["a", "A", "b%", "it's"][usize::try_from(n / 2 % 4).unwrap_or_default()],
            )]);
        }
        if n % 3 == 0 {
            info.tags
                .insert(trace_keys::NAME.to_owned(), format!("name{}", n % 2));
            info.metadata = map(&[("m", "v"), (trace_keys::SESSION, "s")]);
        }
        if n == 5 {
            info.metadata = map(&[
                (trace_keys::TOKEN_USAGE, r#"{"input_tokens": 3}"#),
                (trace_keys::COST, r#"{"total_cost": 0.25}"#),
            ]);
        }
        w.tell(info).await?;
    }
    Ok(())
}

async fn filters_find_what_the_evaluation_in_memory_finds(w: &World) -> Outcome {
    population(w).await?;
    let all = (0..12).map(|n| id(&format!("tr-{n:02}"))).collect();
    let all = w.traces()?.get_trace_infos(all, None).await?;
    let filters = [
        "timestamp_ms > 1700000000001",
        "timestamp_ms >= 1700000000001 and timestamp_ms != 1700000000002",
        "execution_time < 50",
        "end_time = 1700000000030",
        "status = 'OK'",
        "status != 'OK'",
        "status IN ('OK', 'ERROR')",
        "status NOT IN ('OK')",
        "status LIKE 'IN%'",
        "status RLIKE '^(OK|ERR)'",
        &format!(
            "request_id IN ('{}', '{}', 'nope')",
            id("tr-03"),
            id("tr-07")
        ),
        "request_id ILIKE 'TR-%F0_'",
        "client_request_id = 'C0'",
        "client_request_id != 'C0'",
        "client_request_id LIKE 'c%'",
        "name = 'name1'",
        "name IS NULL",
        "name RLIKE '1$'",
        "tags.k = 'a'",
        "tags.k != 'a'",
        "tags.k ILIKE 'A'",
        "tags.k = 'b%'",
        "tags.k = \"it's\"",
        "tags.k IS NULL",
        "tags.k IS NOT NULL and status = 'OK'",
        "tags.k RLIKE '^[ab]'",
        "tags.nope IS NULL",
        "metadata.m = 'v'",
        "metadata.m IS NULL",
        "metadata.`mlflow.trace.session` = 's'",
        "metadata.`mlflow.trace.session` IS NOT NULL",
        "metadata.`mlflow.trace.tokenUsage` IS NOT NULL",
        "metadata.`mlflow.trace.tokenUsage` = '{\"input_tokens\": 3}'",
        "metadata.`mlflow.trace.tokenUsage` = '{\"input_tokens\":3}'",
        "metadata.`mlflow.trace.tokenUsage` != '{\"input_tokens\": 4}'",
        "metadata.`mlflow.trace.cost` = '{\"total_cost\": 0.25}'",
        "metadata.`mlflow.trace.cost` IS NULL",
    ];
    for filter in filters {
        let clauses = parse_trace_filter(filter).expect(filter);
        let expected: HashSet<String> = all
            .iter()
            .filter(|info| eval::trace_matches(info, &clauses))
            .map(|info| short(&info.trace_id))
            .collect();
        let found: HashSet<String> = w.traces_found(filter).await?.into_iter().collect();
        assert_eq!(found, expected, "{filter}");
    }
    Ok(())
}

async fn orders_are_those_of_the_evaluation_in_memory(w: &World) -> Outcome {
    population(w).await?;
    let all = (0..12).map(|n| id(&format!("tr-{n:02}"))).collect();
    let mut all = w.traces()?.get_trace_infos(all, None).await?;
    let orders: [&[&str]; 9] = [
        &[],
        &["timestamp_ms"],
        &["timestamp_ms DESC"],
        &["execution_time DESC"],
        &["status", "execution_time"],
        &["request_id DESC"],
        &["name DESC"],
        &["metadata.m", "request_id DESC"],
        &["end_time", "experiment_id"],
    ];
    for order_by in orders {
        let texts: Vec<String> = order_by.iter().map(ToString::to_string).collect();
        let order = parse_trace_order(&texts).expect("an order");
        all.sort_by(|a, b| eval::compare_traces(a, b, &order));
        let expected: Vec<_> = all.iter().map(|info| short(&info.trace_id)).collect();
        assert_eq!(
            w.traces_ordered("", order_by).await?,
            expected,
            "{order_by:?}"
        );
    }
    Ok(())
}

async fn clauses_about_spans_are_about_one_span(w: &World) -> Outcome {
    let mut tool = span("tr-1", "b", Some("a"), 0);
    tool.span_type = Some("TOOL".to_owned());
    let tool = written(tool, &[]);
    w.log_spans(vec![span("tr-1", "a", None, 0), tool]).await?;
    for (filter, found) in [
        ("span.name = 'a!' and span.type = 'LLM'", true),
        ("span.name = 'a!' and span.type = 'TOOL'", false),
        ("span.name IN ('b!', 'c!') and timestamp > 5", true),
        ("span.status != 'OK'", false),
        ("span.name RLIKE '^b' and status = 'OK'", true),
        ("span.name LIKE 'B%'", false),
    ] {
        let traces = w.traces_found(filter).await?;
        assert_eq!(!traces.is_empty(), found, "{filter}");
    }
    Ok(())
}

async fn the_text_of_spans_is_searched(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "a", None, 0)]).await?;
    for (filter, found) in [
        ("trace.text LIKE '%name%'", true),
        ("span.content ILIKE '%NAME%'", true),
        ("span.content LIKE '%NAME%'", false),
        ("span.attributes.k LIKE '%a%'", true),
        ("span.attributes.k LIKE '%z%'", false),
        ("span.attributes.k RLIKE '^a$'", true),
        ("span.attributes.k RLIKE '^b'", false),
    ] {
        let traces = w.traces_found(filter).await?;
        assert_eq!(!traces.is_empty(), found, "{filter}");
    }
    Ok(())
}

async fn traces_of_a_run_began_in_it_or_are_linked_to_it(w: &World) -> Outcome {
    let mut began = told("tr-1");
    began.metadata = map(&[(trace_keys::SOURCE_RUN, "r")]);
    w.tell(began).await?;
    w.tell(told("tr-2")).await?;
    w.tell(told("tr-3")).await?;
    for _ in 0..2 {
        let ids = ["tr-2", "tr-2", "nope"].map(id).to_vec();
        w.traces()?
            .link_traces_to_run(ids, &RunId::new("r"))
            .await?;
    }
    assert_eq!(w.traces_found("run_id = 'r'").await?, ["tr-1", "tr-2"]);
    assert_eq!(w.traces_found("run_id = 'other'").await?, [] as [&str; 0]);
    assert_eq!(w.traces_found("run_id != 'other'").await?, ["tr-1"]);
    Ok(())
}

async fn prompts_and_issues_find_their_traces(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    w.tell(told("tr-2")).await?;
    let traces = w.traces()?;
    for _ in 0..2 {
        let prompts = vec!["p/1".to_owned(), "q/2".to_owned()];
        traces.link_prompts_to_trace(&id("tr-1"), prompts).await?;
    }
    let nope = id("nope");
    let unknown = traces.link_prompts_to_trace(&nope, vec!["p/1".to_owned()]);
    super::setup::assert_no_trace(unknown.await, "nope");
    let mut issue = feedback("tr-2", "iss-1", "");
    issue.value = AssessmentValue::Issue {
        issue_name: "bad".to_owned(),
    };
    traces.create_assessment(issue).await?;
    assert_eq!(w.traces_found("prompt = 'p/1'").await?, ["tr-1"]);
    assert_eq!(w.traces_found("prompt = 'p/2'").await?, [] as [&str; 0]);
    assert_eq!(w.traces_found("issue.id = 'iss-1'").await?, ["tr-2"]);
    Ok(())
}

async fn assessments_find_their_traces(w: &World) -> Outcome {
    for (name, json) in [
        ("tr-1", "5.0"),
        ("tr-2", "\"yes\""),
        ("tr-3", "true"),
        ("tr-4", ""),
    ] {
        w.tell(told(name)).await?;
        if !json.is_empty() {
            let mut given = feedback(name, "q", json);
            given.assessment_id = runledger_entities::AssessmentId::random();
            w.traces()?.create_assessment(given).await?;
        }
    }
    for (filter, found) in [
        ("feedback.q = 'yes'", &["tr-2"][..]),
        ("feedback.q = 'true'", &["tr-3"]),
        ("feedback.q = '5.0'", &["tr-1"]),
        ("feedback.q != 'yes'", &["tr-1", "tr-3"]),
        ("feedback.q > 4", &["tr-1"]),
        ("feedback.q <= 4", &[]),
        ("feedback.q LIKE '%e%'", &["tr-2", "tr-3"]),
        ("feedback.q RLIKE '^.y'", &["tr-2"]),
        ("feedback.q IS NOT NULL", &["tr-1", "tr-2", "tr-3"]),
        ("feedback.q IS NULL", &["tr-4"]),
        ("expectation.q IS NOT NULL", &[]),
    ] {
        assert_eq!(w.traces_found(filter).await?, found, "{filter}");
    }
    Ok(())
}

async fn an_assessment_of_a_session_counts_for_all_of_it(w: &World) -> Outcome {
    for (name, session) in [("tr-1", "s"), ("tr-2", "s"), ("tr-3", "t")] {
        let mut info = told(name);
        info.metadata = map(&[(trace_keys::SESSION, session)]);
        w.tell(info).await?;
    }
    let mut given = feedback("tr-1", "q", "\"yes\"");
    given.metadata = map(&[(trace_keys::SESSION, "s")]);
    w.traces()?.create_assessment(given).await?;
    assert_eq!(
        w.traces_found("feedback.q = 'yes'").await?,
        ["tr-1", "tr-2"]
    );
    assert_eq!(w.traces_found("feedback.q IS NULL").await?, ["tr-3"]);
    Ok(())
}

async fn a_search_without_experiments_finds_nothing(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let query = TraceQuery {
        experiment_ids: Vec::new(),
        filter: Vec::new(),
        order_by: Vec::new(),
        page: page(10, None),
    };
    assert_eq!(w.traces()?.search_traces(query).await?.items, []);
    Ok(())
}

async fn pages_visit_every_trace_once(w: &World) -> Outcome {
    population(w).await?;
    for order_by in [&[][..], &["timestamp_ms"], &["status DESC"], &["tags.k"]] {
        let texts: Vec<String> = order_by.iter().map(ToString::to_string).collect();
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let query = TraceQuery {
                experiment_ids: vec![HERE],
                filter: Vec::new(),
                order_by: parse_trace_order(&texts).expect("an order"),
                page: page(5, token),
            };
            let page = w.traces()?.search_traces(query).await?;
            found.extend(page.items.iter().map(|info| short(&info.trace_id)));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found, w.traces_ordered("", order_by).await?, "{order_by:?}");
    }
    Ok(())
}

async fn pages_go_on_where_they_were_whatever_comes_meanwhile(w: &World) -> Outcome {
    population(w).await?;
    let query = |token| TraceQuery {
        experiment_ids: vec![HERE],
        filter: Vec::new(),
        order_by: Vec::new(),
        page: page(6, token),
    };
    let all = w.traces_found("").await?;
    let first = w.traces()?.search_traces(query(None)).await?;
    let mut newer = told("tr-new");
    newer.request_time = BEGIN + 100;
    w.tell(newer).await?;
    let second = w.traces()?.search_traces(query(first.next_token)).await?;
    let ids: Vec<_> = second
        .items
        .iter()
        .map(|info| short(&info.trace_id))
        .collect();
    assert_eq!(ids, all[6..]);
    Ok(())
}

async fn filters_are_counted(w: &World) -> Outcome {
    population(w).await?;
    let filters = [
        "",
        "status = 'OK'",
        "status = 'OK' and tags.k IS NOT NULL",
        "name = 'x'",
    ];
    let lists = filters.map(|filter| vec![parse_trace_filter(filter).expect(filter)]);
    let counts = w.traces()?.count_traces(vec![HERE], lists.to_vec()).await?;
    assert_eq!(counts, [12, 4, 2, 0]);
    Ok(())
}

async fn two_filters_may_be_about_two_spans(w: &World) -> Outcome {
    let trace = "tr-1";
    let mut root = span(trace, "1", None, 0);
    "A".clone_into(&mut root.name);
    let mut child = span(trace, "2", Some("1"), 0);
    "B".clone_into(&mut child.name);
    w.log_spans(vec![written(root, &[]), written(child, &[])])
        .await?;
    let [a, b] = ["span.name = 'A'", "span.name = 'B'"]
        .map(|filter| parse_trace_filter(filter).expect(filter));
    let one_span = a.iter().chain(&b).cloned().collect();
    let lists = vec![vec![a, b], vec![one_span]];
    let counts = w.traces()?.count_traces(vec![HERE], lists).await?;
    assert_eq!(counts, [1, 0]);
    Ok(())
}

/// More than a statement of some databases can bind, as a clause about assessments names them
/// once more.
async fn many_experiments_can_be_searched(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    w.tell(told("tr-2")).await?;
    w.traces()?
        .create_assessment(feedback("tr-2", "quality", "\"good\""))
        .await?;
    let beyond = (1_000_000..1_040_000).map(ExperimentId);
    let query = TraceQuery {
        experiment_ids: std::iter::once(HERE).chain(beyond).collect(),
        filter: parse_trace_filter("feedback.quality = 'good'").expect("a filter"),
        order_by: Vec::new(),
        page: page(10, None),
    };
    let found = w.traces()?.search_traces(query).await?;
    let ids: Vec<_> = found
        .items
        .iter()
        .map(|info| short(&info.trace_id))
        .collect();
    assert_eq!(ids, ["tr-2"]);
    Ok(())
}
