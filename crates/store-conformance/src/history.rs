//! The history of metrics: order, pages, several runs at once, samples.

use runledger_entities::{Coded as _, ErrorCode, RunId};
use runledger_store::{BulkHistoryQuery, HistoryQuery, IntervalQuery, RunMetric, StoreError};

use crate::{
    World,
    case::{Outcome, cases},
    random::Random,
    setup::{Point, page, shown, shown_all},
};

cases![
    points_come_by_timestamp_step_and_value,
    nan_has_the_place_of_zero,
    an_unknown_run_has_no_history,
    an_unknown_metric_has_no_history,
    only_the_metric_that_was_asked_for_comes,
    pages_visit_every_point_once,
    points_at_the_same_time_are_paged_too,
    the_last_page_has_no_token,
    points_logged_between_pages_repeat_and_hide_nothing,
    a_token_that_is_none_is_refused,
    the_history_of_a_deleted_run_can_be_read,
    many_runs_come_in_the_order_of_their_ids,
    many_runs_share_one_limit,
    many_runs_may_contain_unknown_ones,
    a_sample_of_few_points_has_all_of_them,
    a_sample_has_the_first_point_of_each_part_and_the_last,
    a_sample_of_one_point_is_the_last_one,
    a_sample_is_ordered_by_step_timestamp_and_value,
    a_sample_is_as_long_as_its_limit,
    a_sample_counts_points_that_share_a_step,
    a_sample_may_be_of_one_step,
    a_sample_keeps_to_its_steps,
    samples_come_in_the_order_of_the_runs_asked_for,
    samples_of_runs_do_not_share_their_limit,
    a_sample_of_an_unknown_run_is_empty,
];

async fn points_come_by_timestamp_step_and_value(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let mut points: Vec<Point> = Vec::new();
    for timestamp in [1, 2] {
        for step in [-1, 0, 5] {
            for value in [-0.5, 0.25, 7.0] {
                points.push((value, timestamp, step));
            }
        }
    }
    let mut shuffled = points.clone();
    Random::new(2).shuffle(&mut shuffled);
    for part in shuffled.chunks(4) {
        w.log_metrics(&run, "m", part).await?;
    }
    assert_eq!(shown_all(&w.history(&run, "m").await?), shown_all(&points));
    Ok(())
}

async fn nan_has_the_place_of_zero(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = [(-1.0, 1, 0), (f64::NAN, 1, 0), (1.0, 1, 0)];
    w.log_metrics(&run, "m", &[points[2], points[1], points[0]])
        .await?;
    assert_eq!(shown_all(&w.history(&run, "m").await?), shown_all(&points));
    Ok(())
}

async fn an_unknown_run_has_no_history(w: &World) -> Outcome {
    assert!(w.history(&RunId::new("nope"), "m").await?.is_empty());
    Ok(())
}

async fn an_unknown_metric_has_no_history(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &[(1.0, 1, 1)]).await?;
    assert!(w.history(&run, "M").await?.is_empty());
    Ok(())
}

async fn only_the_metric_that_was_asked_for_comes(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let (one, other) = (
        w.run(experiment, "one").await?,
        w.run(experiment, "other").await?,
    );
    w.log_metrics(&one, "m", &[(1.0, 1, 1)]).await?;
    w.log_metrics(&one, "n", &[(2.0, 2, 2)]).await?;
    w.log_metrics(&other, "m", &[(3.0, 3, 3)]).await?;
    assert_eq!(w.history(&one, "m").await?, [(1.0, 1, 1)]);
    Ok(())
}

async fn pages_visit_every_point_once(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = line(23);
    w.log_metrics(&run, "m", &points).await?;
    for size in [1, 2, 7, 22, 23, 24, 1000] {
        let found = paged(w, &run, size).await?;
        assert_eq!(shown_all(&found), shown_all(&points), "pages of {size}");
    }
    Ok(())
}

