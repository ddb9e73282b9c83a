//! The search of logged models.

use runledger_entities::{Coded as _, ErrorCode, ExperimentId, LoggedModelStatus};
use runledger_search::{
    LoggedModelClause, LoggedModelKey, LoggedModelNumber, LoggedModelText,
    NumberOp::{self, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual},
    Order,
    TextOp::{ILike, Like},
};
use runledger_store::{
    DatasetFilter, LoggedModelPatch, LoggedModelQuery, NewLoggedModel, StoreError,
};

use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, equal, none_of, number, one_of, text, unequal},
    setup::{new_model, next_millisecond, page, params, tags, whole},
};

cases![
    a_search_lists_the_newest_first,
    a_search_keeps_to_its_experiments,
    metrics_compare_as_numbers,
    one_point_of_many_is_enough,
    a_missing_metric_passes_no_test,
    params_and_tags_compare_as_text,
    columns_compare_as_text,
    columns_compare_as_numbers,
    all_clauses_must_hold,
    a_dataset_restricts_metric_clauses,
    a_dataset_alone_finds_the_models_measured_on_it,
    datasets_may_be_named_without_a_digest,
    one_dataset_of_many_is_enough,
    models_order_by_metrics,
    models_order_by_the_latest_value_of_a_metric,
    models_order_by_metrics_on_a_dataset,
    models_order_by_columns,
    missing_columns_come_last_in_both_directions,
    pages_visit_every_model_once,
];

async fn a_search_lists_the_newest_first(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for name in ["first", "second", "third"] {
        next_millisecond().await;
        w.model(e, name).await?;
    }
    assert_eq!(ordered(w, e, &[]).await?, ["third", "second", "first"]);
    Ok(())
}

async fn a_search_keeps_to_its_experiments(w: &World) -> Outcome {
    let mut experiments = Vec::new();
    for name in ["a", "b", "c"] {
        let e = w.experiment(name).await?;
        w.model(e, name).await?;
        experiments.push(e);
    }
    let mut found = names(
        w,
        LoggedModelQuery {
            experiment_ids: vec![experiments[2], experiments[0], ExperimentId(987_654)],
            ..query(experiments[0])
        },
    )
    .await?;
    found.sort();
    assert_eq!(found, ["a", "c"]);
    let nowhere = LoggedModelQuery {
        experiment_ids: Vec::new(),
        ..query(experiments[0])
    };
    assert!(names(w, nowhere).await?.is_empty());
    Ok(())
}

/// Models `a` (1 on d1, then 4), `b` (2 on d2) and `c` (no metric), made in this order.
async fn measured(w: &World) -> Result<ExperimentId, StoreError> {
    let e = w.experiment("measured").await?;
    let run = w.run(e, "r").await?;
    let mut models = Vec::new();
    for name in ["a", "b", "c"] {
        models.push(w.model(e, name).await?);
        next_millisecond().await;
    }
    w.measure(&run, &models[0], (1.0, 1, 0), Some(("d1", "x")))
        .await?;
    w.measure(&run, &models[0], (4.0, 2, 0), None).await?;
    w.measure(&run, &models[1], (2.0, 1, 0), Some(("d2", "y")))
        .await?;
    Ok(e)
}

async fn metrics_compare_as_numbers(w: &World) -> Outcome {
    let e = measured(w).await?;
    for (op, names) in [
        (Less, &["a"][..]),
        (LessOrEqual, &["a", "b"]),
        (Greater, &["a"]),
        (GreaterOrEqual, &["a", "b"]),
        (Equal, &["b"]),
        (NotEqual, &["a"]),
    ] {
        assert_eq!(found(w, e, &[metric(op, 2.0)]).await?, names, "{op:?}");
    }
    Ok(())
}

async fn one_point_of_many_is_enough(w: &World) -> Outcome {
    let e = measured(w).await?;
    let filter = [metric(Equal, 1.0), metric(Equal, 4.0)];
    assert_eq!(found(w, e, &filter).await?, ["a"]);
    Ok(())
}

