//! The order of found runs.

use runledger_entities::{ExperimentId, RunId, RunStatus, Tag};
use runledger_search::{Order, RunKey, RunNumber, RunText};
use runledger_store::{NewRun, RunPatch, StoreError};

use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, metric_key},
    setup::new_run,
};

cases![
    without_an_order_the_newest_come_first,
    ties_come_by_run_id,
    ties_of_an_order_come_newest_first,
    metrics_order_as_numbers,
    metrics_order_by_their_latest_value,
    nan_and_missing_metrics_come_last_in_both_directions,
    infinities_come_first_or_last_among_numbers,
    params_order_by_code_points,
    tags_order_by_code_points,
    missing_params_and_tags_come_last_in_both_directions,
    an_empty_value_comes_before_others,
    runs_order_by_their_ids,
    runs_order_by_their_names,
    runs_order_by_status_and_user,
    runs_order_by_artifact_uri,
    runs_order_by_start_time,
    missing_end_times_come_last_in_both_directions,
    later_keys_decide_between_equals,
    many_keys_may_be_given,
    the_same_key_may_stand_for_a_metric_a_param_and_a_tag,
];

/// Runs of these names in an experiment of their own, started one after the other.
async fn started(w: &World, names: &[&str]) -> Result<(ExperimentId, Vec<RunId>), StoreError> {
    let e = w.experiment("ordered").await?;
    let mut runs = Vec::new();
    for (start_time, name) in (1..).zip(names) {
        let run = w
            .tracking
            .create_run(NewRun {
                start_time,
                ..new_run(e, name)
            })
            .await?;
        runs.push(run.info.run_id);
    }
    Ok((e, runs))
}

/// Asserts an order in both directions.
async fn assert_order(
    w: &World,
    e: ExperimentId,
    key: RunKey,
    upwards: &[&str],
    downwards: &[&str],
) -> Outcome {
    assert_eq!(
        w.ordered(e, &[ascending(key.clone())]).await?,
        upwards,
        "ascending {key:?}"
    );
    assert_eq!(
        w.ordered(e, &[descending(key.clone())]).await?,
        downwards,
        "descending {key:?}"
    );
    Ok(())
}

async fn without_an_order_the_newest_come_first(w: &World) -> Outcome {
    let (e, _) = started(w, &["first", "second", "third"]).await?;
    assert_eq!(w.ordered(e, &[]).await?, ["third", "second", "first"]);
    Ok(())
}

async fn ties_come_by_run_id(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut runs = Vec::new();
    for n in 0..12 {
        let name = n.to_string();
        runs.push((w.run(e, &name).await?, name));
    }
    runs.sort();
    let names: Vec<String> = runs.into_iter().map(|(_, name)| name).collect();
    assert_eq!(w.ordered(e, &[]).await?, names);
    let by_missing = [descending(metric_key("missing"))];
    assert_eq!(w.ordered(e, &by_missing).await?, names);
    Ok(())
}

async fn ties_of_an_order_come_newest_first(w: &World) -> Outcome {
    let (e, runs) = started(w, &["first", "second", "third"]).await?;
    for run in &runs {
        w.log_metrics(run, "m", &[(1.0, 1, 0)]).await?;
    }
    let names = ["third", "second", "first"];
    assert_order(w, e, metric_key("m"), &names, &names).await
}

async fn metrics_order_as_numbers(w: &World) -> Outcome {
    let (e, runs) = started(w, &["10", "9", "-1", "0.5"]).await?;
    for (run, value) in runs.iter().zip([10.0, 9.0, -1.0, 0.5]) {
        w.log_metrics(run, "m", &[(value, 1, 0)]).await?;
    }
    assert_order(
        w,
        e,
        metric_key("m"),
        &["-1", "0.5", "9", "10"],
        &["10", "9", "0.5", "-1"],
    )
    .await
}

async fn metrics_order_by_their_latest_value(w: &World) -> Outcome {
    let (e, runs) = started(w, &["falls", "rises"]).await?;
    w.log_metrics(&runs[0], "m", &[(9.0, 1, 1), (1.0, 1, 2)])
        .await?;
    w.log_metrics(&runs[1], "m", &[(0.0, 1, 1), (2.0, 1, 2)])
        .await?;
    assert_order(
        w,
        e,
        metric_key("m"),
        &["falls", "rises"],
        &["rises", "falls"],
    )
    .await
}

