//! Pages of found runs, and which runs are looked at.

use runledger_entities::{Coded as _, ErrorCode, ExperimentId, Run, ViewType};
use runledger_search::{NumberOp, Order, RunKey, RunNumber};
use runledger_store::{NewRun, Page, RunQuery, StoreError};

use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, metric, metric_key},
    setup::{dataset_input, new_run, page, whole},
};

cases![
    pages_visit_every_run_once,
    pages_keep_an_order_with_ties,
    pages_keep_the_filter,
    pages_of_a_filter_keep_an_order_of_many_equals,
    the_last_page_has_no_token,
    older_runs_created_between_pages_repeat_and_hide_nothing,
    newer_runs_created_between_pages_repeat_and_hide_nothing,
    a_token_that_is_none_is_refused,
    a_page_may_be_large,
    found_runs_are_complete,
    no_experiments_have_no_runs,
    unknown_experiments_have_no_runs,
    only_the_experiments_asked_for_are_searched,
    experiments_named_twice_are_searched_once,
    a_view_shows_active_runs_deleted_runs_or_both,
    deleted_experiments_can_be_searched,
];

fn query(experiment: ExperimentId) -> RunQuery {
    RunQuery {
        experiment_ids: vec![experiment],
        view: ViewType::ActiveOnly,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: whole(),
    }
}

fn names(runs: &[Run]) -> Vec<String> {
    runs.iter()
        .map(|run| run.info.run_name.clone().unwrap_or_default())
        .collect()
}

async fn search(w: &World, query: RunQuery) -> Result<Page<Run>, StoreError> {
    let most = query.page.max_results as usize;
    let page = w.tracking.search_runs(query).await?;
    assert!(
        page.items.len() <= most,
        "a page of {most} has {}",
        page.items.len()
    );
    Ok(page)
}

/// The names of all runs of a query, read by pages of this size.
async fn paged(w: &World, query: &RunQuery, size: u32) -> Result<Vec<String>, StoreError> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let next = search(
            w,
            RunQuery {
                page: page(size, token),
                ..query.clone()
            },
        )
        .await?;
        assert!(
            next.next_token.is_none() || !next.items.is_empty(),
            "an empty page has a token"
        );
        for name in names(&next.items) {
            assert!(
                !found.contains(&name),
                "{name} comes twice, by pages of {size}"
            );
            found.push(name);
        }
        token = next.next_token;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Runs with a start time, an equal one for every three, and a metric that has
/// few values, NaN, and is missing.
async fn several(w: &World, count: i64) -> Result<ExperimentId, StoreError> {
    let e = w.experiment("several").await?;
    for n in 0..count {
        let run = w
            .tracking
            .create_run(NewRun {
                start_time: n / 3,
                ..new_run(e, &format!("r{n:03}"))
            })
            .await?;
        let value = match n % 5 {
            0 => continue,
            1 => f64::NAN,
            2 => 1.0,
            _ => 2.0,
        };
        w.log_metrics(&run.info.run_id, "m", &[(value, 1, 0)])
            .await?;
    }
    Ok(e)
}

async fn pages_visit_every_run_once(w: &World) -> Outcome {
    let e = several(w, 17).await?;
    let all = names(&search(w, query(e)).await?.items);
    assert_eq!(all.len(), 17);
    for size in [1, 2, 5, 16, 17, 18] {
        assert_eq!(paged(w, &query(e), size).await?, all, "pages of {size}");
    }
    Ok(())
}

async fn pages_keep_an_order_with_ties(w: &World) -> Outcome {
    let e = several(w, 17).await?;
    let orders: [&[Order<RunKey>]; 3] = [
        &[ascending(metric_key("m"))],
        &[descending(metric_key("m"))],
        &[ascending(RunKey::Number(RunNumber::StartTime))],
    ];
    for order_by in orders {
        let query = RunQuery {
            order_by: order_by.to_vec(),
            ..query(e)
        };
        let all = names(&search(w, query.clone()).await?.items);
        for size in [1, 2, 5] {
            let found = paged(w, &query, size).await?;
            assert_eq!(found, all, "pages of {size} by {order_by:?}");
        }
    }
    Ok(())
}

async fn pages_keep_the_filter(w: &World) -> Outcome {
    let e = several(w, 17).await?;
    let query = RunQuery {
        filter: vec![metric("m", NumberOp::GreaterOrEqual, 2.0)],
        ..query(e)
    };
    let found = paged(w, &query, 2).await?;
    assert_eq!(found.len(), 6, "{found:?}");
    Ok(())
}

/// More equals than a store that walks along an order may look at for one page:
/// the newest of them comes first all the same.
async fn pages_of_a_filter_keep_an_order_of_many_equals(w: &World) -> Outcome {
    let e = w.experiment("equals").await?;
    for n in 0..40 {
        let new = NewRun {
            start_time: n,
            ..new_run(e, &format!("r{n:03}"))
        };
        let run = w.tracking.create_run(new).await?.info.run_id;
        let odd = if n % 2 == 1 { 1.0 } else { 0.0 };
        for (key, value) in [("m", 1.0), ("odd", odd)] {
            w.log_metrics(&run, key, &[(value, 1, 0)]).await?;
        }
    }
    for order_by in [ascending(metric_key("m")), descending(metric_key("m"))] {
        let query = RunQuery {
            filter: vec![metric("odd", NumberOp::Equal, 1.0)],
            order_by: vec![order_by],
            ..query(e)
        };
        let newest: Vec<String> = (0..20)
            .rev()
            .map(|n| format!("r{:03}", 2 * n + 1))
            .collect();
        for size in [1, 3, 20] {
            assert_eq!(paged(w, &query, size).await?, newest, "pages of {size}");
        }
    }
    Ok(())
}