async fn a_missing_metric_passes_no_test(w: &World) -> Outcome {
    let e = measured(w).await?;
    for op in crate::clauses::NUMBER_OPS {
        let clause = LoggedModelClause::Metric {
            key: "other".to_owned(),
            test: number(op, 0.0),
        };
        assert!(found(w, e, &[clause]).await?.is_empty(), "{op:?}");
    }
    Ok(())
}

async fn params_and_tags_compare_as_text(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for (name, value) in [("a", "Red"), ("b", "red"), ("c", "blue")] {
        w.models
            .create_logged_model(NewLoggedModel {
                params: params(&[("k", value)]),
                tags: tags(&[("k", value)]),
                ..new_model(e, name)
            })
            .await?;
    }
    w.model(e, "none").await?;
    for (test, names) in [
        (equal("red"), &["b"][..]),
        (unequal("red"), &["a", "c"]),
        (text(Like, "%e%"), &["a", "b", "c"]),
        (text(Like, "R%"), &["a"]),
        (text(ILike, "R_D"), &["a", "b"]),
        (one_of(&["red", "blue"]), &["b", "c"]),
        (none_of(&["red", "blue"]), &["a"]),
    ] {
        let key = "k".to_owned();
        let of_param = LoggedModelClause::Param {
            key: key.clone(),
            test: test.clone(),
        };
        assert_eq!(found(w, e, &[of_param]).await?, names, "param {test:?}");
        let of_tag = LoggedModelClause::Tag {
            key,
            test: test.clone(),
        };
        assert_eq!(found(w, e, &[of_tag]).await?, names, "tag {test:?}");
    }
    Ok(())
}

async fn columns_compare_as_text(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let model = w
        .models
        .create_logged_model(NewLoggedModel {
            model_type: Some("Agent".to_owned()),
            source_run_id: Some(run.clone()),
            ..new_model(e, "a")
        })
        .await?;
    let other = w
        .models
        .create_logged_model(NewLoggedModel {
            model_type: Some("Tree".to_owned()),
            ..new_model(e, "B")
        })
        .await?;
    let like_other = text(Like, &format!("%{}%", other.model_id));
    for (attribute, test, names) in [
        (LoggedModelText::Name, equal("a"), &["a"][..]),
        (LoggedModelText::Name, unequal("a"), &["B"]),
        (LoggedModelText::Name, text(ILike, "b"), &["B"]),
        (LoggedModelText::Name, one_of(&["a", "b"]), &["a"]),
        (LoggedModelText::Name, none_of(&["a"]), &["B"]),
        (LoggedModelText::ModelType, equal("Agent"), &["a"]),
        (LoggedModelText::ModelType, unequal("Agent"), &["B"]),
        (LoggedModelText::SourceRunId, equal(run.as_str()), &["a"]),
        (
            LoggedModelText::ModelId,
            equal(model.model_id.as_str()),
            &["a"],
        ),
        (LoggedModelText::ArtifactLocation, like_other, &["B"]),
        (
            LoggedModelText::LifecycleStage,
            equal("active"),
            &["B", "a"],
        ),
    ] {
        let clause = LoggedModelClause::Text {
            attribute,
            test: test.clone(),
        };
        assert_eq!(
            found(w, e, &[clause]).await?,
            names,
            "{attribute:?} {test:?}"
        );
    }
    Ok(())
}

async fn columns_compare_as_numbers(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let old = w.model(e, "old").await?;
    next_millisecond().await;
    let new = w.model(e, "new").await?;
    let time = w.get_model(&new).await?.creation_timestamp;
    next_millisecond().await;
    let status = LoggedModelStatus::Ready;
    w.models
        .update_logged_model(&old, LoggedModelPatch { status })
        .await?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "times are far below 2^53, and stores round the ids of folders as this does"
    )]
    let (time, id) = (time as f64, e.0 as f64);
    for (attribute, op, value, names) in [
        (
            LoggedModelNumber::CreationTimestamp,
            Less,
            time,
            &["old"][..],
        ),
        (
            LoggedModelNumber::CreationTimestamp,
            GreaterOrEqual,
            time,
            &["new"],
        ),
        (
            LoggedModelNumber::LastUpdatedTimestamp,
            Greater,
            time,
            &["old"],
        ),
        (LoggedModelNumber::Status, Equal, 2.0, &["old"]),
        (LoggedModelNumber::Status, NotEqual, 2.0, &["new"]),
        (LoggedModelNumber::ExperimentId, Equal, id, &["new", "old"]),
    ] {
        let clause = LoggedModelClause::Number {
            attribute,
            test: number(op, value),
        };
        assert_eq!(found(w, e, &[clause]).await?, names, "{attribute:?} {op:?}");
    }
    Ok(())
}

