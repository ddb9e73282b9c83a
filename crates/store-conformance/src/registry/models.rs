//! Registered models by themselves: creation, description, names, tags, removal.

use runledger_entities::{ErrorCode, Tag};
use runledger_search::RegistryFilter;
use runledger_store::{DescriptionPatch, NewRegisteredModel};

use super::setup::{PROMPT, assert_no_model, new_registered_model, new_version, v};
use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, next_millisecond, tags},
};

cases![
    a_new_model_reads_back,
    a_model_may_have_no_description,
    of_equal_tags_the_last_wins,
    a_name_is_taken_once,
    a_name_is_taken_by_models_and_prompts_alike,
    names_differ_in_case,
    an_unknown_model_is_not_found,
    an_unknown_model_is_not_changed,
    a_description_changes_with_the_time,
    a_description_can_be_taken_away,
    a_rename_takes_everything_along,
    a_rename_moves_the_times_of_all,
    a_rename_to_a_taken_name_changes_nothing,
    a_model_can_be_renamed_to_its_own_name,
    a_name_that_was_left_is_free,
    tags_are_set_and_deleted,
    tags_of_models_are_apart,
    tags_leave_the_time_alone,
    a_deleted_model_is_gone_with_its_versions,
    a_model_made_again_begins_with_the_first_version,
];

async fn a_new_model_reads_back(w: &World) -> Outcome {
    let store = w.registry()?;
    let created = store
        .create_registered_model(NewRegisteredModel {
            name: "Größe 1.0".to_owned(),
            description: Some("# what\nit is".to_owned()),
            tags: tags(&[("z", "26"), ("a/b", ""), (PROMPT.0, "false")]),
        })
        .await?;
    assert_eq!(created.name, "Größe 1.0");
    assert_eq!(created.description.as_deref(), Some("# what\nit is"));
    assert_eq!(
        created.tags,
        tags(&[("a/b", ""), (PROMPT.0, "false"), ("z", "26")])
    );
    assert_eq!(
        created.last_updated_timestamp,
        Some(created.creation_timestamp)
    );
    assert!(created.latest_versions.is_empty() && created.aliases.is_empty());
    assert_eq!(w.registered_model("Größe 1.0").await?, created);
    Ok(())
}

async fn a_model_may_have_no_description(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    assert_eq!(w.registered_model("m").await?.description, None);
    let empty = NewRegisteredModel {
        description: Some(String::new()),
        ..new_registered_model("n", &[])
    };
    let created = store.create_registered_model(empty).await?;
    assert_eq!(created.description.as_deref(), w.empty_text());
    Ok(())
}

async fn of_equal_tags_the_last_wins(w: &World) -> Outcome {
    let new = new_registered_model("m", &[("k", "1"), ("l", "x"), ("k", "2")]);
    let created = w.registry()?.create_registered_model(new).await?;
    assert_eq!(created.tags, tags(&[("k", "2"), ("l", "x")]));
    Ok(())
}

async fn a_name_is_taken_once(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    let again = store.create_registered_model(new_registered_model("m", &[("k", "v")]));
    assert_refused(
        again.await,
        ErrorCode::ResourceAlreadyExists,
        "Registered Model (name=m) already exists.",
    );
    let model = w.registered_model("m").await?;
    assert!(model.tags.is_empty());
    assert_eq!(model.latest_versions.len(), 1);
    Ok(())
}

async fn a_name_is_taken_by_models_and_prompts_alike(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    let prompt = |name| new_registered_model(name, &[PROMPT]);
    store.create_registered_model(prompt("p")).await?;
    assert_refused(
        store.create_registered_model(prompt("p")).await,
        ErrorCode::ResourceAlreadyExists,
        "Prompt (name=p) already exists.",
    );
    assert_refused(
        store.create_registered_model(prompt("m")).await,
        ErrorCode::ResourceAlreadyExists,
        "Tried to create a prompt with name 'm', but the name is already taken by a registered \
         model. MLflow does not allow creating a model and a prompt with the same name.",
    );
    assert_refused(
        store
            .create_registered_model(new_registered_model("p", &[]))
            .await,
        ErrorCode::ResourceAlreadyExists,
        "Tried to create a registered model with name 'p', but the name is already taken by a \
         prompt. MLflow does not allow creating a model and a prompt with the same name.",
    );
    Ok(())
}

