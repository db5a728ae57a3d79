//! Works off the accepted events: claims a batch, digests it, and deals with those that could not be.
//!
//! What aborts the process must not stop the others after the restart: an event that was in hand when a
//! process ended twice is tried alone, and the try is written down before it is made. Only tries alone
//! count against an event, so a healthy backlog is never parked by restarts.

use std::time::{Duration, Instant};

use tracing::{error, warn};

use crate::app::App;
use crate::db::accepted::{self, Accepted, Claim};
use crate::db::engine::Dialect;
use crate::error::{Error, Result};
use crate::ingest::{digest, stored};

/// How long a claimed event belongs to its process, in milliseconds; long against skewed clocks.
const LEASE_MS: i64 = 60_000;
/// How often the lease is renewed while a batch takes long (a large file is derived).
const RENEW: Duration = Duration::from_millis(LEASE_MS as u64 / 3);
/// Most bytes of unpacked payload in one batch: parsed they take some ten times as much.
const BATCH_BYTES_MAX: i64 = 2 << 20;
/// Events that are taken together to be digested alone, one after the other.
const ALONE_MAX: i64 = 64;
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
    if !work(&app).await? {
        tokio::select! {
            () = app.wake.digest.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    Ok(())
}

/// Digests what is there, one batch at most, and says whether there was something.
pub(crate) async fn work(app: &App) -> Result<bool> {
    let batch = i64::from(app.config.digest.batch);
    let rows = claim(app, 0, ATTEMPTS_BEFORE_ALONE - 1, batch).await?;
    let had_rows = !rows.is_empty();
    if had_rows {
        together(app, rows).await?;
    }
    let mut suspects = claim(app, ATTEMPTS_BEFORE_ALONE, i64::MAX, ALONE_MAX).await?;
    let had_suspects = !suspects.is_empty();
    while !suspects.is_empty() && !app.shutdown.is_cancelled() {
        let row = suspects.remove(0);
        alone(app, row).await?;
        extend_lease(app, suspects.iter().map(|row| row.id).collect()).await?;
    }
    release(app, suspects.iter().map(|row| row.id).collect()).await?;
    Ok(had_rows || had_suspects)
}

async fn claim(
    app: &App,
    attempts_min: i64,
    attempts_max: i64,
    limit: i64,
) -> Result<Vec<Accepted>> {
    let now_ms = app.clock.now_ms();
    let lease_until_ms = now_ms + LEASE_MS;
    let bytes_max = BATCH_BYTES_MAX;
    let unpacked_bytes = stored::payload_bytes;
    let claim = Claim {
        now_ms,
        lease_until_ms,
        attempts_min,
        attempts_max,
        limit,
        bytes_max,
        unpacked_bytes,
    };
    if app.db.dialect() == Dialect::Lite {
        return app.db.read(move |tx| Box::pin(accepted::claim(tx, claim))).await;
    }
    app.db.write(move |tx| Box::pin(accepted::claim(tx, claim))).await
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
    let ids: Vec<i64> = in_hand.iter().map(|row| row.id).collect();
    match digest_leased(app, rows).await {
        Ok(report) => finish(app, &in_hand, report).await,
        Err(error) if is_passing(&error) => {
            release(app, ids).await?;
            Err(error)
        }
        Err(error) => {
            // Perhaps one of them is to blame: alone it can only stop itself.
            warn!("a batch of {} events failed, each is now digested alone: {error}", ids.len());
            let now_ms = app.clock.now_ms();
            app.db
                .write(move |tx| {
                    let ids = ids.clone();
                    Box::pin(async move { accepted::suspect(tx, &ids, now_ms).await })
                })
                .await
        }
    }
}

/// Digests events and renews their lease until that is done.
async fn digest_leased(app: &App, rows: Vec<Accepted>) -> Result<digest::BatchReport> {
    let started = Instant::now();
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let mut digest = std::pin::pin!(digest::digest(app, rows));
    let report = loop {
        tokio::select! {
            report = &mut digest => break report?,
            () = tokio::time::sleep(RENEW) => {
                if let Err(error) = extend_lease(app, ids.clone()).await {
                    warn!("could not renew the lease of {} events: {error}", ids.len());
                }
            }
        }
    };
    app.metrics.digest_duration.observe(started.elapsed().as_secs_f64());
    Ok(report)
}

/// Says whether a failure passes by itself and no event can be its reason.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Busy | Error::Unavailable { .. })
}

async fn alone(app: &App, row: Accepted) -> Result<()> {
    if row.alone_attempts >= ALONE_ATTEMPTS_MAX {
        let reason = "the process ended three times while it was digesting this event alone";
        return park(app, &InHand::of(&row), reason).await;
    }
    let (id, attempts) = (row.id, row.attempts);
    app.db.write(move |tx| Box::pin(async move { accepted::count_alone(tx, id).await })).await?;
    let row = Accepted { alone_attempts: row.alone_attempts + 1, ..row };
    let in_hand = [InHand::of(&row)];
    let error = match digest_leased(app, vec![row]).await {
        Ok(report) => return finish(app, &in_hand, report).await,
        Err(error) => error,
    };
    // The process did not end, so the try does not count; the next event is not held up by this one.
    let until_ms = app.clock.now_ms() + backoff_ms(attempts);
    let reason = error.to_string();
    warn!(accepted.id = id, "could not digest event {id} alone, it is tried again: {reason}");
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { accepted::uncount_alone(tx, id, until_ms, &reason).await })
        })
        .await?;
    if is_passing(&error) { Err(error) } else { Ok(()) }
}

/// How long an event waits after it failed that often, in milliseconds.
fn backoff_ms(failures: i64) -> i64 {
    BACKOFF_MS << failures.clamp(0, 10)
}

/// Keeps claimed events for this process; on SQLite nobody else takes them.
async fn extend_lease(app: &App, ids: Vec<i64>) -> Result<()> {
    if app.db.dialect() == Dialect::Lite || ids.is_empty() {
        return Ok(());
    }
    let until_ms = app.clock.now_ms() + LEASE_MS;
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { accepted::extend_lease(tx, &ids, until_ms).await })
        })
        .await
}

/// Counts what was kept and puts off, or parks, what was not.
async fn finish(app: &App, in_hand: &[InHand], report: digest::BatchReport) -> Result<()> {
    let has_failed = |row: &&InHand| report.failed.iter().any(|(id, _)| *id == row.id);
    let kept_bytes = in_hand.iter().filter(|row| !has_failed(row)).map(|row| row.payload_bytes);
    app.intake.add_backlog(-kept_bytes.sum::<i64>());
    for (id, reason) in &report.failed {
        let Some(row) = in_hand.iter().find(|row| row.id == *id) else { continue };
        if row.alone_attempts >= ALONE_ATTEMPTS_MAX {
            park(app, row, reason).await?;
        } else {
            warn!(accepted.id = id, "could not digest event {id}, it is tried again: {reason}");
            put_off(app, *id, backoff_ms(row.alone_attempts), reason.clone()).await?;
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
    if app.db.dialect() == Dialect::Lite || ids.is_empty() {
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
