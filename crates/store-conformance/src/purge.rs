//! Permanent removal: what goes, what stays, and what is refused.

use runledger_entities::{
    ErrorCode, ExperimentId, LoggedModelId, ModelInput, ModelOutput, RunId, ViewType,
};
use runledger_store::{
    Batch, BulkHistoryQuery, DeletedQuery, LoggedModelQuery, NewExperiment, RunQuery, StoreError,
};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, dataset_input, metrics, next_millisecond, page, params, tags, whole},
};

cases![
    a_purged_run_is_gone,
    a_purged_run_is_in_no_search_and_no_history,
    a_run_purged_twice_is_not_found_the_second_time,
    an_active_run_is_not_purged,
    a_restored_run_is_not_purged,
    other_runs_keep_what_they_share_with_a_purged_run,
    a_long_history_is_purged_to_its_end,
    models_outlive_the_run_that_made_them,
    deleted_runs_are_listed_with_their_artifacts,
    deleted_runs_are_listed_by_the_time_of_deletion,
    deleted_runs_are_listed_by_experiment,
    purging_what_a_page_listed_does_not_move_the_next,
    one_deleted_run_can_be_looked_at,
    a_purged_model_is_gone,
    an_active_model_is_not_purged,
    deleted_models_are_listed,
    an_experiment_is_purged_with_all_that_is_in_it,
    an_experiment_of_many_runs_is_purged,
    a_purged_experiment_leaves_the_others_alone,
    the_name_of_a_purged_experiment_is_free,
    an_experiment_with_a_new_start_has_nothing_of_the_old,
    an_active_experiment_is_not_purged,
    deleted_experiments_are_listed,
];

fn all() -> DeletedQuery {
    DeletedQuery {
        experiment_ids: None,
        before_ms: None,
        page: whole(),
    }
}

async fn listed_runs(w: &World, query: DeletedQuery) -> Result<Vec<RunId>, StoreError> {
    let page = w.purge()?.deleted_runs(query).await?;
    Ok(page.items.into_iter().map(|run| run.run_id).collect())
}

/// Logs something of every kind.
async fn fill(w: &World, run: &RunId, model: &LoggedModelId) -> Result<(), StoreError> {
    let batch = Batch {
        metrics: metrics("loss", &[(0.5, 1, 0), (0.25, 2, 1)]),
        params: params(&[("lr", "0.1")]),
        tags: tags(&[("team", "a")]),
    };
    w.log(run, batch).await?;
    w.measure(run, model, (0.75, 3, 0), Some(("iris", "d1")))
        .await?;
    let read = ModelInput {
        model_id: model.clone(),
    };
    let datasets = vec![dataset_input("iris", "d1", "training")];
    w.tracking.log_inputs(run, datasets, vec![read]).await?;
    let made = ModelOutput {
        model_id: model.clone(),
        step: 1,
    };
    w.tracking.log_outputs(run, vec![made]).await
}

/// A deleted run that has logged something of every kind.
async fn deleted_run(w: &World, e: ExperimentId) -> Result<RunId, StoreError> {
    let run = w.run(e, "deleted").await?;
    let model = w.model(e, "m").await?;
    fill(w, &run, &model).await?;
    w.tracking.delete_run(&run).await?;
    Ok(run)
}

/// A deleted experiment with runs, datasets and models.
async fn deleted_experiment(w: &World, name: &str) -> Result<ExperimentId, StoreError> {
    let new = NewExperiment {
        name: name.to_owned(),
        tags: tags(&[("owner", "ada")]),
        ..NewExperiment::default()
    };
    let e = w.tracking.create_experiment(new).await?;
    for name in ["a", "b"] {
        let run = w.run(e, name).await?;
        let model = w.model(e, name).await?;
        fill(w, &run, &model).await?;
    }
    w.tracking.delete_experiment(e).await?;
    Ok(e)
}

#[track_caller]
fn assert_no_run<T: std::fmt::Debug>(run: &RunId, result: Result<T, StoreError>) {
    let message = format!("Run with id={run} not found");
    assert_refused(result, ErrorCode::ResourceDoesNotExist, &message);
}

#[track_caller]
fn assert_active<T: std::fmt::Debug>(
    what: &str,
    id: impl std::fmt::Display,
    result: Result<T, StoreError>,
) {
    assert_refused(
        result,
        ErrorCode::InvalidParameterValue,
        &format!("The {what} {id} must be in the 'deleted' state. Current state is active."),
    );
}

