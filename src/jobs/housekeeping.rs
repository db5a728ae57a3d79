//! What happens every few seconds: counts are written down, old queue rows expire, gauges are set.

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::db::{accepted, job, outcome, redigest};
use crate::error::Result;
use crate::ingest::train;

/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(5);
/// How long an event may wait for its digest, in milliseconds: seven days.
const ACCEPTED_AGE_MS_MAX: i64 = 7 * 24 * 3600 * 1000;
/// Most events that expire in one round, so that nobody waits long for the writer.
const EXPIRED_MAX: i64 = 1_000;
/// Longest time for which the digest puts an event off or leases it, with a margin, in milliseconds. What is
/// to happen later than that was written under a clock that was ahead.
const DIGEST_AHEAD_MS_MAX: i64 = 300_000;
/// The same for jobs, whose leases are ten minutes.
const JOB_AHEAD_MS_MAX: i64 = 900_000;

/// Waits for the next round and does it. The last round is done when the server stops.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(EVERY) => {}
        () = app.wake.housekeeping.notified() => {}
        () = app.shutdown.cancelled() => {}
    }
    if let Some(jump) = app.clock.jump() {
        warn!("the clock of this machine {jump}");
    }
    pull_back(&app).await?;
    write_outcomes(&app).await?;
    train::train_due(&app).await?;
    if !app.clock.is_doubtful() {
        expire(&app).await?;
        train::expire(&app).await?;
    }
    let (depth, jobs) = app
        .db
        .read(|tx| {
            Box::pin(async move { Ok((accepted::depth(tx).await?, job::waiting(tx).await?)) })
        })
        .await?;
    app.metrics.queue_depth.set(depth.waiting);
    app.metrics.queue_parked.set(depth.parked);
    app.metrics.jobs_waiting.set(jobs);
    app.intake.set_backlog(depth.bytes);
    Ok(())
}

/// Makes due what would stand still because the clock jumped back. Nothing is written if there is none.
async fn pull_back(app: &App) -> Result<()> {
    let now_ms = app.clock.now_ms();
    let pulled = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                let events = accepted::pull_back(tx, now_ms, now_ms + DIGEST_AHEAD_MS_MAX).await?;
                let jobs = job::pull_back(tx, now_ms, now_ms + JOB_AHEAD_MS_MAX).await?;
                Ok(events
                    + jobs
                    + redigest::pull_back(tx, now_ms, now_ms + JOB_AHEAD_MS_MAX).await?)
            })
        })
        .await?;
    if pulled > 0 {
        warn!(
            "{pulled} events and jobs were to wait for a time that a wrong clock named: they are due now"
        );
        app.wake.digest.notify_one();
        app.wake.jobs.notify_one();
        app.wake.resymbolicate.notify_one();
    }
    Ok(())
}

/// Writes the counts down. They are put back if that fails.
async fn write_outcomes(app: &App) -> Result<()> {
    let counts = app.intake.take_outcomes();
    if counts.is_empty() {
        return Ok(());
    }
    let counts = Arc::new(counts);
    let shared = Arc::clone(&counts);
    let written = app
        .db
        .write(move |tx| {
            let counts = Arc::clone(&shared);
            Box::pin(async move { outcome::add(tx, &counts).await })
        })
        .await;
    if written.is_err() {
        app.intake.put_outcomes_back(&counts);
    }
    written
}

/// Removes what waited too long, and counts it for its project.
async fn expire(app: &App) -> Result<()> {
    let now_ms = app.clock.now_ms();
    let before_ms = now_ms - ACCEPTED_AGE_MS_MAX;
    let projects = app
        .db
        .write(move |tx| {
            Box::pin(async move { accepted::expire(tx, before_ms, EXPIRED_MAX).await })
        })
        .await?;
    for project in &projects {
        app.intake.count_outcome(*project, now_ms, "dropped:expired", "event", 1);
    }
    if !projects.is_empty() {
        warn!("{} accepted events expired without a digest", projects.len());
    }
    Ok(())
}
