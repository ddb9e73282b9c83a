//! Logged models by themselves: creation, status, tags, params, metrics.

use runledger_entities::{ErrorCode, LifecycleStage, LoggedModelStatus};
use runledger_store::{LoggedModelPatch, LoggedModelQuery, NewLoggedModel};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, new_model, next_millisecond, params, tags, whole},
};

cases![
    a_new_model_reads_back,
    a_model_is_read_as_it_was_created,
    artifacts_live_under_the_experiments_location,
    a_model_without_a_name_gets_one,
    names_are_not_unique,
    every_status_is_kept,
    a_new_status_moves_the_time_of_the_last_update,
    tags_are_added_and_replaced,
    of_equal_tags_the_last_wins,
    a_deleted_tag_is_gone,
    params_are_added,
    a_param_keeps_its_first_value,
    metrics_of_all_runs_and_datasets_are_listed,
    models_do_not_share_what_belongs_to_them,
    a_deleted_model_is_not_found,
    a_deleted_model_is_not_listed,
];

async fn a_new_model_reads_back(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let model = w
        .models
        .create_logged_model(NewLoggedModel {
            model_type: Some("Agent".to_owned()),
            source_run_id: Some(run.clone()),
            params: params(&[("b", "2"), ("a", "1")]),
            tags: tags(&[("z", "26"), ("y", "")]),
            ..new_model(e, "first")
        })
        .await?;
    assert_eq!((model.experiment_id, model.name.as_str()), (e, "first"));
    assert_eq!(model.status, LoggedModelStatus::Pending);
    assert_eq!(model.model_type.as_deref(), Some("Agent"));
    assert_eq!(model.source_run_id, Some(run));
    assert_eq!(model.params, params(&[("a", "1"), ("b", "2")]));
    assert_eq!(model.tags, tags(&[("y", ""), ("z", "26")]));
    assert_eq!(model.lifecycle_stage, LifecycleStage::Active);
    assert_eq!(model.creation_timestamp, model.last_updated_timestamp);
    assert!(model.metrics.is_empty());
    Ok(())
}

async fn a_model_is_read_as_it_was_created(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let created = w
        .models
        .create_logged_model(NewLoggedModel {
            tags: tags(&[("k", "v")]),
            ..new_model(e, "m")
        })
        .await?;
    assert_eq!(w.get_model(&created.model_id).await?, created);
    Ok(())
}