async fn a_purged_run_is_gone(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = deleted_run(w, e).await?;
    w.purge()?.purge_run(&run).await?;
    assert_no_run(&run, w.get(&run).await);
    assert_no_run(&run, w.tracking.restore_run(&run).await);
    assert_no_run(&run, w.set_tags(&run, &[("late", "1")]).await);
    assert_eq!(listed_runs(w, all()).await?, []);
    Ok(())
}

async fn a_purged_run_is_in_no_search_and_no_history(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = deleted_run(w, e).await?;
    w.purge()?.purge_run(&run).await?;
    let query = RunQuery {
        experiment_ids: vec![e],
        view: ViewType::All,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: whole(),
    };
    assert_eq!(w.tracking.search_runs(query).await?.items, []);
    let query = BulkHistoryQuery {
        run_ids: vec![run],
        key: "loss".to_owned(),
        max_results: 100,
    };
    assert_eq!(w.tracking.bulk_metric_history(query).await?, []);
    Ok(())
}

async fn a_run_purged_twice_is_not_found_the_second_time(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = deleted_run(w, e).await?;
    w.purge()?.purge_run(&run).await?;
    assert_no_run(&run, w.purge()?.purge_run(&run).await);
    Ok(())
}

async fn an_active_run_is_not_purged(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "loss", &[(0.5, 1, 0)]).await?;
    assert_active("run", &run, w.purge()?.purge_run(&run).await);
    assert_eq!(w.history(&run, "loss").await?, [(0.5, 1, 0)]);
    Ok(())
}

async fn a_restored_run_is_not_purged(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = deleted_run(w, e).await?;
    w.tracking.restore_run(&run).await?;
    let before = w.get(&run).await?;
    assert_active("run", &run, w.purge()?.purge_run(&run).await);
    assert_eq!(w.get(&run).await?, before);
    assert_eq!(listed_runs(w, all()).await?, []);
    Ok(())
}

async fn other_runs_keep_what_they_share_with_a_purged_run(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let model = w.model(e, "shared").await?;
    let (gone, stays) = (w.run(e, "gone").await?, w.run(e, "stays").await?);
    fill(w, &gone, &model).await?;
    fill(w, &stays, &model).await?;
    let before = w.get(&stays).await?;
    w.tracking.delete_run(&gone).await?;
    w.purge()?.purge_run(&gone).await?;

    assert_eq!(w.get(&stays).await?, before);
    assert_eq!(
        w.history(&stays, "loss").await?,
        [(0.5, 1, 0), (0.25, 2, 1)]
    );
    assert_eq!(w.tracking.search_datasets(&[e]).await?.len(), 1);
    Ok(())
}

async fn a_long_history_is_purged_to_its_end(w: &World) -> Outcome {
    let run = w.one_run().await?;
    // More than a store removes in one go, whatever that is.
    let points: Vec<_> = (0..25_000).map(|step| (0.5, 1, step)).collect();
    w.log_metrics(&run, "loss", &points).await?;
    w.tracking.delete_run(&run).await?;
    w.purge()?.purge_run(&run).await?;
    assert_no_run(&run, w.get(&run).await);
    Ok(())
}

async fn models_outlive_the_run_that_made_them(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let model = w.model(e, "m").await?;
    let run = w.run(e, "r").await?;
    fill(w, &run, &model).await?;
    w.tracking.delete_run(&run).await?;
    w.purge()?.purge_run(&run).await?;
    let model = w.get_model(&model).await?;
    assert_eq!(model.name, "m");
    assert_eq!(model.metrics, [], "the run's metrics of the model are gone");
    Ok(())
}

async fn deleted_runs_are_listed_with_their_artifacts(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    w.run(e, "active").await?;
    let run = deleted_run(w, e).await?;
    let info = w.get(&run).await?.info;
    let listed = w.purge()?.deleted_runs(all()).await?.items;
    let [listed] = listed.as_slice() else {
        panic!("one run is deleted: {listed:?}")
    };
    assert_eq!((&listed.run_id, listed.experiment_id), (&run, e));
    assert_eq!(listed.artifact_uri, info.artifact_uri);
    assert!(listed.deleted_time.is_some());
    Ok(())
}

async fn deleted_runs_are_listed_by_the_time_of_deletion(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let old = deleted_run(w, e).await?;
    next_millisecond().await;
    let new = deleted_run(w, e).await?;
    let time = w.purge()?.deleted_run(&old).await?.deleted_time;
    let time = time.unwrap_or_default();
    let until = |before_ms| DeletedQuery {
        before_ms: Some(before_ms),
        ..all()
    };
    let first = listed_runs(w, until(time)).await?;
    assert_eq!(first.as_slice(), std::slice::from_ref(&old));
    assert_eq!(listed_runs(w, until(time - 1)).await?, []);
    let mut both = [old, new];
    both.sort();
    assert_eq!(listed_runs(w, until(i64::MAX)).await?, both);
    Ok(())
}

