//! Which logged models runs read and made.

use runledger::Client;
use runledger_entities::{LoggedModelId, ModelInput, ModelOutput, Run, RunId};

use super::models::Models;
use crate::command::CommandError;
use crate::transfer::Done;

/// The logged models that a run is linked to.
pub(super) fn of(run: &Run) -> Vec<LoggedModelId> {
    let read = run.inputs.models.iter().map(|model| &model.model_id);
    let made = run.outputs.iter().map(|model| &model.model_id);
    read.chain(made).cloned().collect()
}

/// The logged models that a run read and made, by the ids that they had before.
#[derive(Debug)]
pub(super) struct Link {
    run: RunId,
    /// The id that the run had before.
    source: String,
    read: Vec<ModelInput>,
    made: Vec<ModelOutput>,
    /// Those that the run is linked to already, by the ids that they have now.
    there: Vec<LoggedModelId>,
}

impl Link {
    /// That of a run, if it has any.
    pub(super) fn of(run: &RunId, source: &Run, there: &[LoggedModelId]) -> Option<Self> {
        let (read, made) = (&source.inputs.models, &source.outputs);
        if read.is_empty() && made.is_empty() {
            return None;
        }
        Some(Self {
            run: run.clone(),
            source: source.info.run_id.to_string(),
            read: read.clone(),
            made: made.clone(),
            there: there.to_vec(),
        })
    }

    /// Links the run to those that are there.
    pub(super) async fn set(
        self,
        client: &Client,
        models: &Models,
        done: &mut Done,
    ) -> Result<(), CommandError> {
        let all = self.read.len() + self.made.len();
        let new = |id: &LoggedModelId| models.now(id).cloned();
        let read = self.read.iter().filter_map(|model| {
            Some(ModelInput {
                model_id: new(&model.model_id)?,
            })
        });
        let made = self.made.iter().filter_map(|model| {
            Some(ModelOutput {
                model_id: new(&model.model_id)?,
                step: model.step,
            })
        });
        let (mut read, mut made): (Vec<_>, Vec<_>) = (read.collect(), made.collect());
        let unknown = all - read.len() - made.len();
        if unknown > 0 {
            done.left_out.push(format!(
                "{unknown} of the {all} links of run {} to logged models were left out: the \
                 models were not imported",
                self.source
            ));
        }
        read.retain(|model| !self.there.contains(&model.model_id));
        made.retain(|model| !self.there.contains(&model.model_id));
        if !read.is_empty() {
            client
                .store()
                .log_inputs(&self.run, Vec::new(), read)
                .await?;
        }
        if !made.is_empty() {
            client.store().log_outputs(&self.run, made).await?;
        }
        Ok(())
    }
}