async fn artifacts_live_under_the_experiments_location(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    let location = w.get_experiment(e).await?.artifact_location;
    assert_eq!(
        w.get_model(&id).await?.artifact_location,
        format!("{location}/models/{id}/artifacts")
    );
    let digits = id.as_str().strip_prefix("m-").unwrap_or_default();
    assert!(
        digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
    Ok(())
}

async fn a_model_without_a_name_gets_one(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let model = w
        .models
        .create_logged_model(NewLoggedModel {
            name: None,
            ..new_model(e, "")
        })
        .await?;
    assert!(!model.name.is_empty());
    Ok(())
}

async fn names_are_not_unique(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    assert_ne!(w.model(e, "same").await?, w.model(e, "same").await?);
    Ok(())
}

async fn every_status_is_kept(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    for status in [
        LoggedModelStatus::Ready,
        LoggedModelStatus::UploadFailed,
        LoggedModelStatus::Unspecified,
        LoggedModelStatus::Pending,
    ] {
        let returned = w
            .models
            .update_logged_model(&id, LoggedModelPatch { status })
            .await?;
        assert_eq!(returned.status, status);
        assert_eq!(w.get_model(&id).await?, returned);
    }
    Ok(())
}

async fn a_new_status_moves_the_time_of_the_last_update(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    let before = w.get_model(&id).await?;
    next_millisecond().await;
    let status = LoggedModelStatus::Ready;
    let after = w
        .models
        .update_logged_model(&id, LoggedModelPatch { status })
        .await?;
    assert!(after.last_updated_timestamp > before.last_updated_timestamp);
    assert_eq!(after.creation_timestamp, before.creation_timestamp);
    Ok(())
}

async fn tags_are_added_and_replaced(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models
        .set_logged_model_tags(&id, tags(&[("a", "1"), ("b", "1")]))
        .await?;
    w.models
        .set_logged_model_tags(&id, tags(&[("b", "2"), ("c", "3")]))
        .await?;
    assert_eq!(
        w.get_model(&id).await?.tags,
        tags(&[("a", "1"), ("b", "2"), ("c", "3")])
    );
    Ok(())
}

async fn of_equal_tags_the_last_wins(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models
        .set_logged_model_tags(&id, tags(&[("k", "1"), ("k", "2")]))
        .await?;
    assert_eq!(w.get_model(&id).await?.tags, tags(&[("k", "2")]));
    Ok(())
}

async fn a_deleted_tag_is_gone(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models
        .set_logged_model_tags(&id, tags(&[("a", "1"), ("b", "1")]))
        .await?;
    w.models.delete_logged_model_tag(&id, "a").await?;
    assert_eq!(w.get_model(&id).await?.tags, tags(&[("b", "1")]));
    let again = w.models.delete_logged_model_tag(&id, "a").await;
    assert!(again.is_err());
    Ok(())
}

async fn params_are_added(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models
        .log_logged_model_params(&id, params(&[("b", "2")]))
        .await?;
    w.models
        .log_logged_model_params(&id, params(&[("a", "1"), ("c", "")]))
        .await?;
    assert_eq!(
        w.get_model(&id).await?.params,
        params(&[("a", "1"), ("b", "2"), ("c", "")])
    );
    Ok(())
}

async fn a_param_keeps_its_first_value(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models
        .log_logged_model_params(&id, params(&[("a", "1")]))
        .await?;
    w.models
        .log_logged_model_params(&id, params(&[("a", "2"), ("b", "3")]))
        .await?;
    assert_eq!(
        w.get_model(&id).await?.params,
        params(&[("a", "1"), ("b", "3")])
    );
    Ok(())
}

async fn metrics_of_all_runs_and_datasets_are_listed(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let (one, other) = (w.run(e, "one").await?, w.run(e, "other").await?);
    let id = w.model(e, "m").await?;
    w.measure(&one, &id, (0.1, 1, 0), Some(("train", "1")))
        .await?;
    w.measure(&one, &id, (0.2, 1, 1), Some(("test", "2")))
        .await?;
    w.measure(&other, &id, (0.3, 2, 0), None).await?;
    let mut found: Vec<_> = w
        .get_model(&id)
        .await?
        .metrics
        .into_iter()
        .map(|metric| {
            (
                metric.step,
                metric.timestamp,
                metric.run_id,
                metric.dataset_name,
            )
        })
        .collect();
    found.sort();
    let mut expected = vec![
        (0, 1, one.clone(), Some("train".to_owned())),
        (0, 2, other, None),
        (1, 1, one, Some("test".to_owned())),
    ];
    expected.sort();
    assert_eq!(found, expected);
    Ok(())
}

async fn models_do_not_share_what_belongs_to_them(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let (one, other) = (w.model(e, "one").await?, w.model(e, "other").await?);
    let before = w.get_model(&other).await?;
    w.models
        .set_logged_model_tags(&one, tags(&[("k", "1")]))
        .await?;
    w.models
        .log_logged_model_params(&one, params(&[("k", "1")]))
        .await?;
    w.measure(&run, &one, (0.1, 1, 0), None).await?;
    assert_eq!(w.get_model(&other).await?, before);
    Ok(())
}

async fn a_deleted_model_is_not_found(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let id = w.model(e, "m").await?;
    w.models.delete_logged_model(&id).await?;
    assert_refused(
        w.get_model(&id).await,
        ErrorCode::ResourceDoesNotExist,
        &format!("Logged model with ID '{id}' not found."),
    );
    Ok(())
}

async fn a_deleted_model_is_not_listed(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    w.model(e, "kept").await?;
    let id = w.model(e, "deleted").await?;
    w.models.delete_logged_model(&id).await?;
    let query = LoggedModelQuery {
        experiment_ids: vec![e],
        filter: Vec::new(),
        datasets: Vec::new(),
        order_by: Vec::new(),
        page: whole(),
    };
    let found = w.models.search_logged_models(query).await?.items;
    let names: Vec<_> = found.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["kept"]);
    Ok(())
}
