//! Our own work that would hold up the async threads: hashing, files. Untrusted files are not our own work
//! and go to a worker process.

use std::sync::Arc;

use futures_util::future::try_join_all;

use crate::error::{Error, Result};

/// Fewer items are not worth another thread.
const ITEMS_PER_THREAD_MIN: usize = 16;

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

/// Does `work` with each item, on several threads if there are many items, and returns the results in order.
///
/// # Errors
/// `Internal` if it panics.
pub(crate) async fn map<T: Send + 'static, U: Send + 'static>(
    mut items: Vec<T>,
    work: impl Fn(T) -> U + Send + Sync + 'static,
) -> Result<Vec<U>> {
    let work = Arc::new(work);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = items.len().div_ceil(threads).max(ITEMS_PER_THREAD_MIN);
    let mut parts = Vec::new();
    while !items.is_empty() {
        let rest = items.split_off(part.min(items.len()));
        let work = Arc::clone(&work);
        let part = std::mem::replace(&mut items, rest);
        parts.push(run(move || Ok(part.into_iter().map(|item| work(item)).collect::<Vec<U>>())));
    }
    Ok(try_join_all(parts).await?.into_iter().flatten().collect())
}
