//! What is answered for things that are not there, in MLflow's words.

use runledger_entities::{
    Coded as _, ErrorCode, ExperimentId, LoggedModelId, LoggedModelStatus, Metric, ModelInput,
    ModelOutput, Param, RunId, Tag,
};
use runledger_store::{
    Batch, LoggedModelPatch, Resource, Retry, RunPatch, StoreError, TrackingStoreExt as _,
};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, dataset_input, model_json, new_model, new_run},
};

cases![
    an_unknown_experiment_is_not_found,
    an_unknown_experiment_name_is_not_found,
    an_unknown_experiment_is_not_changed,
    an_unknown_experiment_takes_no_runs_and_models,
    an_unknown_experiment_tag_is_not_found,
    an_unknown_run_is_not_found,
    an_unknown_run_is_not_changed,
    an_unknown_run_takes_no_batches,
    an_unknown_run_takes_no_inputs_and_outputs,
    an_unknown_run_tag_is_not_found,
    an_unknown_model_is_not_found,
    an_unknown_model_is_not_changed,
    an_unknown_model_tag_is_not_found,
    odd_ids_are_not_found,
    what_is_not_found_is_named,
    a_refusal_asks_for_no_retry,
];

const UNKNOWN: ExperimentId = ExperimentId(987_654);

#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T, StoreError>, message: &str) {
    assert_refused(result, ErrorCode::ResourceDoesNotExist, message);
}

#[track_caller]
fn assert_no_run<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_not_found(result, "Run with id=nope not found");
}

#[track_caller]
fn assert_no_experiment<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_not_found(result, "No Experiment with id=987654 exists");
}

#[track_caller]
fn assert_no_model<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    assert_not_found(result, "Logged model with ID 'm-nope' not found.");
}

async fn an_unknown_experiment_is_not_found(w: &World) -> Outcome {
    assert_no_experiment(w.get_experiment(UNKNOWN).await);
    Ok(())
}

async fn an_unknown_experiment_name_is_not_found(w: &World) -> Outcome {
    let found = w.tracking.get_experiment_by_name("nope").await;
    assert_not_found(found, "Could not find experiment with name 'nope'");
    Ok(())
}

async fn an_unknown_experiment_is_not_changed(w: &World) -> Outcome {
    let store = &w.tracking;
    assert_no_experiment(store.delete_experiment(UNKNOWN).await);
    assert_no_experiment(store.restore_experiment(UNKNOWN).await);
    assert_no_experiment(store.rename_experiment(UNKNOWN, "new".to_owned()).await);
    assert_no_experiment(store.set_experiment_tag(UNKNOWN, Tag::new("k", "v")).await);
    assert_no_experiment(store.delete_experiment_tag(UNKNOWN, "k").await);
    Ok(())
}

async fn an_unknown_experiment_takes_no_runs_and_models(w: &World) -> Outcome {
    assert_no_experiment(w.tracking.create_run(new_run(UNKNOWN, "r")).await);
    assert_no_experiment(w.models.create_logged_model(new_model(UNKNOWN, "m")).await);
    Ok(())
}

async fn an_unknown_experiment_tag_is_not_found(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let deleted = w.tracking.delete_experiment_tag(e, "nope").await;
    assert_not_found(
        deleted,
        &format!("No tag with name: nope in experiment with id {e}"),
    );
    Ok(())
}

async fn an_unknown_run_is_not_found(w: &World) -> Outcome {
    assert_no_run(w.get(&RunId::new("nope")).await);
    Ok(())
}

async fn an_unknown_run_is_not_changed(w: &World) -> Outcome {
    let (store, run) = (&w.tracking, RunId::new("nope"));
    assert_no_run(store.delete_run(&run).await);
    assert_no_run(store.restore_run(&run).await);
    assert_no_run(store.update_run(&run, RunPatch::default()).await);
    assert_no_run(store.delete_tag(&run, "t").await);
    assert_no_run(store.record_logged_model(&run, &model_json("m")).await);
    Ok(())
}

async fn an_unknown_run_takes_no_batches(w: &World) -> Outcome {
    let (store, run) = (&w.tracking, RunId::new("nope"));
    assert_no_run(store.log_batch(&run, Batch::default()).await);
    assert_no_run(store.log_metric(&run, Metric::new("m", 1.0, 1, 0)).await);
    assert_no_run(store.log_param(&run, Param::new("p", "1")).await);
    assert_no_run(store.set_tag(&run, Tag::new("t", "1")).await);
    assert!(w.history(&run, "m").await?.is_empty());
    Ok(())
}

