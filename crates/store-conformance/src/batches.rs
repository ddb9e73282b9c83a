//! Batches: what is kept, what is dropped, what is refused, and that a batch is
//! whole or nothing.

use runledger_entities::{Coded as _, ErrorCode, Metric, MetricModel, Param, RunId, limits};
use runledger_store::{Batch, TrackingStoreExt as _};

use crate::{
    World,
    case::{Outcome, cases},
    random::Random,
    setup::{Point, assert_refused, metrics, params, shown, shown_all, tags},
};

cases![
    an_empty_batch_changes_nothing,
    metrics_params_and_tags_land_together,
    equal_points_of_one_batch_are_kept_once,
    equal_points_of_two_batches_are_kept_once,
    points_that_differ_in_one_field_are_all_kept,
    the_latest_point_has_the_largest_step,
    within_a_step_the_latest_point_has_the_largest_timestamp,
    within_a_timestamp_the_latest_point_has_the_largest_value,
    the_order_of_logging_does_not_matter,
    steps_may_be_negative,
    nan_is_kept,
    nan_counts_as_zero_where_points_are_compared,
    nan_and_zero_are_two_points,
    infinities_come_back_as_the_store_keeps_them,
    numbers_come_back_to_the_last_bit,
    times_and_steps_may_be_extreme,
    a_full_batch_of_metrics_lands,
    a_batch_may_hold_the_history_of_one_metric,
    one_metric_lands_as_a_batch_of_it,
    a_param_may_be_logged_again_with_its_value,
    a_param_does_not_change,
    every_param_that_would_change_is_named,
    a_single_param_is_refused_in_its_own_words,
    param_values_are_compared_exactly,
    an_empty_param_is_a_value,
    long_values_are_kept_whole,
    of_equal_tags_the_last_wins,
    a_tag_is_replaced,
    keys_differ_by_case,
    keys_may_be_any_text,
    a_refused_batch_changes_nothing,
    a_refused_batch_may_be_sent_again_without_its_fault,
    a_metric_of_a_model_lands_in_both,
    equal_points_of_a_model_are_kept_once,
    a_metric_of_an_unknown_model_changes_nothing,
];

async fn an_empty_batch_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let before = w.get(&run).await?;
    w.log(&run, Batch::default()).await?;
    assert_eq!(w.get(&run).await?, before);
    Ok(())
}

async fn metrics_params_and_tags_land_together(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log(
        &run,
        Batch {
            metrics: metrics("m", &[(0.5, 10, 1)]),
            params: params(&[("p", "1")]),
            tags: tags(&[("t", "2")]),
        },
    )
    .await?;
    let data = w.get(&run).await?.data;
    assert_eq!(data.metrics, metrics("m", &[(0.5, 10, 1)]));
    assert_eq!(data.params, params(&[("p", "1")]));
    assert_eq!(w.tag(&run, "t").await?.as_deref(), Some("2"));
    Ok(())
}

async fn equal_points_of_one_batch_are_kept_once(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(
        &run,
        "m",
        &[(1.0, 1, 1), (1.0, 1, 1), (2.0, 2, 2), (1.0, 1, 1)],
    )
    .await?;
    if w.is_of_files {
        let all = [(1.0, 1, 1), (1.0, 1, 1), (1.0, 1, 1), (2.0, 2, 2)];
        return assert_history(w, &run, "m", &all).await;
    }
    assert_history(w, &run, "m", &[(1.0, 1, 1), (2.0, 2, 2)]).await
}

async fn equal_points_of_two_batches_are_kept_once(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &[(1.0, 1, 1), (2.0, 2, 2)])
        .await?;
    w.log_metrics(&run, "m", &[(2.0, 2, 2), (3.0, 3, 3), (1.0, 1, 1)])
        .await?;
    if w.is_of_files {
        let (one, two) = ((1.0, 1, 1), (2.0, 2, 2));
        return assert_history(w, &run, "m", &[one, one, two, two, (3.0, 3, 3)]).await;
    }
    assert_history(w, &run, "m", &[(1.0, 1, 1), (2.0, 2, 2), (3.0, 3, 3)]).await
}

