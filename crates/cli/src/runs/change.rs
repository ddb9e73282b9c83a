//! Commands that change a run, and the link to its page.

use runledger::{Client, RunOptions};
use runledger_entities::{
    Experiment, Metric, Param, RunId, RunInfo, RunStatus, Tag, ViewType, limits, validate,
};
use runledger_store::{Batch, RunPatch};

use super::{id, tell};
use crate::args::{LinkArgs, OneExperiment, OneRunArgs, RunCreateArgs, RunLogArgs, RunUpdateArgs};
use crate::command::{CommandError, now};
use crate::term::Out;
use crate::term::text::{counted, plain};
use crate::tracking::{self, Access};

/// The names of the environment for the experiment of new runs.
const EXPERIMENT_NAME: &str = "MLFLOW_EXPERIMENT_NAME";
const EXPERIMENT_ID: &str = "MLFLOW_EXPERIMENT_ID";

/// Tags that MLflow gives every run: who made it, and with what.
const USER: &str = "mlflow.user";
const SOURCE: [(&str, &str); 2] = [
    ("mlflow.source.name", "runledger"),
    ("mlflow.source.type", "LOCAL"),
];

pub(super) async fn create(args: &RunCreateArgs) -> Result<(), CommandError> {
    let which = experiment_of(args, |name| std::env::var(name).ok())?;
    check_name(args.run_name.as_deref())?;
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let experiment = tracking::experiment(&client, &which).await?;
    refuse_deleted(&experiment)?;
    let tags = args.tags.iter();
    let mut tags: Vec<Tag> = tags.map(|tag| Tag::new(&tag.key, &tag.value)).collect();
    for (key, value) in SOURCE {
        if tags.iter().all(|tag| tag.key != key) {
            tags.push(Tag::new(key, value));
        }
    }
    let knows_user = tags.iter().any(|tag| tag.key == USER);
    let options = RunOptions {
        name: args.run_name.clone(),
        description: args.description.clone(),
        tags,
        parent: args.parent_run_id.as_deref().map(id),
        ..RunOptions::default()
    };
    if let Some(parent) = &options.parent {
        client.get_run(parent).await?;
    }
    let run = client.create_run(experiment.experiment_id, options).await?;
    let id = run.info.run_id;
    if !knows_user {
        client.set_tag(&id, USER, run.info.user_id).await?;
    }
    if args.status != RunStatus::Running {
        client.end_run(&id, args.status).await?;
    }
    after(&client, &id, args.output.json, id.as_str()).await
}

