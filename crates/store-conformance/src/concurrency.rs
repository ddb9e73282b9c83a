//! Many callers at once, and callers that go away.

use std::{sync::Arc, time::Duration};

use runledger_entities::{ErrorCode, Param, RunId, Tag};
use runledger_store::{Batch, StoreError, TrackingStore, TrackingStoreExt as _};
use tokio::task::JoinSet;

use crate::{
    World,
    case::{Failure, Outcome, cases},
    random::Random,
    setup::{assert_refused, metrics, model_json, params, tags},
};

cases![
    batches_to_one_run_all_land,
    batches_to_many_runs_all_land,
    single_metrics_all_land_and_the_latest_wins,
    a_bad_batch_among_good_ones_fails_alone,
    an_unknown_run_among_known_ones_fails_alone,
    one_param_of_many_callers_gets_one_value,
    one_name_of_many_callers_makes_one_experiment,
    one_dataset_of_many_callers_is_kept_once,
    models_recorded_at_once_are_all_listed,
    a_write_is_seen_by_the_next_read,
    reads_see_whole_batches_only,
    a_dropped_call_happens_whole_or_not_at_all,
    deleting_and_logging_at_once_leave_no_half_batches,
];

const CALLERS: i32 = 16;

/// Runs the calls at the same time and returns what they returned, in order.
async fn all_at_once<T, F>(
    store: &Arc<dyn TrackingStore>,
    calls: impl Iterator<Item = F>,
) -> Result<Vec<T>, tokio::task::JoinError>
where
    T: Send + 'static,
    F: FnOnce(Arc<dyn TrackingStore>) -> Call<T>,
{
    let mut tasks = JoinSet::new();
    for (place, call) in calls.enumerate() {
        let call = call(Arc::clone(store));
        tasks.spawn(async move { (place, call.await) });
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result?);
    }
    results.sort_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

type Call<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// A call that logs a batch.
fn logging(run: &RunId, batch: Batch) -> impl FnOnce(Arc<dyn TrackingStore>) -> Call<Logged> {
    let run = run.clone();
    move |store| Box::pin(async move { store.log_batch(&run, batch).await })
}

type Logged = Result<(), StoreError>;

fn succeed(results: Vec<Logged>) -> Logged {
    results.into_iter().collect()
}

/// What caller `n` logs: a point of its own, of a shared metric, a param and a tag.
fn batch_of(n: i32) -> Batch {
    let step = i64::from(n);
    let own = format!("own {n}");
    let mut points = metrics(&own, &[(f64::from(n), step, step)]);
    points.extend(metrics("shared", &[(f64::from(n), step, step)]));
    Batch {
        metrics: points,
        params: params(&[(&own, "1")]),
        tags: tags(&[(&own, "1")]),
    }
}

async fn batches_to_one_run_all_land(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let calls = (0..CALLERS * 8).map(|n| logging(&run, batch_of(n)));
    succeed(all_at_once(&w.tracking, calls).await?)?;
    let data = w.get(&run).await?.data;
    let count = usize::try_from(CALLERS * 8).unwrap_or_default();
    // With the shared metric, and the tag of the name.
    assert_eq!(
        (data.metrics.len(), data.params.len(), data.tags.len()),
        (count + 1, count, count + 1)
    );
    assert_eq!(w.history(&run, "shared").await?.len(), count);
    Ok(())
}

async fn batches_to_many_runs_all_land(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut runs = Vec::new();
    for _ in 0..CALLERS {
        runs.push(w.run(e, "r").await?);
    }
    let batches = runs.iter().flat_map(|run| (0..8).map(move |n| (run, n)));
    let calls = batches.map(|(run, n)| logging(run, batch_of(n)));
    succeed(all_at_once(&w.tracking, calls).await?)?;
    for run in &runs {
        assert_eq!(w.history(run, "shared").await?.len(), 8);
        assert_eq!(w.get(run).await?.data.params.len(), 8);
    }
    Ok(())
}

async fn single_metrics_all_land_and_the_latest_wins(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let mut steps: Vec<i32> = (0..200).collect();
    Random::new(4).shuffle(&mut steps);
    let calls = steps.iter().map(|&n| {
        let metrics = metrics("m", &[(f64::from(n), 1, i64::from(n))]);
        logging(
            &run,
            Batch {
                metrics,
                ..Batch::default()
            },
        )
    });
    succeed(all_at_once(&w.tracking, calls).await?)?;
    assert_eq!(w.history(&run, "m").await?.len(), 200);
    assert_eq!(
        w.latest(&run, "m").await?,
        crate::setup::shown((199.0, 1, 199))
    );
    Ok(())
}