async fn points_that_differ_in_one_field_are_all_kept(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = [(1.0, 1, 1), (2.0, 1, 1), (1.0, 1, 2), (1.0, 2, 1)];
    w.log_metrics(&run, "m", &points).await?;
    w.log_metrics(&run, "n", &points[..1]).await?;
    assert_history(w, &run, "m", &points).await?;
    assert_history(w, &run, "n", &points[..1]).await
}

async fn the_latest_point_has_the_largest_step(w: &World) -> Outcome {
    assert_latest(w, &[(1.0, 5, 3), (9.0, 9, 2)], (1.0, 5, 3)).await
}

async fn within_a_step_the_latest_point_has_the_largest_timestamp(w: &World) -> Outcome {
    assert_latest(w, &[(1.0, 5, 3), (9.0, 4, 3)], (1.0, 5, 3)).await
}

async fn within_a_timestamp_the_latest_point_has_the_largest_value(w: &World) -> Outcome {
    assert_latest(w, &[(-1.0, 5, 3), (-2.0, 5, 3)], (-1.0, 5, 3)).await
}

async fn the_order_of_logging_does_not_matter(w: &World) -> Outcome {
    let mut points: Vec<Point> = Vec::new();
    for value in [-1.0, 1.0] {
        for timestamp in [4, 5] {
            for step in [-1, 0, 1] {
                points.push((value, timestamp, step));
            }
        }
    }
    let mut random = Random::new(1);
    let experiment = w.experiment("e").await?;
    for round in 0..8 {
        random.shuffle(&mut points);
        let run = w.run(experiment, "r").await?;
        // One by one, all at once, and in between.
        let size = [1, 2, 5, points.len()][round % 4];
        for part in points.chunks(size) {
            w.log_metrics(&run, "m", part).await?;
        }
        assert_eq!(w.latest(&run, "m").await?, shown((1.0, 5, 1)), "{points:?}");
    }
    Ok(())
}

async fn steps_may_be_negative(w: &World) -> Outcome {
    assert_latest(w, &[(1.0, 1, -5), (2.0, 1, -7)], (1.0, 1, -5)).await
}

async fn nan_is_kept(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &[(f64::NAN, 1, 0)]).await?;
    assert_eq!(w.latest(&run, "m").await?, shown((f64::NAN, 1, 0)));
    assert_history(w, &run, "m", &[(f64::NAN, 1, 0)]).await
}

async fn nan_counts_as_zero_where_points_are_compared(w: &World) -> Outcome {
    if w.is_of_files {
        // The one that was logged first stays, in either order.
        let run = w.one_run().await?;
        w.log_metrics(&run, "m", &[(f64::NAN, 1, 0)]).await?;
        w.log_metrics(&run, "m", &[(1.0, 1, 0)]).await?;
        assert_eq!(w.latest(&run, "m").await?, shown((f64::NAN, 1, 0)));
        return assert_latest(w, &[(1.0, 1, 0), (f64::NAN, 2, 0)], (f64::NAN, 2, 0)).await;
    }
    assert_latest(w, &[(1.0, 1, 0), (f64::NAN, 1, 0)], (1.0, 1, 0)).await?;
    assert_latest(w, &[(-1.0, 1, 0), (f64::NAN, 1, 0)], (f64::NAN, 1, 0)).await?;
    assert_latest(w, &[(1.0, 1, 0), (f64::NAN, 2, 0)], (f64::NAN, 2, 0)).await
}

async fn nan_and_zero_are_two_points(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = [(0.0, 1, 0), (f64::NAN, 1, 0)];
    w.log_metrics(&run, "m", &points).await?;
    w.log_metrics(&run, "m", &points).await?;
    let mut found = shown_all(&w.history(&run, "m").await?);
    found.sort();
    if w.is_of_files {
        let [zero, nan] = points;
        assert_eq!(found, shown_all(&[zero, zero, nan, nan]));
        return Ok(());
    }
    assert_eq!(found, shown_all(&points));
    Ok(())
}

async fn infinities_come_back_as_the_store_keeps_them(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let given = [(f64::INFINITY, 1, 1), (f64::NEG_INFINITY, 2, 2)];
    w.log_metrics(&run, "m", &given).await?;
    let kept = if w.keeps_infinities {
        given
    } else {
        [(f64::MAX, 1, 1), (f64::MIN, 2, 2)]
    };
    assert_history(w, &run, "m", &kept).await?;
    assert_eq!(w.latest(&run, "m").await?, shown(kept[1]));
    Ok(())
}

