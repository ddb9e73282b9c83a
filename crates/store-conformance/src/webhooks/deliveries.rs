//! Which changes of the registry add deliveries, and to whom.

use runledger_entities::{ModelVersionNumber, Tag, WebhookStatus};
use runledger_store::{
    DescriptionPatch, ModelRegistryStore, NewModelVersion, NewRegisteredModel, NewWebhook,
    StoreError,
};

use super::setup::{new_webhook, of_everything};
use crate::{
    World,
    case::{Outcome, cases},
};

cases![
    without_webhooks_nothing_waits,
    each_change_of_a_model_is_told,
    each_change_of_a_prompt_is_told,
    a_model_becomes_a_prompt_by_its_tag,
    what_mlflow_does_not_tell_is_not_told,
    each_webhook_is_told_of_its_own_events,
    a_disabled_webhook_is_told_nothing,
    a_refused_change_is_not_told,
    the_body_says_what_happened,
    whoever_waits_hears_of_a_delivery,
];

const V1: ModelVersionNumber = ModelVersionNumber(1);

fn model(name: &str, tags: Vec<Tag>) -> NewRegisteredModel {
    NewRegisteredModel {
        name: name.to_owned(),
        description: None,
        tags,
    }
}

fn version(name: &str, tags: Vec<Tag>) -> NewModelVersion {
    NewModelVersion {
        name: name.to_owned(),
        source: "s3://bucket/model".to_owned(),
        tags,
        ..NewModelVersion::default()
    }
}

/// Does everything that is told of, in a fixed order.
async fn change_all(
    store: &dyn ModelRegistryStore,
    name: &str,
    tags: &[Tag],
) -> Result<(), StoreError> {
    store
        .create_registered_model(model(name, tags.to_vec()))
        .await?;
    store
        .create_model_version(version(name, tags.to_vec()))
        .await?;
    store
        .set_registered_model_tag(name, Tag::new("k", "v"))
        .await?;
    store.delete_registered_model_tag(name, "k").await?;
    store
        .set_model_version_tag(name, V1, Tag::new("k", "v"))
        .await?;
    store.delete_model_version_tag(name, V1, "k").await?;
    store.set_model_alias(name, "a", V1).await?;
    store.delete_model_alias(name, "a").await
}

/// These names, ordered.
fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

