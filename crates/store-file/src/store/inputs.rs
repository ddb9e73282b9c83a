//! What runs read and made.

use runledger_entities::{DatasetInput, ModelInput, ModelOutput, RunId, RunInputs};
use runledger_store::StoreError;

use super::{Files, refused};
use crate::folder::inputs::{put_inputs, put_outputs};

impl Files {
    pub(super) fn log_inputs(
        &self,
        id: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let run = self.active_run(id)?;
        put_inputs(&run, &RunInputs { datasets, models }, self.sync)
            .map_err(|error| refused(id, error, true))
    }

    pub(super) fn log_outputs(&self, id: &RunId, models: &[ModelOutput]) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let run = self.active_run(id)?;
        put_outputs(&run, models, self.sync).map_err(|error| refused(id, error, true))
    }
}