async fn numbers_come_back_to_the_last_bit(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let numbers = [
        0.1,
        1.0 / 3.0,
        -1e-320,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        f64::MAX,
        f64::MIN,
        9_007_199_254_740_993.0,
        1e22,
        123_456_789.123_456_79,
    ];
    let points: Vec<Point> = (0..)
        .zip(numbers)
        .map(|(step, n)| (n, step, step))
        .collect();
    w.log_metrics(&run, "m", &points).await?;
    let found = w.history(&run, "m").await?;
    let bits = |points: &[Point]| points.iter().map(|p| p.0.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&found), bits(&points), "{found:?}");
    Ok(())
}

async fn times_and_steps_may_be_extreme(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = [(1.0, 0, i64::MIN), (2.0, i64::MAX, i64::MAX)];
    w.log_metrics(&run, "m", &points).await?;
    assert_history(w, &run, "m", &points).await
}

async fn a_full_batch_of_metrics_lands(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let metrics: Vec<Metric> = (0_i32..)
        .take(limits::BATCH_METRICS)
        .map(|i| Metric::new(format!("m{i:04}"), f64::from(i), 1, 0))
        .collect();
    w.log(
        &run,
        Batch {
            metrics: metrics.clone(),
            ..Batch::default()
        },
    )
    .await?;
    assert_eq!(w.get(&run).await?.data.metrics, metrics);
    Ok(())
}

async fn a_batch_may_hold_the_history_of_one_metric(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points: Vec<Point> = (0_i32..)
        .take(limits::BATCH_METRICS)
        .map(|i| (f64::from(i), i64::from(i), i64::from(i)))
        .collect();
    w.log_metrics(&run, "m", &points).await?;
    assert_history(w, &run, "m", &points).await?;
    assert_eq!(w.latest(&run, "m").await?, shown((999.0, 999, 999)));
    Ok(())
}

async fn one_metric_lands_as_a_batch_of_it(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for point in [(1.0, 1, 1), (1.0, 1, 1), (0.5, 2, 2)] {
        w.tracking
            .log_metric(&run, Metric::new("m", point.0, point.1, point.2))
            .await?;
    }
    let kept = [(1.0, 1, 1), (1.0, 1, 1), (0.5, 2, 2)];
    let kept = &kept[usize::from(!w.is_of_files)..];
    assert_history(w, &run, "m", kept).await?;
    assert_eq!(w.latest(&run, "m").await?, shown((0.5, 2, 2)));
    Ok(())
}

async fn a_param_may_be_logged_again_with_its_value(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for _ in 0..2 {
        w.log_params(&run, &[("p", "1"), ("q", "2")]).await?;
        w.tracking.log_param(&run, Param::new("p", "1")).await?;
    }
    assert_eq!(
        w.get(&run).await?.data.params,
        params(&[("p", "1"), ("q", "2")])
    );
    Ok(())
}

async fn a_param_does_not_change(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("p", "1")]).await?;
    assert_refused(
        w.log_params(&run, &[("p", "2")]).await,
        ErrorCode::InvalidParameterValue,
        &format!(
            "Changing param values is not allowed. Params were already logged='[{{'key': 'p', \
             'old_value': '1', 'new_value': '2'}}]' for run ID='{run}'."
        ),
    );
    assert_eq!(w.param(&run, "p").await?.as_deref(), Some("1"));
    Ok(())
}

async fn every_param_that_would_change_is_named(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("a", "1"), ("b", "1"), ("c", "1")])
        .await?;
    let again = w
        .log_params(&run, &[("a", "2"), ("b", "1"), ("c", "3")])
        .await;
    assert_refused(
        again,
        ErrorCode::InvalidParameterValue,
        &format!(
            "Changing param values is not allowed. Params were already logged='[{{'key': 'a', \
             'old_value': '1', 'new_value': '2'}}, {{'key': 'c', 'old_value': '1', 'new_value': \
             '3'}}]' for run ID='{run}'."
        ),
    );
    Ok(())
}

