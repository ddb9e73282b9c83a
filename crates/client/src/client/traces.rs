//! Calls about traces and their assessments.

use std::collections::BTreeMap;

use runledger_entities::{
    Assessment, AssessmentId, AssessmentSource, AssessmentValue, ExperimentId, LongValues, RunId,
    Tag, Trace, TraceId, TraceInfo, limits, validate,
};
use runledger_protocol::messages::assessments;
use runledger_search::{parse_trace_filter, parse_trace_order};
use runledger_store::{Resource, StoreError, TraceDeletion, TraceQuery};
use serde_json::Value;

use super::{Client, first_page, next_page, now, owned};
use crate::TrackingError;

impl Client {
    /// Traces of some experiments that fulfil a filter (`status = 'ERROR' AND span.name LIKE
    /// 'llm%'`; all if it is empty), ordered by clauses such as `execution_time DESC`, then
    /// the youngest first. At most `max_results`, without their spans.
    ///
    /// ```no_run
    /// # async fn example(client: runledger::Client) -> Result<(), runledger::TrackingError> {
    /// use runledger::entities::{AssessmentSource, ExperimentId, SourceType};
    ///
    /// let slow = client
    ///     .search_traces(&[ExperimentId::DEFAULT], "execution_time > 1000", &[], 10)
    ///     .await?;
    /// let judge = AssessmentSource {
    ///     source_type: SourceType::Human,
    ///     source_id: Some("ada".to_owned()),
    /// };
    /// for trace in slow {
    ///     client.log_feedback(&trace.trace_id, "quick enough", false, judge.clone()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_traces(
        &self,
        experiments: &[ExperimentId],
        filter: &str,
        order_by: &[&str],
        max_results: usize,
    ) -> Result<Vec<TraceInfo>, TrackingError> {
        let mut query = TraceQuery {
            experiment_ids: experiments.to_vec(),
            filter: parse_trace_filter(filter)?,
            order_by: parse_trace_order(&owned(order_by))?,
            page: first_page(0),
        };
        let mut found: Vec<TraceInfo> = Vec::new();
        let mut token = None;
        let most = limits::TRACES_MAX_RESULTS;
        while let Some(page) = next_page(found.len(), max_results, most, token) {
            query.page = page;
            let page = self.traces.search_traces(query.clone()).await?;
            token = page.next_token;
            found.extend(page.items);
            if token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// A trace without its spans.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::TraceState;
    ///
    /// let info = client.get_trace_info(&trace).await?;
    /// assert_eq!(info.state, TraceState::InProgress);
    /// assert_eq!(info.execution_duration, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the trace is not there.
    pub async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, TrackingError> {
        Ok(self.traces.get_trace_info(id).await?)
    }

    /// A trace with the spans that are kept beside it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// let read = client.get_trace(&trace).await?;
    /// println!("{} spans since {} ms", read.spans.len(), read.info.request_time);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the trace is not there (`RESOURCE_DOES_NOT_EXIST`), or its
    /// spans have more than 128 MiB.
    pub async fn get_trace(&self, id: &TraceId) -> Result<Trace, TrackingError> {
        let found = self.traces.get_traces(vec![id.clone()], None).await?;
        let found = found.into_iter().next();
        Ok(found.ok_or_else(|| StoreError::not_found(Resource::Trace, id))?)
    }

    /// Sets a tag of a trace; an over-long value is cut, as MLflow's client cuts it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.set_trace_tag(&trace, "team", "vision").await?;
    /// let found = client
    ///     .search_traces(&[ExperimentId::DEFAULT], "tags.team = 'vision'", &[], 10)
    ///     .await?;
    /// assert_eq!(found[0].trace_id, trace);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule, or is one that only servers set, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the trace is not there.
    pub async fn set_trace_tag(
        &self,
        id: &TraceId,
        key: &str,
        value: &str,
    ) -> Result<(), TrackingError> {
        validate::trace_tag_may_change(key, false)?;
        let mut tag = Tag::new(key, value);
        validate::trace_tag(&mut tag, LongValues::Truncate)?;
        Ok(self.traces.set_trace_tag(id, tag).await?)
    }

    /// Deletes a tag of a trace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// client.set_trace_tag(&trace, "team", "vision").await?;
    /// client.delete_trace_tag(&trace, "team").await?;
    /// assert!(!client.get_trace_info(&trace).await?.tags.contains_key("team"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the tag is one that only servers set, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the trace or the tag is not
    /// there.
    pub async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), TrackingError> {
        validate::trace_tag_may_change(key, true)?;
        Ok(self.traces.delete_trace_tag(id, key).await?)
    }

    /// Deletes these traces of an experiment, for good; says how many there were.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::{ExperimentId, TraceId};
    ///
    /// let ids = [trace, TraceId::new("no such trace")];
    /// assert_eq!(client.delete_traces(ExperimentId::DEFAULT, &ids).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot delete them; some may be gone by then.
    pub async fn delete_traces(
        &self,
        experiment: ExperimentId,
        ids: &[TraceId],
    ) -> Result<u64, TrackingError> {
        let deletion = TraceDeletion::Ids(ids.to_vec());
        Ok(self.traces.delete_traces(experiment, deletion).await?)
    }

    /// Deletes the traces of an experiment that began at a time or before, in milliseconds
    /// since the epoch, the oldest first, for good; at most so many if that is told. Says how
    /// many there were.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// // The beginning of 2020, which is before all that is kept here.
    /// let then = 1_577_836_800_000;
    /// assert_eq!(client.delete_traces_until(ExperimentId::DEFAULT, then, Some(1_000)).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::delete_traces`].
    pub async fn delete_traces_until(
        &self,
        experiment: ExperimentId,
        time: i64,
        at_most: Option<u64>,
    ) -> Result<u64, TrackingError> {
        let deletion = TraceDeletion::Until { time, at_most };
        Ok(self.traces.delete_traces(experiment, deletion).await?)
    }

    /// Links traces to a run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.link_traces_to_run(&[trace.clone()], &run).await?;
    /// let of_run = format!("run_id = '{run}'");
    /// let found = client.search_traces(&[ExperimentId::DEFAULT], &of_run, &[], 10).await?;
    /// assert_eq!(found[0].trace_id, trace);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot keep the links.
    pub async fn link_traces_to_run(
        &self,
        traces: &[TraceId],
        run: &RunId,
    ) -> Result<(), TrackingError> {
        let linked = self.traces.link_traces_to_run(traces.to_vec(), run);
        Ok(linked.await?)
    }

    /// Adds what somebody thinks of a trace: any JSON value, such as `true`, `0.9` or
    /// `"good"`. Numbers are kept as floats, as MLflow's server keeps them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::{AssessmentSource, SourceType};
    ///
    /// let judge = AssessmentSource {
    ///     source_type: SourceType::Human,
    ///     source_id: Some("ada".to_owned()),
    /// };
    /// let given = client.log_feedback(&trace, "correct", true, judge).await?;
    /// let info = client.get_trace_info(&trace).await?;
    /// assert_eq!(info.assessments[0].assessment_id, given.assessment_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::log_assessment`].
    pub async fn log_feedback(
        &self,
        trace: &TraceId,
        name: &str,
        value: impl Into<Value>,
        source: AssessmentSource,
    ) -> Result<Assessment, TrackingError> {
        let value = assessments::feedback(&value.into());
        self.log_assessment(given(trace, name, value, source)).await
    }

    /// Adds what a trace should have come to: any JSON value but `null`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::{AssessmentSource, SourceType};
    ///
    /// let judge = AssessmentSource {
    ///     source_type: SourceType::Human,
    ///     source_id: Some("ada".to_owned()),
    /// };
    /// let answer = serde_json::json!({"capital": "Paris"});
    /// let given = client.log_expectation(&trace, "answer", answer, judge).await?;
    /// assert_eq!(given.name, "answer");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::log_assessment`], and for `null`.
    pub async fn log_expectation(
        &self,
        trace: &TraceId,
        name: &str,
        value: impl Into<Value>,
        source: AssessmentSource,
    ) -> Result<Assessment, TrackingError> {
        let value = value.into();
        if value.is_null() {
            return Err(
                StoreError::invalid("An expectation cannot be null: give it a value.").into(),
            );
        }
        let value = assessments::expectation(&value);
        self.log_assessment(given(trace, name, value, source)).await
    }

    /// Adds an assessment of any kind. Times that are 0 are the present.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use std::collections::BTreeMap;
    ///
    /// use runledger::entities::{
    ///     Assessment, AssessmentId, AssessmentSource, AssessmentValue, SourceType,
    /// };
    ///
    /// let new = Assessment {
    ///     assessment_id: AssessmentId::random(),
    ///     trace_id: trace,
    ///     span_id: None,
    ///     name: "correct".to_owned(),
    ///     source: AssessmentSource {
    ///         source_type: SourceType::Code,
    ///         source_id: Some("exact match".to_owned()),
    ///     },
    ///     value: AssessmentValue::Feedback {
    ///         json: "true".to_owned(),
    ///         error: None,
    ///     },
    ///     rationale: Some("the texts are equal".to_owned()),
    ///     metadata: BTreeMap::new(),
    ///     create_time: 0,
    ///     last_update_time: 0,
    ///     overrides: None,
    ///     valid: true,
    /// };
    /// let given = client.log_assessment(new).await?;
    /// assert!(given.create_time > 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a text is too long, and [`TrackingError::Store`] if the
    /// trace, or the assessment whose place it takes, is not there.
    pub async fn log_assessment(&self, mut new: Assessment) -> Result<Assessment, TrackingError> {
        validate::assessment(&new)?;
        let now = now();
        for time in [&mut new.create_time, &mut new.last_update_time] {
            if *time == 0 {
                *time = now;
            }
        }
        Ok(self.traces.create_assessment(new).await?)
    }

    /// An assessment of a trace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::AssessmentSource;
    ///
    /// let source = AssessmentSource::default();
    /// let given = client.log_feedback(&trace, "quality", 0.9, source).await?;
    /// let read = client.get_assessment(&trace, &given.assessment_id).await?;
    /// assert_eq!(read.name, "quality");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the trace or the assessment is
    /// not there.
    pub async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, TrackingError> {
        Ok(self.traces.get_assessment(trace, id).await?)
    }

    /// Deletes an assessment; what it took the place of is valid again.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let begun = runledger::store::NewTrace {
    /// #     experiment_id: runledger::entities::ExperimentId::DEFAULT,
    /// #     request_time: 1_700_000_000_000,
    /// #     metadata: Default::default(),
    /// #     tags: Default::default(),
    /// # };
    /// # let trace = client.traces().begin_trace(begun).await?.trace_id;
    /// use runledger::entities::AssessmentSource;
    ///
    /// let source = AssessmentSource::default();
    /// let given = client.log_feedback(&trace, "quality", 0.9, source).await?;
    /// client.delete_assessment(&trace, &given.assessment_id).await?;
    /// assert!(client.get_trace_info(&trace).await?.assessments.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot delete it; one that is not there does no harm.
    pub async fn delete_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<(), TrackingError> {
        Ok(self.traces.delete_assessment(trace, id).await?)
    }
}

/// An assessment that is given now.
fn given(
    trace: &TraceId,
    name: &str,
    value: AssessmentValue,
    source: AssessmentSource,
) -> Assessment {
    Assessment {
        assessment_id: AssessmentId::random(),
        trace_id: trace.clone(),
        span_id: None,
        name: name.to_owned(),
        source,
        value,
        rationale: None,
        metadata: BTreeMap::new(),
        create_time: 0,
        last_update_time: 0,
        overrides: None,
        valid: true,
    }
}
