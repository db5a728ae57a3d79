//! Derives look-up files right after an upload, so that the first crash is already warm.

use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::db::job;
use crate::error::Result;
use crate::symbols::derived::{self, DerivedKey};

/// How long the loop sleeps if nobody wakes it.
const POLL: Duration = Duration::from_secs(10);
/// How long a taken job belongs to its process, in milliseconds.
const LEASE_MS: i64 = 600_000;

/// Derives one file, or sleeps until there is one.
///
/// # Errors
/// When the database or the blob store cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    let now_ms = app.clock.now_ms();
    let job = app
        .db
        .write(move |tx| {
            Box::pin(async move { job::claim(tx, "derive", now_ms, now_ms + LEASE_MS).await })
        })
        .await?;
    let Some(job) = job else {
        tokio::select! {
            () = app.wake.jobs.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
        return Ok(());
    };
    match job.dedupe.parse::<DerivedKey>() {
        // A file that cannot be derived is remembered by `derived` itself.
        Ok(key) => drop(derived::open(&app, &key).await?),
        Err(_) => warn!("job {} names no derived file: {}", job.id, job.dedupe),
    }
    app.db
        .write(move |tx| {
            let dedupe = job.dedupe.clone();
            Box::pin(async move { job::finish(tx, "derive", &dedupe).await })
        })
        .await
}
