//! `runledger traces`: found, shown, tagged, assessed and deleted (MLflow 3.17,
//! `mlflow traces`).

use std::collections::{HashMap, HashSet};

use runledger_entities::{
    AssessmentId, AssessmentSource, AssessmentValue, StoredSpan, TraceId, TraceInfo, TraceState,
    trace_keys,
};
use runledger_protocol::messages::traces as messages;
use runledger_search::{parse_trace_filter, parse_trace_order};
use serde_json::{Value, json};

use crate::args::{AssessArgs, OneTraceArgs, TraceDeleteArgs, TraceSearchArgs, TracesCommand};
use crate::command::{self, CommandError};
use crate::report;
use crate::term::table::{Cell, Column, Table};
use crate::term::text::{counted, duration, plain, time};
use crate::term::{Out, Tone};
use crate::tracking::{self, Access};

/// Does what the flags say.
pub(crate) fn run(command: &TracesCommand) -> Result<(), CommandError> {
    command::run(async {
        match command {
            TracesCommand::Search(args) => search(args).await,
            TracesCommand::Get(args) => get(args).await,
            TracesCommand::Delete(args) => delete(args).await,
            TracesCommand::SetTag(args) => {
                let client = tracking::open(&args.trace.tracking, Access::Write).await?;
                let id = id(&args.trace);
                client.set_trace_tag(&id, &args.key, &args.value).await?;
                let said = format!("Set tag '{}' on trace {id}.", args.key);
                tell(&client.get_trace_info(&id).await?, &said, &args.trace)
            }
            TracesCommand::DeleteTag(args) => {
                let client = tracking::open(&args.trace.tracking, Access::Write).await?;
                let id = id(&args.trace);
                client.delete_trace_tag(&id, &args.key).await?;
                let said = format!("Deleted tag '{}' from trace {id}.", args.key);
                tell(&client.get_trace_info(&id).await?, &said, &args.trace)
            }
            TracesCommand::LogFeedback(args) => assess(args, false).await,
            TracesCommand::LogExpectation(args) => assess(args, true).await,
            TracesCommand::DeleteAssessment(args) => {
                let client = tracking::open(&args.trace.tracking, Access::Write).await?;
                let id = id(&args.trace);
                let assessment = AssessmentId::new(args.assessment_id.trim());
                client.delete_assessment(&id, &assessment).await?;
                let said = format!("Deleted assessment {assessment} from trace {id}.");
                tell(&client.get_trace_info(&id).await?, &said, &args.trace)
            }
        }
    })
}

fn id(args: &OneTraceArgs) -> TraceId {
    TraceId::new(args.trace_id.trim())
}

fn tell(info: &TraceInfo, said: &str, args: &OneTraceArgs) -> Result<(), CommandError> {
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::info(info))?;
    } else {
        out.line(&plain(said))?;
    }
    Ok(out.flush()?)
}

async fn search(args: &TraceSearchArgs) -> Result<(), CommandError> {
    let filter = args.filter_string.as_deref().unwrap_or_default();
    // Before anything is opened.
    parse_trace_filter(filter)?;
    parse_trace_order(&args.order_by)?;
    let client = tracking::open(&args.tracking, Access::Read).await?;
    for id in &args.experiment_id {
        client.get_experiment(*id).await?;
    }
    let order: Vec<&str> = args.order_by.iter().map(String::as_str).collect();
    let most = args.max_results as usize;
    // One more tells whether there are more.
    let found = client.search_traces(&args.experiment_id, filter, &order, most + 1);
    let mut found = found.await?;
    let is_more = found.len() > most;
    found.truncate(most);
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::page(&found, None))?;
    } else {
        out.lines(&table(&found).lines(out.look))?;
    }
    out.flush()?;
    if is_more {
        report::note("there are more traces: --max-results names how many are shown");
    }
    Ok(())
}

fn table(traces: &[TraceInfo]) -> Table {
    let mut table = Table::new(vec![
        Column::whole("STARTED (UTC)"),
        Column::flexible("NAME", 8),
        Column::whole("STATE"),
        Column::whole("TOOK").right(),
        Column::whole("TRACE ID"),
    ]);
    for info in traces {
        table.row([
            Cell::of(&time(info.request_time, false), Tone::Faint),
            Cell::from(name(info)),
            Cell::of(info.state.name(), tone(info.state)),
            Cell::from(took(info)),
            Cell::from(info.trace_id.as_str()),
        ]);
    }
    table
}