async fn points_at_the_same_time_are_paged_too(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let mut points: Vec<Point> = Vec::new();
    for step in [1, 2] {
        points.extend([
            (f64::MIN, 5, step),
            (-1.0 / 3.0, 5, step),
            (f64::NAN, 5, step),
            (1e-300, 5, step),
            (0.1, 5, step),
            (f64::MAX, 5, step),
        ]);
    }
    w.log_metrics(&run, "m", &points).await?;
    for size in 1..=5 {
        let found = paged(w, &run, size).await?;
        assert_eq!(shown_all(&found), shown_all(&points), "pages of {size}");
    }
    Ok(())
}

async fn the_last_page_has_no_token(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(6)).await?;
    let first = history_page(w, &run, 3, None).await?;
    assert!(first.1.is_some());
    let last = history_page(w, &run, 3, first.1).await?;
    assert_eq!((last.0.len(), last.1), (3, None));
    Ok(())
}

async fn points_logged_between_pages_repeat_and_hide_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = line(10);
    w.log_metrics(&run, "m", &points).await?;
    let (mut found, mut token) = (Vec::new(), None);
    for round in 0..20 {
        let (items, next) = history_page(w, &run, 2, token).await?;
        found.extend(items);
        // One before all others and one behind them.
        let new = [(0.5, 0, round), (0.5, 1_000_000 + round, 0)];
        w.log_metrics(&run, "m", &new).await?;
        token = next;
        if token.is_none() || found.len() >= 2 * points.len() {
            break;
        }
    }
    let old: Vec<Point> = found
        .into_iter()
        .filter(|point| points.contains(point))
        .collect();
    assert_eq!(old, points);
    Ok(())
}

async fn a_token_that_is_none_is_refused(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(3)).await?;
    for token in ["nonsense", "é", "e30="] {
        let refused = history_page(w, &run, 1, Some(token.to_owned())).await;
        let code = refused.err().map(|error| error.code());
        assert_eq!(
            code,
            Some(ErrorCode::InvalidParameterValue),
            "token {token:?}"
        );
    }
    Ok(())
}

async fn the_history_of_a_deleted_run_can_be_read(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(3)).await?;
    w.tracking.delete_run(&run).await?;
    assert_eq!(w.history(&run, "m").await?, line(3));
    assert_eq!(sample(w, &[&run], 10, None).await?.len(), 3);
    Ok(())
}

async fn many_runs_come_in_the_order_of_their_ids(w: &World) -> Outcome {
    let runs = sorted_runs(w, 3).await?;
    for run in &runs {
        w.log_metrics(run, "m", &[(2.0, 2, 0), (1.0, 1, 9)]).await?;
    }
    let found = bulk(w, &[&runs[2], &runs[0], &runs[1]], 100).await?;
    let expected: Vec<_> = runs
        .iter()
        .flat_map(|run| [(run.clone(), 1.0), (run.clone(), 2.0)])
        .collect();
    assert_eq!(found, expected);
    Ok(())
}

async fn many_runs_share_one_limit(w: &World) -> Outcome {
    let runs = sorted_runs(w, 2).await?;
    for run in &runs {
        w.log_metrics(run, "m", &line(4)).await?;
    }
    let found = bulk(w, &[&runs[0], &runs[1]], 5).await?;
    let of_second = found.iter().filter(|(run, _)| *run == runs[1]).count();
    assert_eq!((found.len(), of_second), (5, 1));
    Ok(())
}

async fn many_runs_may_contain_unknown_ones(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(2)).await?;
    let unknown = RunId::new("nope");
    assert_eq!(bulk(w, &[&unknown, &run], 100).await?.len(), 2);
    assert!(bulk(w, &[&unknown], 100).await?.is_empty());
    Ok(())
}

async fn a_sample_of_few_points_has_all_of_them(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(5)).await?;
    for limit in [5, 6, 2500] {
        assert_eq!(
            steps(&sample(w, &[&run], limit, None).await?),
            [0, 1, 2, 3, 4]
        );
    }
    Ok(())
}

