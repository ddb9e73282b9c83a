//! Work that takes long, apart from the threads that serve connections.

use crate::failure::Failure;

/// Does work on a thread that may be held up. A panic in it is the caller's.
///
/// # Errors
/// What the work says; that the server is shutting down, if it does.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Failure::shutting_down()),
        },
    }
}
