//! Versions: creation, numbers, description, tags, removal.

use runledger_entities::{Coded as _, ErrorCode, ModelStage, ModelVersionStatus, RunId, Tag};
use runledger_search::RegistryFilter;
use runledger_store::{DescriptionPatch, NewModelVersion, StageChange};

use super::setup::{assert_no_version, new_version, v};
use crate::{
    World,
    case::{Outcome, cases},
    setup::{next_millisecond, tags},
};

cases![
    a_new_version_reads_back,
    files_are_where_a_server_says,
    a_version_may_have_next_to_nothing,
    of_equal_tags_the_last_wins,
    numbers_count_from_one,
    a_deleted_number_is_not_given_again,
    a_new_version_moves_the_time_of_its_model,
    an_unknown_version_is_not_found,
    an_unknown_version_is_not_changed,
    a_description_changes_with_the_time,
    tags_are_set_and_deleted,
    tags_of_versions_are_apart,
    a_deleted_version_is_not_found,
    a_deleted_version_is_not_changed,
    a_deleted_version_moves_the_time_of_its_model,
    a_model_shows_its_newest_versions,
];

async fn a_new_version_reads_back(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    // A server finds out itself where the files of another version are, which must be there.
    let (source, location) = if w.is_behind_a_server {
        ("s3://bucket/files", None)
    } else {
        ("models:/other/1", Some("s3://bucket/files".to_owned()))
    };
    let created = store
        .create_model_version(NewModelVersion {
            name: "m".to_owned(),
            source: source.to_owned(),
            storage_location: location,
            run_id: Some(RunId::new("0123456789abcdef0123456789abcdef")),
            run_link: Some("https://elsewhere/run".to_owned()),
            description: Some("first".to_owned()),
            tags: tags(&[("z", ""), ("a", "1")]),
        })
        .await?;
    assert_eq!((created.name.as_str(), created.version), ("m", v(1)));
    assert_eq!(created.current_stage, ModelStage::None);
    assert_eq!(created.status, ModelVersionStatus::Ready);
    assert_eq!(created.source.as_deref(), Some(source));
    assert_eq!(created.download_uri(), "s3://bucket/files");
    assert_eq!(
        created.run_id.as_ref().map(RunId::as_str),
        Some("0123456789abcdef0123456789abcdef")
    );
    assert_eq!(created.run_link.as_deref(), Some("https://elsewhere/run"));
    assert_eq!(created.description.as_deref(), Some("first"));
    assert_eq!(created.tags, tags(&[("a", "1"), ("z", "")]));
    assert_eq!(
        created.last_updated_timestamp,
        Some(created.creation_timestamp)
    );
    assert!(created.aliases.is_empty() && created.user_id.is_none());
    assert_eq!(w.version("m", 1).await?, created);
    Ok(())
}

async fn files_are_where_a_server_says(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    let elsewhere = NewModelVersion {
        storage_location: Some("s3://elsewhere/files".to_owned()),
        ..new_version("m")
    };
    let created = store.create_model_version(elsewhere).await;
    if w.is_behind_a_server {
        let error = created.expect_err("it cannot be sent");
        assert_eq!(error.code(), ErrorCode::InvalidParameterValue, "{error}");
        return Ok(());
    }
    assert_eq!(created?.download_uri(), "s3://elsewhere/files");
    Ok(())
}

async fn a_version_may_have_next_to_nothing(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    let created = store.create_model_version(new_version("m")).await?;
    assert_eq!(created.download_uri(), "s3://bucket/model");
    assert_eq!((created.description, created.run_link), (None, None));
    let empty = NewModelVersion {
        run_id: Some(RunId::new("")),
        run_link: Some(String::new()),
        description: Some(String::new()),
        ..new_version("m")
    };
    let created = store.create_model_version(empty).await?;
    assert_eq!(created.run_id, Some(RunId::new("")));
    assert_eq!(created.run_link.as_deref(), w.empty_text());
    assert_eq!(created.description.as_deref(), w.empty_text());
    assert_eq!(w.version("m", 2).await?, created);
    Ok(())
}

async fn of_equal_tags_the_last_wins(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    let new = NewModelVersion {
        tags: tags(&[("k", "1"), ("k", "2")]),
        ..new_version("m")
    };
    let created = store.create_model_version(new).await?;
    assert_eq!(created.tags, tags(&[("k", "2")]));
    Ok(())
}

async fn numbers_count_from_one(w: &World) -> Outcome {
    let store = w.registered("a", 0).await?;
    w.registered("b", 0).await?;
    w.assert_last_version("a", 0).await?;
    for number in 1..=12 {
        let created = store.create_model_version(new_version("a")).await?;
        assert_eq!(created.version, v(number));
    }
    let created = store.create_model_version(new_version("b")).await?;
    assert_eq!(created.version, v(1));
    w.assert_last_version("a", 12).await?;
    Ok(())
}

async fn a_deleted_number_is_not_given_again(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    store.delete_model_version("m", v(2)).await?;
    w.assert_last_version("m", 2).await?;
    let created = store.create_model_version(new_version("m")).await?;
    assert_eq!(created.version, v(3));
    Ok(())
}

async fn a_new_version_moves_the_time_of_its_model(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    next_millisecond().await;
    let created = store.create_model_version(new_version("m")).await?;
    let model = w.registered_model("m").await?;
    assert_eq!(
        model.last_updated_timestamp,
        Some(created.creation_timestamp)
    );
    assert!(model.creation_timestamp < created.creation_timestamp);
    Ok(())
}

