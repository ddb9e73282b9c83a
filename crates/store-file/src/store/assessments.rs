//! Assessments of traces.

use runledger_entities::{Assessment, AssessmentId, AssessmentValue, TraceId};
use runledger_store::{AssessmentPatch, Resource, StoreError};

use super::{Files, traces::trace_error, unreadable};
use crate::{
    FolderError,
    folder::assessments::{delete_assessment, put_assessment, read_assessment},
    index::internal,
    layout::TraceFolder,
};

impl Files {
    pub(super) fn create_assessment(&self, new: Assessment) -> Result<Assessment, StoreError> {
        let _lock = self.locks.trace(&new.trace_id);
        let (trace, stored) = self.trace(&new.trace_id)?;
        if let Some(overridden) = &new.overrides {
            let mut other = read(&trace, overridden)?;
            other.valid = false;
            put_assessment(&trace, &other, self.sync).map_err(trace_error)?;
        }
        let mut others = stored.info.assessments.iter();
        if others.any(|other| other.assessment_id == new.assessment_id) {
            return Err(StoreError::invalid(format!(
                "Failed to create assessment for trace '{}' due to a constraint violation.",
                new.trace_id
            )));
        }
        let now = self.now();
        let or_now = |time: i64| if time == 0 { now } else { time };
        let new = Assessment {
            create_time: or_now(new.create_time),
            last_update_time: or_now(new.last_update_time),
            valid: true,
            ..new
        };
        put_assessment(&trace, &new, self.sync).map_err(trace_error)?;
        read(&trace, &new.assessment_id)
    }

    pub(super) fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, StoreError> {
        let folder = self.assessed(trace)?;
        read(&folder, id)
    }

    pub(super) fn update_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        patch: AssessmentPatch,
    ) -> Result<Assessment, StoreError> {
        let _lock = self.locks.trace(trace);
        let folder = self.assessed(trace)?;
        let mut assessment = read(&folder, id)?;
        match (patch.value, &assessment.value) {
            (None, _) => {}
            (Some(value), old) if value.kind() == old.kind() => assessment.value = value,
            (Some(AssessmentValue::Expectation { .. }), _) => {
                return Err(StoreError::invalid(
                    "Cannot update expectation value on a Feedback assessment.",
                ));
            }
            (Some(_), _) => {
                return Err(StoreError::invalid(
                    "Cannot update feedback value on an Expectation assessment.",
                ));
            }
        }
        if let Some(name) = patch.name {
            assessment.name = name;
        }
        let keeps_none = matches!(assessment.value, AssessmentValue::Expectation { .. });
        if patch.rationale.is_some() && !keeps_none {
            assessment.rationale = patch.rationale;
        }
        assessment.metadata.extend(patch.metadata);
        assessment.last_update_time = self.now();
        put_assessment(&folder, &assessment, self.sync).map_err(trace_error)?;
        Ok(assessment)
    }

    pub(super) fn delete_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.trace(trace);
        let gone = |error: &StoreError| matches!(error, StoreError::NotFound { .. });
        let folder = match self.assessed(trace) {
            Err(error) if gone(&error) => return Ok(()),
            folder => folder?,
        };
        let overridden = match read(&folder, id) {
            Err(error) if gone(&error) => return Ok(()),
            // One that cannot be read can be deleted.
            Err(StoreError::Corrupt { .. }) => None,
            assessment => assessment?.overrides,
        };
        delete_assessment(&folder, id, self.sync).map_err(internal)?;
        let Some(overridden) = overridden else {
            return Ok(());
        };
        let mut other = match read(&folder, &overridden) {
            Err(error) if gone(&error) => return Ok(()),
            other => other?,
        };
        other.valid = true;
        other.last_update_time = self.now();
        put_assessment(&folder, &other, self.sync).map_err(trace_error)
    }

    /// The folder of a trace that has, or should have, an assessment.
    fn assessed(&self, trace: &TraceId) -> Result<TraceFolder, StoreError> {
        self.find_trace(trace)?
            .ok_or_else(|| StoreError::not_found(Resource::AssessedTrace, trace))
    }
}

fn read(trace: &TraceFolder, id: &AssessmentId) -> Result<Assessment, StoreError> {
    match read_assessment(trace, id, &mut Vec::new()) {
        Err(FolderError::Id { .. } | FolderError::Missing { .. }) => Err(StoreError::not_found_in(
            Resource::Assessment,
            id,
            &trace.trace_id,
        )),
        read => read.map_err(|error| unreadable(&error)),
    }
}