async fn without_webhooks_nothing_waits(w: &World) -> Outcome {
    change_all(w.registry()?, "m", &[]).await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn each_change_of_a_model_is_told(w: &World) -> Outcome {
    w.webhook(of_everything("w")).await?;
    change_all(w.registry()?, "m", &[]).await?;
    let told = [
        "model_version.created",
        "model_version_alias.created",
        "model_version_alias.deleted",
        "model_version_tag.deleted",
        "model_version_tag.set",
        "registered_model.created",
    ];
    assert_eq!(sorted(w.told().await?), told);
    Ok(())
}

async fn each_change_of_a_prompt_is_told(w: &World) -> Outcome {
    w.webhook(of_everything("w")).await?;
    change_all(w.registry()?, "p", &[Tag::new(Tag::IS_PROMPT, "true")]).await?;
    let told = [
        "prompt.created",
        "prompt_alias.created",
        "prompt_alias.deleted",
        "prompt_tag.deleted",
        "prompt_tag.set",
        "prompt_version.created",
        "prompt_version_tag.deleted",
        "prompt_version_tag.set",
    ];
    assert_eq!(sorted(w.told().await?), told);
    Ok(())
}

/// MLflow looks at the model as it is after the change.
async fn a_model_becomes_a_prompt_by_its_tag(w: &World) -> Outcome {
    w.webhook(new_webhook("w", &["prompt_tag.set", "prompt_tag.deleted"]))
        .await?;
    let store = w.registry()?;
    store
        .create_registered_model(model("m", Vec::new()))
        .await?;
    store
        .set_registered_model_tag("m", Tag::new(Tag::IS_PROMPT, "True"))
        .await?;
    assert_eq!(w.told().await?, ["prompt_tag.set"]);
    store
        .delete_registered_model_tag("m", Tag::IS_PROMPT)
        .await?;
    assert!(w.told().await?.is_empty());
    Ok(())
}

async fn what_mlflow_does_not_tell_is_not_told(w: &World) -> Outcome {
    let store = w.registry()?;
    store
        .create_registered_model(model("m", Vec::new()))
        .await?;
    store.create_model_version(version("m", Vec::new())).await?;
    w.webhook(of_everything("w")).await?;
    let patch = || DescriptionPatch {
        description: Some("d".to_owned()),
    };
    store.update_registered_model("m", patch()).await?;
    store.update_model_version("m", V1, patch()).await?;
    store
        .set_registered_model_tag("m", Tag::new("k", "v"))
        .await?;
    store.rename_registered_model("m", "n").await?;
    store.delete_model_version("n", V1).await?;
    store.delete_registered_model("n").await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn each_webhook_is_told_of_its_own_events(w: &World) -> Outcome {
    let models = w.webhook(new_webhook("m", &["registered_model.created"]));
    let models = models.await?.webhook_id;
    let both = new_webhook("b", &["registered_model.created", "model_version.created"]);
    let both = w.webhook(both).await?.webhook_id;
    w.webhook(new_webhook("p", &["prompt.created"])).await?;
    let store = w.registry()?;
    store
        .create_registered_model(model("m", Vec::new()))
        .await?;
    store.create_model_version(version("m", Vec::new())).await?;
    let mut told = Vec::new();
    for _ in 0..3 {
        let delivery = w.claimed().await?;
        told.push((delivery.target.webhook_id, delivery.event.clone()));
    }
    for (webhook, event) in [
        (&models, "registered_model.created"),
        (&both, "registered_model.created"),
        (&both, "model_version.created"),
    ] {
        assert!(
            told.contains(&(webhook.clone(), event.to_owned())),
            "{told:?}"
        );
    }
    assert!(w.told().await?.is_empty());
    Ok(())
}

async fn a_disabled_webhook_is_told_nothing(w: &World) -> Outcome {
    let disabled = NewWebhook {
        status: WebhookStatus::Disabled,
        ..of_everything("w")
    };
    w.webhook(disabled).await?;
    change_all(w.registry()?, "m", &[]).await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn a_refused_change_is_not_told(w: &World) -> Outcome {
    let store = w.registry()?;
    store
        .create_registered_model(model("m", Vec::new()))
        .await?;
    w.webhook(of_everything("w")).await?;
    let twice = store.create_registered_model(model("m", Vec::new())).await;
    assert!(twice.is_err());
    assert!(store.set_model_alias("m", "a", V1).await.is_err());
    let tag = Tag::new("k", "v");
    assert!(store.set_model_version_tag("m", V1, tag).await.is_err());
    let orphan = store.create_model_version(version("nope", Vec::new()));
    assert!(orphan.await.is_err());
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn the_body_says_what_happened(w: &World) -> Outcome {
    w.webhook(of_everything("w")).await?;
    let name = "é".repeat(100);
    let tags = vec![Tag::new("k", "\"\n")];
    w.registry()?
        .create_registered_model(model(&name, tags))
        .await?;
    let body = w.claimed().await?.body;
    let begin = r#"{"entity": "registered_model", "action": "created", "timestamp": "2"#;
    assert!(body.starts_with(begin), "{body}");
    let end = format!(
        r#"+00:00", "data": {{"name": "{}", "tags": {{"k": "\"\n"}}, "description": ""}}}}"#,
        r"\u00e9".repeat(100)
    );
    assert!(body.ends_with(&end), "{body}");
    Ok(())
}

async fn whoever_waits_hears_of_a_delivery(w: &World) -> Outcome {
    w.webhook(of_everything("w")).await?;
    let store = w.shared_webhooks()?;
    let waiting = tokio::spawn(async move { store.deliveries_added().await });
    w.registry()?
        .create_registered_model(model("m", Vec::new()))
        .await?;
    waiting.await?;
    Ok(())
}