async fn a_single_param_is_refused_in_its_own_words(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.tracking.log_param(&run, Param::new("p", "1")).await?;
    assert_refused(
        w.tracking.log_param(&run, Param::new("p", "2")).await,
        ErrorCode::InvalidParameterValue,
        &format!(
            "Changing param values is not allowed. Param with key='p' was already logged with \
             value='1' for run ID='{run}'. Attempted logging new value '2'."
        ),
    );
    Ok(())
}

async fn param_values_are_compared_exactly(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("p", "1.0")]).await?;
    for other in ["1", "1.0 ", " 1.0", "1.00", ""] {
        let again = w.log_params(&run, &[("p", other)]).await;
        assert!(again.is_err(), "{other:?} was taken for 1.0");
    }
    Ok(())
}

async fn an_empty_param_is_a_value(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("p", "")]).await?;
    assert_eq!(w.param(&run, "p").await?.as_deref(), Some(""));
    assert!(w.log_params(&run, &[("p", "1")]).await.is_err());
    Ok(())
}

async fn long_values_are_kept_whole(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let key = "k".repeat(limits::KEY);
    let (param, tag) = (
        "é".repeat(limits::PARAM_VALUE),
        "é".repeat(limits::TAG_VALUE),
    );
    w.log_params(&run, &[(&key, &param)]).await?;
    w.set_tags(&run, &[(&key, &tag)]).await?;
    w.log_metrics(&run, &key, &[(1.0, 1, 0)]).await?;
    assert_eq!(w.param(&run, &key).await?, Some(param));
    assert_eq!(w.tag(&run, &key).await?, Some(tag));
    assert_eq!(w.latest(&run, &key).await?, shown((1.0, 1, 0)));
    Ok(())
}

async fn of_equal_tags_the_last_wins(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.set_tags(&run, &[("t", "1"), ("u", "0"), ("t", "2"), ("t", "")])
        .await?;
    assert_eq!(w.tag(&run, "t").await?.as_deref(), Some(""));
    Ok(())
}

async fn a_tag_is_replaced(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.set_tags(&run, &[("t", "1"), ("u", "1")]).await?;
    w.set_tags(&run, &[("t", "2")]).await?;
    assert_eq!(w.tag(&run, "t").await?.as_deref(), Some("2"));
    assert_eq!(w.tag(&run, "u").await?.as_deref(), Some("1"));
    Ok(())
}

async fn keys_differ_by_case(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for (key, value) in [("Key", "1"), ("key", "2")] {
        w.log_params(&run, &[(key, value)]).await?;
        w.set_tags(&run, &[(key, value)]).await?;
        w.log_metrics(&run, key, &[(1.0, 1, 0)]).await?;
    }
    assert_eq!(w.param(&run, "Key").await?.as_deref(), Some("1"));
    assert_eq!(w.tag(&run, "Key").await?.as_deref(), Some("1"));
    assert_eq!(w.get(&run).await?.data.metrics.len(), 2);
    Ok(())
}

async fn keys_may_be_any_text(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for key in [
        "a/b c:d.e-f_g",
        "日本",
        "'; drop table runs; --",
        "\"`[]",
        "%_\\",
        "null",
    ] {
        if !w.takes_key(key) {
            continue;
        }
        w.log_params(&run, &[(key, key)]).await?;
        w.set_tags(&run, &[(key, key)]).await?;
        w.log_metrics(&run, key, &[(1.0, 1, 0)]).await?;
        assert_eq!(w.param(&run, key).await?.as_deref(), Some(key));
        assert_eq!(w.tag(&run, key).await?.as_deref(), Some(key));
        assert_history(w, &run, key, &[(1.0, 1, 0)]).await?;
    }
    Ok(())
}

async fn a_refused_batch_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("p", "1")]).await?;
    w.set_tags(&run, &[("t", "1")]).await?;
    let before = w.get(&run).await?;
    let refused = w
        .log(
            &run,
            Batch {
                metrics: metrics("m", &[(1.0, 1, 0)]),
                params: params(&[("new", "1"), ("p", "2"), ("newer", "1")]),
                tags: tags(&[("t", "2"), ("u", "1")]),
            },
        )
        .await;
    assert!(refused.is_err());
    assert_eq!(w.get(&run).await?, before);
    assert_history(w, &run, "m", &[]).await
}