/// MLflow 3.17 `metrics/get-history-bulk-interval`: `NTILE` parts, of which the
/// first are one longer, and the last point in place of the last part's first.
async fn a_sample_has_the_first_point_of_each_part_and_the_last(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(10)).await?;
    assert_eq!(steps(&sample(w, &[&run], 3, None).await?), [0, 4, 9]);
    assert_eq!(steps(&sample(w, &[&run], 4, None).await?), [0, 3, 6, 9]);
    assert_eq!(
        steps(&sample(w, &[&run], 9, None).await?),
        [0, 2, 3, 4, 5, 6, 7, 8, 9]
    );
    Ok(())
}

async fn a_sample_of_one_point_is_the_last_one(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(10)).await?;
    assert_eq!(steps(&sample(w, &[&run], 1, None).await?), [9]);
    Ok(())
}

async fn a_sample_is_ordered_by_step_timestamp_and_value(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points = [
        (0.0, 9, 0),
        (2.0, 4, 1),
        (1.0, 5, 1),
        (3.0, 5, 1),
        (9.0, 1, 2),
    ];
    let mut shuffled = points;
    Random::new(3).shuffle(&mut shuffled);
    w.log_metrics(&run, "m", &shuffled).await?;
    let found: Vec<Point> = sample(w, &[&run], 10, None)
        .await?
        .into_iter()
        .map(|(_, point)| point)
        .collect();
    assert_eq!(found, points);
    Ok(())
}

async fn a_sample_is_as_long_as_its_limit(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for part in line(2500).chunks(1000) {
        w.log_metrics(&run, "m", part).await?;
    }
    for limit in [2, 99, 320, 1001, 2499] {
        let found = steps(&sample(w, &[&run], limit, None).await?);
        assert_eq!(found, parts(2500, i64::from(limit)), "sample of {limit}");
    }
    Ok(())
}

/// Several points of one step are as many places in the order.
async fn a_sample_counts_points_that_share_a_step(w: &World) -> Outcome {
    let mut points: Vec<Point> = (0..700_i32)
        .map(|i| (f64::from(i % 11), i64::from(i % 3), i64::from(i / 9)))
        .collect();
    points.sort_by(|a, b| (a.2, a.1).cmp(&(b.2, b.1)).then(a.0.total_cmp(&b.0)));
    points.dedup();
    let mut shuffled = points.clone();
    Random::new(5).shuffle(&mut shuffled);
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &shuffled).await?;
    for limit in [2, 10, 99, 320] {
        let found = sample(w, &[&run], limit, None).await?.into_iter();
        let found: Vec<Point> = found.map(|(_, point)| point).collect();
        let count = i64::try_from(points.len()).unwrap_or(i64::MAX);
        let at = |place: i64| points.get(usize::try_from(place).ok()?).copied();
        let places = parts(count, i64::from(limit)).into_iter();
        let wanted: Vec<Point> = places.filter_map(at).collect();
        assert_eq!(found, wanted, "sample of {limit}");
    }
    Ok(())
}

/// As of a metric that is logged without steps.
async fn a_sample_may_be_of_one_step(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let points: Vec<Point> = (0..10_500).map(|i| (0.5, i, 0)).collect();
    for part in points.chunks(1000) {
        w.log_metrics(&run, "m", part).await?;
    }
    let found = sample(w, &[&run], 320, None).await?;
    let found: Vec<i64> = found.into_iter().map(|(_, point)| point.1).collect();
    assert_eq!(found, parts(10_500, 320));
    Ok(())
}

async fn a_sample_keeps_to_its_steps(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &line(10)).await?;
    assert_eq!(
        steps(&sample(w, &[&run], 3, Some((2, 8))).await?),
        [2, 5, 8]
    );
    assert_eq!(steps(&sample(w, &[&run], 3, Some((8, 8))).await?), [8]);
    assert!(sample(w, &[&run], 3, Some((10, 99))).await?.is_empty());
    Ok(())
}

async fn samples_come_in_the_order_of_the_runs_asked_for(w: &World) -> Outcome {
    let runs = sorted_runs(w, 3).await?;
    for run in &runs {
        w.log_metrics(run, "m", &line(1)).await?;
    }
    let asked = [&runs[1], &runs[2], &runs[0]];
    let found: Vec<RunId> = sample(w, &asked, 3, None)
        .await?
        .into_iter()
        .map(|(run, _)| run)
        .collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), asked);
    Ok(())
}

