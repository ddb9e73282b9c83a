//! What runs read and made: datasets and logged models.

use runledger_entities::{
    Dataset, DatasetInput, DatasetSummary, ExperimentId, LoggedModelId, ModelInput, ModelOutput,
    RunId, Tag, limits,
};
use runledger_store::StoreError;

use crate::{
    World,
    case::{Outcome, cases},
    setup::{dataset_input, tags},
};

cases![
    a_dataset_reads_back,
    missing_schema_and_profile_stay_missing,
    long_fields_are_kept_whole,
    a_run_may_read_many_datasets,
    the_digest_tells_datasets_of_one_name_apart,
    of_equal_datasets_in_one_call_the_first_wins,
    logging_a_dataset_again_changes_nothing,
    a_new_dataset_joins_those_logged_before,
    runs_share_datasets_but_not_their_tags,
    the_first_description_of_a_dataset_stays,
    experiments_do_not_share_datasets,
    nothing_logged_changes_nothing,
    model_inputs_read_back,
    logging_a_model_input_again_changes_nothing,
    model_outputs_read_back_with_their_steps,
    more_outputs_join_those_logged_before,
    inputs_and_outputs_are_told_apart,
    searching_datasets_lists_each_use_once,
    a_dataset_without_a_context_has_none,
    datasets_of_other_experiments_are_not_listed,
    datasets_of_several_experiments_are_listed,
];

async fn read(w: &World, run: &RunId, datasets: Vec<DatasetInput>) -> Result<(), StoreError> {
    w.tracking.log_inputs(run, datasets, Vec::new()).await
}

/// Datasets of a run, by name and digest.
async fn datasets_of(w: &World, run: &RunId) -> Result<Vec<DatasetInput>, StoreError> {
    let mut found = w.get(run).await?.inputs.datasets;
    found.sort_by(|a, b| {
        (&a.dataset.name, &a.dataset.digest).cmp(&(&b.dataset.name, &b.dataset.digest))
    });
    Ok(found)
}

async fn models_of(w: &World, run: &RunId) -> Result<Vec<LoggedModelId>, StoreError> {
    let mut found: Vec<_> = w
        .get(run)
        .await?
        .inputs
        .models
        .into_iter()
        .map(|model| model.model_id)
        .collect();
    found.sort();
    Ok(found)
}

async fn outputs_of(w: &World, run: &RunId) -> Result<Vec<(LoggedModelId, i64)>, StoreError> {
    let mut found: Vec<_> = w
        .get(run)
        .await?
        .outputs
        .into_iter()
        .map(|model| (model.model_id, model.step))
        .collect();
    found.sort();
    Ok(found)
}

fn input(model_id: &LoggedModelId) -> ModelInput {
    ModelInput {
        model_id: model_id.clone(),
    }
}

fn output(model_id: &LoggedModelId, step: i64) -> ModelOutput {
    ModelOutput {
        model_id: model_id.clone(),
        step,
    }
}

