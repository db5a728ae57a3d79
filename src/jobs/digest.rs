//! Works off the accepted events: claims a batch, digests it, and deals with those that could not be.
//!
//! What aborts the process must not stop the others after the restart: an event that was in hand when a
//! process ended twice is tried alone, and the try is written down before it is made. Only tries alone, and
//! failures that are certainly its own, count against an event: a healthy backlog is never parked by restarts.
//!
//! An event that failed by itself is tried again in a batch: it cannot harm its neighbours, and ten thousand
//! such events cost ten thousand neighbours no more than their own reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
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
/// Tries alone, or failures of its own, after which an event is parked.
const ALONE_ATTEMPTS_MAX: i64 = 3;
/// How long an event waits after its first failure; doubled with each further one. Milliseconds.
const BACKOFF_MS: i64 = 2_000;
/// How long the digest sleeps if nobody wakes it: events of other replicas, expired leases.
const POLL: Duration = Duration::from_secs(1);
/// How long it waits for more where the last batch was not full. A batch of one costs as much as one of
/// thirty, and nobody sees ten milliseconds.
const GATHER: Duration = Duration::from_millis(10);
/// Most doublings of [`BACKOFF_MS`]: 256 s stay below what `housekeeping` takes for a clock that was ahead.
const DOUBLINGS_MAX: i64 = 7;
/// How long claimed events wait for their blob store, in milliseconds.
const AWAY_MS: i64 = 5_000;
/// How often it is tried to give events back whose database went away.
const RELEASE_AGAIN: Duration = Duration::from_millis(500);

