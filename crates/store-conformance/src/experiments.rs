//! Experiments by themselves: creation, lookup, renaming, tags.

use runledger_entities::{
    ErrorCode, Experiment, ExperimentId, LifecycleStage, Tag, ViewType, limits,
};
use runledger_store::{ExperimentQuery, NewExperiment};

use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, next_millisecond, tags, whole},
};

cases![
    the_default_experiment_is_there_from_the_start,
    a_new_experiment_reads_back,
    each_experiment_has_an_id_of_its_own,
    a_given_artifact_location_is_kept,
    without_a_location_the_last_part_is_the_id,
    tags_come_in_the_order_of_their_keys,
    of_equal_tags_at_creation_the_last_wins,
    a_taken_name_is_refused,
    a_refused_experiment_leaves_nothing_behind,
    names_differ_by_case,
    names_are_not_patterns,
    names_keep_every_character,
    a_long_name_is_kept_whole,
    the_name_finds_the_same_experiment_as_the_id,
    renaming_changes_the_name_only,
    renaming_moves_the_time_of_the_last_update,
    an_experiment_may_be_renamed_to_its_own_name,
    renaming_to_a_taken_name_is_refused,
    a_name_is_free_again_after_a_renaming,
    setting_a_tag_adds_it,
    setting_a_tag_again_replaces_it,
    a_long_tag_is_kept_whole,
    a_deleted_tag_is_gone,
    experiments_do_not_share_tags,
    tags_do_not_move_the_time_of_the_last_update,
];

async fn the_default_experiment_is_there_from_the_start(w: &World) -> Outcome {
    let found = w.get_experiment(ExperimentId::DEFAULT).await?;
    assert_eq!(found.name, "Default");
    assert_eq!(found.lifecycle_stage, LifecycleStage::Active);
    Ok(())
}

async fn a_new_experiment_reads_back(w: &World) -> Outcome {
    let id = w
        .tracking
        .create_experiment(NewExperiment {
            name: "new".to_owned(),
            artifact_location: None,
            tags: tags(&[("k", "v")]),
        })
        .await?;
    let found = w.get_experiment(id).await?;
    assert_eq!(
        (
            found.experiment_id,
            found.name.as_str(),
            found.lifecycle_stage
        ),
        (id, "new", LifecycleStage::Active)
    );
    assert_eq!(found.tags, tags(&[("k", "v")]));
    assert!(
        found
            .creation_time
            .is_some_and(|time| time > 1_600_000_000_000)
    );
    assert_eq!(found.creation_time, found.last_update_time);
    Ok(())
}

async fn each_experiment_has_an_id_of_its_own(w: &World) -> Outcome {
    let mut ids = vec![ExperimentId::DEFAULT];
    for name in ["a", "b", "c"] {
        ids.push(w.experiment(name).await?);
    }
    let mut unique = ids.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    Ok(())
}

async fn a_given_artifact_location_is_kept(w: &World) -> Outcome {
    let location = "s3://bucket/some folder?versioned=1";
    let id = w
        .tracking
        .create_experiment(NewExperiment {
            name: "elsewhere".to_owned(),
            artifact_location: Some(location.to_owned()),
            tags: Vec::new(),
        })
        .await?;
    assert_eq!(w.get_experiment(id).await?.artifact_location, location);
    Ok(())
}

async fn without_a_location_the_last_part_is_the_id(w: &World) -> Outcome {
    let id = w.experiment("here").await?;
    let location = w.get_experiment(id).await?.artifact_location;
    assert!(location.ends_with(&format!("/{id}")), "{location}");
    Ok(())
}

async fn tags_come_in_the_order_of_their_keys(w: &World) -> Outcome {
    let id = w
        .tracking
        .create_experiment(NewExperiment {
            name: "tagged".to_owned(),
            artifact_location: None,
            tags: tags(&[("b", "2"), ("c", "3"), ("B", "1"), ("a", "1")]),
        })
        .await?;
    assert_eq!(
        w.get_experiment(id).await?.tags,
        tags(&[("B", "1"), ("a", "1"), ("b", "2"), ("c", "3")])
    );
    Ok(())
}