async fn a_refused_batch_may_be_sent_again_without_its_fault(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("p", "1")]).await?;
    let mut batch = Batch {
        metrics: metrics("m", &[(1.0, 1, 0)]),
        params: params(&[("q", "1"), ("p", "2")]),
        tags: tags(&[("t", "2")]),
    };
    assert!(w.log(&run, batch.clone()).await.is_err());
    batch.params.pop();
    w.log(&run, batch).await?;
    assert_eq!(w.param(&run, "q").await?.as_deref(), Some("1"));
    assert_history(w, &run, "m", &[(1.0, 1, 0)]).await
}

async fn a_metric_of_a_model_lands_in_both(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w.run(experiment, "r").await?;
    let model = w.model(experiment, "model").await?;
    let metric = model_metric(model.as_str(), 0.5);
    w.tracking.log_metric(&run, metric).await?;
    assert_eq!(w.latest(&run, "m").await?, shown((0.5, 7, 3)));
    let found = w.get_model(&model).await?.metrics;
    assert_eq!(found.len(), 1, "{found:?}");
    let found = &found[0];
    assert_eq!(
        (found.key.as_str(), found.value, found.timestamp, found.step),
        ("m", Some(0.5), 7, 3)
    );
    assert_eq!(found.run_id, run);
    assert_eq!(
        (
            found.dataset_name.as_deref(),
            found.dataset_digest.as_deref()
        ),
        (Some("data"), Some("1a2b"))
    );
    Ok(())
}

async fn equal_points_of_a_model_are_kept_once(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w.run(experiment, "r").await?;
    let model = w.model(experiment, "model").await?;
    let metric = model_metric(model.as_str(), 0.5);
    for _ in 0..2 {
        let metrics = vec![metric.clone(), metric.clone()];
        w.log(
            &run,
            Batch {
                metrics,
                ..Batch::default()
            },
        )
        .await?;
    }
    assert_eq!(w.get_model(&model).await?.metrics.len(), 1);
    let kept = if w.is_of_files { 4 } else { 1 };
    assert_history(w, &run, "m", &[(0.5, 7, 3); 4][..kept]).await
}

async fn a_metric_of_an_unknown_model_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let before = w.get(&run).await?;
    let refused = w
        .log(
            &run,
            Batch {
                metrics: vec![Metric::new("n", 1.0, 1, 0), model_metric("m-nope", 0.5)],
                params: params(&[("p", "1")]),
                tags: tags(&[("t", "1")]),
            },
        )
        .await;
    let status = refused.err().map(|error| error.code().http_status());
    assert!(matches!(status, Some(400 | 404)), "{status:?}");
    assert_eq!(w.get(&run).await?, before);
    assert_history(w, &run, "n", &[]).await
}

fn model_metric(model: &str, value: f64) -> Metric {
    Metric {
        model: Some(Box::new(MetricModel {
            model_id: Some(model.to_owned()),
            dataset_name: Some("data".to_owned()),
            dataset_digest: Some("1a2b".to_owned()),
        })),
        ..Metric::new("m", value, 7, 3)
    }
}

/// Logs the points one by one and at once, in this order and the other way
/// round, and expects the same latest point of all four.
async fn assert_latest(w: &World, points: &[Point], latest: Point) -> Outcome {
    let backwards: Vec<Point> = points.iter().rev().copied().collect();
    for points in [points, &backwards] {
        for size in [1, points.len()] {
            let run = w
                .run(runledger_entities::ExperimentId::DEFAULT, "r")
                .await?;
            for part in points.chunks(size) {
                w.log_metrics(&run, "m", part).await?;
            }
            assert_eq!(
                w.latest(&run, "m").await?,
                shown(latest),
                "{points:?} by {size}"
            );
        }
    }
    Ok(())
}

async fn assert_history(w: &World, run: &RunId, key: &str, points: &[Point]) -> Outcome {
    let mut expected = points.to_vec();
    expected.sort_by(|a, b| (a.1, a.2).cmp(&(b.1, b.2)).then(a.0.total_cmp(&b.0)));
    let found = w.history(run, key).await?;
    assert_eq!(shown_all(&found), shown_all(&expected), "history of {key}");
    Ok(())
}
