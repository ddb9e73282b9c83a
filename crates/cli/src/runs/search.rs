//! `runledger runs search`: a table of runs.

use runledger::Client;
use runledger_entities::{ExperimentId, Run, ViewType, limits};
use runledger_protocol::messages::runs as messages;
use runledger_search::{
    Order, RunClause, RunKey, RunNumber, RunText, parse_run_filter, parse_run_order,
};
use runledger_store::{PageRequest, RunQuery};

use super::{name, tone};
use crate::args::RunSearchArgs;
use crate::command::CommandError;
use crate::report;
use crate::term::table::{Cell, Column, Table};
use crate::term::text::time;
use crate::term::{Look, Out, Tone};
use crate::tracking::{self, Access};

/// The most experiments that are searched without being named.
const EXPERIMENTS: usize = 1000;

pub(super) async fn search(args: &RunSearchArgs) -> Result<(), CommandError> {
    let filter = parse_run_filter(args.filter_string.as_deref().unwrap_or_default())?;
    let order_by = parse_run_order(&args.order_by)?;
    let asked = parse_run_order(&args.columns)?;
    let columns = columns(&filter, &order_by, asked);
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let experiment_ids = experiments(&client, args).await?;
    let query = RunQuery {
        experiment_ids,
        view: args.view.into(),
        filter,
        order_by,
        page: PageRequest {
            max_results: limits::SEARCH_DEFAULT_RESULTS,
            token: None,
        },
    };
    let (runs, is_more) = gather(&client, query, args.max_results as usize).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::page(&runs, None))?;
    } else {
        out.lines(&table(&runs, &columns, out.look).lines(out.look))?;
    }
    out.flush()?;
    if is_more {
        report::note("there are more runs: --max-results names how many are shown");
    }
    Ok(())
}

/// The experiments that the flags name, or all active ones.
async fn experiments(
    client: &Client,
    args: &RunSearchArgs,
) -> Result<Vec<ExperimentId>, CommandError> {
    let mut ids = args.experiment_id.clone();
    for name in &args.experiment_name {
        let found = client.store().get_experiment_by_name(name).await?;
        ids.push(found.experiment_id);
    }
    if !ids.is_empty() {
        for id in &args.experiment_id {
            // A search of one that is not there finds nothing, and a typing error shows.
            client.get_experiment(*id).await?;
        }
        return Ok(ids);
    }
    let all = tracking::all(ViewType::ActiveOnly);
    let (found, is_more) = tracking::experiments(client, all, EXPERIMENTS).await?;
    if is_more {
        return Err(CommandError::Usage(format!(
            "there are more than {EXPERIMENTS} experiments: name those to search with \
             --experiment-id or --experiment-name"
        )));
    }
    Ok(found.iter().map(|found| found.experiment_id).collect())
}

/// The runs of a search, at most so many, and whether there are more.
async fn gather(
    client: &Client,
    mut query: RunQuery,
    most: usize,
) -> Result<(Vec<Run>, bool), CommandError> {
    let mut found: Vec<Run> = Vec::new();
    loop {
        let wanting = u32::try_from(most - found.len()).unwrap_or(u32::MAX);
        query.page.max_results = wanting.min(limits::SEARCH_DEFAULT_RESULTS);
        let page = client.store().search_runs(query.clone()).await?;
        found.extend(page.items);
        query.page.token = page.next_token;
        let is_more = query.page.token.is_some();
        if !is_more || found.len() >= most {
            return Ok((found, is_more));
        }
    }
}