/// Prepares the queue at the start of a process.
///
/// # Errors
/// When the database cannot be asked.
pub(crate) async fn recover(app: &App) -> Result<()> {
    let owns_file = app.db.dialect() == Dialect::Lite;
    let now_ms = app.clock.now_ms();
    let depth = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                if owns_file {
                    accepted::count_restart(tx, now_ms).await?;
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
    let worked = batch(&app).await?;
    if worked == 0 {
        tokio::select! {
            () = app.wake.digest.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    if worked < app.config.digest.batch as usize {
        tokio::select! {
            () = tokio::time::sleep(GATHER) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    Ok(())
}

/// Digests what is there, one batch at most, and says whether there was something.
#[cfg(test)]
pub(crate) async fn work(app: &App) -> Result<bool> {
    Ok(batch(app).await? > 0)
}

/// Digests what is there, one batch at most, and returns how many events were taken.
pub(crate) async fn batch(app: &App) -> Result<usize> {
    let batch = i64::from(app.config.digest.batch);
    let rows = claim(app, 0, ATTEMPTS_BEFORE_ALONE - 1, batch).await?;
    let mut taken = rows.len();
    if !rows.is_empty() {
        together(app, rows).await?;
    }
    let suspects = claim(app, ATTEMPTS_BEFORE_ALONE, i64::MAX, ALONE_MAX).await?;
    taken += suspects.len();
    each_alone(app, suspects).await?;
    Ok(taken)
}

/// Digests suspects one after the other; those that were not come to are given back.
async fn each_alone(app: &App, mut suspects: Vec<Accepted>) -> Result<()> {
    let mut outcome = Ok(());
    while !suspects.is_empty() && outcome.is_ok() && !app.shutdown.is_cancelled() {
        let row = suspects.remove(0);
        outcome = alone(app, row).await;
        if outcome.is_ok() {
            outcome = extend_lease(app, suspects.iter().map(|row| row.id).collect()).await;
        }
    }
    release(app, suspects.iter().map(|row| row.id).collect()).await;
    outcome
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
    // A failure of its own counts as a try alone.
    let one_more =
        |row: &Accepted| InHand { alone_attempts: row.alone_attempts + 1, ..InHand::of(row) };
    let in_hand: Vec<InHand> = rows.iter().map(one_more).collect();
    let ids: Vec<i64> = in_hand.iter().map(|row| row.id).collect();
    match digest_leased(app, rows).await {
        Ok(report) => finish(app, &in_hand, report).await,
        Err(error) if is_passing(&error) => {
            release(app, ids).await;
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
        return park(app, vec![(&InHand::of(&row), reason.to_owned())]).await;
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
    BACKOFF_MS << failures.clamp(0, DOUBLINGS_MAX)
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
    let left: BTreeSet<i64> =
        report.failed.iter().chain(&report.waiting).map(|(id, _)| *id).collect();
    let kept_bytes =
        in_hand.iter().filter(|row| !left.contains(&row.id)).map(|row| row.payload_bytes);
    app.intake.add_backlog(-kept_bytes.sum::<i64>());
    let rows: BTreeMap<i64, &InHand> = in_hand.iter().map(|row| (row.id, row)).collect();
    let tries_before = |id: &i64| rows.get(id).map_or(0, |row| row.alone_attempts - 1);
    let waiting = report.waiting.into_iter();
    wait_for_files(app, waiting.map(|(id, why)| (id, tries_before(&id), why)).collect()).await?;
    let (mut parked, mut put_off) = (Vec::new(), Vec::new());
    for (id, reason) in report.failed {
        match rows.get(&id) {
            Some(row) if row.alone_attempts >= ALONE_ATTEMPTS_MAX => parked.push((*row, reason)),
            Some(row) => put_off.push((id, row.alone_attempts, reason)),
            None => {}
        }
    }
    park(app, parked).await?;
    put_failed_off(app, put_off).await
}

/// Puts events off that failed by themselves, and counts the failure against them.
async fn put_failed_off(app: &App, failed: Vec<(i64, i64, String)>) -> Result<()> {
    let Some((id, _, reason)) = failed.first() else { return Ok(()) };
    // One line for all: ten thousand would bury the log.
    let count = failed.len();
    warn!(
        accepted.id = id,
        "could not digest {count} events, they are tried again; event {id}: {reason}"
    );
    let now_ms = app.clock.now_ms();
    let until = |(id, tries, reason)| (id, now_ms + backoff_ms(tries), tries, reason);
    put_off(app, failed.into_iter().map(until).collect()).await
}

/// Puts events off that want a file which cannot be read now; nothing counts against them.
async fn wait_for_files(app: &App, waiting: Vec<(i64, i64, String)>) -> Result<()> {
    let Some((_, _, reason)) = waiting.first() else { return Ok(()) };
    warn!("{} events wait for files that they want: {reason}", waiting.len());
    let until_ms = app.clock.now_ms() + AWAY_MS;
    let until = |(id, tries, reason)| (id, until_ms, tries, reason);
    put_off(app, waiting.into_iter().map(until).collect()).await
}

/// Puts events off: id, until when, tries that count, reason.
async fn put_off(app: &App, rows: Vec<(i64, i64, i64, String)>) -> Result<()> {
    let rows = Arc::new(rows);
    app.db
        .write_digest(move |tx| {
            let rows = Arc::clone(&rows);
            Box::pin(async move {
                for (id, until_ms, tries, reason) in rows.iter() {
                    accepted::put_off(tx, *id, *until_ms, *tries, reason).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn park(app: &App, parked: Vec<(&InHand, String)>) -> Result<()> {
    let Some((row, reason)) = parked.first() else { return Ok(()) };
    error!(
        accepted.id = row.id,
        "parked {} events, they need a person; event {}: {reason}",
        parked.len(),
        row.id
    );
    let (count, bytes) =
        (parked.len(), parked.iter().map(|(row, _)| row.payload_bytes).sum::<i64>());
    let now_ms = app.clock.now_ms();
    let rows: Vec<(i64, String)> =
        parked.into_iter().map(|(row, reason)| (row.id, reason)).collect();
    let rows = Arc::new(rows);
    app.db
        .write_digest(move |tx| {
            let rows = Arc::clone(&rows);
            Box::pin(async move {
                for (id, reason) in rows.iter() {
                    accepted::park(tx, *id, now_ms, reason).await?;
                }
                Ok(())
            })
        })
        .await?;
    app.metrics.events_parked.inc_by(count as u64);
    app.intake.add_backlog(-bytes);
    Ok(())
}

/// Gives claimed events back after a failure that is not theirs. If the database is away, which may be that
/// failure, it is tried again for as long as the lease would last anyway.
async fn release(app: &App, ids: Vec<i64>) {
    if app.db.dialect() == Dialect::Lite || ids.is_empty() {
        return;
    }
    let started = Instant::now();
    let ids = Arc::new(ids);
    loop {
        let (shared, now_ms) = (Arc::clone(&ids), app.clock.now_ms());
        let released = app
            .db
            .write(move |tx| {
                let ids = Arc::clone(&shared);
                Box::pin(async move { accepted::release(tx, &ids, now_ms).await })
            })
            .await;
        let Err(error) = released else { return };
        let is_over = started.elapsed().as_millis() as i64 >= LEASE_MS;
        if is_over || app.shutdown.is_cancelled() {
            warn!("could not give {} events back, they wait for their lease: {error}", ids.len());
            return;
        }
        tokio::time::sleep(RELEASE_AGAIN).await;
    }
}