async fn the_last_page_has_no_token(w: &World) -> Outcome {
    let e = several(w, 4).await?;
    let first = search(
        w,
        RunQuery {
            page: page(2, None),
            ..query(e)
        },
    )
    .await?;
    assert!(first.next_token.is_some());
    let last = search(
        w,
        RunQuery {
            page: page(2, first.next_token),
            ..query(e)
        },
    )
    .await?;
    assert_eq!((last.items.len(), last.next_token), (2, None));
    Ok(())
}

async fn older_runs_created_between_pages_repeat_and_hide_nothing(w: &World) -> Outcome {
    assert_pages_with_new_runs(w, -1).await
}

async fn newer_runs_created_between_pages_repeat_and_hide_nothing(w: &World) -> Outcome {
    assert_pages_with_new_runs(w, i64::from(u32::MAX)).await
}

/// Creates a run that starts at `start_time` after each page.
async fn assert_pages_with_new_runs(w: &World, start_time: i64) -> Outcome {
    let e = several(w, 12).await?;
    let all = names(&search(w, query(e)).await?.items);
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..30 {
        let next = search(
            w,
            RunQuery {
                page: page(3, token),
                ..query(e)
            },
        )
        .await?;
        found.extend(names(&next.items));
        w.tracking
            .create_run(NewRun {
                start_time,
                ..new_run(e, "new")
            })
            .await?;
        token = next.next_token;
        if token.is_none() {
            break;
        }
    }
    found.retain(|name| name != "new");
    assert_eq!(found, all);
    Ok(())
}

async fn a_token_that_is_none_is_refused(w: &World) -> Outcome {
    let e = several(w, 3).await?;
    for token in ["nonsense", "é", "e30="] {
        let refused = search(
            w,
            RunQuery {
                page: page(1, Some(token.to_owned())),
                ..query(e)
            },
        )
        .await;
        let code = refused.err().map(|error| error.code());
        assert_eq!(
            code,
            Some(ErrorCode::InvalidParameterValue),
            "token {token:?}"
        );
    }
    Ok(())
}

async fn a_page_may_be_large(w: &World) -> Outcome {
    let e = w.experiment("large").await?;
    for n in 0..1500 {
        w.run(e, &n.to_string()).await?;
    }
    let found = search(w, query(e)).await?;
    assert_eq!((found.items.len(), found.next_token), (1500, None));
    Ok(())
}

async fn found_runs_are_complete(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut runs = Vec::new();
    for name in ["a", "b"] {
        let run = w.run(e, name).await?;
        w.log_metrics(&run, "m", &[(1.0, 1, 1), (2.0, 2, 2)])
            .await?;
        w.log_metrics(&run, name, &[(1.0, 1, 1)]).await?;
        w.log_params(&run, &[("p", name), (name, "1")]).await?;
        w.set_tags(&run, &[("t", name), (name, "1")]).await?;
        let input = vec![dataset_input("d", name, "train")];
        let model = runledger_entities::ModelInput {
            model_id: w.model(e, name).await?,
        };
        w.tracking.log_inputs(&run, input, vec![model]).await?;
        runs.push(w.get(&run).await?);
    }
    let by_name = vec![ascending(RunKey::Tag("t".to_owned()))];
    let found = search(
        w,
        RunQuery {
            order_by: by_name,
            ..query(e)
        },
    )
    .await?;
    assert_eq!(found.items, runs);
    Ok(())
}

async fn no_experiments_have_no_runs(w: &World) -> Outcome {
    let e = several(w, 1).await?;
    let found = search(
        w,
        RunQuery {
            experiment_ids: Vec::new(),
            ..query(e)
        },
    )
    .await?;
    assert_eq!(found, Page::empty());
    Ok(())
}

async fn unknown_experiments_have_no_runs(w: &World) -> Outcome {
    assert_eq!(
        search(w, query(ExperimentId(987_654))).await?,
        Page::empty()
    );
    Ok(())
}

async fn only_the_experiments_asked_for_are_searched(w: &World) -> Outcome {
    let mut experiments = Vec::new();
    for name in ["a", "b", "c"] {
        let e = w.experiment(name).await?;
        w.run(e, name).await?;
        experiments.push(e);
    }
    let query = RunQuery {
        experiment_ids: vec![experiments[2], ExperimentId(987_654), experiments[0]],
        ..query(experiments[0])
    };
    let mut found = names(&search(w, query).await?.items);
    found.sort();
    assert_eq!(found, ["a", "c"]);
    Ok(())
}

async fn experiments_named_twice_are_searched_once(w: &World) -> Outcome {
    let e = several(w, 2).await?;
    let query = RunQuery {
        experiment_ids: vec![e, e],
        ..query(e)
    };
    assert_eq!(search(w, query).await?.items.len(), 2);
    Ok(())
}

async fn a_view_shows_active_runs_deleted_runs_or_both(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    w.run(e, "active").await?;
    let deleted = w.run(e, "deleted").await?;
    w.tracking.delete_run(&deleted).await?;
    for (view, expected) in [
        (ViewType::ActiveOnly, &["active"][..]),
        (ViewType::DeletedOnly, &["deleted"]),
        (ViewType::All, &["active", "deleted"]),
    ] {
        let mut found = names(&search(w, RunQuery { view, ..query(e) }).await?.items);
        found.sort();
        assert_eq!(found, expected, "{view:?}");
    }
    Ok(())
}

async fn deleted_experiments_can_be_searched(w: &World) -> Outcome {
    let e = several(w, 2).await?;
    w.tracking.delete_experiment(e).await?;
    assert_eq!(search(w, query(e)).await?, Page::empty());
    let all = RunQuery {
        view: ViewType::All,
        ..query(e)
    };
    assert_eq!(search(w, all).await?.items.len(), 2);
    Ok(())
}