async fn a_bad_batch_among_good_ones_fails_alone(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_params(&run, &[("fixed", "1")]).await?;
    let calls = (0..CALLERS * 4).map(|n| {
        let mut batch = batch_of(n);
        if n % 4 == 0 {
            batch.params.push(Param::new("fixed", "2"));
        }
        logging(&run, batch)
    });
    let results = all_at_once(&w.tracking, calls).await?;
    for (n, result) in (0_i32..).zip(results) {
        let landed = w.param(&run, &format!("own {n}")).await?.is_some();
        let points = w.history(&run, &format!("own {n}")).await?.len();
        if n % 4 == 0 {
            assert!(
                matches!(result, Err(StoreError::ParamsChanged { .. })),
                "{n}: {result:?}"
            );
            assert!(!landed && points == 0, "half of refused batch {n} landed");
        } else {
            result?;
            assert!(landed && points == 1, "batch {n} did not land");
        }
    }
    Ok(())
}

async fn an_unknown_run_among_known_ones_fails_alone(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let unknown = RunId::new("nope");
    let calls = (0..CALLERS).map(|n| logging(if n == 7 { &unknown } else { &run }, batch_of(n)));
    let results = all_at_once(&w.tracking, calls).await?;
    for (n, result) in results.into_iter().enumerate() {
        if n == 7 {
            let message = "Run with id=nope not found";
            assert_refused(result, ErrorCode::ResourceDoesNotExist, message);
        } else {
            result?;
        }
    }
    assert_eq!(w.history(&run, "shared").await?.len(), 15);
    Ok(())
}

async fn one_param_of_many_callers_gets_one_value(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let calls = (0..CALLERS).map(|n| {
        let params = params(&[("p", &n.to_string())]);
        logging(
            &run,
            Batch {
                params,
                ..Batch::default()
            },
        )
    });
    let results = all_at_once(&w.tracking, calls).await?;
    let winners: Vec<usize> = (0..results.len()).filter(|&n| results[n].is_ok()).collect();
    assert_eq!(winners.len(), 1, "callers {winners:?} set the param");
    assert_eq!(w.param(&run, "p").await?, Some(winners[0].to_string()));
    Ok(())
}