async fn nan_and_missing_metrics_come_last_in_both_directions(w: &World) -> Outcome {
    let (e, runs) = started(w, &["missing", "nan", "low", "high"]).await?;
    for (run, value) in runs[1..].iter().zip([f64::NAN, -3.25, 0.5]) {
        w.log_metrics(run, "m", &[(value, 1, 0)]).await?;
    }
    assert_order(
        w,
        e,
        metric_key("m"),
        &["low", "high", "nan", "missing"],
        &["high", "low", "nan", "missing"],
    )
    .await
}

async fn infinities_come_first_or_last_among_numbers(w: &World) -> Outcome {
    let (e, runs) = started(w, &["inf", "-inf", "one", "nan"]).await?;
    for (run, value) in runs
        .iter()
        .zip([f64::INFINITY, f64::NEG_INFINITY, 1.0, f64::NAN])
    {
        w.log_metrics(run, "m", &[(value, 1, 0)]).await?;
    }
    assert_order(
        w,
        e,
        metric_key("m"),
        &["-inf", "one", "inf", "nan"],
        &["inf", "one", "-inf", "nan"],
    )
    .await
}

const WORDS: [&str; 6] = ["b", "B", "a", "é", "10", "9"];
const WORDS_UPWARDS: [&str; 6] = ["10", "9", "B", "a", "b", "é"];
const WORDS_DOWNWARDS: [&str; 6] = ["é", "b", "a", "B", "9", "10"];

async fn params_order_by_code_points(w: &World) -> Outcome {
    let (e, runs) = started(w, &WORDS).await?;
    for (run, word) in runs.iter().zip(WORDS) {
        w.log_params(run, &[("k", word)]).await?;
    }
    let key = RunKey::Param("k".to_owned());
    assert_order(w, e, key, &WORDS_UPWARDS, &WORDS_DOWNWARDS).await
}

async fn tags_order_by_code_points(w: &World) -> Outcome {
    let (e, runs) = started(w, &WORDS).await?;
    for (run, word) in runs.iter().zip(WORDS) {
        w.set_tags(run, &[("k", word)]).await?;
    }
    let key = RunKey::Tag("k".to_owned());
    assert_order(w, e, key, &WORDS_UPWARDS, &WORDS_DOWNWARDS).await
}

async fn missing_params_and_tags_come_last_in_both_directions(w: &World) -> Outcome {
    let (e, runs) = started(w, &["missing", "a", "b"]).await?;
    for (run, value) in runs[1..].iter().zip(["a", "b"]) {
        w.log_params(run, &[("k", value)]).await?;
        w.set_tags(run, &[("k", value)]).await?;
    }
    for key in [RunKey::Param("k".to_owned()), RunKey::Tag("k".to_owned())] {
        assert_order(w, e, key, &["a", "b", "missing"], &["b", "a", "missing"]).await?;
    }
    Ok(())
}

async fn an_empty_value_comes_before_others(w: &World) -> Outcome {
    let (e, runs) = started(w, &["missing", "empty", "space", "a"]).await?;
    for (run, value) in runs[1..].iter().zip(["", " ", "a"]) {
        w.log_params(run, &[("k", value)]).await?;
    }
    assert_order(
        w,
        e,
        RunKey::Param("k".to_owned()),
        &["empty", "space", "a", "missing"],
        &["a", "space", "empty", "missing"],
    )
    .await
}

async fn runs_order_by_their_ids(w: &World) -> Outcome {
    let (e, runs) = started(w, &["0", "1", "2", "3", "4", "5"]).await?;
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_by_key(|&place| &runs[place]);
    let mut names: Vec<String> = places.iter().map(ToString::to_string).collect();
    let key = RunKey::Text(RunText::RunId);
    assert_eq!(w.ordered(e, &[ascending(key.clone())]).await?, names);
    names.reverse();
    assert_eq!(w.ordered(e, &[descending(key)]).await?, names);
    Ok(())
}

/// The names are the runs' own: a run without the name tag has its place too,
/// although no filter on the name finds it (MLflow 3.17's SQL store).
async fn runs_order_by_their_names(w: &World) -> Outcome {
    let (e, runs) = started(w, &["b", "untagged", "a", "z"]).await?;
    w.tracking.delete_tag(&runs[1], Tag::RUN_NAME).await?;
    w.set_tags(&runs[3], &[(Tag::RUN_NAME, "c")]).await?;
    assert_order(
        w,
        e,
        RunKey::Text(RunText::RunName),
        &["a", "b", "c", "untagged"],
        &["untagged", "c", "b", "a"],
    )
    .await
}

