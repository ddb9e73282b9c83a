//! Permanent removal of what is deleted.
//!
//! What is deleted is listed by [`list`]; what belongs to it, and goes before it,
//! is removed by [`remove`], in steps of bounded size, or by [`forget`] at once.

mod forget;
mod list;
mod remove;

pub(crate) use forget::{
    forget_experiment, forget_models, forget_runs, forget_traces, forget_what_runs_logged,
};
pub(crate) use list::{
    deleted_experiments, deleted_model, deleted_models, deleted_run, deleted_runs,
};
pub(crate) use remove::{Step, experiment_step, model_step, run_step};
