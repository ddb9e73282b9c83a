//! The asynchronous client, on a server.

use runledger::entities::{Metric, RunStatus, Tag};
use runledger::store::Batch;
use runledger::{Client, RunOptions, TrackingError};

use crate::world::{Kept, World};

/// Runs a test of a client of a new server.
fn with_client<F: Future<Output = Result<(), TrackingError>>>(test: impl FnOnce(Client) -> F) {
    let world = World::new(Kept::InDatabase);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::open(&world.uri())).unwrap();
    runtime.block_on(test(client)).unwrap();
}

#[test]
fn the_address_of_a_server_is_shown_without_its_password() {
    for (uri, shown) in [
        ("http://u:secret@h:5000/ml/", "http://h:5000/ml"),
        ("http://h:5000", "http://h:5000"),
        ("http://u:se/cret@h", "http://…"),
        ("https://u:sec#ret@h", "https://…"),
        ("https://h?token=secret", "https://…"),
    ] {
        assert_eq!(runledger::without_account(uri), shown);
    }
}

#[test]
fn experiments_live_and_are_found() {
    with_client(|client| async move {
        let id = client.create_experiment("a").await?;
        client.set_experiment_tag(id, "team", "x").await?;
        assert_eq!(client.experiment_named("a").await?.experiment_id, id);
        assert_eq!(client.get_experiment_by_name("b").await?, None);
        client.rename_experiment(id, "b").await?;
        let found = client
            .search_experiments("tags.team = 'x'", &["name"])
            .await?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "b");
        client.delete_experiment(id).await?;
        assert!(
            client
                .search_experiments("name = 'b'", &[])
                .await?
                .is_empty()
        );
        client.restore_experiment(id).await?;
        assert_eq!(client.get_experiment(id).await?.name, "b");
        Ok(())
    });
}

#[test]
fn runs_live_and_are_found() {
    with_client(|client| async move {
        let experiment = client.create_experiment("e").await?;
        let parent = client
            .create_run(experiment, RunOptions::named("parent"))
            .await?;
        let options = RunOptions {
            parent: Some(parent.info.run_id.clone()),
            tags: vec![Tag::new("kind", "child")],
            ..RunOptions::default()
        };
        let child = client.create_run(experiment, options).await?.info.run_id;
        let found = client.get_parent_run(&child).await?;
        assert_eq!(found.map(|run| run.info), Some(parent.info.clone()));
        assert_eq!(client.get_parent_run(&parent.info.run_id).await?, None);

        client.log_param(&child, "p", 0.5).await?;
        client.set_tag(&child, "t", true).await?;
        client.delete_tag(&child, "kind").await?;
        client.log_metric(&child, "m", 2.0, 3).await?;
        let info = client.end_run(&child, RunStatus::Failed).await?;
        assert_eq!(info.status, RunStatus::Failed);
        let found = client
            .search_runs(&[experiment], "params.p = '0.5'", &["metrics.m DESC"], 10)
            .await?;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].data.metrics[0].step, 3);

        client.delete_run(&child).await?;
        assert_eq!(
            client.search_runs(&[experiment], "", &[], 10).await?.len(),
            1
        );
        client.restore_run(&child).await?;
        assert_eq!(
            client.search_runs(&[experiment], "", &[], 10).await?.len(),
            2
        );
        assert_eq!(
            client.search_runs(&[experiment], "", &[], 1).await?.len(),
            1
        );
        Ok(())
    });
}

#[test]
fn a_batch_may_be_larger_than_the_api_takes() {
    with_client(|client| async move {
        let experiment = client.create_experiment("e").await?;
        let run = client.create_run(experiment, RunOptions::default()).await?;
        let id = run.info.run_id;
        let metrics: Vec<Metric> = (0..30_000)
            .map(|step| Metric::new("m", 0.1, step, step))
            .collect();
        let batch = Batch {
            metrics: metrics.clone(),
            tags: (0..150).map(|n| Tag::new(format!("t{n}"), "")).collect(),
            ..Batch::default()
        };
        client.log_batch(&id, batch).await?;
        assert_eq!(client.metric_history(&id, "m").await?, metrics);
        Ok(())
    });
}
