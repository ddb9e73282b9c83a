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
    pub async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, TrackingError> {
        Ok(self.traces.get_trace_info(id).await?)
    }

    /// A trace with the spans that are kept beside it.
    pub async fn get_trace(&self, id: &TraceId) -> Result<Trace, TrackingError> {
        let found = self.traces.get_traces(vec![id.clone()], None).await?;
        let found = found.into_iter().next();
        Ok(found.ok_or_else(|| StoreError::not_found(Resource::Trace, id))?)
    }

    /// Sets a tag of a trace; an over-long value is cut, as MLflow's client cuts it.
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
    pub async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), TrackingError> {
        validate::trace_tag_may_change(key, true)?;
        Ok(self.traces.delete_trace_tag(id, key).await?)
    }

    /// Deletes these traces of an experiment, for good; says how many there were.
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
    pub async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, TrackingError> {
        Ok(self.traces.get_assessment(trace, id).await?)
    }

    /// Deletes an assessment; what it took the place of is valid again.
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
