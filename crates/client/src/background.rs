//! The threads on which stores are called for callers that wait, and metrics are
//! sent for callers that do not.

use std::io;
use std::sync::{Mutex, PoisonError, mpsc};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::TrackingError;

/// Sending and waiting need few threads: what computes is the caller's own.
const THREADS: usize = 2;

/// Made by the first who needs it, and never ended: metrics may be on their way.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

/// The threads.
pub(crate) fn handle() -> Result<Handle, TrackingError> {
    // Whoever panicked here left it as it was.
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(runtime) = &*runtime {
        return Ok(runtime.handle().clone());
    }
    let made = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("runledger")
        .enable_all()
        .build()
        .map_err(TrackingError::Background)?;
    let handle = made.handle().clone();
    *runtime = Some(made);
    Ok(handle)
}

/// Does what may block, such as reading a file, apart from the tasks of the caller's
/// runtime.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TrackingError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| TrackingError::Background(io::Error::other(error)))
}

/// Does something on the threads, and waits for it on this one, which may belong to
/// a runtime of the caller's.
pub(crate) fn wait<T: Send + 'static>(
    future: impl Future<Output = Result<T, TrackingError>> + Send + 'static,
) -> Result<T, TrackingError> {
    let (send, receive) = mpsc::sync_channel(1);
    handle()?.spawn(async move {
        // Nobody waits any more if this thread has gone.
        let _ = send.send(future.await);
    });
    receive.recv().unwrap_or_else(|_| {
        let stopped = io::Error::other("one of them broke off");
        Err(TrackingError::Background(stopped))
    })
}