async fn of_equal_tags_at_creation_the_last_wins(w: &World) -> Outcome {
    let id = w
        .tracking
        .create_experiment(NewExperiment {
            name: "tagged".to_owned(),
            artifact_location: None,
            tags: tags(&[("k", "first"), ("k", "last")]),
        })
        .await?;
    assert_eq!(w.get_experiment(id).await?.tags, tags(&[("k", "last")]));
    Ok(())
}

async fn a_taken_name_is_refused(w: &World) -> Outcome {
    w.experiment("taken").await?;
    assert_refused(
        w.experiment("taken").await,
        ErrorCode::ResourceAlreadyExists,
        "Experiment(name=taken) already exists.",
    );
    Ok(())
}

async fn a_refused_experiment_leaves_nothing_behind(w: &World) -> Outcome {
    w.experiment("taken").await?;
    let before = all(w).await?;
    let again = w
        .tracking
        .create_experiment(NewExperiment {
            name: "taken".to_owned(),
            artifact_location: Some("elsewhere".to_owned()),
            tags: tags(&[("k", "v")]),
        })
        .await;
    assert!(again.is_err());
    assert_eq!(all(w).await?, before);
    Ok(())
}

async fn names_differ_by_case(w: &World) -> Outcome {
    let lower = w.experiment("name").await?;
    let upper = w.experiment("NAME").await?;
    assert_ne!(lower, upper);
    let found = w.tracking.get_experiment_by_name("NAME").await?;
    assert_eq!(found.experiment_id, upper);
    Ok(())
}

async fn names_are_not_patterns(w: &World) -> Outcome {
    w.experiment("abc").await?;
    for pattern in ["a%", "a_c", "ab", "abc "] {
        let found = w.tracking.get_experiment_by_name(pattern).await;
        assert!(found.is_err(), "{pattern} found {found:?}");
    }
    Ok(())
}

async fn names_keep_every_character(w: &World) -> Outcome {
    for name in [
        " spaces ",
        "quote ' and \"",
        "back\\slash",
        "日本語 🎉",
        "a/b#c?d",
    ] {
        let id = w.experiment(&format!("x{name}")).await?;
        assert_eq!(w.get_experiment(id).await?.name, format!("x{name}"));
    }
    Ok(())
}

async fn a_long_name_is_kept_whole(w: &World) -> Outcome {
    let name = "é".repeat(w.longest_experiment_name);
    let id = w.experiment(&name).await?;
    assert_eq!(w.get_experiment(id).await?.name, name);
    Ok(())
}

async fn the_name_finds_the_same_experiment_as_the_id(w: &World) -> Outcome {
    let id = w.experiment("one").await?;
    w.experiment("another").await?;
    assert_eq!(
        w.tracking.get_experiment_by_name("one").await?,
        w.get_experiment(id).await?
    );
    Ok(())
}

async fn renaming_changes_the_name_only(w: &World) -> Outcome {
    let id = w.experiment("old").await?;
    w.tracking
        .set_experiment_tag(id, Tag::new("k", "v"))
        .await?;
    let before = w.get_experiment(id).await?;
    w.tracking.rename_experiment(id, "new".to_owned()).await?;
    let after = w.get_experiment(id).await?;
    assert_eq!(
        after,
        Experiment {
            name: "new".to_owned(),
            last_update_time: after.last_update_time,
            ..before
        }
    );
    Ok(())
}

async fn renaming_moves_the_time_of_the_last_update(w: &World) -> Outcome {
    let id = w.experiment("old").await?;
    let before = w.get_experiment(id).await?.last_update_time;
    next_millisecond().await;
    w.tracking.rename_experiment(id, "new".to_owned()).await?;
    assert!(w.get_experiment(id).await?.last_update_time > before);
    Ok(())
}

async fn an_experiment_may_be_renamed_to_its_own_name(w: &World) -> Outcome {
    let id = w.experiment("same").await?;
    w.tracking.rename_experiment(id, "same".to_owned()).await?;
    assert_eq!(w.get_experiment(id).await?.name, "same");
    Ok(())
}

