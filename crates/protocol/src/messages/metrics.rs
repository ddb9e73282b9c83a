//! Reading metrics: `metrics/*`.

use runledger_entities::{Metric, RunId, limits};

use super::Request;
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        query,
        value::Json,
        write::{self, Object},
    },
};

messages! {
    /// `metrics/get-history`
    HistoryBody {
        run_id: String,
        run_uuid: String,
        metric_key: String,
        page_token: String,
        max_results: i64,
    }
    /// `metrics/get-history-bulk-interval`
    IntervalBody {
        run_ids: List<String, { limits::BULK_HISTORY_RUNS }>,
        metric_key: String,
        start_step: i32,
        end_step: i32,
        max_results: i32,
    }
}

/// Asks for a page of a metric's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMetricHistory {
    /// The run.
    pub run_id: RunId,
    /// The metric.
    pub metric_key: String,
    /// Points per page; all of them if absent (MLflow 2.x).
    pub max_results: Option<u32>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for GetMetricHistory {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: HistoryBody = decode(input)?;
        let run_id = RunId::new(body.run_id.or_run_uuid(body.run_uuid)?);
        let metric_key = body.metric_key.required_text("metric_key")?;
        let page_token = body.page_token.non_empty("page_token")?;
        let max_results = body.max_results.optional("max_results")?;
        let max_results = max_results
            .map(
                |value| match u32::try_from(value.min(i64::from(u32::MAX))) {
                    Ok(results) if results > 0 => Ok(results.min(limits::HISTORY_MAX_RESULTS)),
                    _ => Err(RequestError::MaxResultsNotPositive {
                        value,
                        full_stop: true,
                    }),
                },
            )
            .transpose()?;
        Ok(Self {
            run_id,
            metric_key,
            max_results,
            page_token,
        })
    }
}

/// Asks for the history of a metric in several runs (`metrics/get-history-bulk`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMetricHistoryBulk {
    /// The runs: between one and [`limits::BULK_HISTORY_RUNS`].
    pub run_ids: Vec<RunId>,
    /// The metric; may be empty, and then names nothing.
    pub metric_key: String,
    /// At most this many points in all.
    pub max_results: u32,
}

impl Request for GetMetricHistoryBulk {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let pairs: Vec<_> = match input {
            Input::Query(text) => query::pairs(text).collect(),
            Input::Body(_) => Vec::new(),
        };
        let all = |name: &str| {
            let name = name.to_owned();
            pairs
                .iter()
                .filter(move |(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let run_ids: Vec<_> = all("run_id").map(RunId::new).collect();
        let refuse = |what: &str| {
            Err(RequestError::rule(format!(
                "GetMetricHistoryBulk request {what}"
            )))
        };
        if run_ids.is_empty() {
            return refuse("must specify at least one run_id.");
        }
        if run_ids.len() > limits::BULK_HISTORY_RUNS {
            return refuse(&format!(
                "cannot specify more than {} run_ids. Received {} run_ids.",
                limits::BULK_HISTORY_RUNS,
                run_ids.len()
            ));
        }
        let Some(metric_key) = all("metric_key").next().cloned() else {
            return refuse("must specify a metric_key.");
        };
        let limit = limits::HISTORY_MAX_RESULTS;
        let max_results = match all("max_results").next() {
            None => limit,
            Some(text) => match text.parse::<i64>() {
                Err(_) => {
                    let value = Json::Text(text.clone());
                    return Err(RequestError::wrong_type("max_results", &value));
                }
                Ok(value) if value < 0 => {
                    return Err(RequestError::MaxResultsNotPositive {
                        value,
                        full_stop: true,
                    });
                }
                Ok(value) => u32::try_from(value).unwrap_or(limit).min(limit),
            },
        };
        Ok(Self {
            run_ids,
            metric_key,
            max_results,
        })
    }
}

/// Asks for a sample of a metric's history in several runs
/// (`metrics/get-history-bulk-interval`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetMetricInterval {
    /// The runs: between one and [`limits::BULK_HISTORY_RUNS`].
    pub run_ids: Vec<RunId>,
    /// The metric.
    pub metric_key: String,
    /// The closed range of steps.
    pub steps: Option<(i64, i64)>,
    /// At most this many points per run.
    pub max_results: u32,
}

impl Request for GetMetricInterval {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        const HELP: &str = "See the API docs for more information about request parameters.";
        let body: IntervalBody = decode(input)?;
        let run_ids = body.run_ids.required("run_ids")?;
        if run_ids.count == 0 {
            return Err(RequestError::missing("run_ids"));
        }
        if run_ids.count > limits::BULK_HISTORY_RUNS {
            return Err(RequestError::rule(format!(
                "GetMetricHistoryBulkInterval request must specify at most {} run_ids. Received \
                 {} run_ids. {HELP}",
                limits::BULK_HISTORY_RUNS,
                run_ids.count,
            )));
        }
        let metric_key = body.metric_key.required_text("metric_key")?;
        let start = body.start_step.optional("start_step")?;
        let end = body.end_step.optional("end_step")?;
        let max_results = body.max_results.optional("max_results")?;
        let limit = limits::INTERVAL_MAX_RESULTS;
        let max_results = match max_results.map(u32::try_from) {
            None => limit,
            Some(Ok(results)) if (1..=limit).contains(&results) => results,
            Some(_) => {
                return Err(RequestError::rule(format!(
                    "max_results must be between 1 and {limit}. {HELP}"
                )));
            }
        };
        let steps = match (start, end) {
            (None, None) => None,
            (Some(start), Some(end)) if start <= end => Some((start.into(), end.into())),
            (Some(start), Some(end)) => {
                return Err(RequestError::rule(format!(
                    "end_step must be greater than start_step. Found start_step={start} and \
                     end_step={end}."
                )));
            }
            _ => {
                return Err(RequestError::rule(
                    "If either start step or end step are specified, both must be specified.",
                ));
            }
        };
        Ok(Self {
            run_ids: run_ids.items.into_iter().map(RunId::new).collect(),
            metric_key,
            steps,
            max_results,
        })
    }
}