async fn deleted_runs_are_listed_by_experiment(w: &World) -> Outcome {
    let (a, b) = (w.experiment("a").await?, w.experiment("b").await?);
    let in_a = deleted_run(w, a).await?;
    let in_b = deleted_run(w, b).await?;
    let of = |ids: &[ExperimentId]| DeletedQuery {
        experiment_ids: Some(ids.to_vec()),
        ..all()
    };
    assert_eq!(listed_runs(w, of(&[a])).await?, [in_a]);
    assert_eq!(listed_runs(w, of(&[b])).await?, [in_b]);
    assert_eq!(listed_runs(w, of(&[])).await?, [], "no experiment, no run");
    Ok(())
}

async fn purging_what_a_page_listed_does_not_move_the_next(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut runs = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let run = w.run(e, name).await?;
        w.tracking.delete_run(&run).await?;
        runs.push(run);
    }
    runs.sort();
    let (mut seen, mut token) = (Vec::new(), None);
    loop {
        let query = DeletedQuery {
            page: page(2, token),
            ..all()
        };
        let found = w.purge()?.deleted_runs(query).await?;
        for run in found.items {
            w.purge()?.purge_run(&run.run_id).await?;
            seen.push(run.run_id);
        }
        token = found.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, runs);
    Ok(())
}

async fn one_deleted_run_can_be_looked_at(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let (deleted, active) = (deleted_run(w, e).await?, w.run(e, "active").await?);
    assert_eq!(w.purge()?.deleted_run(&deleted).await?.experiment_id, e);
    assert_active("run", &active, w.purge()?.deleted_run(&active).await);
    let missing = RunId::random();
    assert_no_run(&missing, w.purge()?.deleted_run(&missing).await);
    Ok(())
}

async fn a_purged_model_is_gone(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let (gone, stays) = (w.model(e, "gone").await?, w.model(e, "stays").await?);
    let run = w.run(e, "r").await?;
    fill(w, &run, &gone).await?;
    w.measure(&run, &stays, (1.0, 1, 0), None).await?;
    w.models.delete_logged_model(&gone).await?;
    w.purge()?.purge_logged_model(&gone).await?;
    assert_refused(
        w.purge()?.purge_logged_model(&gone).await,
        ErrorCode::ResourceDoesNotExist,
        &format!("Logged model with ID '{gone}' not found."),
    );
    assert_eq!(w.get_model(&stays).await?.metrics.len(), 1);
    assert_eq!(w.param(&run, "lr").await?.as_deref(), Some("0.1"));
    Ok(())
}

async fn an_active_model_is_not_purged(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let model = w.model(e, "m").await?;
    let refused = w.purge()?.purge_logged_model(&model).await;
    assert_active("logged model", &model, refused);
    assert_eq!(w.get_model(&model).await?.name, "m");
    Ok(())
}

async fn deleted_models_are_listed(w: &World) -> Outcome {
    let (e, other) = (w.experiment("e").await?, w.experiment("other").await?);
    let (deleted, _active) = (w.model(e, "deleted").await?, w.model(e, "active").await?);
    let location = w.get_model(&deleted).await?.artifact_location;
    w.models.delete_logged_model(&deleted).await?;
    let listed = w.purge()?.deleted_logged_models(all()).await?.items;
    let [listed] = listed.as_slice() else {
        panic!("one model is deleted: {listed:?}")
    };
    assert_eq!((&listed.model_id, listed.experiment_id), (&deleted, e));
    assert_eq!(listed.artifact_location, location);
    let earlier = DeletedQuery {
        before_ms: Some(listed.deleted_time - 1),
        ..all()
    };
    let elsewhere = DeletedQuery {
        experiment_ids: Some(vec![other]),
        ..all()
    };
    for query in [earlier, elsewhere] {
        assert_eq!(w.purge()?.deleted_logged_models(query).await?.items, []);
    }
    Ok(())
}