/// What the order and the filter are about, and what was asked for, each once.
fn columns(
    filter: &[RunClause],
    order_by: &[Order<RunKey>],
    asked: Vec<Order<RunKey>>,
) -> Vec<RunKey> {
    let filtered = filter.iter().filter_map(|clause| match clause {
        RunClause::Metric { key, .. } => Some(RunKey::Metric(key.clone())),
        RunClause::Param { key, .. } => Some(RunKey::Param(key.clone())),
        RunClause::Tag { key, .. } => Some(RunKey::Tag(key.clone())),
        RunClause::Text { attribute, .. } => Some(RunKey::Text(*attribute)),
        RunClause::Number { attribute, .. } => Some(RunKey::Number(*attribute)),
        RunClause::Dataset { .. } => None,
    });
    let ordered = order_by.iter().map(|order| order.key.clone());
    let asked = asked.into_iter().map(|order| order.key);
    let mut columns = Vec::new();
    for key in ordered.chain(filtered).chain(asked) {
        let is_shown_anyway = matches!(
            key,
            RunKey::Text(RunText::RunId | RunText::RunName | RunText::Status)
                | RunKey::Number(RunNumber::StartTime)
        );
        if !is_shown_anyway && !columns.contains(&key) {
            columns.push(key);
        }
    }
    columns
}

fn table(runs: &[Run], keys: &[RunKey], look: Look) -> Table {
    let mut columns = vec![
        Column::whole("STARTED (UTC)"),
        Column::flexible("NAME", 8),
        Column::whole("STATUS"),
    ];
    columns.extend(keys.iter().map(column));
    columns.push(Column::whole("RUN ID"));
    let mut table = Table::new(columns);
    for run in runs {
        let info = &run.info;
        let mut row = vec![
            Cell::of(&time(info.start_time, false), Tone::Faint),
            Cell::from(name(run)),
            Cell::of(info.status.name(), tone(info.status)),
        ];
        row.extend(keys.iter().map(|key| cell(run, key, look)));
        row.push(Cell::from(info.run_id.as_str()));
        table.row(row);
    }
    table
}

fn column(key: &RunKey) -> Column {
    match key {
        RunKey::Metric(key) => Column::flexible(key, 8).right(),
        RunKey::Param(key) | RunKey::Tag(key) => Column::flexible(key, 6),
        RunKey::Text(RunText::ArtifactUri) => Column::flexible("ARTIFACTS", 12),
        RunKey::Text(_) => Column::flexible("USER", 6),
        RunKey::Number(_) => Column::whole("ENDED (UTC)"),
    }
}

fn cell(run: &Run, key: &RunKey, look: Look) -> Cell {
    let data = &run.data;
    let text = match key {
        RunKey::Metric(key) => {
            let metric = data.metrics.iter().find(|metric| metric.key == *key);
            metric.map(|metric| look.number(metric.value))
        }
        RunKey::Param(key) => {
            let param = data.params.iter().find(|param| param.key == *key);
            param.map(|param| param.value.clone())
        }
        RunKey::Tag(key) => {
            let tag = data.tags.iter().find(|tag| tag.key == *key);
            tag.map(|tag| tag.value.clone())
        }
        RunKey::Text(RunText::ArtifactUri) => Some(run.info.artifact_uri.clone()),
        RunKey::Text(_) => Some(run.info.user_id.clone()),
        RunKey::Number(_) => {
            let ended = run.info.end_time.filter(|time| *time != 0);
            ended.map(|ended| time(ended, false))
        }
    };
    match text {
        Some(text) => text.into(),
        None => Cell::of("-", Tone::Faint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_and_the_order_choose_columns() {
        let filter = parse_run_filter("metrics.loss < 1 AND params.depth = '7' AND status = 'x'");
        let order = parse_run_order(&["metrics.loss ASC".to_owned(), "tags.team".to_owned()]);
        let asked = parse_run_order(&["params.depth".to_owned(), "end_time".to_owned()]);
        let found = columns(&filter.unwrap(), &order.unwrap(), asked.unwrap());
        let expected = [
            RunKey::Metric("loss".to_owned()),
            RunKey::Tag("team".to_owned()),
            RunKey::Param("depth".to_owned()),
            RunKey::Number(RunNumber::EndTime),
        ];
        assert_eq!(found, expected);
    }
}
