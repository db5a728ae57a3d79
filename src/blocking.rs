//! Our own work that would hold up the async threads: hashing, files. Untrusted files are not our own work
//! and go to a worker process.

use crate::error::{Error, Result};

/// Runs `work` on a thread where it may block. Bounding how much runs at once is the caller's task.
///
/// # Errors
/// What `work` returns; `Internal` if it panics.
pub(crate) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(Error::caused_by(error).with_context("blocking work")),
    }
}