pub(super) fn write_metric(o: &mut Object<'_>, metric: &Metric) {
    o.text("key", &metric.key);
    o.double("value", metric.value);
    o.int("timestamp", metric.timestamp);
    o.int("step", metric.step);
}

/// The answer to `metrics/get-history`.
pub fn history(metrics: &[Metric], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("metrics", metrics, write_metric);
        o.maybe_text("next_page_token", next_page_token);
    })
}

/// The answer to `metrics/get-history-bulk`.
///
/// Its numbers are written as Python's JSON writes them: NaN and the
/// infinities are bare tokens, which the readers of this endpoint expect.
pub fn bulk_history<'a>(points: impl Iterator<Item = (&'a RunId, &'a Metric)>) -> Vec<u8> {
    let points: Vec<_> = points.collect();
    write::object(|o| {
        o.full_list("metrics", &points, |o, (run_id, metric)| {
            o.text("key", &metric.key);
            o.text("run_id", run_id.as_str());
            o.int("step", metric.step);
            o.int("timestamp", metric.timestamp);
            o.python_double("value", metric.value);
        });
    })
}

/// The answer to `metrics/get-history-bulk-interval`.
pub fn interval<'a>(points: impl Iterator<Item = (&'a RunId, &'a Metric)>) -> Vec<u8> {
    let points: Vec<_> = points.collect();
    write::object(|o| {
        o.list("metrics", &points, |o, (run_id, metric)| {
            write_metric(o, metric);
            o.text("run_id", run_id.as_str());
        });
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval_error(query: &str) -> String {
        let error = GetMetricInterval::decode(Input::Query(query)).expect_err(query);
        error.to_string()
    }

    #[test]
    fn an_interval_is_whole_and_forward() {
        assert_eq!(
            interval_error("run_ids=a&metric_key=m&start_step=0"),
            "If either start step or end step are specified, both must be specified."
        );
        assert_eq!(
            interval_error("run_ids=a&metric_key=m&start_step=5&end_step=2"),
            "end_step must be greater than start_step. Found start_step=5 and end_step=2."
        );
        let request = GetMetricInterval::decode(Input::Query(
            "run_ids=a&run_ids=b&metric_key=m&start_step=-5&end_step=2",
        ))
        .unwrap();
        assert_eq!(request.steps, Some((-5, 2)));
        assert_eq!(request.run_ids.len(), 2);
    }

    #[test]
    fn an_interval_is_bounded() {
        for (query, words) in [
            ("metric_key=m", "parameter 'run_ids'"),
            ("run_ids=a", "parameter 'metric_key'"),
            ("run_ids=a&metric_key=m&max_results=0", "between 1 and 2500"),
            (
                "run_ids=a&metric_key=m&max_results=2501",
                "between 1 and 2500",
            ),
        ] {
            assert!(interval_error(query).contains(words), "{query}");
        }
        let many = format!("metric_key=m{}", "&run_ids=x".repeat(101));
        assert!(interval_error(&many).contains("Received 101 run_ids."));
    }

    #[test]
    fn a_bulk_history_names_runs_and_a_metric() {
        let error = |query| {
            GetMetricHistoryBulk::decode(Input::Query(query))
                .unwrap_err()
                .to_string()
        };
        assert!(error("").ends_with("must specify at least one run_id."));
        assert!(error("run_id=a").ends_with("must specify a metric_key."));
        assert!(error("run_id=a&metric_key=m&max_results=x").contains("'max_results'"));
        assert!(error("run_id=a&metric_key=m&max_results=-1").contains("'max_results'"));
        let request =
            GetMetricHistoryBulk::decode(Input::Query("run_id=a&metric_key=m&max_results=99999"));
        assert_eq!(request.unwrap().max_results, limits::HISTORY_MAX_RESULTS);
    }

    #[test]
    fn a_history_page_is_positive_and_capped() {
        let decode = |results: &str| {
            let query = format!("run_uuid=a&metric_key=m{results}");
            GetMetricHistory::decode(Input::Query(&query)).map(|request| request.max_results)
        };
        assert_eq!(decode(""), Ok(None));
        assert_eq!(decode("&max_results=99999"), Ok(Some(25_000)));
        assert_eq!(
            decode("&max_results=0").unwrap_err().to_string(),
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer."
        );
    }

    #[test]
    fn only_the_bulk_history_writes_bare_tokens() {
        let (run, metric) = (RunId::new("r"), Metric::new("m", f64::NAN, 5, 1));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert_eq!(
            text(bulk_history([(&run, &metric)].into_iter())),
            r#"{"metrics":[{"key":"m","run_id":"r","step":1,"timestamp":5,"value":NaN}]}"#
        );
        assert_eq!(
            text(interval([(&run, &metric)].into_iter())),
            r#"{"metrics":[{"key":"m","value":"NaN","timestamp":5,"step":1,"run_id":"r"}]}"#
        );
        assert_eq!(text(bulk_history([].into_iter())), r#"{"metrics":[]}"#);
        assert_eq!(text(history(&[], None)), "{}");
    }
}
