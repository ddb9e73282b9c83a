//! Deleting and restoring, and what is refused in between.

use runledger_entities::{
    ErrorCode, ExperimentId, LifecycleStage, Metric, ModelInput, ModelOutput, Param, RunId, Tag,
};
use runledger_store::{Batch, NewLoggedModel, RunPatch, StoreError, TrackingStoreExt as _};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, dataset_input, model_json, new_model, new_run, next_millisecond},
};

cases![
    a_deleted_experiment_is_still_found_by_id_and_name,
    a_deleted_experiment_keeps_its_tags,
    deleting_an_experiment_deletes_its_runs,
    restoring_an_experiment_restores_all_its_runs,
    deleting_and_restoring_move_the_time_of_the_last_update,
    other_experiments_are_left_alone,
    a_deleted_experiment_keeps_its_name,
    a_restored_experiment_can_be_used,
    the_default_experiment_can_be_deleted_and_restored,
    deleting_an_experiment_twice_is_refused,
    restoring_an_active_experiment_is_refused,
    a_deleted_experiment_cannot_be_renamed,
    a_deleted_experiment_takes_no_tags,
    a_deleted_experiment_takes_no_runs_and_models,
    a_deleted_run_can_be_read,
    a_run_may_be_deleted_and_restored_again_and_again,
    a_run_of_a_deleted_experiment_can_be_restored,
    a_deleted_run_keeps_what_it_logged,
    a_deleted_run_takes_no_metrics_params_and_tags,
    a_deleted_run_takes_no_empty_batch,
    a_deleted_run_takes_no_updates,
    a_deleted_run_gives_no_tags_away,
    a_deleted_run_takes_no_inputs_and_outputs,
    a_deleted_run_takes_no_models,
    a_restored_run_can_be_used,
];

async fn stage(w: &World, run: &RunId) -> Result<LifecycleStage, StoreError> {
    Ok(w.get(run).await?.info.lifecycle_stage)
}

async fn deleted_experiment(w: &World) -> Result<ExperimentId, StoreError> {
    let e = w.experiment("deleted").await?;
    w.tracking.delete_experiment(e).await?;
    Ok(e)
}

async fn deleted_run(w: &World) -> Result<RunId, StoreError> {
    let run = w.one_run().await?;
    w.tracking.delete_run(&run).await?;
    Ok(run)
}

#[track_caller]
fn assert_inactive<T: std::fmt::Debug>(what: &str, id: &str, result: Result<T, StoreError>) {
    assert_refused(
        result,
        ErrorCode::InvalidParameterValue,
        &format!("The {what} {id} must be in the 'active' state. Current state is deleted."),
    );
}

#[track_caller]
fn assert_run_inactive<T: std::fmt::Debug>(run: &RunId, result: Result<T, StoreError>) {
    assert_inactive("run", run.as_str(), result);
}

#[track_caller]
fn assert_no_experiment<T: std::fmt::Debug>(e: ExperimentId, result: Result<T, StoreError>) {
    assert_refused(
        result,
        ErrorCode::ResourceDoesNotExist,
        &format!("No Experiment with id={e} exists"),
    );
}

async fn a_deleted_experiment_is_still_found_by_id_and_name(w: &World) -> Outcome {
    let e = deleted_experiment(w).await?;
    let by_id = w.get_experiment(e).await?;
    assert_eq!(by_id.lifecycle_stage, LifecycleStage::Deleted);
    assert_eq!(w.tracking.get_experiment_by_name("deleted").await?, by_id);
    Ok(())
}

async fn a_deleted_experiment_keeps_its_tags(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    w.tracking.set_experiment_tag(e, Tag::new("k", "v")).await?;
    w.tracking.delete_experiment(e).await?;
    assert_eq!(w.get_experiment(e).await?.tags, [Tag::new("k", "v")]);
    Ok(())
}

async fn deleting_an_experiment_deletes_its_runs(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let runs = [w.run(e, "a").await?, w.run(e, "b").await?];
    w.tracking.delete_experiment(e).await?;
    for run in &runs {
        assert_eq!(stage(w, run).await?, LifecycleStage::Deleted);
    }
    Ok(())
}

/// Also those that were deleted by themselves before, as MLflow's SQL store does.
async fn restoring_an_experiment_restores_all_its_runs(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let runs = [w.run(e, "a").await?, w.run(e, "b").await?];
    w.tracking.delete_run(&runs[0]).await?;
    w.tracking.delete_experiment(e).await?;
    w.tracking.restore_experiment(e).await?;
    for run in &runs {
        assert_eq!(stage(w, run).await?, LifecycleStage::Active);
    }
    Ok(())
}