async fn a_dataset_reads_back(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let input = DatasetInput {
        tags: tags(&[(Tag::DATASET_CONTEXT, "train"), ("k", "v")]),
        dataset: Dataset {
            name: "iris".to_owned(),
            digest: "1a2b".to_owned(),
            source_type: "http".to_owned(),
            source: r#"{"url": "https://example.org/iris.csv"}"#.to_owned(),
            schema: Some(r#"{"columns": []}"#.to_owned()),
            profile: Some(r#"{"rows": 150}"#.to_owned()),
        },
    };
    read(w, &run, vec![input.clone()]).await?;
    let mut found = datasets_of(w, &run).await?;
    for input in &mut found {
        input.tags.sort();
    }
    let mut expected = input;
    expected.tags.sort();
    assert_eq!(found, [expected]);
    Ok(())
}

async fn missing_schema_and_profile_stay_missing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    read(w, &run, vec![dataset_input("d", "1", "")]).await?;
    let found = datasets_of(w, &run).await?;
    assert_eq!(
        (&found[0].dataset.schema, &found[0].dataset.profile),
        (&None, &None)
    );
    assert!(found[0].tags.is_empty());
    Ok(())
}

async fn long_fields_are_kept_whole(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let input = DatasetInput {
        tags: vec![Tag::new(
            "k".repeat(limits::INPUT_TAG_KEY),
            "é".repeat(limits::INPUT_TAG_VALUE),
        )],
        dataset: Dataset {
            name: "é".repeat(limits::DATASET_NAME),
            digest: "é".repeat(limits::DATASET_DIGEST),
            source_type: "local".to_owned(),
            // MySQL counts the bytes of this one.
            source: "s".repeat(limits::DATASET_SOURCE),
            schema: Some("s".repeat(limits::DATASET_SCHEMA)),
            profile: Some("p".repeat(limits::DATASET_SCHEMA + 1)),
        },
    };
    read(w, &run, vec![input.clone()]).await?;
    // Not `assert_eq!`, which would print megabytes.
    assert!(datasets_of(w, &run).await? == [input]);
    Ok(())
}

async fn a_run_may_read_many_datasets(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let inputs: Vec<DatasetInput> = (0..50)
        .map(|n| dataset_input(&format!("d{n:02}"), "1", "train"))
        .collect();
    read(w, &run, inputs.clone()).await?;
    assert_eq!(datasets_of(w, &run).await?, inputs);
    Ok(())
}

async fn the_digest_tells_datasets_of_one_name_apart(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let inputs = vec![
        dataset_input("d", "1", "train"),
        dataset_input("d", "2", "test"),
    ];
    read(w, &run, inputs.clone()).await?;
    assert_eq!(datasets_of(w, &run).await?, inputs);
    Ok(())
}

async fn of_equal_datasets_in_one_call_the_first_wins(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let inputs = vec![
        dataset_input("d", "1", "first"),
        dataset_input("d", "1", "second"),
    ];
    read(w, &run, inputs.clone()).await?;
    assert_eq!(datasets_of(w, &run).await?, inputs[..1]);
    Ok(())
}

async fn logging_a_dataset_again_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    read(w, &run, vec![dataset_input("d", "1", "first")]).await?;
    read(w, &run, vec![dataset_input("d", "1", "second")]).await?;
    assert_eq!(
        datasets_of(w, &run).await?,
        [dataset_input("d", "1", "first")]
    );
    Ok(())
}

async fn a_new_dataset_joins_those_logged_before(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let inputs = vec![
        dataset_input("a", "1", "train"),
        dataset_input("b", "1", "test"),
    ];
    read(w, &run, inputs[..1].to_vec()).await?;
    read(w, &run, inputs.clone()).await?;
    assert_eq!(datasets_of(w, &run).await?, inputs);
    Ok(())
}

async fn runs_share_datasets_but_not_their_tags(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let (one, other) = (w.run(e, "one").await?, w.run(e, "other").await?);
    read(w, &one, vec![dataset_input("d", "1", "train")]).await?;
    read(w, &other, vec![dataset_input("d", "1", "test")]).await?;
    assert_eq!(
        datasets_of(w, &one).await?,
        [dataset_input("d", "1", "train")]
    );
    assert_eq!(
        datasets_of(w, &other).await?,
        [dataset_input("d", "1", "test")]
    );
    Ok(())
}

/// A dataset is its name and digest; the same content has the same source.
async fn the_first_description_of_a_dataset_stays(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let (one, other) = (w.run(e, "one").await?, w.run(e, "other").await?);
    read(w, &one, vec![dataset_input("d", "1", "")]).await?;
    let mut changed = dataset_input("d", "1", "");
    "elsewhere".clone_into(&mut changed.dataset.source);
    read(w, &other, vec![changed]).await?;
    assert_eq!(datasets_of(w, &other).await?, datasets_of(w, &one).await?);
    Ok(())
}

async fn experiments_do_not_share_datasets(w: &World) -> Outcome {
    let (e, f) = (w.experiment("e").await?, w.experiment("f").await?);
    let (one, other) = (w.run(e, "one").await?, w.run(f, "other").await?);
    read(w, &one, vec![dataset_input("d", "1", "")]).await?;
    let mut changed = dataset_input("d", "1", "");
    "elsewhere".clone_into(&mut changed.dataset.source);
    read(w, &other, vec![changed.clone()]).await?;
    assert_eq!(datasets_of(w, &other).await?, [changed]);
    Ok(())
}

async fn nothing_logged_changes_nothing(w: &World) -> Outcome {
    let run = w.one_run().await?;
    let before = w.get(&run).await?;
    read(w, &run, Vec::new()).await?;
    w.tracking.log_outputs(&run, Vec::new()).await?;
    assert_eq!(w.get(&run).await?, before);
    Ok(())
}

async fn model_inputs_read_back(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let mut models = vec![w.model(e, "a").await?, w.model(e, "b").await?];
    let inputs = models.iter().map(input).collect();
    w.tracking.log_inputs(&run, Vec::new(), inputs).await?;
    models.sort();
    assert_eq!(models_of(w, &run).await?, models);
    Ok(())
}

