//! `runledger experiments csv`: the runs of experiments as `mlflow experiments csv`
//! writes them (MLflow 3.17, pandas 3).
//!
//! The runs are read twice, a page at a time: first for the names of all columns,
//! then for the rows. What is logged in between under a new name is left out.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufWriter, Write};

use runledger::Client;
use runledger_entities::{ExperimentId, Run, ViewType, limits, time, validate};
use runledger_store::{PageRequest, RunQuery};

use crate::args::ExperimentCsvArgs;
use crate::command::CommandError;
use crate::report;
use crate::term::Out;
use crate::tracking::{self, Access};

/// Writes the file that the flags name.
pub(super) async fn write(args: &ExperimentCsvArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    for id in &args.experiment_id {
        // MLflow answers with an empty table for one that is not there.
        client.get_experiment(*id).await?;
    }
    let columns = columns(&client, &args.experiment_id).await?;
    let Some(path) = &args.filename else {
        let mut out = Out::new();
        rows(&client, &args.experiment_id, &columns, &mut out, |error| {
            CommandError::Output(error)
        })
        .await?;
        return Ok(out.flush()?);
    };
    let file = File::create(path).map_err(CommandError::file(path))?;
    let mut file = BufWriter::new(file);
    let failed = |error| CommandError::file(path)(error);
    rows(&client, &args.experiment_id, &columns, &mut file, failed).await?;
    file.flush().map_err(failed)?;
    let ids: Vec<String> = args.experiment_id.iter().map(ToString::to_string).collect();
    report::line(&format!(
        "Experiment with ID {} has been exported as a CSV to file: {}.",
        ids.join(", "),
        path.display()
    ));
    Ok(())
}

/// The names after `metrics.`, `params.` and `tags.`, in the order in which the
/// runs have them, and whether times have milliseconds.
#[derive(Debug, Default)]
struct Columns {
    metrics: Names,
    params: Names,
    tags: Names,
    start_millis: bool,
    end_millis: bool,
}

/// Names in the order of their first use.
#[derive(Debug, Default)]
struct Names {
    ordered: Vec<String>,
    known: HashSet<String>,
}

impl Names {
    fn add(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.ordered.push(name.to_owned());
        }
    }
}

/// Calls back with each page of the runs.
async fn pages(
    client: &Client,
    experiments: &[ExperimentId],
    mut each: impl FnMut(Vec<Run>) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut query = RunQuery {
        experiment_ids: experiments.to_vec(),
        view: ViewType::ActiveOnly,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: limits::SEARCH_DEFAULT_RESULTS,
            token: None,
        },
    };
    loop {
        let page = client.store().search_runs(query.clone()).await?;
        each(page.items)?;
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(());
        }
    }
}

async fn columns(client: &Client, experiments: &[ExperimentId]) -> Result<Columns, CommandError> {
    let mut columns = Columns::default();
    pages(client, experiments, |runs| {
        for run in runs {
            let data = &run.data;
            data.metrics
                .iter()
                .for_each(|metric| columns.metrics.add(&metric.key));
            data.params
                .iter()
                .for_each(|param| columns.params.add(&param.key));
            data.tags.iter().for_each(|tag| columns.tags.add(&tag.key));
            columns.start_millis |= has_millis(Some(run.info.start_time));
            columns.end_millis |= has_millis(run.info.end_time);
        }
        Ok(())
    })
    .await?;
    Ok(columns)
}

fn has_millis(time: Option<i64>) -> bool {
    time.is_some_and(|millis| millis % 1000 != 0)
}

async fn rows(
    client: &Client,
    experiments: &[ExperimentId],
    columns: &Columns,
    out: &mut impl Write,
    failed: impl Fn(io::Error) -> CommandError,
) -> Result<(), CommandError> {
    out.write_all(heading(columns).as_bytes())
        .map_err(&failed)?;
    pages(client, experiments, |runs| {
        for run in runs {
            out.write_all(row(&run, columns).as_bytes())
                .map_err(&failed)?;
        }
        Ok(())
    })
    .await
}