async fn deleting_and_restoring_move_the_time_of_the_last_update(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let mut times = vec![w.get_experiment(e).await?.last_update_time];
    next_millisecond().await;
    w.tracking.delete_experiment(e).await?;
    times.push(w.get_experiment(e).await?.last_update_time);
    next_millisecond().await;
    w.tracking.restore_experiment(e).await?;
    times.push(w.get_experiment(e).await?.last_update_time);
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    Ok(())
}

async fn other_experiments_are_left_alone(w: &World) -> Outcome {
    let other = w.experiment("other").await?;
    let run = w.run(other, "r").await?;
    let before = (w.get_experiment(other).await?, w.get(&run).await?);
    let e = deleted_experiment(w).await?;
    w.tracking.restore_experiment(e).await?;
    assert_eq!((w.get_experiment(other).await?, w.get(&run).await?), before);
    Ok(())
}

async fn a_deleted_experiment_keeps_its_name(w: &World) -> Outcome {
    deleted_experiment(w).await?;
    let taken = "Experiment(name=deleted) already exists.";
    assert_refused(
        w.experiment("deleted").await,
        ErrorCode::ResourceAlreadyExists,
        taken,
    );
    let other = w.experiment("other").await?;
    assert_refused(
        w.tracking
            .rename_experiment(other, "deleted".to_owned())
            .await,
        ErrorCode::ResourceAlreadyExists,
        taken,
    );
    Ok(())
}

async fn a_restored_experiment_can_be_used(w: &World) -> Outcome {
    let e = deleted_experiment(w).await?;
    w.tracking.restore_experiment(e).await?;
    assert_eq!(
        w.get_experiment(e).await?.lifecycle_stage,
        LifecycleStage::Active
    );
    w.run(e, "r").await?;
    w.tracking
        .rename_experiment(e, "renamed".to_owned())
        .await?;
    w.tracking.set_experiment_tag(e, Tag::new("k", "v")).await?;
    Ok(())
}

async fn the_default_experiment_can_be_deleted_and_restored(w: &World) -> Outcome {
    let e = ExperimentId::DEFAULT;
    if w.is_of_files {
        let refused = w.tracking.delete_experiment(e).await;
        assert!(matches!(refused, Err(StoreError::InvalidArgument { .. })));
        w.run(e, "r").await?;
        return Ok(());
    }
    w.tracking.delete_experiment(e).await?;
    assert_eq!(
        w.get_experiment(e).await?.lifecycle_stage,
        LifecycleStage::Deleted
    );
    w.tracking.restore_experiment(e).await?;
    w.run(e, "r").await?;
    Ok(())
}

async fn deleting_an_experiment_twice_is_refused(w: &World) -> Outcome {
    let e = deleted_experiment(w).await?;
    assert_no_experiment(e, w.tracking.delete_experiment(e).await);
    Ok(())
}

async fn restoring_an_active_experiment_is_refused(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    assert_no_experiment(e, w.tracking.restore_experiment(e).await);
    Ok(())
}

async fn a_deleted_experiment_cannot_be_renamed(w: &World) -> Outcome {
    let e = deleted_experiment(w).await?;
    assert_refused(
        w.tracking.rename_experiment(e, "new".to_owned()).await,
        ErrorCode::InvalidState,
        "Cannot rename a non-active experiment.",
    );
    assert_eq!(w.get_experiment(e).await?.name, "deleted");
    Ok(())
}

async fn a_deleted_experiment_takes_no_tags(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    w.tracking.set_experiment_tag(e, Tag::new("k", "v")).await?;
    w.tracking.delete_experiment(e).await?;
    let id = e.to_string();
    let set = w.tracking.set_experiment_tag(e, Tag::new("k", "w")).await;
    assert_inactive("experiment", &id, set);
    let deleted = w.tracking.delete_experiment_tag(e, "k").await;
    assert_inactive("experiment", &id, deleted);
    assert_eq!(w.get_experiment(e).await?.tags, [Tag::new("k", "v")]);
    Ok(())
}

