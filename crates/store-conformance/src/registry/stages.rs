//! Stages of versions.

use runledger_entities::{ModelStage, ModelVersionNumber};
use runledger_store::{ModelRegistryStore, ModelRegistryStoreExt as _, StageChange, StoreError};

use super::setup::{shown, v};
use crate::{
    World,
    case::{Outcome, cases},
    setup::next_millisecond,
};

cases![
    a_version_goes_through_all_stages,
    a_change_moves_the_times_of_version_and_model,
    several_versions_may_share_a_stage,
    archiving_takes_the_others_out_of_the_stage,
    archiving_leaves_other_stages_and_models_alone,
    the_newest_of_each_stage_is_listed,
    the_newest_can_be_asked_for_by_stage,
    deleted_versions_are_in_no_stage,
];

async fn put(
    store: &dyn ModelRegistryStore,
    name: &str,
    version: ModelVersionNumber,
    stage: ModelStage,
    archive_others: bool,
) -> Result<(), StoreError> {
    let change = StageChange {
        stage,
        archive_others,
    };
    let moved = store
        .transition_model_version(name, version, change)
        .await?;
    assert_eq!(moved.current_stage, stage);
    assert_eq!(store.get_model_version(name, version).await?, moved);
    Ok(())
}

async fn a_version_goes_through_all_stages(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    for stage in [
        ModelStage::Staging,
        ModelStage::Production,
        ModelStage::Archived,
        ModelStage::None,
        ModelStage::None,
    ] {
        put(store, "m", v(1), stage, false).await?;
    }
    Ok(())
}

async fn a_change_moves_the_times_of_version_and_model(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    let (before, other) = (w.version("m", 1).await?, w.version("m", 2).await?);
    next_millisecond().await;
    put(store, "m", v(1), ModelStage::Staging, false).await?;
    let after = w.version("m", 1).await?;
    assert!(after.last_updated_timestamp > before.last_updated_timestamp);
    let model = w.registered_model("m").await?;
    assert_eq!(model.last_updated_timestamp, after.last_updated_timestamp);
    assert_eq!(w.version("m", 2).await?, other);
    Ok(())
}

async fn several_versions_may_share_a_stage(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    for number in [1, 2] {
        put(store, "m", v(number), ModelStage::Production, false).await?;
    }
    let first = w.version("m", 1).await?;
    assert_eq!(first.current_stage, ModelStage::Production);
    Ok(())
}

async fn archiving_takes_the_others_out_of_the_stage(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    put(store, "m", v(1), ModelStage::Production, false).await?;
    put(store, "m", v(3), ModelStage::Production, false).await?;
    next_millisecond().await;
    put(store, "m", v(2), ModelStage::Production, true).await?;
    let now = w.version("m", 2).await?.last_updated_timestamp;
    for number in [1, 3] {
        let version = w.version("m", number).await?;
        assert_eq!(version.current_stage, ModelStage::Archived);
        assert_eq!(version.last_updated_timestamp, now);
    }
    put(store, "m", v(2), ModelStage::Production, true).await?;
    Ok(())
}

async fn archiving_leaves_other_stages_and_models_alone(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    w.registered("n", 1).await?;
    put(store, "m", v(1), ModelStage::Staging, false).await?;
    put(store, "n", v(1), ModelStage::Production, false).await?;
    put(store, "m", v(2), ModelStage::Production, true).await?;
    let stage_of = async |name, number| {
        let version = w.version(name, number).await?;
        Ok::<_, StoreError>(version.current_stage)
    };
    assert_eq!(stage_of("m", 1).await?, ModelStage::Staging);
    assert_eq!(stage_of("m", 3).await?, ModelStage::None);
    assert_eq!(stage_of("n", 1).await?, ModelStage::Production);
    Ok(())
}

async fn the_newest_of_each_stage_is_listed(w: &World) -> Outcome {
    let store = w.registered("m", 5).await?;
    put(store, "m", v(1), ModelStage::Production, false).await?;
    put(store, "m", v(2), ModelStage::Production, false).await?;
    put(store, "m", v(3), ModelStage::Archived, false).await?;
    let newest = w.registered_model("m").await?.latest_versions;
    assert_eq!(shown(&newest), ["m/2", "m/3", "m/5"]);
    Ok(())
}

async fn the_newest_can_be_asked_for_by_stage(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    put(store, "m", v(1), ModelStage::Production, false).await?;
    put(store, "m", v(2), ModelStage::Staging, false).await?;
    let active = [ModelStage::Production, ModelStage::Staging];
    let newest = store.latest_model_versions("m", &active).await?;
    assert_eq!(shown(&newest), ["m/1", "m/2"]);
    let archived = [ModelStage::Archived];
    let newest = store.latest_model_versions("m", &archived).await?;
    assert!(newest.is_empty());
    Ok(())
}

async fn deleted_versions_are_in_no_stage(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    put(store, "m", v(1), ModelStage::Staging, false).await?;
    put(store, "m", v(2), ModelStage::Staging, false).await?;
    store.delete_model_version("m", v(2)).await?;
    let newest = w.registered_model("m").await?.latest_versions;
    assert_eq!(shown(&newest), ["m/1"]);
    Ok(())
}