async fn names_differ_in_case(w: &World) -> Outcome {
    let store = w.registered("model", 1).await?;
    w.registered("Model", 2).await?;
    let tag = Tag::new("k", "v");
    store.set_registered_model_tag("Model", tag).await?;
    store.set_model_alias("Model", "a", v(2)).await?;
    let (lower, upper) = (
        w.registered_model("model").await?,
        w.registered_model("Model").await?,
    );
    assert_eq!((lower.tags.len(), upper.tags.len()), (0, 1));
    assert_eq!((lower.aliases.len(), upper.aliases.len()), (0, 1));
    assert_eq!(lower.latest_versions[0].version, v(1));
    assert_eq!(upper.latest_versions[0].version, v(2));
    store.delete_registered_model("model").await?;
    assert_eq!(w.registered_model("Model").await?, upper);
    Ok(())
}

async fn an_unknown_model_is_not_found(w: &World) -> Outcome {
    w.registered("known", 1).await?;
    for name in ["nope", "", "%", "know_", "Known", "known "] {
        assert_no_model(w.registered_model(name).await, name);
    }
    Ok(())
}

async fn an_unknown_model_is_not_changed(w: &World) -> Outcome {
    let store = w.registry()?;
    let patch = DescriptionPatch::default();
    assert_no_model(store.update_registered_model("m", patch).await, "m");
    assert_no_model(store.rename_registered_model("m", "n").await, "m");
    assert_no_model(store.delete_registered_model("m").await, "m");
    let tag = Tag::new("k", "v");
    assert_no_model(store.set_registered_model_tag("m", tag).await, "m");
    assert_no_model(store.delete_registered_model_tag("m", "k").await, "m");
    assert_no_model(store.delete_model_alias("m", "a").await, "m");
    assert_no_model(store.get_model_version_by_alias("m", "a").await, "m");
    assert_no_model(store.create_model_version(new_version("m")).await, "m");
    if !w.is_behind_a_server {
        assert_no_model(store.last_model_version("m").await, "m");
    }
    Ok(())
}

async fn a_description_changes_with_the_time(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    let before = w.registered_model("m").await?;
    next_millisecond().await;
    let patch = DescriptionPatch {
        description: Some("new".to_owned()),
    };
    let after = store.update_registered_model("m", patch).await?;
    assert_eq!(after.description.as_deref(), Some("new"));
    assert_eq!(after.creation_timestamp, before.creation_timestamp);
    assert!(after.last_updated_timestamp > before.last_updated_timestamp);
    assert_eq!(w.registered_model("m").await?, after);
    Ok(())
}

async fn a_description_can_be_taken_away(w: &World) -> Outcome {
    let store = w.registry()?;
    let new = NewRegisteredModel {
        description: Some("old".to_owned()),
        ..new_registered_model("m", &[])
    };
    store.create_registered_model(new).await?;
    let patch = DescriptionPatch::default();
    let after = store.update_registered_model("m", patch).await?;
    assert_eq!(after.description, None);
    Ok(())
}

async fn a_rename_takes_everything_along(w: &World) -> Outcome {
    let store = w.registered("old", 3).await?;
    store.delete_model_version("old", v(3)).await?;
    store
        .set_registered_model_tag("old", Tag::new("k", "v"))
        .await?;
    store
        .set_model_version_tag("old", v(2), Tag::new("l", "w"))
        .await?;
    store.set_model_alias("old", "best", v(2)).await?;
    let renamed = store.rename_registered_model("old", "new").await?;
    assert_eq!(renamed.name, "new");
    assert_eq!(renamed.tags, tags(&[("k", "v")]));
    assert_eq!(w.registered_model("new").await?, renamed);
    let version = store.get_model_version_by_alias("new", "best").await?;
    assert_eq!((version.name.as_str(), version.version), ("new", v(2)));
    assert_eq!(version.tags, tags(&[("l", "w")]));
    assert_no_model(w.registered_model("old").await, "old");
    w.assert_last_version("new", 3).await?;
    let next = store.create_model_version(new_version("new")).await?;
    assert_eq!(next.version, v(4));
    Ok(())
}

async fn a_rename_moves_the_times_of_all(w: &World) -> Outcome {
    let store = w.registered("old", 2).await?;
    let before = w.version("old", 1).await?;
    next_millisecond().await;
    let renamed = store.rename_registered_model("old", "new").await?;
    assert!(renamed.last_updated_timestamp > before.last_updated_timestamp);
    for number in [1, 2] {
        let version = w.version("new", number).await?;
        assert_eq!(
            version.last_updated_timestamp,
            renamed.last_updated_timestamp
        );
    }
    let after = w.version("new", 1).await?;
    assert_eq!(after.creation_timestamp, before.creation_timestamp);
    Ok(())
}