fn name(info: &TraceInfo) -> &str {
    info.tags.get(trace_keys::NAME).map_or("-", String::as_str)
}

fn took(info: &TraceInfo) -> String {
    info.execution_duration
        .map_or_else(|| "-".to_owned(), milliseconds)
}

/// What is shorter than a second in milliseconds: most spans are.
fn milliseconds(millis: i64) -> String {
    if millis < 1000 {
        format!("{millis}ms")
    } else {
        duration(millis)
    }
}

fn tone(state: TraceState) -> Tone {
    match state {
        TraceState::Ok => Tone::Good,
        TraceState::Error => Tone::Bad,
        TraceState::InProgress => Tone::Busy,
        TraceState::Unspecified => Tone::Faint,
    }
}

async fn get(args: &OneTraceArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let trace = client.get_trace(&id(args)).await?;
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::one(&trace))?;
        return Ok(out.flush()?);
    }
    let info = &trace.info;
    let title = Tone::Heading.paint(&plain(name(info)), out.look);
    let state = tone(info.state).paint(info.state.name(), out.look);
    out.line(&format!("{title}  {state}"))?;
    let rows = [
        ("Trace ID", Some(info.trace_id.to_string())),
        ("Experiment", Some(info.experiment_id.to_string())),
        (
            "Started",
            Some(format!("{} UTC", time(info.request_time, true))),
        ),
        ("Took", Some(took(info))),
        ("Run", info.metadata.get(trace_keys::SOURCE_RUN).cloned()),
        ("Session", info.metadata.get(trace_keys::SESSION).cloned()),
        ("Request", info.request_preview.clone()),
        ("Response", info.response_preview.clone()),
    ];
    for (title, value) in rows {
        if let Some(value) = value {
            out.line(&format!("  {title:<10}  {}", plain(&value)))?;
        }
    }
    let mut tags = Table::new(vec![
        Column::flexible("TAG", 16),
        Column::flexible("VALUE", 20),
    ]);
    for (key, value) in &info.tags {
        if !key.starts_with("mlflow.") {
            tags.row([key.as_str().into(), value.as_str().into()]);
        }
    }
    for table in [tags, assessments(info), spans(&trace.spans)] {
        if !table.is_empty() {
            out.line("")?;
            out.lines(&table.lines(out.look))?;
        }
    }
    Ok(out.flush()?)
}

fn assessments(info: &TraceInfo) -> Table {
    let mut table = Table::new(vec![
        Column::flexible("ASSESSMENT", 12),
        Column::flexible("VALUE", 12),
        Column::flexible("BY", 5),
        Column::whole("ID"),
    ]);
    for assessment in &info.assessments {
        let value = match &assessment.value {
            AssessmentValue::Feedback { json, .. } | AssessmentValue::Expectation { json } => json,
            AssessmentValue::Issue { issue_name } => issue_name,
        };
        let by = assessment.source.source_id.as_deref();
        table.row([
            Cell::from(assessment.name.as_str()),
            Cell::from(value.as_str()),
            Cell::from(by.unwrap_or(assessment.source.source_type.name())),
            Cell::of(assessment.assessment_id.as_str(), Tone::Faint),
        ]);
    }
    table
}

/// What a span is, as its JSON says.
struct Span<'a> {
    id: String,
    parent: Option<String>,
    value: &'a Value,
}

