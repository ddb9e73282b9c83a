//! Aliases of versions.

use runledger_entities::{ErrorCode, ModelAlias};
use runledger_store::ModelRegistryStoreExt as _;

use super::setup::{assert_no_model, v};
use crate::{
    World,
    case::{Outcome, cases},
    setup::assert_refused,
};

cases![
    an_alias_stands_for_a_version,
    an_alias_can_be_moved,
    a_version_may_have_many_aliases,
    aliases_differ_in_case,
    aliases_of_models_are_apart,
    an_unknown_alias_is_not_found,
    a_deleted_alias_is_gone,
    an_alias_that_is_not_there_can_be_deleted,
    a_deleted_version_loses_its_aliases,
    latest_is_the_newest_version_of_any_stage,
];

fn alias(alias: &str, version: i64) -> ModelAlias {
    ModelAlias {
        alias: alias.to_owned(),
        version: v(version),
    }
}

async fn an_alias_stands_for_a_version(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    store.set_model_alias("m", "champion", v(1)).await?;
    let version = store.get_model_version_by_alias("m", "champion").await?;
    assert_eq!(version.version, v(1));
    assert_eq!(version.aliases, ["champion"]);
    assert_eq!(w.version("m", 1).await?, version);
    assert_eq!(
        w.registered_model("m").await?.aliases,
        [alias("champion", 1)]
    );
    Ok(())
}

async fn an_alias_can_be_moved(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.set_model_alias("m", "a", v(2)).await?;
    let version = store.get_model_version_by_alias("m", "a").await?;
    assert_eq!(version.version, v(2));
    assert!(w.version("m", 1).await?.aliases.is_empty());
    assert_eq!(w.registered_model("m").await?.aliases, [alias("a", 2)]);
    Ok(())
}

async fn a_version_may_have_many_aliases(w: &World) -> Outcome {
    let store = w.registered("m", 12).await?;
    for (name, number) in [("z", 1), ("b", 12), ("a", 1)] {
        store.set_model_alias("m", name, v(number)).await?;
    }
    assert_eq!(w.version("m", 1).await?.aliases, ["a", "z"]);
    assert_eq!(
        w.registered_model("m").await?.aliases,
        [alias("a", 1), alias("b", 12), alias("z", 1)]
    );
    Ok(())
}

async fn aliases_differ_in_case(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.set_model_alias("m", "A", v(2)).await?;
    let lower = store.get_model_version_by_alias("m", "a").await?;
    let upper = store.get_model_version_by_alias("m", "A").await?;
    assert_eq!((lower.version, upper.version), (v(1), v(2)));
    store.delete_model_alias("m", "a").await?;
    assert_eq!(w.registered_model("m").await?.aliases, [alias("A", 2)]);
    Ok(())
}

async fn aliases_of_models_are_apart(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    w.registered("n", 1).await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.set_model_alias("n", "a", v(1)).await?;
    store.delete_model_alias("m", "a").await?;
    let version = store.get_model_version_by_alias("n", "a").await?;
    assert_eq!(version.name, "n");
    Ok(())
}

async fn an_unknown_alias_is_not_found(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    store.set_model_alias("m", "known", v(1)).await?;
    assert_refused(
        store.get_model_version_by_alias("m", "nope").await,
        ErrorCode::InvalidParameterValue,
        "Registered model alias nope not found.",
    );
    assert_no_model(
        store.get_model_version_by_alias("nope", "known").await,
        "nope",
    );
    Ok(())
}

async fn a_deleted_alias_is_gone(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    store.set_model_alias("m", "a", v(1)).await?;
    store.set_model_alias("m", "b", v(1)).await?;
    store.delete_model_alias("m", "a").await?;
    assert!(store.get_model_version_by_alias("m", "a").await.is_err());
    assert_eq!(w.version("m", 1).await?.aliases, ["b"]);
    Ok(())
}

async fn an_alias_that_is_not_there_can_be_deleted(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    store.delete_model_alias("m", "never").await?;
    Ok(())
}

async fn a_deleted_version_loses_its_aliases(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    for (name, number) in [("a", 1), ("b", 2), ("c", 1)] {
        store.set_model_alias("m", name, v(number)).await?;
    }
    store.delete_model_version("m", v(1)).await?;
    assert_eq!(w.registered_model("m").await?.aliases, [alias("b", 2)]);
    assert!(store.get_model_version_by_alias("m", "a").await.is_err());
    Ok(())
}

async fn latest_is_the_newest_version_of_any_stage(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    assert_refused(
        store.resolve_model_alias("m", "latest").await,
        ErrorCode::ResourceDoesNotExist,
        "Latest version not found for model m.",
    );
    w.registered("n", 3).await?;
    store.set_model_alias("n", "a", v(1)).await?;
    let latest = store.resolve_model_alias("n", "Latest").await?;
    assert_eq!(latest.version, v(3));
    let first = store.resolve_model_alias("n", "a").await?;
    assert_eq!(first.version, v(1));
    Ok(())
}