/// The experiment of a new run: of the flags, else of the environment, where a name
/// comes first (MLflow 3.17).
fn experiment_of(
    args: &RunCreateArgs,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<OneExperiment, CommandError> {
    let mut which = OneExperiment {
        experiment_id: args.experiment_id,
        experiment_name: args.experiment_name.clone(),
    };
    if which.experiment_id.is_some() || which.experiment_name.is_some() {
        return Ok(which);
    }
    which.experiment_name = variable(EXPERIMENT_NAME).filter(|name| !name.is_empty());
    if which.experiment_name.is_some() {
        return Ok(which);
    }
    match variable(EXPERIMENT_ID).filter(|id| !id.is_empty()) {
        Some(text) => {
            let id = text.parse().map_err(|_| {
                CommandError::Usage(format!(
                    "{EXPERIMENT_ID} is '{text}', which is no id of an experiment"
                ))
            })?;
            which.experiment_id = Some(id);
            Ok(which)
        }
        None => Err(CommandError::Usage(
            "name the experiment with --experiment-id or --experiment-name".to_owned(),
        )),
    }
}

fn refuse_deleted(experiment: &Experiment) -> Result<(), CommandError> {
    if ViewType::ActiveOnly.includes(experiment.lifecycle_stage) {
        return Ok(());
    }
    let id = experiment.experiment_id;
    Err(CommandError::Refused(format!(
        "the experiment '{}' is deleted; `runledger experiments restore -x {id}` brings it back",
        experiment.name
    )))
}

/// Whether a name fits into MLflow's column.
fn check_name(name: Option<&str>) -> Result<(), CommandError> {
    match name {
        Some(name) => {
            validate::length("run_name", name, limits::RUN_NAME)?;
            Ok(())
        }
        None => Ok(()),
    }
}

pub(super) async fn log(args: &RunLogArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let timestamp = args.timestamp.unwrap_or_else(now);
    let metrics = args.metrics.iter();
    let params = args.params.iter();
    let tags = args.tags.iter();
    let batch = Batch {
        metrics: metrics
            .map(|metric| Metric::new(&metric.key, metric.value, timestamp, args.step))
            .collect(),
        params: params
            .map(|param| Param::new(&param.key, &param.value))
            .collect(),
        tags: tags.map(|tag| Tag::new(&tag.key, &tag.value)).collect(),
    };
    let counts = [
        (batch.params.len(), "param"),
        (batch.metrics.len(), "metric"),
        (batch.tags.len(), "tag"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| counted(count, what))
        .collect();
    let id = id(&args.run_id);
    client.log_batch(&id, batch).await?;
    let said = format!("Logged {} to run {id}.", counts.join(", "));
    after(&client, &id, args.output.json, &said).await
}

pub(super) async fn update(args: &RunUpdateArgs) -> Result<(), CommandError> {
    check_name(args.run_name.as_deref())?;
    if args.run_name.as_deref() == Some("") {
        return Err(CommandError::Usage("--run-name is empty".to_owned()));
    }
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let id = id(&args.run_id);
    let is_end = args
        .status
        .is_some_and(|status| !matches!(status, RunStatus::Running | RunStatus::Scheduled));
    let patch = RunPatch {
        status: args.status,
        end_time: is_end.then(now),
        run_name: args.run_name.clone(),
    };
    let info = client.store().update_run(&id, patch).await?;
    let said = format!(
        "Run {id} is named '{}', its status is {}.",
        plain(info.run_name.as_deref().unwrap_or_default()),
        info.status.name()
    );
    after(&client, &id, args.output.json, &said).await
}

pub(super) async fn delete(args: &OneRunArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let id = id(&args.run_id);
    client.delete_run(&id).await?;
    let said = format!("Run with ID {id} has been deleted.");
    after(&client, &id, args.output.json, &said).await
}

pub(super) async fn restore(args: &OneRunArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let id = id(&args.run_id);
    client.restore_run(&id).await?;
    let said = format!("Run with id {id} has been restored.");
    after(&client, &id, args.output.json, &said).await
}

/// The run as it is now, or a line about it.
async fn after(client: &Client, id: &RunId, as_json: bool, said: &str) -> Result<(), CommandError> {
    if as_json {
        tell(Some(&client.get_run(id).await?), said)
    } else {
        tell(None, said)
    }
}

pub(super) async fn link(args: &LinkArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let Some(server) = server(&client) else {
        return Err(CommandError::Refused(format!(
            "runs in {} have pages only while a server shows them: start `runledger server \
             --backend-store-uri …`, and name it with --tracking-uri http://…",
            client.uri()
        )));
    };
    let run = client.get_run(&id(&args.run_id)).await?;
    let mut out = Out::new();
    out.line(&page(&server, &run.info))?;
    Ok(out.flush()?)
}

/// The address of the server, without a password, if it is one.
pub(super) fn server(client: &Client) -> Option<String> {
    let uri = client.uri();
    let is_web = uri.starts_with("http://") || uri.starts_with("https://");
    is_web.then_some(uri)
}

/// The address of a run's page, as MLflow's clients print it.
pub(super) fn page(server: &str, info: &RunInfo) -> String {
    format!(
        "{}/#/experiments/{}/runs/{}",
        server.trim_end_matches('/'),
        info.experiment_id,
        info.run_id
    )
}