/// The spans as a tree: each below its parent, a step further to the right.
fn spans(spans: &[StoredSpan]) -> Table {
    let mut table = Table::new(vec![
        Column::flexible("SPAN", 24),
        Column::flexible("TYPE", 8),
        Column::whole("TOOK").right(),
        Column::whole("STATUS"),
    ]);
    let values: Vec<Value> = spans
        .iter()
        .filter_map(|span| serde_json::from_str(&span.content).ok())
        .collect();
    let text = |value: &Value, key: &str| value[key].as_str().map(str::to_owned);
    let all: Vec<Span<'_>> = values
        .iter()
        .map(|value| Span {
            id: text(value, "span_id").unwrap_or_default(),
            parent: text(value, "parent_span_id").filter(|parent| !parent.is_empty()),
            value,
        })
        .collect();
    let ids: HashSet<&str> = all.iter().map(|span| span.id.as_str()).collect();
    let mut ahead: Vec<(usize, &Span<'_>)> = Vec::new();
    let mut children: HashMap<&str, Vec<&Span<'_>>> = HashMap::new();
    // From the last to the first: the first is the next that is taken.
    for span in all.iter().rev() {
        if let Some(parent) = span.parent.as_deref().filter(|parent| ids.contains(parent)) {
            children.entry(parent).or_default().push(span);
        } else {
            ahead.push((0, span));
        }
    }
    while let Some((depth, span)) = ahead.pop() {
        table.row(cells(depth, span.value));
        // Once: spans may have the same id.
        let below = children.remove(span.id.as_str()).unwrap_or_default();
        ahead.extend(below.into_iter().map(|span| (depth + 1, span)));
    }
    table
}

fn cells(depth: usize, span: &Value) -> [Cell; 4] {
    let nanos = |key: &str| {
        let value = &span[key];
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    let took = nanos("start_time_unix_nano").zip(nanos("end_time_unix_nano"));
    let took = took.filter(|(_, end)| *end > 0);
    let took = took.map_or("-".to_owned(), |(start, end)| {
        milliseconds(end.saturating_sub(start) / 1_000_000)
    });
    let kind = span["attributes"]["mlflow.spanType"].as_str();
    let kind = kind.map_or("-", |kind| kind.trim_matches('"'));
    let status = span["status"]["code"].as_str().unwrap_or("-");
    let status = status.trim_start_matches("STATUS_CODE_");
    let tone = match status {
        "ERROR" => Tone::Bad,
        "OK" => Tone::Good,
        _ => Tone::Faint,
    };
    let name = span["name"].as_str().unwrap_or("-");
    [
        Cell::from(format!("{}{name}", "  ".repeat(depth.min(20)))),
        Cell::from(kind),
        Cell::from(took),
        Cell::of(status, tone),
    ]
}

async fn delete(args: &TraceDeleteArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Write).await?;
    let experiment = args.experiment_id;
    let count = if let Some(time) = args.max_timestamp_millis {
        let deleted = client.delete_traces_until(experiment, time, args.max_traces);
        deleted.await?
    } else {
        let ids = args.trace_ids.iter();
        let ids: Vec<TraceId> = ids.map(|id| TraceId::new(id.trim())).collect();
        client.delete_traces(experiment, &ids).await?
    };
    let mut out = Out::new();
    if args.output.json {
        out.json(json!({ "traces_deleted": count }).to_string().as_bytes())?;
        return Ok(out.flush()?);
    }
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    out.line(&format!(
        "Deleted {} from experiment {experiment}.",
        counted(count, "trace")
    ))?;
    Ok(out.flush()?)
}

async fn assess(args: &AssessArgs, is_expectation: bool) -> Result<(), CommandError> {
    let client = tracking::open(&args.trace.tracking, Access::Write).await?;
    let trace = id(&args.trace);
    let value = serde_json::from_str(&args.value);
    let value = value.unwrap_or_else(|_| Value::from(args.value.as_str()));
    let source = AssessmentSource {
        source_type: args.source_type,
        source_id: args.source_id.clone(),
    };
    let made = if is_expectation {
        client
            .log_expectation(&trace, &args.name, value, source)
            .await?
    } else {
        client
            .log_feedback(&trace, &args.name, value, source)
            .await?
    };
    let kind = made.value.kind().name();
    let said = format!("Logged {kind} {} to trace {trace}.", made.assessment_id);
    tell(&client.get_trace_info(&trace).await?, &said, &args.trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::term::Look;

    fn names(all: &[(&str, &str, &str)]) -> Vec<String> {
        let all = all.iter().map(|(name, id, parent)| StoredSpan {
            content: json!({ "name": name, "span_id": id, "parent_span_id": parent }).to_string(),
        });
        let lines = spans(&all.collect::<Vec<_>>()).lines(Look::default());
        let lines = lines.iter().skip(1);
        lines
            .map(|line| line.split("  -").next().unwrap().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn spans_are_a_tree_whatever_their_ids_are() {
        let found = names(&[
            ("b", "2", "1"),
            ("a", "1", ""),
            ("c", "3", "2"),
            ("d", "4", "1"),
            ("lost", "5", "9"),
        ]);
        assert_eq!(found, ["a", "  b", "    c", "  d", "lost"]);
        let found = names(&[("a", "1", ""), ("twin", "1", ""), ("b", "2", "1")]);
        assert_eq!(found, ["a", "  b", "twin"]);
    }
}
