//! Which run is active: on each thread the newest guard's, and in a task the one of
//! its scope. No thread or task sees that of another.

use std::cell::RefCell;

use runledger_entities::RunId;

use crate::RunLogger;

thread_local! {
    static STACK: RefCell<Vec<RunLogger>> = const { RefCell::new(Vec::new()) };
    static LAST: RefCell<Option<RunLogger>> = const { RefCell::new(None) };
}

tokio::task_local! {
    static SCOPE: RunLogger;
}

/// The active run: that of the scope around this task
/// ([`RunLogger::scope`]), or else the newest one that this thread has started and
/// not ended.
///
/// ```no_run
/// fn train() -> Result<(), runledger::TrackingError> {
///     if let Some(run) = runledger::active_run() {
///         run.log_metric_at("loss", 0.5, 1)?;
///     }
///     Ok(())
/// }
///
/// # fn main() -> Result<(), runledger::TrackingError> {
/// let run = runledger::start_run()?;
/// train()?;
/// run.end()
/// # }
/// ```
pub fn active_run() -> Option<RunLogger> {
    SCOPE.try_with(RunLogger::clone).ok().or_else(of_thread)
}

/// The active run of this thread or task, or else the one that ended last on this
/// thread.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// let run = tracker.start_run()?;
/// run.end()?;
/// let last = runledger::last_active_run().ok_or("there was none")?;
/// println!("{} was the last run", last.run_id());
/// assert!(runledger::active_run().is_none());
/// # Ok(())
/// # }
/// ```
pub fn last_active_run() -> Option<RunLogger> {
    active_run().or_else(|| LAST.try_with(|last| last.borrow().clone()).ok().flatten())
}

/// The active run of this thread. There is none once the thread is ending.
fn of_thread() -> Option<RunLogger> {
    STACK
        .try_with(|stack| stack.borrow().last().cloned())
        .ok()
        .flatten()
}

pub(crate) fn begin(run: RunLogger) {
    // A thread that is ending has no active run, and needs none.
    let _ = STACK.try_with(|stack| stack.borrow_mut().push(run));
}

pub(crate) fn end(id: &RunId) {
    let ended = STACK.try_with(|stack| {
        let mut stack = stack.borrow_mut();
        let at = stack.iter().rposition(|run| run.run_id() == id)?;
        Some(stack.remove(at))
    });
    if let Ok(Some(run)) = ended {
        let _ = LAST.try_with(|last| last.borrow_mut().replace(run));
    }
}

pub(crate) async fn scope<F: Future>(run: RunLogger, future: F) -> F::Output {
    SCOPE.scope(run, future).await
}