async fn renaming_to_a_taken_name_is_refused(w: &World) -> Outcome {
    w.experiment("taken").await?;
    let id = w.experiment("free").await?;
    let before = w.get_experiment(id).await?;
    assert_refused(
        w.tracking.rename_experiment(id, "taken".to_owned()).await,
        ErrorCode::ResourceAlreadyExists,
        "Experiment(name=taken) already exists.",
    );
    assert_eq!(w.get_experiment(id).await?, before);
    Ok(())
}

async fn a_name_is_free_again_after_a_renaming(w: &World) -> Outcome {
    let first = w.experiment("name").await?;
    w.tracking
        .rename_experiment(first, "other".to_owned())
        .await?;
    let second = w.experiment("name").await?;
    assert_eq!(
        w.tracking
            .get_experiment_by_name("name")
            .await?
            .experiment_id,
        second
    );
    Ok(())
}

async fn setting_a_tag_adds_it(w: &World) -> Outcome {
    let id = w.experiment("tagged").await?;
    w.tracking
        .set_experiment_tag(id, Tag::new("a", "1"))
        .await?;
    w.tracking.set_experiment_tag(id, Tag::new("b", "")).await?;
    assert_eq!(
        w.get_experiment(id).await?.tags,
        tags(&[("a", "1"), ("b", "")])
    );
    Ok(())
}

async fn setting_a_tag_again_replaces_it(w: &World) -> Outcome {
    let id = w.experiment("tagged").await?;
    for value in ["1", "2"] {
        w.tracking
            .set_experiment_tag(id, Tag::new("a", value))
            .await?;
    }
    assert_eq!(w.get_experiment(id).await?.tags, tags(&[("a", "2")]));
    Ok(())
}

async fn a_long_tag_is_kept_whole(w: &World) -> Outcome {
    let id = w.experiment("tagged").await?;
    let tag = Tag::new(
        "k".repeat(limits::KEY),
        "é".repeat(limits::EXPERIMENT_TAG_VALUE),
    );
    w.tracking.set_experiment_tag(id, tag.clone()).await?;
    assert_eq!(w.get_experiment(id).await?.tags, [tag]);
    Ok(())
}

async fn a_deleted_tag_is_gone(w: &World) -> Outcome {
    let id = w.experiment("tagged").await?;
    for key in ["a", "b"] {
        w.tracking
            .set_experiment_tag(id, Tag::new(key, "1"))
            .await?;
    }
    w.tracking.delete_experiment_tag(id, "a").await?;
    assert_eq!(w.get_experiment(id).await?.tags, tags(&[("b", "1")]));
    Ok(())
}

async fn experiments_do_not_share_tags(w: &World) -> Outcome {
    let (one, other) = (w.experiment("one").await?, w.experiment("other").await?);
    w.tracking
        .set_experiment_tag(one, Tag::new("k", "1"))
        .await?;
    w.tracking
        .set_experiment_tag(other, Tag::new("k", "2"))
        .await?;
    w.tracking.delete_experiment_tag(other, "k").await?;
    assert_eq!(w.get_experiment(one).await?.tags, tags(&[("k", "1")]));
    Ok(())
}

async fn tags_do_not_move_the_time_of_the_last_update(w: &World) -> Outcome {
    let id = w.experiment("tagged").await?;
    let before = w.get_experiment(id).await?.last_update_time;
    next_millisecond().await;
    w.tracking
        .set_experiment_tag(id, Tag::new("a", "1"))
        .await?;
    assert_eq!(w.get_experiment(id).await?.last_update_time, before);
    Ok(())
}

async fn all(w: &World) -> Result<Vec<Experiment>, runledger_store::StoreError> {
    let page = w
        .tracking
        .search_experiments(ExperimentQuery {
            view: ViewType::All,
            filter: Vec::new(),
            order_by: Vec::new(),
            page: whole(),
        })
        .await?;
    Ok(page.items)
}
