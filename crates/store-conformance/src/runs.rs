//! Runs by themselves: creation, names, updates, tags, the history of models.

use runledger_entities::{ErrorCode, ExperimentId, LifecycleStage, Run, RunStatus, Tag};
use runledger_store::{NewRun, RunPatch, StoreError, TrackingStoreExt as _};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, metrics, model_json, new_run, params, tags},
};

cases![
    a_new_run_reads_back,
    a_run_is_read_as_it_was_created,
    a_run_id_is_32_hexadecimal_digits,
    artifacts_live_under_the_experiments_location,
    a_run_in_the_default_experiment,
    a_name_becomes_the_name_tag,
    a_name_tag_becomes_the_name,
    a_run_without_a_name_gets_one,
    names_are_not_unique,
    tags_of_creation_are_kept,
    an_update_sets_what_it_names,
    an_update_keeps_what_it_does_not_name,
    an_update_returns_what_a_read_returns,
    an_empty_update_changes_nothing,
    a_new_name_moves_to_the_tag,
    a_new_name_tag_moves_to_the_name,
    an_empty_name_tag_is_ignored,
    a_name_survives_the_deletion_of_its_tag,
    every_status_is_kept,
    a_finished_run_may_run_again,
    an_end_may_lie_before_the_start,
    what_a_run_logged_is_ordered_by_key,
    runs_do_not_share_what_they_log,
    setting_a_tag_again_replaces_it,
    a_deleted_tag_is_gone,
    a_deleted_tag_may_come_back,
    the_first_model_starts_a_list,
    more_models_join_the_list,
];

async fn a_new_run_reads_back(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w
        .tracking
        .create_run(NewRun {
            user_id: "ada".to_owned(),
            start_time: 1_234,
            ..new_run(experiment, "first")
        })
        .await?;
    let info = run.info;
    assert_eq!(info.experiment_id, experiment);
    assert_eq!(info.run_name.as_deref(), Some("first"));
    assert_eq!(info.user_id, "ada");
    assert_eq!(info.status, RunStatus::Running);
    assert_eq!((info.start_time, info.end_time), (1_234, None));
    assert_eq!(info.lifecycle_stage, LifecycleStage::Active);
    Ok(())
}

async fn a_run_is_read_as_it_was_created(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let created = w
        .tracking
        .create_run(NewRun {
            tags: tags(&[("b", "2"), ("a", "1")]),
            ..new_run(experiment, "first")
        })
        .await?;
    assert_eq!(w.get(&created.info.run_id).await?, created);
    Ok(())
}

async fn a_run_id_is_32_hexadecimal_digits(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let id = run.as_str();
    assert_eq!(id.len(), 32);
    assert!(
        id.bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)),
        "{id}"
    );
    Ok(())
}

async fn artifacts_live_under_the_experiments_location(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w.run(experiment, "r").await?;
    let location = w.get_experiment(experiment).await?.artifact_location;
    assert_eq!(
        w.get(&run).await?.info.artifact_uri,
        format!("{location}/{run}/artifacts")
    );
    Ok(())
}

async fn a_run_in_the_default_experiment(w: &World) -> Outcome {
    let run = w.run(ExperimentId::DEFAULT, "r").await?;
    assert_eq!(w.get(&run).await?.info.experiment_id, ExperimentId::DEFAULT);
    Ok(())
}

async fn a_name_becomes_the_name_tag(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w.run(experiment, "given").await?;
    assert_name(&w.get(&run).await?, "given");
    Ok(())
}

async fn a_name_tag_becomes_the_name(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w
        .tracking
        .create_run(NewRun {
            run_name: None,
            tags: tags(&[(Tag::RUN_NAME, "tagged")]),
            ..new_run(experiment, "")
        })
        .await?;
    assert_name(&run, "tagged");
    assert_name(&w.get(&run.info.run_id).await?, "tagged");
    Ok(())
}

async fn a_run_without_a_name_gets_one(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w
        .tracking
        .create_run(NewRun {
            run_name: None,
            ..new_run(experiment, "")
        })
        .await?;
    let name = run.info.run_name.clone().unwrap_or_default();
    assert!(!name.is_empty());
    assert_name(&w.get(&run.info.run_id).await?, &name);
    Ok(())
}

async fn names_are_not_unique(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let (one, other) = (
        w.run(experiment, "same").await?,
        w.run(experiment, "same").await?,
    );
    assert_ne!(one, other);
    Ok(())
}