async fn an_unknown_version_is_not_found(w: &World) -> Outcome {
    w.registered("m", 1).await?;
    for number in [0, 2, -1, i64::from(i32::MAX), i64::MAX, i64::MIN] {
        assert_no_version(w.version("m", number).await, "m", number);
    }
    assert_no_version(w.version("nope", 1).await, "nope", 1);
    Ok(())
}

async fn an_unknown_version_is_not_changed(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    let before = w.registered_model("m").await?;
    next_millisecond().await;
    for (name, number) in [("m", 2), ("nope", 1)] {
        let n = v(number);
        let patch = DescriptionPatch::default();
        let updated = store.update_model_version(name, n, patch).await;
        assert_no_version(updated, name, number);
        let to = StageChange {
            stage: ModelStage::Staging,
            archive_others: true,
        };
        let moved = store.transition_model_version(name, n, to).await;
        assert_no_version(moved, name, number);
        assert_no_version(store.delete_model_version(name, n).await, name, number);
        let tag = Tag::new("k", "v");
        let set = store.set_model_version_tag(name, n, tag).await;
        assert_no_version(set, name, number);
        let deleted = store.delete_model_version_tag(name, n, "k").await;
        assert_no_version(deleted, name, number);
        assert_no_version(store.set_model_alias(name, "a", n).await, name, number);
    }
    assert_eq!(w.registered_model("m").await?, before);
    Ok(())
}

async fn a_description_changes_with_the_time(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    let (before, model) = (w.version("m", 1).await?, w.registered_model("m").await?);
    next_millisecond().await;
    let patch = DescriptionPatch {
        description: Some("né\n".to_owned()),
    };
    let after = store.update_model_version("m", v(1), patch).await?;
    assert_eq!(after.description.as_deref(), Some("né\n"));
    assert!(after.last_updated_timestamp > before.last_updated_timestamp);
    assert_eq!(w.version("m", 1).await?, after);
    assert_eq!(w.version("m", 2).await?.description, None);
    let model_after = w.registered_model("m").await?;
    assert_eq!(
        model_after.last_updated_timestamp,
        model.last_updated_timestamp
    );
    let patch = DescriptionPatch::default();
    let after = store.update_model_version("m", v(1), patch).await?;
    assert_eq!(after.description, None);
    Ok(())
}

async fn tags_are_set_and_deleted(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    for (key, value) in [("a/b", "1"), ("k", "old"), ("k", "new"), ("K", "")] {
        let tag = Tag::new(key, value);
        store.set_model_version_tag("m", v(1), tag).await?;
    }
    assert_eq!(
        w.version("m", 1).await?.tags,
        tags(&[("K", ""), ("a/b", "1"), ("k", "new")])
    );
    store.delete_model_version_tag("m", v(1), "k").await?;
    store.delete_model_version_tag("m", v(1), "never").await?;
    assert_eq!(
        w.version("m", 1).await?.tags,
        tags(&[("K", ""), ("a/b", "1")])
    );
    Ok(())
}

async fn tags_of_versions_are_apart(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    w.registered("n", 2).await?;
    store
        .set_model_version_tag("m", v(1), Tag::new("k", "m1"))
        .await?;
    store
        .set_model_version_tag("n", v(2), Tag::new("k", "n2"))
        .await?;
    assert_eq!(w.version("m", 1).await?.tags, tags(&[("k", "m1")]));
    assert!(w.version("m", 2).await?.tags.is_empty());
    assert!(w.version("n", 1).await?.tags.is_empty());
    assert_eq!(w.version("n", 2).await?.tags, tags(&[("k", "n2")]));
    Ok(())
}

async fn a_deleted_version_is_not_found(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    store.delete_model_version("m", v(3)).await?;
    assert_no_version(w.version("m", 3).await, "m", 3);
    let model = w.registered_model("m").await?;
    assert_eq!(model.latest_versions[0].version, v(2));
    let all = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(all.len(), 2, "{all:?}");
    Ok(())
}

async fn a_deleted_version_is_not_changed(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    store.delete_model_version("m", v(1)).await?;
    let patch = DescriptionPatch::default();
    let updated = store.update_model_version("m", v(1), patch).await;
    assert_no_version(updated, "m", 1);
    let to = StageChange {
        stage: ModelStage::Staging,
        archive_others: false,
    };
    let moved = store.transition_model_version("m", v(1), to).await;
    assert_no_version(moved, "m", 1);
    assert_no_version(store.delete_model_version("m", v(1)).await, "m", 1);
    let tag = Tag::new("k", "v");
    let set = store.set_model_version_tag("m", v(1), tag).await;
    assert_no_version(set, "m", 1);
    assert_no_version(store.set_model_alias("m", "a", v(1)).await, "m", 1);
    Ok(())
}

async fn a_deleted_version_moves_the_time_of_its_model(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    let before = w.registered_model("m").await?;
    next_millisecond().await;
    store.delete_model_version("m", v(1)).await?;
    let after = w.registered_model("m").await?;
    assert!(after.last_updated_timestamp > before.last_updated_timestamp);
    Ok(())
}

async fn a_model_shows_its_newest_versions(w: &World) -> Outcome {
    let store = w.registered("m", 11).await?;
    store
        .set_model_version_tag("m", v(11), Tag::new("k", "v"))
        .await?;
    store.set_model_alias("m", "a", v(11)).await?;
    let model = w.registered_model("m").await?;
    assert_eq!(model.latest_versions, [w.version("m", 11).await?]);
    assert_eq!(model.latest_versions[0].aliases, ["a"]);
    Ok(())
}