fn heading(columns: &Columns) -> String {
    let fixed = [
        "run_id",
        "experiment_id",
        "status",
        "artifact_uri",
        "start_time",
        "end_time",
    ];
    let groups = [
        ("metrics", &columns.metrics),
        ("params", &columns.params),
        ("tags", &columns.tags),
    ];
    let titles = groups.into_iter().flat_map(|(kind, names)| {
        let keys = names.ordered.iter();
        keys.map(move |key| format!("{kind}.{key}"))
    });
    line(fixed.into_iter().map(str::to_owned).chain(titles))
}

fn row(run: &Run, columns: &Columns) -> String {
    let info = &run.info;
    let fixed = [
        info.run_id.to_string(),
        info.experiment_id.to_string(),
        info.status.name().to_owned(),
        info.artifact_uri.clone(),
        moment(Some(info.start_time), columns.start_millis),
        moment(info.end_time, columns.end_millis),
    ];
    let data = &run.data;
    let metrics: HashMap<&str, f64> = data
        .metrics
        .iter()
        // Neither what is not there nor NaN has a value in pandas.
        .filter(|metric| !metric.value.is_nan())
        .map(|metric| (metric.key.as_str(), metric.value))
        .collect();
    let metrics = columns.metrics.ordered.iter().map(|name| {
        let value = metrics.get(name.as_str()).copied();
        value.map(validate::python_float).unwrap_or_default()
    });
    let params = data.params.iter();
    let params = texts(params.map(|param| (param.key.as_str(), param.value.as_str())));
    let params = columns
        .params
        .ordered
        .iter()
        .map(|name| value(&params, name));
    let tags = data.tags.iter();
    let tags = texts(tags.map(|tag| (tag.key.as_str(), tag.value.as_str())));
    let tags = columns.tags.ordered.iter().map(|name| value(&tags, name));
    line(fixed.into_iter().chain(metrics).chain(params).chain(tags))
}

fn texts<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> HashMap<&'a str, &'a str> {
    pairs.collect()
}

fn value(texts: &HashMap<&str, &str>, name: &str) -> String {
    texts.get(name).copied().unwrap_or_default().to_owned()
}

/// A time as pandas writes a column of them: all with milliseconds, or none.
fn moment(millis: Option<i64>, with_millis: bool) -> String {
    // MLflow takes 0 for "not ended".
    let Some(millis) = millis.filter(|millis| *millis != 0) else {
        return String::new();
    };
    let text = time::timestamp(millis).replace('T', " ");
    let (seconds, fraction) = text
        .trim_end_matches('Z')
        .split_once('.')
        .unwrap_or((text.trim_end_matches('Z'), "000"));
    if with_millis {
        format!("{seconds}.{fraction}+00:00")
    } else {
        format!("{seconds}+00:00")
    }
}

fn line(fields: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (at, field) in fields.enumerate() {
        if at > 0 {
            line.push(',');
        }
        if field.contains(['"', ',', '\n', '\r']) {
            line.push('"');
            line.push_str(&field.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&field);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let fields = ["a", "b,c", "say \"hi\"\nthere", " x ", ""].map(str::to_owned);
        assert_eq!(
            line(fields.into_iter()),
            "a,\"b,c\",\"say \"\"hi\"\"\nthere\", x ,\n"
        );
    }

    #[test]
    fn times_have_milliseconds_if_one_of_them_does() {
        let time = Some(1_790_000_002_500);
        assert_eq!(moment(time, true), "2026-09-21 14:13:22.500+00:00");
        let whole = Some(1_790_000_000_000);
        assert_eq!(moment(whole, true), "2026-09-21 14:13:20.000+00:00");
        assert_eq!(moment(whole, false), "2026-09-21 14:13:20+00:00");
        assert_eq!(moment(None, true), "");
        assert!(has_millis(time) && !has_millis(whole) && !has_millis(None));
    }
}