async fn tags_of_creation_are_kept(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let run = w
        .tracking
        .create_run(NewRun {
            tags: tags(&[("z", "日本"), (Tag::PARENT_RUN_ID, "p"), ("empty", "")]),
            ..new_run(experiment, "r")
        })
        .await?;
    assert_eq!(
        w.get(&run.info.run_id).await?.data.tags,
        tags(&[
            ("empty", ""),
            (Tag::PARENT_RUN_ID, "p"),
            (Tag::RUN_NAME, "r"),
            ("z", "日本")
        ])
    );
    Ok(())
}

async fn an_update_sets_what_it_names(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let patch = RunPatch {
        status: Some(RunStatus::Failed),
        end_time: Some(99),
        run_name: Some("renamed".to_owned()),
    };
    w.tracking.update_run(&run, patch).await?;
    let info = w.get(&run).await?.info;
    assert_eq!(
        (info.status, info.end_time, info.run_name.as_deref()),
        (RunStatus::Failed, Some(99), Some("renamed"))
    );
    Ok(())
}

async fn an_update_keeps_what_it_does_not_name(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for patch in [
        RunPatch {
            end_time: Some(99),
            ..RunPatch::default()
        },
        RunPatch {
            status: Some(RunStatus::Killed),
            ..RunPatch::default()
        },
    ] {
        w.tracking.update_run(&run, patch).await?;
    }
    let info = w.get(&run).await?.info;
    assert_eq!(
        (info.status, info.end_time, info.run_name.as_deref()),
        (RunStatus::Killed, Some(99), Some("the run"))
    );
    Ok(())
}

async fn an_update_returns_what_a_read_returns(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let patch = RunPatch {
        status: Some(RunStatus::Finished),
        end_time: Some(7),
        run_name: Some("renamed".to_owned()),
    };
    let returned = w.tracking.update_run(&run, patch).await?;
    assert_eq!(w.get(&run).await?.info, returned);
    Ok(())
}

async fn an_empty_update_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let before = w.get(&run).await?;
    w.tracking.update_run(&run, RunPatch::default()).await?;
    assert_eq!(w.get(&run).await?, before);
    Ok(())
}

async fn a_new_name_moves_to_the_tag(w: &World) -> Outcome {
    let run = w.one_run().await?;
    rename(w, &run, "renamed").await?;
    assert_name(&w.get(&run).await?, "renamed");
    Ok(())
}

async fn a_new_name_tag_moves_to_the_name(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.tracking
        .set_tag(&run, Tag::new(Tag::RUN_NAME, "alone"))
        .await?;
    assert_name(&w.get(&run).await?, "alone");
    w.set_tags(
        &run,
        &[
            ("a", "1"),
            (Tag::RUN_NAME, "first"),
            (Tag::RUN_NAME, "last"),
        ],
    )
    .await?;
    assert_name(&w.get(&run).await?, "last");
    Ok(())
}

async fn an_empty_name_tag_is_ignored(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.tracking
        .set_tag(&run, Tag::new(Tag::RUN_NAME, ""))
        .await?;
    assert_name(&w.get(&run).await?, "the run");
    w.set_tags(&run, &[(Tag::RUN_NAME, ""), ("t", "1")]).await?;
    assert_name(&w.get(&run).await?, "the run");
    Ok(())
}

async fn a_name_survives_the_deletion_of_its_tag(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.tracking.delete_tag(&run, Tag::RUN_NAME).await?;
    assert_eq!(w.get(&run).await?.info.run_name.as_deref(), Some("the run"));
    assert_eq!(w.tag(&run, Tag::RUN_NAME).await?, None);
    rename(w, &run, "renamed").await?;
    assert_name(&w.get(&run).await?, "renamed");
    Ok(())
}

async fn every_status_is_kept(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for status in [
        RunStatus::Scheduled,
        RunStatus::Finished,
        RunStatus::Failed,
        RunStatus::Killed,
        RunStatus::Running,
    ] {
        let patch = RunPatch {
            status: Some(status),
            ..RunPatch::default()
        };
        w.tracking.update_run(&run, patch).await?;
        assert_eq!(w.get(&run).await?.info.status, status);
    }
    Ok(())
}

async fn a_finished_run_may_run_again(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for (status, end_time) in [(RunStatus::Finished, Some(5)), (RunStatus::Running, None)] {
        let patch = RunPatch {
            status: Some(status),
            end_time,
            run_name: None,
        };
        w.tracking.update_run(&run, patch).await?;
    }
    let info = w.get(&run).await?.info;
    assert_eq!((info.status, info.end_time), (RunStatus::Running, Some(5)));
    w.log_metrics(&run, "m", &[(1.0, 1, 0)]).await?;
    Ok(())
}