async fn a_rename_to_a_taken_name_changes_nothing(w: &World) -> Outcome {
    let store = w.registered("a", 1).await?;
    w.registered("b", 2).await?;
    let before = (
        w.registered_model("a").await?,
        w.registered_model("b").await?,
    );
    next_millisecond().await;
    assert_refused(
        store.rename_registered_model("a", "b").await,
        ErrorCode::ResourceAlreadyExists,
        "Registered Model (name=b) already exists.",
    );
    let after = (
        w.registered_model("a").await?,
        w.registered_model("b").await?,
    );
    assert_eq!(after, before);
    Ok(())
}

async fn a_model_can_be_renamed_to_its_own_name(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    let renamed = store.rename_registered_model("m", "m").await?;
    assert_eq!(renamed.latest_versions.len(), 1);
    Ok(())
}

async fn a_name_that_was_left_is_free(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    store.rename_registered_model("m", "n").await?;
    w.registered("m", 1).await?;
    assert_eq!(
        w.registered_model("m").await?.latest_versions[0].version,
        v(1)
    );
    assert_eq!(
        w.registered_model("n").await?.latest_versions[0].version,
        v(2)
    );
    Ok(())
}

async fn tags_are_set_and_deleted(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    for (key, value) in [("a/b", "1"), ("k", "old"), ("k", "new\nline"), ("K", "")] {
        let tag = Tag::new(key, value);
        store.set_registered_model_tag("m", tag).await?;
    }
    assert_eq!(
        w.registered_model("m").await?.tags,
        tags(&[("K", ""), ("a/b", "1"), ("k", "new\nline")])
    );
    store.delete_registered_model_tag("m", "k").await?;
    store.delete_registered_model_tag("m", "never").await?;
    assert_eq!(
        w.registered_model("m").await?.tags,
        tags(&[("K", ""), ("a/b", "1")])
    );
    Ok(())
}

async fn tags_of_models_are_apart(w: &World) -> Outcome {
    let store = w.registered("a", 1).await?;
    w.registered("b", 1).await?;
    store
        .set_registered_model_tag("a", Tag::new("k", "of a"))
        .await?;
    store
        .set_registered_model_tag("b", Tag::new("k", "of b"))
        .await?;
    store
        .set_model_version_tag("a", v(1), Tag::new("k", "of a/1"))
        .await?;
    store.delete_registered_model_tag("b", "k").await?;
    assert_eq!(w.registered_model("a").await?.tags, tags(&[("k", "of a")]));
    assert!(w.registered_model("b").await?.tags.is_empty());
    assert_eq!(w.version("a", 1).await?.tags, tags(&[("k", "of a/1")]));
    assert!(w.version("b", 1).await?.tags.is_empty());
    Ok(())
}

async fn tags_leave_the_time_alone(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    let before = w.registered_model("m").await?;
    next_millisecond().await;
    store
        .set_registered_model_tag("m", Tag::new("k", "v"))
        .await?;
    store
        .set_model_version_tag("m", v(1), Tag::new("k", "v"))
        .await?;
    store.set_model_alias("m", "a", v(1)).await?;
    let after = w.registered_model("m").await?;
    assert_eq!(after.last_updated_timestamp, before.last_updated_timestamp);
    assert_eq!(
        after.latest_versions[0].last_updated_timestamp,
        before.latest_versions[0].last_updated_timestamp
    );
    Ok(())
}

async fn a_deleted_model_is_gone_with_its_versions(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    w.registered("other", 1).await?;
    store
        .set_model_version_tag("m", v(1), Tag::new("k", "v"))
        .await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.delete_registered_model("m").await?;
    assert_no_model(w.registered_model("m").await, "m");
    assert!(w.version("m", 1).await.is_err());
    let all = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(all, ["other/1"]);
    Ok(())
}

async fn a_model_made_again_begins_with_the_first_version(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    store
        .set_model_version_tag("m", v(1), Tag::new("k", "v"))
        .await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.delete_registered_model("m").await?;
    w.registered("m", 1).await?;
    let model = w.registered_model("m").await?;
    assert!(model.aliases.is_empty());
    assert_eq!(model.latest_versions[0].version, v(1));
    assert!(model.latest_versions[0].tags.is_empty());
    Ok(())
}
