//! The thread that moves committed pages from the log into the file, beside the writer.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

/// Pause between two checkpoints under load. 50 ms leaves the writer less to do by itself than 200.
const PAUSE: Duration = Duration::from_millis(50);

/// What the writer and the checkpointing thread know of each other.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    has_commits: bool,
    is_untruncated: bool,
    is_closed: bool,
}

impl Checkpoints {
    /// Says that there is something to checkpoint.
    pub(super) fn note_commit(&self) {
        let mut state = self.lock();
        state.is_untruncated = true;
        if !state.has_commits {
            state.has_commits = true;
            self.changed.notify_one();
        }
    }

    /// Returns whether the log grew since this was last asked.
    pub(super) fn take_untruncated(&self) -> bool {
        std::mem::take(&mut self.lock().is_untruncated)
    }

    /// Says that the log could not be truncated yet.
    pub(super) fn note_untruncated(&self) {
        self.lock().is_untruncated = true;
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_one();
    }

    /// Checkpoints after commits until closed. Passive: it never waits for the writer or a reader, nor they for it.
    pub(super) fn run(self: Arc<Self>, connection: &Connection) {
        while self.wait_for_commits() {
            let done = connection
                .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
                .and_then(|mut statement| statement.query_row([], |_| Ok(())));
            if let Err(error) = done {
                tracing::warn!("could not checkpoint: {error}");
            }
        }
    }

    /// Returns false when closed.
    fn wait_for_commits(&self) -> bool {
        let closed = |state: &mut State| !state.is_closed;
        let paused = self.changed.wait_timeout_while(self.lock(), PAUSE, closed);
        let state = paused.unwrap_or_else(PoisonError::into_inner).0;
        let idle = |state: &mut State| !state.has_commits && !state.is_closed;
        let mut state =
            self.changed.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.has_commits = false;
        !state.is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