async fn an_experiment_is_purged_with_all_that_is_in_it(w: &World) -> Outcome {
    let e = deleted_experiment(w, "e").await?;
    let runs = listed_runs(w, all()).await?;
    assert_eq!(runs.len(), 2);
    w.purge()?.purge_experiment(e).await?;
    for run in &runs {
        assert_no_run(run, w.get(run).await);
    }
    let gone = format!("No Experiment with id={e} exists");
    for refused in [
        w.get_experiment(e).await.map(drop),
        w.tracking.restore_experiment(e).await,
        w.purge()?.purge_experiment(e).await,
    ] {
        assert_refused(refused, ErrorCode::ResourceDoesNotExist, &gone);
    }
    assert_eq!(w.tracking.search_datasets(&[e]).await?, []);
    assert_eq!(w.purge()?.deleted_experiments(all()).await?.items, []);
    Ok(())
}

async fn an_experiment_of_many_runs_is_purged(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut last = w.run(e, "first").await?;
    for n in 0..205 {
        last = w.run(e, &n.to_string()).await?;
    }
    w.tracking.delete_experiment(e).await?;
    // A run may be restored by itself: it goes with its experiment all the same.
    w.tracking.restore_run(&last).await?;
    w.purge()?.purge_experiment(e).await?;
    assert_no_run(&last, w.get(&last).await);
    assert_eq!(listed_runs(w, all()).await?, []);
    Ok(())
}

async fn a_purged_experiment_leaves_the_others_alone(w: &World) -> Outcome {
    let other = w.experiment("other").await?;
    let model = w.model(other, "m").await?;
    let run = w.run(other, "r").await?;
    fill(w, &run, &model).await?;
    let before = (w.get(&run).await?, w.get_model(&model).await?);
    let deleted = deleted_experiment(w, "deleted").await?;
    let still = deleted_experiment(w, "still there").await?;
    w.purge()?.purge_experiment(deleted).await?;
    assert_eq!((w.get(&run).await?, w.get_model(&model).await?), before);
    assert_eq!(w.tracking.search_datasets(&[other]).await?.len(), 1);
    w.tracking.restore_experiment(still).await?;
    assert_eq!(w.found(still, &[]).await?, ["a", "b"]);
    Ok(())
}

async fn the_name_of_a_purged_experiment_is_free(w: &World) -> Outcome {
    let e = deleted_experiment(w, "again").await?;
    assert_refused(
        w.experiment("again").await,
        ErrorCode::ResourceAlreadyExists,
        "Experiment(name=again) already exists.",
    );
    w.purge()?.purge_experiment(e).await?;
    let again = w.experiment("again").await?;
    assert_eq!(w.get_experiment(again).await?.name, "again");
    Ok(())
}

async fn an_experiment_with_a_new_start_has_nothing_of_the_old(w: &World) -> Outcome {
    let e = deleted_experiment(w, "again").await?;
    w.purge()?.purge_experiment(e).await?;
    // It may get the same id.
    let again = w.experiment("again").await?;
    assert_eq!(w.get_experiment(again).await?.tags, []);
    assert_eq!(w.found(again, &[]).await?, Vec::<String>::new());
    assert_eq!(w.tracking.search_datasets(&[again]).await?, []);
    let query = LoggedModelQuery {
        experiment_ids: vec![again],
        filter: Vec::new(),
        datasets: Vec::new(),
        order_by: Vec::new(),
        page: whole(),
    };
    assert_eq!(w.models.search_logged_models(query).await?.items, []);
    Ok(())
}

async fn an_active_experiment_is_not_purged(w: &World) -> Outcome {
    let e = deleted_experiment(w, "e").await?;
    w.tracking.restore_experiment(e).await?;
    assert_active("experiment", e, w.purge()?.purge_experiment(e).await);
    assert_eq!(w.found(e, &[]).await?, ["a", "b"]);
    Ok(())
}

async fn deleted_experiments_are_listed(w: &World) -> Outcome {
    w.experiment("active").await?;
    let e = deleted_experiment(w, "e").await?;
    let experiment = w.get_experiment(e).await?;
    let listed = w.purge()?.deleted_experiments(all()).await?.items;
    let [listed] = listed.as_slice() else {
        panic!("one experiment is deleted: {listed:?}")
    };
    assert_eq!((listed.experiment_id, listed.name.as_str()), (e, "e"));
    assert_eq!(listed.artifact_location, experiment.artifact_location);
    assert_eq!(listed.last_update_time, experiment.last_update_time);

    let time = listed.last_update_time.unwrap_or_default();
    for (before_ms, count) in [(time, 0), (time + 1, 1)] {
        let query = DeletedQuery {
            before_ms: Some(before_ms),
            ..all()
        };
        let found = w.purge()?.deleted_experiments(query).await?.items;
        assert_eq!(found.len(), count, "before {before_ms}, deleted at {time}");
    }
    Ok(())
}