async fn samples_of_runs_do_not_share_their_limit(w: &World) -> Outcome {
    let runs = sorted_runs(w, 2).await?;
    w.log_metrics(&runs[0], "m", &line(10)).await?;
    w.log_metrics(&runs[1], "m", &line(4)).await?;
    let found = sample(w, &[&runs[0], &runs[1]], 3, None).await?;
    assert_eq!(steps(&found), [0, 4, 9, 0, 2, 3]);
    Ok(())
}

async fn a_sample_of_an_unknown_run_is_empty(w: &World) -> Outcome {
    assert!(sample(w, &[&RunId::new("nope")], 3, None).await?.is_empty());
    Ok(())
}

/// This many points, one per step.
fn line(points: i32) -> Vec<Point> {
    (0..points)
        .map(|i| (f64::from(i), 100 + i64::from(i), i64::from(i)))
        .collect()
}

/// The steps that a sample of this many points out of a [`line()`] has.
fn parts(points: i64, limit: i64) -> Vec<i64> {
    let (short, longer) = (points / limit, points % limit);
    let mut steps = Vec::new();
    let mut start = 0;
    for part in 0..limit {
        steps.push(start);
        start += short + i64::from(part < longer);
    }
    steps.pop();
    steps.push(points - 1);
    steps
}

async fn sorted_runs(w: &World, count: usize) -> Result<Vec<RunId>, StoreError> {
    let experiment = w.experiment("e").await?;
    let mut runs = Vec::new();
    for _ in 0..count {
        runs.push(w.run(experiment, "r").await?);
    }
    runs.sort();
    Ok(runs)
}

async fn history_page(
    w: &World,
    run: &RunId,
    size: u32,
    token: Option<String>,
) -> Result<(Vec<Point>, Option<String>), StoreError> {
    let page = w
        .tracking
        .metric_history(HistoryQuery {
            run_id: run.clone(),
            key: "m".to_owned(),
            page: page(size, token),
        })
        .await?;
    let points: Vec<Point> = page
        .items
        .into_iter()
        .map(|metric| (metric.value, metric.timestamp, metric.step))
        .collect();
    assert!(
        points.len() <= size as usize,
        "a page of {size} has {}",
        points.len()
    );
    Ok((points, page.next_token))
}

async fn paged(w: &World, run: &RunId, size: u32) -> Result<Vec<Point>, StoreError> {
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let (points, next) = history_page(w, run, size, token).await?;
        assert!(
            next.is_none() || !points.is_empty(),
            "an empty page is followed by another, after {:?}",
            found.last().copied().map(shown)
        );
        found.extend(points);
        assert!(found.len() <= 1000, "pages of {size} do not end");
        token = next;
        if token.is_none() {
            return Ok(found);
        }
    }
}

async fn bulk(
    w: &World,
    runs: &[&RunId],
    max_results: u32,
) -> Result<Vec<(RunId, f64)>, StoreError> {
    let found = w
        .tracking
        .bulk_metric_history(BulkHistoryQuery {
            run_ids: runs.iter().map(|&run| run.clone()).collect(),
            key: "m".to_owned(),
            max_results,
        })
        .await?;
    Ok(found
        .into_iter()
        .map(|found| (found.run_id, found.metric.value))
        .collect())
}

async fn sample(
    w: &World,
    runs: &[&RunId],
    max_results: u32,
    steps: Option<(i64, i64)>,
) -> Result<Vec<(RunId, Point)>, StoreError> {
    let found = w
        .tracking
        .metric_interval(IntervalQuery {
            run_ids: runs.iter().map(|&run| run.clone()).collect(),
            key: "m".to_owned(),
            steps,
            max_results,
        })
        .await?;
    Ok(found
        .into_iter()
        .map(|RunMetric { run_id, metric }| (run_id, (metric.value, metric.timestamp, metric.step)))
        .collect())
}

fn steps(found: &[(RunId, Point)]) -> Vec<i64> {
    found.iter().map(|(_, point)| point.2).collect()
}