async fn an_unknown_run_takes_no_inputs_and_outputs(w: &World) -> Outcome {
    let run = RunId::new("nope");
    let model_id = w.model(ExperimentId::DEFAULT, "m").await?;
    let datasets = vec![dataset_input("d", "1", "")];
    let models = vec![ModelInput {
        model_id: model_id.clone(),
    }];
    assert_no_run(w.tracking.log_inputs(&run, datasets, models).await);
    let outputs = vec![ModelOutput { model_id, step: 0 }];
    assert_no_run(w.tracking.log_outputs(&run, outputs).await);
    let listed = w.tracking.search_datasets(&[ExperimentId::DEFAULT]).await?;
    assert!(listed.is_empty(), "{listed:?}");
    Ok(())
}

async fn an_unknown_run_tag_is_not_found(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let deleted = w.tracking.delete_tag(&run, "nope").await;
    assert_not_found(
        deleted,
        &format!("No tag with name: nope in run with id {run}"),
    );
    Ok(())
}

async fn an_unknown_model_is_not_found(w: &World) -> Outcome {
    assert_no_model(w.get_model(&LoggedModelId::new("m-nope")).await);
    Ok(())
}

async fn an_unknown_model_is_not_changed(w: &World) -> Outcome {
    let (store, id) = (&w.models, LoggedModelId::new("m-nope"));
    let patch = LoggedModelPatch {
        status: LoggedModelStatus::Ready,
    };
    assert_no_model(store.update_logged_model(&id, patch).await);
    assert_no_model(store.delete_logged_model(&id).await);
    assert_no_model(
        store
            .set_logged_model_tags(&id, vec![Tag::new("t", "1")])
            .await,
    );
    assert_no_model(store.delete_logged_model_tag(&id, "t").await);
    assert_no_model(
        store
            .log_logged_model_params(&id, vec![Param::new("p", "1")])
            .await,
    );
    Ok(())
}

async fn an_unknown_model_tag_is_not_found(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    assert_not_found(
        w.models.delete_logged_model_tag(&id, "nope").await,
        &format!("No tag with key 'nope' found for model with ID '{id}'."),
    );
    Ok(())
}

async fn odd_ids_are_not_found(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let prefix = &run.as_str()[..31];
    let long = "x".repeat(10_000);
    for id in [
        "",
        "%",
        "'",
        "\u{1F389}",
        prefix,
        &run.as_str().to_uppercase(),
        &long,
    ] {
        // A message without an id is incomplete.
        if id.is_empty() && w.is_behind_a_server {
            continue;
        }
        // An id of digits only is the same in upper case.
        if id == run.as_str() {
            continue;
        }
        let code = w.get(&RunId::new(id)).await.err().map(|error| error.code());
        assert_eq!(code, Some(ErrorCode::ResourceDoesNotExist), "run id {id:?}");
        let code = w
            .get_model(&LoggedModelId::new(id))
            .await
            .err()
            .map(|error| error.code());
        assert_eq!(
            code,
            Some(ErrorCode::ResourceDoesNotExist),
            "model id {id:?}"
        );
    }
    for id in [-1, i64::MIN, i64::MAX] {
        let code = w
            .get_experiment(ExperimentId(id))
            .await
            .err()
            .map(|error| error.code());
        assert_eq!(
            code,
            Some(ErrorCode::ResourceDoesNotExist),
            "experiment id {id}"
        );
    }
    Ok(())
}

async fn what_is_not_found_is_named(w: &World) -> Outcome {
    let error = w.get(&RunId::new("nope")).await.err();
    assert!(
        matches!(
            &error,
            Some(StoreError::NotFound { what: Resource::Run, id, .. }) if id == "nope"
        ),
        "{error:?}"
    );
    Ok(())
}

async fn a_refusal_asks_for_no_retry(w: &World) -> Outcome {
    w.experiment("taken").await?;
    let refusals = [
        w.experiment("taken").await.err(),
        w.get_experiment(UNKNOWN).await.err(),
        w.get(&RunId::new("nope")).await.err(),
    ];
    for refusal in refusals {
        let retry = refusal.as_ref().map(StoreError::retry);
        assert_eq!(retry, Some(Retry::Never), "{refusal:?}");
    }
    Ok(())
}