async fn runs_order_by_status_and_user(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for (user, status) in [
        ("b", RunStatus::Killed),
        ("c", RunStatus::Failed),
        ("a", RunStatus::Scheduled),
    ] {
        let run = w
            .tracking
            .create_run(NewRun {
                user_id: user.to_owned(),
                ..new_run(e, user)
            })
            .await?;
        let patch = RunPatch {
            status: Some(status),
            ..RunPatch::default()
        };
        w.tracking.update_run(&run.info.run_id, patch).await?;
    }
    let status = RunKey::Text(RunText::Status);
    assert_order(w, e, status, &["c", "b", "a"], &["a", "b", "c"]).await?;
    let user = RunKey::Text(RunText::UserId);
    assert_order(w, e, user, &["a", "b", "c"], &["c", "b", "a"]).await
}

async fn runs_order_by_artifact_uri(w: &World) -> Outcome {
    let (e, runs) = started(w, &["0", "1", "2", "3"]).await?;
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_by_key(|&place| &runs[place]);
    let names: Vec<String> = places.iter().map(ToString::to_string).collect();
    let key = RunKey::Text(RunText::ArtifactUri);
    assert_eq!(w.ordered(e, &[ascending(key)]).await?, names);
    Ok(())
}

async fn runs_order_by_start_time(w: &World) -> Outcome {
    let (e, _) = started(w, &["1", "2", "3"]).await?;
    let key = RunKey::Number(RunNumber::StartTime);
    assert_order(w, e, key, &["1", "2", "3"], &["3", "2", "1"]).await
}

async fn missing_end_times_come_last_in_both_directions(w: &World) -> Outcome {
    let (e, runs) = started(w, &["running", "early", "late"]).await?;
    for (run, end_time) in runs[1..].iter().zip([9, 10]) {
        let patch = RunPatch {
            end_time: Some(end_time),
            ..RunPatch::default()
        };
        w.tracking.update_run(run, patch).await?;
    }
    assert_order(
        w,
        e,
        RunKey::Number(RunNumber::EndTime),
        &["early", "late", "running"],
        &["late", "early", "running"],
    )
    .await
}

async fn later_keys_decide_between_equals(w: &World) -> Outcome {
    let (e, runs) = started(w, &["1x", "2x", "1y", "2y"]).await?;
    for (run, (value, letter)) in runs
        .iter()
        .zip([(1.0, "x"), (2.0, "x"), (1.0, "y"), (2.0, "y")])
    {
        w.log_metrics(run, "m", &[(value, 1, 0)]).await?;
        w.set_tags(run, &[("t", letter)]).await?;
    }
    let tag = RunKey::Tag("t".to_owned());
    let by_metric = [descending(metric_key("m")), ascending(tag.clone())];
    assert_eq!(w.ordered(e, &by_metric).await?, ["2x", "2y", "1x", "1y"]);
    let by_tag = [descending(tag), ascending(metric_key("m"))];
    assert_eq!(w.ordered(e, &by_tag).await?, ["1y", "2y", "1x", "2x"]);
    Ok(())
}

async fn many_keys_may_be_given(w: &World) -> Outcome {
    let (e, runs) = started(w, &["b", "a"]).await?;
    for (run, value) in runs.iter().zip(["b", "a"]) {
        w.log_params(run, &[("last", value)]).await?;
    }
    let mut order: Vec<Order<RunKey>> = (0..15)
        .map(|n| ascending(RunKey::Tag(format!("missing {n}"))))
        .collect();
    order.push(ascending(RunKey::Param("last".to_owned())));
    assert_eq!(w.ordered(e, &order).await?, ["a", "b"]);
    Ok(())
}

async fn the_same_key_may_stand_for_a_metric_a_param_and_a_tag(w: &World) -> Outcome {
    let (e, runs) = started(w, &["a", "b", "c"]).await?;
    for (run, (value, param, tag)) in
        runs.iter()
            .zip([(1.0, "2", "3"), (2.0, "3", "1"), (3.0, "1", "2")])
    {
        w.log_metrics(run, "k", &[(value, 1, 0)]).await?;
        w.log_params(run, &[("k", param)]).await?;
        w.set_tags(run, &[("k", tag)]).await?;
    }
    for (key, names) in [
        (metric_key("k"), ["a", "b", "c"]),
        (RunKey::Param("k".to_owned()), ["c", "a", "b"]),
        (RunKey::Tag("k".to_owned()), ["b", "c", "a"]),
    ] {
        assert_eq!(w.ordered(e, &[ascending(key)]).await?, names);
    }
    Ok(())
}
