//! `runledger experiments`: created, found and changed (MLflow 3.17, `mlflow
//! experiments`). What a command says after a change are MLflow's words.

mod csv;

use runledger::{Client, TrackingError};
use runledger_entities::{Experiment, ExperimentId, LifecycleStage, Tag, ViewType, validate};
use runledger_protocol::messages::experiments as messages;
use runledger_search::{parse_experiment_filter, parse_experiment_order};
use runledger_store::{ExperimentQuery, NewExperiment};

use crate::args::{
    ExperimentCreateArgs, ExperimentSearchArgs, ExperimentsCommand, JsonArgs, OutputFormat,
    WhichExperimentArgs,
};
use crate::command::{self, CommandError};
use crate::report;
use crate::term::table::{Cell, Column, Table};
use crate::term::text::{plain, time};
use crate::term::{Out, Tone};
use crate::tracking::{self, Access};

/// Does what the flags say.
pub(crate) fn run(command: &ExperimentsCommand) -> Result<(), CommandError> {
    command::run(async {
        match command {
            ExperimentsCommand::Create(args) => create(args).await,
            ExperimentsCommand::Search(args) => search(args).await,
            ExperimentsCommand::Get(args) => {
                let as_json = args.output == Some(OutputFormat::Json);
                let json = args.which.output.json || as_json;
                get(&args.which, JsonArgs { json }).await
            }
            ExperimentsCommand::Rename(args) => {
                validate::experiment_name(&args.new_name)?;
                change(&args.which, async |client, experiment| {
                    let id = experiment.experiment_id;
                    client.rename_experiment(id, &args.new_name).await?;
                    Ok(format!(
                        "Experiment with id {id} has been renamed to '{}'.",
                        plain(&args.new_name)
                    ))
                })
                .await
            }
            ExperimentsCommand::Delete(args) => {
                change(args, async |client, experiment| {
                    let id = experiment.experiment_id;
                    client.delete_experiment(id).await?;
                    Ok(format!("Experiment with ID {id} has been deleted."))
                })
                .await
            }
            ExperimentsCommand::Restore(args) => {
                change(args, async |client, experiment| {
                    let id = experiment.experiment_id;
                    client.restore_experiment(id).await?;
                    Ok(format!("Experiment with id {id} has been restored."))
                })
                .await
            }
            ExperimentsCommand::Csv(args) => csv::write(args).await,
        }
    })
}

async fn create(args: &ExperimentCreateArgs) -> Result<(), CommandError> {
    validate::experiment_name(&args.experiment_name)?;
    let tags = args.tags.iter();
    let tags: Vec<Tag> = tags.map(|tag| Tag::new(&tag.key, &tag.value)).collect();
    tags.iter().try_for_each(validate::experiment_tag)?;
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let new = NewExperiment {
        name: args.experiment_name.clone(),
        artifact_location: args.artifact_location.clone(),
        tags,
    };
    let id = client.store().create_experiment(new).await?;
    let said = format!(
        "Created experiment '{}' with id {id}",
        plain(&args.experiment_name)
    );
    tell(&client, id, &said, args.output).await
}

/// Changes an experiment, and says what was done.
async fn change(
    args: &WhichExperimentArgs,
    change: impl AsyncFnOnce(&Client, &Experiment) -> Result<String, TrackingError>,
) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let experiment = tracking::experiment(&client, &args.experiment).await?;
    let said = change(&client, &experiment).await?;
    tell(&client, experiment.experiment_id, &said, args.output).await
}

async fn tell(
    client: &Client,
    id: ExperimentId,
    said: &str,
    output: JsonArgs,
) -> Result<(), CommandError> {
    let mut out = Out::new();
    if output.json {
        out.json(&messages::one(&client.get_experiment(id).await?))?;
    } else {
        out.line(said)?;
    }
    Ok(out.flush()?)
}

async fn get(args: &WhichExperimentArgs, output: JsonArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let experiment = tracking::experiment(&client, &args.experiment).await?;
    let mut out = Out::new();
    if output.json {
        out.json(&messages::one(&experiment))?;
        return Ok(out.flush()?);
    }
    let moment = |millis: Option<i64>| match millis {
        Some(millis) => format!("{} UTC", time(millis, true)),
        None => "not known".to_owned(),
    };
    for (title, value) in [
        ("Experiment Id", experiment.experiment_id.to_string()),
        ("Name", experiment.name),
        ("Artifact Location", experiment.artifact_location),
        (
            "Lifecycle Stage",
            experiment.lifecycle_stage.name().to_owned(),
        ),
        ("Creation Time", moment(experiment.creation_time)),
        ("Last Update Time", moment(experiment.last_update_time)),
    ] {
        out.line(&format!("{title:<17}  {}", plain(&value)))?;
    }
    if !experiment.tags.is_empty() {
        let mut table = Table::new(vec![Column::whole("TAG"), Column::flexible("VALUE", 20)]);
        for tag in &experiment.tags {
            table.row([tag.key.as_str().into(), tag.value.as_str().into()]);
        }
        out.line("")?;
        out.lines(&table.lines(out.look))?;
    }
    Ok(out.flush()?)
}

async fn search(args: &ExperimentSearchArgs) -> Result<(), CommandError> {
    let filter = args.filter_string.as_deref().unwrap_or_default();
    let query = ExperimentQuery {
        filter: parse_experiment_filter(filter)?,
        order_by: parse_experiment_order(&args.order_by)?,
        ..tracking::all(args.view.into())
    };
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let most = args.max_results.unwrap_or(u32::MAX) as usize;
    let (found, is_more) = tracking::experiments(&client, query, most).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::page(&found, None))?;
    } else {
        out.lines(&table(&found, args.view.into()).lines(out.look))?;
    }
    out.flush()?;
    if is_more {
        report::note("there are more experiments: --max-results names how many are shown");
    }
    Ok(())
}

fn table(experiments: &[Experiment], view: ViewType) -> Table {
    let mut columns = vec![
        Column::whole("ID").right(),
        Column::flexible("NAME", 16),
        Column::whole("CREATED (UTC)"),
    ];
    let with_stage = view != ViewType::ActiveOnly;
    if with_stage {
        columns.push(Column::whole("STAGE"));
    }
    columns.push(Column::flexible("ARTIFACT LOCATION", 17));
    let mut table = Table::new(columns);
    for experiment in experiments {
        let created = experiment.creation_time.map(|millis| time(millis, false));
        let mut row = vec![
            Cell::from(experiment.experiment_id.to_string()),
            Cell::from(experiment.name.as_str()),
            Cell::of(created.as_deref().unwrap_or("-"), Tone::Faint),
        ];
        if with_stage {
            let stage = experiment.lifecycle_stage;
            let tone = match stage {
                LifecycleStage::Active => Tone::Good,
                LifecycleStage::Deleted => Tone::Bad,
            };
            row.push(Cell::of(stage.name(), tone));
        }
        row.push(Cell::of(&experiment.artifact_location, Tone::Faint));
        table.row(row);
    }
    table
}
