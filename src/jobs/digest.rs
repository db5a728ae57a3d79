//! Works off the accepted events: claims a batch, digests it, and deals with those that could not be.
//!
//! What aborts the process must not stop the others after the restart: an event that was in hand when a
//! process ended twice is tried alone, and the try is written down before it is made. Only tries alone
//! count against an event, so a healthy backlog is never parked by restarts.

use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::app::App;
use crate::db::accepted::{self, Accepted};
use crate::db::engine::Dialect;
use crate::error::Result;
use crate::ingest::digest;

/// How long a claimed event belongs to its process, in milliseconds; long against skewed clocks.
const LEASE_MS: i64 = 60_000;
/// From this many attempts on an event is digested alone.
const ATTEMPTS_BEFORE_ALONE: i64 = 2;
/// Tries alone after which an event is parked.
const ALONE_ATTEMPTS_MAX: i64 = 3;
/// How long an event waits after its first failure; doubled with each further one. Milliseconds.
const BACKOFF_MS: i64 = 2_000;
/// How long the digest sleeps if nobody wakes it: events of other replicas, expired leases.
const POLL: Duration = Duration::from_secs(1);

/// Prepares the queue at the start of a process.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn recover(app: &App) -> Result<()> {
    let owns_file = app.db.dialect() == Dialect::Lite;
    let depth = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if owns_file {
                    accepted::count_restart(tx).await?;
                }
                accepted::depth(tx).await
            })
        })
        .await?;
    app.intake.set_backlog(depth.bytes);
    Ok(())
}

/// How many workers may run: on SQLite batches are not claimed in the database, so there is one.
pub(crate) fn workers_max(app: &App) -> u32 {
    match app.db.dialect() {
        Dialect::Lite => 1,
        Dialect::Postgres => u32::MAX,
    }
}

/// Digests one batch, or sleeps until there is something to digest.
///
/// # Errors
/// When the database or the blob store cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    let batch = i64::from(app.config.digest.batch);
    let rows = claim(&app, 0, ATTEMPTS_BEFORE_ALONE - 1, batch).await?;
    let had_rows = !rows.is_empty();
    if had_rows {
        together(&app, rows).await?;
    }
    let suspects = claim(&app, ATTEMPTS_BEFORE_ALONE, i64::MAX, 1).await?;
    let had_suspects = !suspects.is_empty();
    for row in suspects {
        alone(&app, row).await?;
    }
    if !had_rows && !had_suspects {
        tokio::select! {
            () = app.wake.digest.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    Ok(())
}

async fn claim(
    app: &App,
    attempts_min: i64,
    attempts_max: i64,
    limit: i64,
) -> Result<Vec<Accepted>> {
    let now_ms = app.clock.now_ms();
    let lease_until_ms = now_ms + LEASE_MS;
    if app.db.dialect() == Dialect::Lite {
        return app
            .db
            .read(move |tx| {
                Box::pin(async move {
                    accepted::claim(tx, now_ms, now_ms, attempts_min, attempts_max, limit).await
                })
            })
            .await;
    }
    app.db
        .write(move |tx| {
            Box::pin(async move {
                accepted::claim(tx, now_ms, lease_until_ms, attempts_min, attempts_max, limit).await
            })
        })
        .await
}

/// What the end of a batch must know of a row.
struct InHand {
    id: i64,
    alone_attempts: i64,
    payload_bytes: i64,
}

impl InHand {
    fn of(row: &Accepted) -> Self {
        let payload_bytes = i64::try_from(row.payload.len()).unwrap_or(i64::MAX);
        Self { id: row.id, alone_attempts: row.alone_attempts, payload_bytes }
    }
}

async fn together(app: &App, rows: Vec<Accepted>) -> Result<()> {
    let in_hand: Vec<InHand> = rows.iter().map(InHand::of).collect();
    let started = Instant::now();
    match digest::digest(app, rows).await {
        Ok(report) => {
            app.metrics.digest_duration.observe(started.elapsed().as_secs_f64());
            finish(app, &in_hand, report).await
        }
        Err(error) => {
            release(app, in_hand.iter().map(|row| row.id).collect()).await?;
            Err(error)
        }
    }
}

async fn alone(app: &App, row: Accepted) -> Result<()> {
    if row.alone_attempts >= ALONE_ATTEMPTS_MAX {
        let reason = "the process ended three times while it was digesting this event alone";
        return park(app, &InHand::of(&row), reason).await;
    }
    let id = row.id;
    app.db.write(move |tx| Box::pin(async move { accepted::count_alone(tx, id).await })).await?;
    together(app, vec![Accepted { alone_attempts: row.alone_attempts + 1, ..row }]).await
}

/// Counts what was kept and puts off, or parks, what was not.
async fn finish(app: &App, in_hand: &[InHand], report: digest::BatchReport) -> Result<()> {
    app.metrics.events_digested.inc_by(report.kept + report.duplicates);
    let has_failed = |row: &&InHand| report.failed.iter().any(|(id, _)| *id == row.id);
    let kept_bytes = in_hand.iter().filter(|row| !has_failed(row)).map(|row| row.payload_bytes);
    app.intake.add_backlog(-kept_bytes.sum::<i64>());
    for (id, reason) in &report.failed {
        let Some(row) = in_hand.iter().find(|row| row.id == *id) else { continue };
        if row.alone_attempts >= ALONE_ATTEMPTS_MAX {
            park(app, row, reason).await?;
        } else {
            warn!(accepted.id = id, "could not digest event {id}, it is tried again: {reason}");
            let backoff_ms = BACKOFF_MS << row.alone_attempts.clamp(0, 10);
            put_off(app, *id, backoff_ms, reason.clone()).await?;
        }
    }
    Ok(())
}

async fn put_off(app: &App, id: i64, by_ms: i64, reason: String) -> Result<()> {
    let until_ms = app.clock.now_ms() + by_ms;
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { accepted::put_off(tx, id, until_ms, &reason).await })
        })
        .await
}

async fn park(app: &App, row: &InHand, reason: &str) -> Result<()> {
    let id = row.id;
    error!(accepted.id = id, "parked event {id}, it needs a person: {reason}");
    app.metrics.events_parked.inc();
    app.intake.add_backlog(-row.payload_bytes);
    let now_ms = app.clock.now_ms();
    let reason = reason.to_owned();
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { accepted::park(tx, id, now_ms, &reason).await })
        })
        .await
}

/// Gives claimed events back after a failure that is not theirs.
async fn release(app: &App, ids: Vec<i64>) -> Result<()> {
    if app.db.dialect() == Dialect::Lite {
        return Ok(());
    }
    let now_ms = app.clock.now_ms();
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { accepted::release(tx, &ids, now_ms).await })
        })
        .await
}
