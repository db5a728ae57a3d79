//! Tells callers that another process changed the database, so that they drop what they remember of it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What is called after a change.
type Callback = Box<dyn Fn() + Send + Sync>;

/// Counts the changes that did not go through this process's writer.
#[derive(Default)]
pub(super) struct ForeignChanges {
    /// Last answer of `PRAGMA data_version` on the writer's connection.
    seen: Mutex<Option<i64>>,
    count: AtomicU64,
    callbacks: Mutex<Vec<Callback>>,
}

impl ForeignChanges {
    /// Compares the version with the last one and calls everybody if it moved.
    pub(super) fn observe(&self, version: i64) {
        let before = self.seen.lock().unwrap_or_else(PoisonError::into_inner).replace(version);
        if before.is_none_or(|before| before == version) {
            return;
        }
        self.count.fetch_add(1, Ordering::Release);
        for callback in &*self.callbacks.lock().unwrap_or_else(PoisonError::into_inner) {
            callback();
        }
    }

    /// Returns how many changes were seen.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Registers what to call after each change.
    pub(super) fn on_change(&self, callback: Callback) {
        self.callbacks.lock().unwrap_or_else(PoisonError::into_inner).push(callback);
    }
}

impl fmt::Debug for ForeignChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignChanges").field("count", &self.count()).finish_non_exhaustive()
    }
}