async fn a_deleted_experiment_takes_no_runs_and_models(w: &World) -> Outcome {
    let e = deleted_experiment(w).await?;
    let id = e.to_string();
    let run = w.tracking.create_run(new_run(e, "r")).await;
    assert_inactive("experiment", &id, run);
    let model: NewLoggedModel = new_model(e, "m");
    assert_inactive("experiment", &id, w.models.create_logged_model(model).await);
    Ok(())
}

async fn a_deleted_run_can_be_read(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    assert_eq!(stage(w, &run).await?, LifecycleStage::Deleted);
    Ok(())
}

async fn a_run_may_be_deleted_and_restored_again_and_again(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    w.tracking.delete_run(&run).await?;
    assert_eq!(stage(w, &run).await?, LifecycleStage::Deleted);
    for _ in 0..2 {
        w.tracking.restore_run(&run).await?;
        assert_eq!(stage(w, &run).await?, LifecycleStage::Active);
    }
    Ok(())
}

async fn a_run_of_a_deleted_experiment_can_be_restored(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    w.tracking.delete_experiment(e).await?;
    w.tracking.restore_run(&run).await?;
    assert_eq!(stage(w, &run).await?, LifecycleStage::Active);
    w.set_tags(&run, &[("t", "1")]).await?;
    Ok(())
}

async fn a_deleted_run_keeps_what_it_logged(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.log_metrics(&run, "m", &[(1.0, 1, 0)]).await?;
    w.log_params(&run, &[("p", "1")]).await?;
    w.set_tags(&run, &[("t", "1")]).await?;
    let before = w.get(&run).await?;
    w.tracking.delete_run(&run).await?;
    assert_eq!(w.get(&run).await?.data, before.data);
    w.tracking.restore_run(&run).await?;
    assert_eq!(w.get(&run).await?, before);
    Ok(())
}

async fn a_deleted_run_takes_no_metrics_params_and_tags(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    let before = w.get(&run).await?;
    assert_run_inactive(&run, w.log_metrics(&run, "m", &[(1.0, 1, 0)]).await);
    let metric = Metric::new("m", 1.0, 1, 0);
    assert_run_inactive(&run, w.tracking.log_metric(&run, metric).await);
    assert_run_inactive(&run, w.log_params(&run, &[("p", "1")]).await);
    let param = Param::new("p", "1");
    assert_run_inactive(&run, w.tracking.log_param(&run, param).await);
    assert_run_inactive(&run, w.set_tags(&run, &[("t", "1")]).await);
    assert_eq!(w.get(&run).await?, before);
    Ok(())
}

async fn a_deleted_run_takes_no_empty_batch(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    assert_run_inactive(&run, w.log(&run, Batch::default()).await);
    Ok(())
}

async fn a_deleted_run_takes_no_updates(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    let patch = RunPatch {
        end_time: Some(1),
        ..RunPatch::default()
    };
    assert_run_inactive(&run, w.tracking.update_run(&run, patch).await);
    Ok(())
}

async fn a_deleted_run_gives_no_tags_away(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    assert_run_inactive(&run, w.tracking.delete_tag(&run, Tag::RUN_NAME).await);
    assert!(w.tag(&run, Tag::RUN_NAME).await?.is_some());
    Ok(())
}

async fn a_deleted_run_takes_no_inputs_and_outputs(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    let model_id = w.model(ExperimentId::DEFAULT, "m").await?;
    let datasets = vec![dataset_input("d", "1", "")];
    let inputs = w.tracking.log_inputs(&run, datasets, Vec::new()).await;
    assert_run_inactive(&run, inputs);
    let models = vec![ModelInput {
        model_id: model_id.clone(),
    }];
    let inputs = w.tracking.log_inputs(&run, Vec::new(), models).await;
    assert_run_inactive(&run, inputs);
    let outputs = vec![ModelOutput { model_id, step: 0 }];
    assert_run_inactive(&run, w.tracking.log_outputs(&run, outputs).await);
    Ok(())
}

async fn a_deleted_run_takes_no_models(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    let recorded = w.tracking.record_logged_model(&run, &model_json("m")).await;
    assert_run_inactive(&run, recorded);
    Ok(())
}

async fn a_restored_run_can_be_used(w: &World) -> Outcome {
    let run = deleted_run(w).await?;
    w.tracking.restore_run(&run).await?;
    w.log_metrics(&run, "m", &[(1.0, 1, 0)]).await?;
    let patch = RunPatch {
        end_time: Some(1),
        ..RunPatch::default()
    };
    w.tracking.update_run(&run, patch).await?;
    Ok(())
}