async fn all_clauses_must_hold(w: &World) -> Outcome {
    let e = measured(w).await?;
    let filter = [
        metric(Greater, 1.0),
        LoggedModelClause::Text {
            attribute: LoggedModelText::Name,
            test: unequal("a"),
        },
    ];
    assert_eq!(found(w, e, &filter).await?, ["b"]);
    Ok(())
}

async fn a_dataset_restricts_metric_clauses(w: &World) -> Outcome {
    let e = measured(w).await?;
    let on_d1 = |op, value| LoggedModelQuery {
        filter: vec![metric(op, value)],
        datasets: vec![dataset("d1", Some("x"))],
        ..query(e)
    };
    assert_eq!(names(w, on_d1(Less, 2.0)).await?, ["a"]);
    assert!(names(w, on_d1(Greater, 2.0)).await?.is_empty());
    Ok(())
}

async fn a_dataset_alone_finds_the_models_measured_on_it(w: &World) -> Outcome {
    let e = measured(w).await?;
    for (name, digest, names_found) in [
        ("d1", "x", &["a"][..]),
        ("d2", "y", &["b"]),
        ("d1", "y", &[]),
        ("d3", "x", &[]),
    ] {
        let query = LoggedModelQuery {
            datasets: vec![dataset(name, Some(digest))],
            ..query(e)
        };
        assert_eq!(names(w, query).await?, names_found, "{name} {digest}");
    }
    Ok(())
}

async fn datasets_may_be_named_without_a_digest(w: &World) -> Outcome {
    let e = measured(w).await?;
    let query = LoggedModelQuery {
        datasets: vec![dataset("d1", None)],
        ..query(e)
    };
    assert_eq!(names(w, query).await?, ["a"]);
    Ok(())
}

async fn one_dataset_of_many_is_enough(w: &World) -> Outcome {
    let e = measured(w).await?;
    let query = LoggedModelQuery {
        datasets: vec![dataset("d1", Some("x")), dataset("d2", Some("y"))],
        ..query(e)
    };
    assert_eq!(names(w, query).await?, ["b", "a"]);
    Ok(())
}

async fn models_order_by_metrics(w: &World) -> Outcome {
    let e = measured(w).await?;
    let key = || metric_key(None, None);
    assert_eq!(ordered(w, e, &[ascending(key())]).await?, ["b", "a", "c"]);
    assert_eq!(ordered(w, e, &[descending(key())]).await?, ["a", "b", "c"]);
    Ok(())
}

/// The latest by timestamp, then step (MLflow 3.17).
async fn models_order_by_the_latest_value_of_a_metric(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let (a, b) = (w.model(e, "a").await?, w.model(e, "b").await?);
    for point in [(5.0, 1, 9), (1.0, 2, 0), (0.0, 2, -1)] {
        w.measure(&run, &a, point, None).await?;
    }
    w.measure(&run, &b, (3.0, 1, 1), None).await?;
    let order = [ascending(metric_key(None, None))];
    assert_eq!(ordered(w, e, &order).await?, ["a", "b"]);
    Ok(())
}

async fn models_order_by_metrics_on_a_dataset(w: &World) -> Outcome {
    let e = measured(w).await?;
    for (digest, names) in [(None, ["a", "c", "b"]), (Some("x"), ["a", "c", "b"])] {
        let key = || metric_key(Some("d1"), digest);
        assert_eq!(
            ordered(w, e, &[ascending(key())]).await?,
            names,
            "{digest:?}"
        );
        assert_eq!(
            ordered(w, e, &[descending(key())]).await?,
            names,
            "{digest:?}"
        );
    }
    let other_digest = [ascending(metric_key(Some("d1"), Some("other")))];
    assert_eq!(ordered(w, e, &other_digest).await?, ["c", "b", "a"]);
    Ok(())
}

