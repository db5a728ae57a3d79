//! Waiting for what happens in another process.

use std::time::{Duration, Instant};

/// How long anything may take on a busy machine.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(60);
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something, and returns it.
#[track_caller]
pub(crate) fn until<T>(
    what: &str,
    look: impl AsyncFnMut() -> Option<T>,
) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let mut look = look;
        let started = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(started.elapsed() < WAIT_MAX, "{caller}: waited {WAIT_MAX:?} for {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
