//! What is remembered of a store that did not answer: for a moment nobody else waits for it to say so again.
//!
//! A request to a dead server costs seconds of tries. Without this, every event of a batch would pay them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::unavailable;
use crate::error::{Error, Result};

/// How long a store that did not answer is not asked again.
const PAUSE: Duration = Duration::from_secs(3);

/// Whether a store answered the last time.
#[derive(Debug, Default)]
pub(super) struct Standing {
    paused_until: Mutex<Option<Instant>>,
}

impl Standing {
    /// Runs a request, unless the store failed to answer one a moment ago.
    ///
    /// # Errors
    /// `Unavailable` in that case; what the request returns.
    pub(super) async fn ask<T>(&self, request: impl Future<Output = Result<T>>) -> Result<T> {
        if self.until().is_some_and(|until| Instant::now() < until) {
            return Err(unavailable("the blob store did not answer a moment ago"));
        }
        let answer = request.await;
        let is_away = matches!(&answer, Err(Error::Unavailable { .. }));
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) =
            is_away.then(|| Instant::now() + PAUSE);
        answer
    }

    fn until(&self) -> Option<Instant> {
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_not_asked_by_everybody() {
        let standing = Standing::default();
        assert_eq!(standing.ask(async { Ok(1) }).await.unwrap(), 1);
        let missing = standing.ask(async { Err::<(), _>(Error::NotFound) }).await;
        assert!(matches!(missing, Err(Error::NotFound)), "an answer, if not a nice one");
        standing.ask(async { Err::<(), _>(unavailable("gone")) }).await.unwrap_err();
        let asked = standing.ask(async { Ok(2) }).await;
        assert!(matches!(asked, Err(Error::Unavailable { .. })));
        *standing.paused_until.lock().unwrap() = Some(Instant::now());
        assert_eq!(standing.ask(async { Ok(3) }).await.unwrap(), 3);
    }
}