async fn one_name_of_many_callers_makes_one_experiment(w: &World) -> Outcome {
    let calls = (0..CALLERS).map(|n| {
        move |store: Arc<dyn TrackingStore>| -> Call<_> {
            Box::pin(async move {
                let new = runledger_store::NewExperiment {
                    name: "contested".to_owned(),
                    artifact_location: None,
                    tags: tags(&[("caller", &n.to_string())]),
                };
                store.create_experiment(new).await
            })
        }
    });
    let results = all_at_once(&w.tracking, calls).await?;
    let mut winners = Vec::new();
    for (n, result) in results.into_iter().enumerate() {
        match result {
            Ok(id) => winners.push((id, n.to_string())),
            refused => assert_refused(
                refused,
                ErrorCode::ResourceAlreadyExists,
                "Experiment(name=contested) already exists.",
            ),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    let (id, caller) = winners.remove(0);
    assert_eq!(
        w.get_experiment(id).await?.tags,
        [Tag::new("caller", caller)]
    );
    Ok(())
}

async fn one_dataset_of_many_callers_is_kept_once(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let e = w.get(&run).await?.info.experiment_id;
    let calls = (0..CALLERS).map(|_| {
        let run = run.clone();
        move |store: Arc<dyn TrackingStore>| -> Call<Logged> {
            Box::pin(async move {
                let inputs = vec![crate::setup::dataset_input("d", "1", "train")];
                store.log_inputs(&run, inputs, Vec::new()).await
            })
        }
    });
    succeed(all_at_once(&w.tracking, calls).await?)?;
    assert_eq!(w.get(&run).await?.inputs.datasets.len(), 1);
    assert_eq!(w.tracking.search_datasets(&[e]).await?.len(), 1);
    Ok(())
}

async fn models_recorded_at_once_are_all_listed(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let calls = (0..CALLERS).map(|n| {
        let run = run.clone();
        move |store: Arc<dyn TrackingStore>| -> Call<Logged> {
            Box::pin(async move {
                let model = model_json(&format!("model-{n}-"));
                store.record_logged_model(&run, &model).await
            })
        }
    });
    succeed(all_at_once(&w.tracking, calls).await?)?;
    let list = w.tag(&run, Tag::LOGGED_MODELS).await?.unwrap_or_default();
    for n in 0..CALLERS {
        assert!(
            list.contains(&format!("model-{n}-")),
            "model {n} is lost: {list}"
        );
    }
    Ok(())
}

async fn a_write_is_seen_by_the_next_read(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let calls = (0..CALLERS).map(|n| {
        let run = run.clone();
        move |store: Arc<dyn TrackingStore>| -> Call<Result<bool, StoreError>> {
            Box::pin(async move {
                for round in 0..10 {
                    let key = format!("t {n} {round}");
                    store.set_tag(&run, Tag::new(&*key, "1")).await?;
                    let found = store.get_run(&run).await?.data.tags;
                    if !found.iter().any(|tag| tag.key == key) {
                        return Ok(false);
                    }
                }
                Ok(true)
            })
        }
    });
    for seen in all_at_once(&w.tracking, calls).await? {
        assert!(seen?, "a read did not see the write before it");
    }
    Ok(())
}

async fn reads_see_whole_batches_only(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let store = Arc::clone(&w.tracking);
    let (target, rounds) = (run.clone(), 60);
    let writer = tokio::spawn(async move {
        for n in 0..rounds {
            let value = n.to_string();
            let batch = Batch {
                metrics: metrics("m", &[(f64::from(n), 1, i64::from(n))]),
                params: Vec::new(),
                tags: tags(&[("first", &value), ("second", &value)]),
            };
            store.log_batch(&target, batch).await?;
        }
        Ok::<(), StoreError>(())
    });
    while !writer.is_finished() {
        let data = w.get(&run).await?.data;
        let tag = |key: &str| {
            data.tags
                .iter()
                .find(|tag| tag.key == key)
                .map(|tag| &tag.value)
        };
        let metric = data.metrics.first().map(|metric| metric.step.to_string());
        assert!(
            tag("first") == tag("second") && tag("first") == metric.as_ref(),
            "half of a batch: {data:?}"
        );
    }
    writer.await??;
    Ok(())
}

async fn a_dropped_call_happens_whole_or_not_at_all(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let mut random = Random::new(5);
    for n in 0..CALLERS * 4 {
        let patience = Duration::from_micros(random.next() % 2000);
        // Either the call was faster or it is dropped on its way.
        let _ = tokio::time::timeout(patience, w.log(&run, batch_of(n))).await;
    }
    // Those that were accepted may still be under way.
    let mut looks = 0;
    while let Some(half) = half_batch(w, &run).await? {
        assert!(looks < 100, "batch {half} is there by half");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// The number of a batch of which some is there, and some is not.
async fn half_batch(w: &World, run: &RunId) -> Result<Option<i32>, Failure> {
    let data = w.get(run).await?.data;
    for n in 0..CALLERS * 4 {
        let own = format!("own {n}");
        let param = data.params.iter().any(|param| param.key == own);
        let tag = data.tags.iter().any(|tag| tag.key == own);
        let points = w.history(run, &own).await?.len();
        if param != tag || points != usize::from(param) {
            return Ok(Some(n));
        }
    }
    Ok(None)
}

async fn deleting_and_logging_at_once_leave_no_half_batches(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let calls = (0..CALLERS).map(|n| {
        let run = run.clone();
        move |store: Arc<dyn TrackingStore>| -> Call<Logged> {
            Box::pin(async move {
                match n % 8 {
                    3 => store.delete_run(&run).await,
                    7 => store.restore_run(&run).await,
                    _ => store.log_batch(&run, batch_of(n)).await,
                }
            })
        }
    });
    let results = all_at_once(&w.tracking, calls).await?;
    for (n, result) in (0_i32..).zip(results) {
        if n % 8 == 3 || n % 8 == 7 {
            result?;
            continue;
        }
        let landed = w.param(&run, &format!("own {n}")).await?.is_some();
        let points = w.history(&run, &format!("own {n}")).await?.len();
        match result {
            Ok(()) => assert!(landed && points == 1, "batch {n} did not land"),
            Err(StoreError::Lifecycle { .. }) => {
                assert!(!landed && points == 0, "half of refused batch {n} landed");
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(())
}
