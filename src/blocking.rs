//! Our own blocking work (hashing, files), off the threads that answer requests.
//!
//! The only caller of `spawn_blocking`. Untrusted bytes are not parsed here: that is the worker's.

use crate::error::{Error, Result};

/// Runs `work` on a thread that may block and returns what it returns.
///
/// It runs to its end even if the caller goes away.
///
/// # Errors
/// What `work` returns; `Internal` when it panics.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(panic) => Err(Error::caused_by(panic)),
    }
}
