//! The model registry by the client, on a server, a database and a folder.

use runledger::entities::{Coded, ErrorCode, ModelStage, ModelVersionNumber, Tag};
use runledger::store::{NewModelVersion, NewRegisteredModel};
use runledger::{Client, TrackingError};

use crate::world::{Kept, World, database, everywhere};

fn digits() -> NewRegisteredModel {
    NewRegisteredModel {
        name: "digits".to_owned(),
        description: Some("of hands".to_owned()),
        tags: vec![Tag::new("team", "vision")],
    }
}

fn version(source: &str) -> NewModelVersion {
    NewModelVersion {
        name: "digits".to_owned(),
        source: source.to_owned(),
        ..NewModelVersion::default()
    }
}

#[test]
fn a_model_lives_from_its_registration_to_its_end() {
    everywhere(|client| async move {
        client.create_registered_model(digits()).await?;
        let first = client
            .create_model_version(version("s3://models/7"))
            .await?;
        let copy = client.create_model_version(version("models:/digits/1"));
        let copy = copy.await?;
        assert_eq!((first.version.0, copy.version.0), (1, 2));
        // A server knows where its files are, and does not tell.
        if copy.storage_location.is_some() {
            assert_eq!(copy.download_uri(), "s3://models/7");
        }
        client
            .set_registered_model_alias("digits", "champion", first.version)
            .await?;
        let champion = client.get_model_version_by_alias("digits", "champion");
        assert_eq!(champion.await?.version, first.version);
        let latest = client.get_model_version_by_alias("digits", "latest");
        assert_eq!(latest.await?.version, copy.version);

        let stage = ModelStage::Production;
        let moved = client.transition_model_version_stage("digits", copy.version, stage, true);
        assert_eq!(moved.await?.current_stage, stage);
        let newest = client.get_latest_versions("digits", &[stage]).await?;
        assert_eq!(newest.len(), 1);
        client
            .set_model_version_tag("digits", first.version, "k", "v")
            .await?;
        let found = client
            .search_model_versions("name = 'digits' AND tags.k = 'v'", &[])
            .await?;
        assert_eq!(found.len(), 1);
        let ordered = client
            .search_model_versions("", &["version_number DESC"])
            .await?;
        let numbers: Vec<i64> = ordered.iter().map(|version| version.version.0).collect();
        assert_eq!(numbers, [2, 1]);

        client.rename_registered_model("digits", "figures").await?;
        let models = client.search_registered_models("tags.team = 'vision'", &["name"]);
        assert_eq!(models.await?[0].name, "figures");
        client.update_registered_model("figures", None).await?;
        let model = client.get_registered_model("figures").await?;
        assert_eq!(model.description, None);
        client
            .delete_model_version("figures", first.version)
            .await?;
        client.delete_registered_model("figures").await?;
        let error = client.get_registered_model("figures").await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::ResourceDoesNotExist));
        Ok(())
    });
}

#[test]
fn what_breaks_a_rule_is_not_sent() {
    everywhere(|client| async move {
        let slash = NewRegisteredModel {
            name: "a/b".to_owned(),
            ..NewRegisteredModel::default()
        };
        let number = ModelVersionNumber(1);
        for error in [
            client.create_registered_model(slash).await.map(drop),
            client.set_registered_model_alias("m", "v1", number).await,
            client.set_registered_model_tag("m", "", "v").await,
        ] {
            let error = error.unwrap_err();
            assert!(matches!(error, TrackingError::Value(_)), "{error}");
        }
        Ok(())
    });
}

#[test]
fn a_registry_may_be_elsewhere() {
    let world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (here, there) = (world.uri(), database(&folder));
    runtime.block_on(async {
        let client = Client::open(&here).await.unwrap();
        let split = client.clone().with_registry(&there).await.unwrap();
        split.create_registered_model(digits()).await.unwrap();
        let error = client.get_registered_model("digits").await.unwrap_err();
        assert_eq!(error.code(), Some(ErrorCode::ResourceDoesNotExist));
        let other = Client::open(&there).await.unwrap();
        assert!(other.get_registered_model("digits").await.is_ok());
        assert_eq!(split.uri(), here);
    });
}

/// A server finds out where the files of a version are, and refuses to be told; a database
/// must be told. It is the registry's kind that counts, and not that of the runs' place.
#[test]
fn a_version_of_a_version_is_made_in_a_registry_elsewhere() {
    let world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, database) = (world.uri(), database(&folder));
    runtime.block_on(async {
        for (runs, registry) in [(&database, &server), (&server, &database)] {
            let client = Client::open(runs).await.unwrap();
            let client = client.with_registry(registry).await.unwrap();
            client.create_registered_model(digits()).await.unwrap();
            let first = client.create_model_version(version("s3://models/7"));
            first.await.unwrap();
            let copy = client.create_model_version(version("models:/digits/1"));
            let copy = copy.await.unwrap();
            let source = copy.source.as_deref();
            assert_eq!((copy.version.0, source), (2, Some("models:/digits/1")));
            let location = copy.storage_location.as_deref();
            let told = (registry == &database).then_some("s3://models/7");
            assert_eq!(location, told, "{registry}");
        }
    });
}

#[test]
fn the_error_of_a_store_has_its_kind() {
    everywhere(|client| async move {
        let error = client.registry().get_registered_model("nope").await;
        let error = error.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ResourceDoesNotExist);
        assert!(
            matches!(error, runledger::store::StoreError::NotFound { .. }),
            "{error:?}"
        );
        Ok(())
    });
}
