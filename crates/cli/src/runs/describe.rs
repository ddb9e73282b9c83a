//! `runledger runs describe`: all that a run logged, on a page.

use std::io;

use runledger_entities::{LifecycleStage, Run, Tag};

use super::change::{page, server};
use super::{id, name, tell, tone};
use crate::args::OneRunArgs;
use crate::command::CommandError;
use crate::term::table::{Column, Table};
use crate::term::text::{duration, plain, time, wrapped};
use crate::term::{Out, Tone};
use crate::tracking::{self, Access};

/// The tag that holds the description.
const NOTE: &str = "mlflow.note.content";

/// What tags of MLflow's own begin with.
const SYSTEM: &str = "mlflow.";

pub(super) async fn describe(args: &OneRunArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let run = client.get_run(&id(&args.run_id)).await?;
    if args.output.json {
        return tell(Some(&run), "");
    }
    let experiment = client.get_experiment(run.info.experiment_id).await?;
    let link = server(&client).map(|server| page(&server, &run.info));
    let mut out = Out::new();
    head(&mut out, &run, &experiment.name, link.as_deref())?;
    tables(&mut out, &run)?;
    Ok(out.flush()?)
}

fn head(out: &mut Out, run: &Run, experiment: &str, link: Option<&str>) -> io::Result<()> {
    let info = &run.info;
    let title = Tone::Heading.paint(&plain(name(run)), out.look);
    let status = tone(info.status).paint(info.status.name(), out.look);
    let deleted = match info.lifecycle_stage {
        LifecycleStage::Active => String::new(),
        LifecycleStage::Deleted => format!(", {}", Tone::Bad.paint("deleted", out.look)),
    };
    out.line(&format!("{title}  {status}{deleted}"))?;
    let ended = info.end_time.filter(|time| *time != 0);
    let started = format!("{} UTC", time(info.start_time, true));
    let ended = ended.map(|ended| {
        let took = duration(ended.saturating_sub(info.start_time));
        format!("{} UTC, after {took}", time(ended, true))
    });
    let tag = |key: &str| {
        let tag = run.data.tags.iter().find(|tag| tag.key == key);
        tag.map(|tag| tag.value.as_str())
    };
    let rows = [
        ("Run ID", Some(info.run_id.as_str())),
        ("Started", Some(started.as_str())),
        ("Ended", ended.as_deref()),
        (
            "User",
            Some(info.user_id.as_str()).filter(|user| !user.is_empty()),
        ),
        ("Source", tag("mlflow.source.name")),
        ("Git commit", tag("mlflow.source.git.commit")),
        ("Parent", tag(Tag::PARENT_RUN_ID)),
        ("Artifacts", Some(info.artifact_uri.as_str())),
        ("Page", link),
    ];
    let experiment = format!("{experiment} (id {})", info.experiment_id);
    let experiment = [("Experiment", Some(experiment.as_str()))];
    for (title, value) in rows[..1].iter().chain(&experiment).chain(&rows[1..]) {
        if let Some(value) = value {
            out.line(&format!("  {title:<10}  {}", plain(value)))?;
        }
    }
    let Some(note) = tag(NOTE).filter(|note| !note.is_empty()) else {
        return Ok(());
    };
    out.line("")?;
    let columns = out.look.width.unwrap_or(usize::MAX).saturating_sub(2);
    for line in note.lines() {
        for line in wrapped(&plain(line), columns) {
            out.line(&format!("  {line}"))?;
        }
    }
    Ok(())
}

fn tables(out: &mut Out, run: &Run) -> io::Result<()> {
    let data = &run.data;
    let mut params = Table::new(vec![
        Column::flexible("PARAM", 16),
        Column::flexible("VALUE", 20),
    ]);
    for param in &data.params {
        params.row([param.key.as_str().into(), param.value.as_str().into()]);
    }
    let mut metrics = Table::new(vec![
        Column::flexible("METRIC", 16),
        Column::whole("LATEST").right(),
        Column::whole("STEP").right(),
    ]);
    for metric in &data.metrics {
        let (value, step) = (out.look.number(metric.value), metric.step.to_string());
        metrics.row([metric.key.as_str().into(), value.into(), step.into()]);
    }
    let mut tags = Table::new(vec![
        Column::flexible("TAG", 16),
        Column::flexible("VALUE", 20),
    ]);
    let own = data.tags.iter().filter(|tag| !tag.key.starts_with(SYSTEM));
    for tag in own {
        tags.row([tag.key.as_str().into(), tag.value.as_str().into()]);
    }
    let mut datasets = Table::new(vec![
        Column::flexible("DATASET", 16),
        Column::whole("DIGEST"),
        Column::flexible("CONTEXT", 8),
    ]);
    for input in &run.inputs.datasets {
        let context = input
            .tags
            .iter()
            .find(|tag| tag.key == Tag::DATASET_CONTEXT);
        let context = context.map_or("-", |tag| tag.value.as_str());
        let dataset = &input.dataset;
        datasets.row([
            dataset.name.as_str().into(),
            dataset.digest.as_str().into(),
            context.into(),
        ]);
    }
    let mut models = Table::new(vec![
        Column::whole("MODEL"),
        Column::whole("USE"),
        Column::whole("STEP").right(),
    ]);
    for model in &run.inputs.models {
        models.row([model.model_id.as_str().into(), "input".into(), "-".into()]);
    }
    for model in &run.outputs {
        let step = model.step.to_string();
        models.row([model.model_id.as_str().into(), "output".into(), step.into()]);
    }
    for table in [params, metrics, tags, datasets, models] {
        if !table.is_empty() {
            out.line("")?;
            out.lines(&table.lines(out.look))?;
        }
    }
    Ok(())
}