async fn models_order_by_columns(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for name in ["b", "B", "a"] {
        w.model(e, name).await?;
        next_millisecond().await;
    }
    let name = || LoggedModelKey::Text(LoggedModelText::Name);
    assert_eq!(ordered(w, e, &[ascending(name())]).await?, ["B", "a", "b"]);
    assert_eq!(ordered(w, e, &[descending(name())]).await?, ["b", "a", "B"]);
    let time = LoggedModelKey::Number(LoggedModelNumber::CreationTimestamp);
    assert_eq!(ordered(w, e, &[ascending(time)]).await?, ["b", "B", "a"]);
    Ok(())
}

async fn missing_columns_come_last_in_both_directions(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    w.model(e, "none").await?;
    next_millisecond().await;
    w.models
        .create_logged_model(NewLoggedModel {
            source_run_id: Some(run),
            ..new_model(e, "some")
        })
        .await?;
    let key = || LoggedModelKey::Text(LoggedModelText::SourceRunId);
    // Servers keep an empty text where a message names no run.
    let expected = if w.is_behind_a_server {
        ["none", "some"]
    } else {
        ["some", "none"]
    };
    assert_eq!(ordered(w, e, &[ascending(key())]).await?, expected);
    assert_eq!(ordered(w, e, &[descending(key())]).await?, ["some", "none"]);
    Ok(())
}

async fn pages_visit_every_model_once(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for n in 0..7 {
        w.model(e, &n.to_string()).await?;
    }
    let all = names(w, query(e)).await?;
    assert_eq!(all.len(), 7);
    for size in [1, 3, 6, 7, 8] {
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let query = LoggedModelQuery {
                page: page(size, token),
                ..query(e)
            };
            let next = w.models.search_logged_models(query).await?;
            found.extend(next.items.into_iter().map(|model| model.name));
            token = next.next_token;
            if token.is_none() || found.len() > all.len() {
                break;
            }
        }
        assert_eq!(found, all, "pages of {size}");
    }
    let wrong = LoggedModelQuery {
        page: page(1, Some("nonsense".to_owned())),
        ..query(e)
    };
    let refused = w.models.search_logged_models(wrong).await.err();
    let code = refused.map(|error| error.code());
    assert_eq!(code, Some(ErrorCode::InvalidParameterValue));
    Ok(())
}

fn query(experiment: ExperimentId) -> LoggedModelQuery {
    LoggedModelQuery {
        experiment_ids: vec![experiment],
        filter: Vec::new(),
        datasets: Vec::new(),
        order_by: Vec::new(),
        page: whole(),
    }
}

fn metric(op: NumberOp, value: f64) -> LoggedModelClause {
    LoggedModelClause::Metric {
        key: "m".to_owned(),
        test: number(op, value),
    }
}

fn metric_key(dataset_name: Option<&str>, dataset_digest: Option<&str>) -> LoggedModelKey {
    LoggedModelKey::Metric {
        key: "m".to_owned(),
        dataset_name: dataset_name.map(str::to_owned),
        dataset_digest: dataset_digest.map(str::to_owned),
    }
}

fn dataset(name: &str, digest: Option<&str>) -> DatasetFilter {
    DatasetFilter {
        name: name.to_owned(),
        digest: digest.map(str::to_owned),
    }
}

async fn names(w: &World, query: LoggedModelQuery) -> Result<Vec<String>, StoreError> {
    let page = w.models.search_logged_models(query).await?;
    assert_eq!(page.next_token, None, "everything fits on one page");
    Ok(page.items.into_iter().map(|model| model.name).collect())
}

/// The sorted names that a filter finds.
async fn found(
    w: &World,
    e: ExperimentId,
    filter: &[LoggedModelClause],
) -> Result<Vec<String>, StoreError> {
    let filter = filter.to_vec();
    let mut found = names(w, LoggedModelQuery { filter, ..query(e) }).await?;
    found.sort();
    Ok(found)
}

async fn ordered(
    w: &World,
    e: ExperimentId,
    order_by: &[Order<LoggedModelKey>],
) -> Result<Vec<String>, StoreError> {
    let order_by = order_by.to_vec();
    names(
        w,
        LoggedModelQuery {
            order_by,
            ..query(e)
        },
    )
    .await
}