async fn logging_a_model_input_again_changes_nothing(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let model = w.model(e, "a").await?;
    for _ in 0..2 {
        let inputs = vec![input(&model), input(&model)];
        w.tracking.log_inputs(&run, Vec::new(), inputs).await?;
    }
    assert_eq!(models_of(w, &run).await?, [model]);
    Ok(())
}

async fn model_outputs_read_back_with_their_steps(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let (a, b) = (w.model(e, "a").await?, w.model(e, "b").await?);
    w.tracking
        .log_outputs(&run, vec![output(&a, 3), output(&b, 0)])
        .await?;
    let mut expected = [(a, 3), (b, 0)];
    expected.sort();
    assert_eq!(outputs_of(w, &run).await?, expected);
    Ok(())
}

async fn more_outputs_join_those_logged_before(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let (a, b) = (w.model(e, "a").await?, w.model(e, "b").await?);
    w.tracking.log_outputs(&run, vec![output(&a, 1)]).await?;
    w.tracking.log_outputs(&run, vec![output(&b, 2)]).await?;
    let mut expected = [(a, 1), (b, 2)];
    expected.sort();
    assert_eq!(outputs_of(w, &run).await?, expected);
    Ok(())
}

async fn inputs_and_outputs_are_told_apart(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let (read, made) = (w.model(e, "read").await?, w.model(e, "made").await?);
    let datasets = vec![dataset_input("d", "1", "")];
    w.tracking
        .log_inputs(&run, datasets, vec![input(&read)])
        .await?;
    w.tracking.log_outputs(&run, vec![output(&made, 1)]).await?;
    assert_eq!(models_of(w, &run).await?, [read]);
    assert_eq!(outputs_of(w, &run).await?, [(made, 1)]);
    assert_eq!(datasets_of(w, &run).await?.len(), 1);
    Ok(())
}

fn summary(e: ExperimentId, name: &str, digest: &str, context: Option<&str>) -> DatasetSummary {
    DatasetSummary {
        experiment_id: e,
        name: name.to_owned(),
        digest: digest.to_owned(),
        context: context.map(str::to_owned),
    }
}

async fn listed(
    w: &World,
    experiments: &[ExperimentId],
) -> Result<Vec<DatasetSummary>, StoreError> {
    let mut found = w.tracking.search_datasets(experiments).await?;
    found.sort_by_key(|s| {
        (
            s.experiment_id,
            s.name.clone(),
            s.digest.clone(),
            s.context.clone(),
        )
    });
    Ok(found)
}

async fn searching_datasets_lists_each_use_once(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    for (name, context) in [("a", "train"), ("b", "train"), ("c", "test")] {
        let run = w.run(e, name).await?;
        let inputs = vec![
            dataset_input("d", "1", context),
            dataset_input("d", "2", context),
        ];
        read(w, &run, inputs).await?;
    }
    assert_eq!(
        listed(w, &[e]).await?,
        [
            summary(e, "d", "1", Some("test")),
            summary(e, "d", "1", Some("train")),
            summary(e, "d", "2", Some("test")),
            summary(e, "d", "2", Some("train")),
        ]
    );
    Ok(())
}

async fn a_dataset_without_a_context_has_none(w: &World) -> Outcome {
    let e = w.experiment("e").await?;
    let run = w.run(e, "r").await?;
    let mut other_tag = dataset_input("d", "2", "");
    other_tag.tags = tags(&[("k", "v")]);
    read(w, &run, vec![dataset_input("d", "1", ""), other_tag]).await?;
    assert_eq!(
        listed(w, &[e]).await?,
        [summary(e, "d", "1", None), summary(e, "d", "2", None)]
    );
    Ok(())
}

async fn datasets_of_other_experiments_are_not_listed(w: &World) -> Outcome {
    let (e, f) = (w.experiment("e").await?, w.experiment("f").await?);
    let run = w.run(e, "r").await?;
    read(w, &run, vec![dataset_input("d", "1", "train")]).await?;
    assert!(listed(w, &[f, ExperimentId(987_654)]).await?.is_empty());
    assert!(listed(w, &[]).await?.is_empty());
    Ok(())
}

async fn datasets_of_several_experiments_are_listed(w: &World) -> Outcome {
    let (e, f) = (w.experiment("e").await?, w.experiment("f").await?);
    for experiment in [e, f] {
        let run = w.run(experiment, "r").await?;
        read(w, &run, vec![dataset_input("d", "1", "train")]).await?;
    }
    let mut in_order = [e, f];
    in_order.sort_unstable();
    let expected = in_order.map(|experiment| summary(experiment, "d", "1", Some("train")));
    assert_eq!(listed(w, &[f, e]).await?, expected);
    Ok(())
}