async fn an_end_may_lie_before_the_start(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let patch = RunPatch {
        end_time: Some(1),
        ..RunPatch::default()
    };
    w.tracking.update_run(&run, patch).await?;
    assert_eq!(w.get(&run).await?.info.end_time, Some(1));
    Ok(())
}

async fn what_a_run_logged_is_ordered_by_key(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.tracking.delete_tag(&run, Tag::RUN_NAME).await?;
    for key in ["b", "é", "a", "B"] {
        w.log_metrics(&run, key, &[(1.0, 1, 0)]).await?;
        w.log_params(&run, &[(key, "1")]).await?;
        w.set_tags(&run, &[(key, "1")]).await?;
    }
    let data = w.get(&run).await?.data;
    let point = [(1.0, 1, 0)];
    let expected = ["B", "a", "b", "é"];
    assert_eq!(
        data.metrics,
        expected.map(|key| metrics(key, &point)).concat()
    );
    assert_eq!(data.params, params(&expected.map(|key| (key, "1"))));
    assert_eq!(data.tags, tags(&expected.map(|key| (key, "1"))));
    Ok(())
}

async fn runs_do_not_share_what_they_log(w: &World) -> Outcome {
    let experiment = w.experiment("e").await?;
    let (one, other) = (
        w.run(experiment, "one").await?,
        w.run(experiment, "other").await?,
    );
    let before = w.get(&other).await?;
    w.log_metrics(&one, "m", &[(1.0, 1, 0)]).await?;
    w.log_params(&one, &[("p", "1")]).await?;
    w.set_tags(&one, &[("t", "1")]).await?;
    assert_eq!(w.get(&other).await?, before);
    Ok(())
}

async fn setting_a_tag_again_replaces_it(w: &World) -> Outcome {
    let run = w.one_run().await?;
    for value in ["1", "2"] {
        w.tracking.set_tag(&run, Tag::new("t", value)).await?;
    }
    assert_eq!(w.tag(&run, "t").await?.as_deref(), Some("2"));
    Ok(())
}

async fn a_deleted_tag_is_gone(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.set_tags(&run, &[("a", "1"), ("b", "1")]).await?;
    w.tracking.delete_tag(&run, "a").await?;
    assert_eq!(w.tag(&run, "a").await?, None);
    assert_eq!(w.tag(&run, "b").await?.as_deref(), Some("1"));
    assert_refused(
        w.tracking.delete_tag(&run, "a").await,
        ErrorCode::ResourceDoesNotExist,
        &format!("No tag with name: a in run with id {run}"),
    );
    Ok(())
}

async fn a_deleted_tag_may_come_back(w: &World) -> Outcome {
    let run = w.one_run().await?;
    w.set_tags(&run, &[("a", "1")]).await?;
    w.tracking.delete_tag(&run, "a").await?;
    w.set_tags(&run, &[("a", "2")]).await?;
    assert_eq!(w.tag(&run, "a").await?.as_deref(), Some("2"));
    Ok(())
}

async fn the_first_model_starts_a_list(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let model = model_json("a");
    w.tracking.record_logged_model(&run, &model).await?;
    assert_eq!(models_of(w, &run).await?, format!("[{model}]"));
    Ok(())
}

async fn more_models_join_the_list(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let models = ["a", "b", "a"].map(model_json);
    for model in &models {
        w.tracking.record_logged_model(&run, model).await?;
    }
    assert_eq!(models_of(w, &run).await?, format!("[{}]", models.join(",")));
    Ok(())
}

/// The list of models in the tag, without the spaces that JSON allows.
async fn models_of(w: &World, run: &runledger_entities::RunId) -> Result<String, StoreError> {
    let text = w.tag(run, Tag::LOGGED_MODELS).await?.unwrap_or_default();
    Ok(text.replace(' ', ""))
}

async fn rename(w: &World, run: &runledger_entities::RunId, name: &str) -> Result<(), StoreError> {
    let patch = RunPatch {
        run_name: Some(name.to_owned()),
        ..RunPatch::default()
    };
    w.tracking.update_run(run, patch).await.map(drop)
}

#[track_caller]
fn assert_name(run: &Run, name: &str) {
    let tag = run.data.tags.iter().find(|tag| tag.key == Tag::RUN_NAME);
    assert_eq!(
        (
            run.info.run_name.as_deref(),
            tag.map(|tag| tag.value.as_str())
        ),
        (Some(name), Some(name))
    );
}
