//! The gate before the queue: how much may be on its way and waiting, and how fast a key may send.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::accept::{self, Rows};
use super::disk::Disk;
use super::held::{Held, Receiving};
use crate::config::limits::Limits;
use crate::db::engine::Group;
use crate::db::outcome::OutcomeKey;
use crate::db::project_key::Admission;
use crate::error::{Error, Result};

/// Unit of the memory budget, in bytes: a semaphore counts at most 2³² permits.
const PERMIT_BYTES: usize = 1024;
/// Part of the memory budget that bodies on their way in may take; what they leave is for rows on their way to disk.
const RECEIVING_PART: usize = 2;
/// Large envelopes that are worked on at the same time, each with copies of its event and its small attachments.
const LARGE_AT_ONCE: usize = 4;
/// When a client whose events find no room is asked to come back, in seconds.
const RETRY_AFTER_S: u32 = 60;
/// Keys whose rate is remembered; beyond it the windows that ended are dropped.
const WINDOWS_MAX: usize = 100_000;
/// Most different counts that wait to be written down.
const OUTCOMES_MAX: usize = 10_000;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What the accept path shares within one process.
#[derive(Debug)]
pub(crate) struct Intake {
    /// Room on the disk of the data folder.
    pub(crate) disk: Disk,
    /// Where the writes of concurrent requests meet.
    pub(super) writes: Arc<Group<Rows>>,
    accepting: Semaphore,
    permits: usize,
    large: Semaphore,
    receiving: Arc<Receiving>,
    backlog_bytes: AtomicI64,
    windows: Mutex<HashMap<i64, Window>>,
    outcomes: Mutex<BTreeMap<OutcomeKey, i64>>,
}

/// Events of one key in its current window.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends_at_ms: i64,
    events: u32,
}

/// A key sends faster than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// When the window ends, in seconds.
    pub(crate) retry_after_s: u32,
}

impl Intake {
    /// Makes the gate of a process that finds `backlog_bytes` waiting.
    pub(crate) fn new(limits: &Limits) -> Self {
        let bytes = usize::try_from(limits.accepting_bytes_max.0).unwrap_or(usize::MAX);
        let permits =
            (bytes / PERMIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self {
            disk: Disk::default(),
            writes: Group::new(accept::insert),
            accepting: Semaphore::new(permits),
            permits,
            large: Semaphore::new(LARGE_AT_ONCE),
            receiving: Arc::new(Receiving::new(bytes / RECEIVING_PART)),
            backlog_bytes: AtomicI64::new(0),
            windows: Mutex::new(HashMap::new()),
            outcomes: Mutex::new(BTreeMap::new()),
        }
    }

    /// Waits until `bytes` more may be held in memory. What is larger than the whole budget goes alone.
    pub(crate) async fn admit(&self, bytes: usize) -> Result<SemaphorePermit<'_>> {
        let permits = bytes.div_ceil(PERMIT_BYTES).clamp(1, self.permits);
        let permits = u32::try_from(permits).unwrap_or(u32::MAX);
        self.accepting.acquire_many(permits).await.map_err(Error::caused_by)
    }

    /// Waits for the turn of a large envelope, which is there as a whole: no slow client holds a turn.
    pub(crate) async fn large_turn(&self) -> Result<SemaphorePermit<'_>> {
        self.large.acquire().await.map_err(Error::caused_by)
    }

    /// Begins to count what one request holds in memory.
    pub(crate) fn hold(&self) -> Held {
        Held::new(&self.receiving)
    }

    /// Says whether somebody waits for an event to be accepted.
    pub(crate) fn is_accepting(&self) -> bool {
        self.accepting.available_permits() < self.permits
    }

    /// Refuses where the disk budget of waiting events is used up.
    ///
    /// SDKs drop an event on any error answer, so this is the last resort.
    ///
    /// # Errors
    /// `Unavailable`, with when to come back.
    pub(crate) fn check_room(&self, limits: &Limits, bytes: usize) -> Result<()> {
        let waiting = self.backlog_bytes.load(Ordering::Relaxed);
        let wanted = waiting.saturating_add(i64::try_from(bytes).unwrap_or(i64::MAX));
        if wanted > i64::try_from(limits.accepted_bytes_max.0).unwrap_or(i64::MAX) {
            return Err(Error::Unavailable {
                message: format!(
                    "{waiting} bytes of events wait for their digest, the budget is {}: send later, or raise \
                     limits.accepted_bytes_max",
                    limits.accepted_bytes_max
                ),
                retry_after_s: RETRY_AFTER_S,
            });
        }
        Ok(())
    }

    /// Notes that the backlog grew, or shrank.
    pub(crate) fn add_backlog(&self, bytes: i64) {
        self.backlog_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sets the backlog to what the database says: other replicas and restarts change it too.
    pub(crate) fn set_backlog(&self, bytes: i64) {
        self.backlog_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Counts one event of a key. Limits are per process.
    pub(crate) fn count_event(
        &self,
        key: &Admission,
        limits: &Limits,
        now_ms: i64,
    ) -> Result<(), RateLimited> {
        let window_s =
            key.rate_limit_window_s.map_or(limits.key_window.as_secs(), u64::from).max(1);
        let Some(events_max) = key.rate_limit_events.or(limits.key_events_max) else {
            return Ok(());
        };
        let window_ms = i64::try_from(window_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let mut windows = self.windows.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX {
            windows.retain(|_, window| window.ends_at_ms > now_ms);
        }
        let fresh = Window { ends_at_ms: now_ms.saturating_add(window_ms), events: 0 };
        let window = windows.entry(key.key_id).or_insert(fresh);
        // A clock that jumped back must not close the key for longer than a window.
        if window.ends_at_ms <= now_ms || window.ends_at_ms > now_ms.saturating_add(window_ms) {
            *window = fresh;
        }
        if window.events >= events_max {
            let left_ms = window.ends_at_ms.saturating_sub(now_ms).max(0);
            let retry_after_s = u32::try_from(left_ms / 1000 + 1).unwrap_or(u32::MAX);
            return Err(RateLimited { retry_after_s });
        }
        window.events += 1;
        Ok(())
    }

    /// Adds to a count that is written down every few seconds; a killed process loses those.
    pub(crate) fn count_outcome(
        &self,
        project_id: i64,
        now_ms: i64,
        outcome: &str,
        category: &str,
        n: u64,
    ) {
        let (outcome, category) = (outcome.to_owned(), category.to_owned());
        let key = OutcomeKey { project_id, hour: now_ms / HOUR_MS, outcome, category };
        let mut outcomes = self.outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if outcomes.len() < OUTCOMES_MAX || outcomes.contains_key(&key) {
            *outcomes.entry(key).or_default() += i64::try_from(n).unwrap_or(i64::MAX);
        }
    }

    /// Takes the counts that wait to be written down.
    pub(crate) fn take_outcomes(&self) -> Vec<(OutcomeKey, i64)> {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::take(&mut *outcomes).into_iter().collect()
    }

    /// Puts counts back that could not be written down.
    pub(crate) fn put_outcomes_back(&self, counts: &[(OutcomeKey, i64)]) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (key, n) in counts {
            *outcomes.entry(key.clone()).or_default() += n;
        }
    }
}
