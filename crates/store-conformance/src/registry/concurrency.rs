//! Many callers at once.

use std::{collections::BTreeSet, sync::Arc};

use runledger_entities::Coded as _;
use runledger_entities::{ErrorCode, ModelStage, Tag};
use runledger_store::{ModelRegistryStore, StageChange, StoreError};
use tokio::task::JoinSet;

use super::setup::{new_registered_model, new_version, v};
use crate::{
    World,
    case::{Outcome, cases},
};

cases![
    versions_made_at_once_have_consecutive_numbers,
    one_name_of_many_callers_makes_one_model,
    a_model_that_is_deleted_meanwhile_leaves_nothing_behind,
    a_model_that_is_renamed_meanwhile_loses_no_version,
    one_version_of_many_is_left_in_a_stage,
];

const CALLERS: i64 = 50;

type Call<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Runs a call as often as that, all at the same time.
async fn all_at_once<T: Send + 'static>(
    w: &World,
    call: impl Fn(Arc<dyn ModelRegistryStore>, i64) -> Call<T>,
) -> Result<Vec<Result<T, StoreError>>, crate::case::Failure> {
    let store = w.shared_registry()?;
    let mut tasks = JoinSet::new();
    for n in 1..=CALLERS {
        tasks.spawn(call(Arc::clone(&store), n));
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result?);
    }
    Ok(results)
}

async fn versions_made_at_once_have_consecutive_numbers(w: &World) -> Outcome {
    w.registered("m", 0).await?;
    let made = all_at_once(w, |store, n| {
        Box::pin(async move {
            let mut new = new_version("m");
            new.tags.push(Tag::new("caller", n.to_string()));
            Ok(store.create_model_version(new).await?.version)
        })
    });
    let mut numbers = BTreeSet::new();
    for made in made.await? {
        numbers.insert(made?);
    }
    let expected: BTreeSet<_> = (1..=CALLERS).map(v).collect();
    assert_eq!(numbers, expected);
    let mut callers = BTreeSet::new();
    for number in 1..=CALLERS {
        let version = w.version("m", number).await?;
        assert_eq!(version.tags.len(), 1, "{version:?}");
        callers.insert(version.tags[0].value.clone());
    }
    assert_eq!(callers.len(), expected.len(), "each caller made one");
    Ok(())
}

async fn one_name_of_many_callers_makes_one_model(w: &World) -> Outcome {
    let made = all_at_once(w, |store, n| {
        Box::pin(async move {
            let caller = n.to_string();
            let new = new_registered_model("m", &[("caller", &caller)]);
            store.create_registered_model(new).await
        })
    });
    let mut models = Vec::new();
    for made in made.await? {
        match made {
            Ok(model) => models.push(model),
            Err(error) => assert_eq!(error.code(), ErrorCode::ResourceAlreadyExists, "{error}"),
        }
    }
    assert_eq!(models.len(), 1, "{models:?}");
    assert_eq!(w.registered_model("m").await?, models[0]);
    Ok(())
}

async fn a_model_that_is_deleted_meanwhile_leaves_nothing_behind(w: &World) -> Outcome {
    w.registered("m", 2).await?;
    let done = all_at_once(w, |store, n| {
        Box::pin(async move {
            match n % 5 {
                0 if n == 25 => store.delete_registered_model("m").await,
                0 | 1 => store.create_model_version(new_version("m")).await.map(drop),
                2 => {
                    store
                        .set_registered_model_tag("m", Tag::new("k", "v"))
                        .await
                }
                3 => {
                    store
                        .set_model_version_tag("m", v(1), Tag::new("k", "v"))
                        .await
                }
                _ => store.set_model_alias("m", "a", v(2)).await,
            }
        })
    });
    for done in done.await? {
        if let Err(error) = done {
            assert_eq!(error.code(), ErrorCode::ResourceDoesNotExist, "{error}");
        }
    }
    assert!(w.registered_model("m").await.is_err());
    w.registered("m", 1).await?;
    let model = w.registered_model("m").await?;
    assert!(
        model.tags.is_empty() && model.aliases.is_empty(),
        "{model:?}"
    );
    assert_eq!(model.latest_versions[0].version, v(1));
    w.assert_last_version("m", 1).await?;
    Ok(())
}

async fn a_model_that_is_renamed_meanwhile_loses_no_version(w: &World) -> Outcome {
    w.registered("old", 0).await?;
    let made = all_at_once(w, |store, n| {
        Box::pin(async move {
            if n == 25 {
                store.rename_registered_model("old", "new").await?;
                return Ok(0);
            }
            store.create_model_version(new_version("old")).await?;
            Ok(1)
        })
    });
    let mut count = 0;
    for made in made.await? {
        match made {
            Ok(one) => count += one,
            Err(error) => assert_eq!(error.code(), ErrorCode::ResourceDoesNotExist, "{error}"),
        }
    }
    let newest = w.registered_model("new").await?.latest_versions;
    let newest = newest.first().map_or(0, |version| version.version.0);
    assert_eq!(newest, count);
    w.assert_last_version("new", count).await?;
    Ok(())
}

async fn one_version_of_many_is_left_in_a_stage(w: &World) -> Outcome {
    w.registered("m", 50).await?;
    let moved = all_at_once(w, |store, n| {
        Box::pin(async move {
            let change = StageChange {
                stage: ModelStage::Production,
                archive_others: true,
            };
            store.transition_model_version("m", v(n), change).await
        })
    });
    for moved in moved.await? {
        moved?;
    }
    let mut in_use = 0;
    for number in 1..=CALLERS {
        let version = w.version("m", number).await?;
        in_use += i32::from(version.current_stage == ModelStage::Production);
    }
    assert_eq!(in_use, 1);
    Ok(())
}
