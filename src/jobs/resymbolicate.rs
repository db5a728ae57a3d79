//! Digests events again for which a file has arrived: in bounded batches, newest first, beside the accepts.
//!
//! Every stored file queues a job under its own id. The job marks the events that missed what the file
//! answers to; the marked ones are then taken and digested together. What was in hand when a process ended
//! twice is tried alone, so that an event which ends the process takes no others with it.

use std::collections::BTreeMap;
use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::db::engine::{Dialect, Tx};
use crate::db::event::StoredEvent;
use crate::db::{file_key, job, missing_file, redigest as queue};
use crate::error::{Error, Result};
use crate::ingest::portion;
use crate::ingest::redigest::{self, Reason, Report};

/// Kind of the jobs.
const KIND: &str = "resymbolicate";
/// Most events that one transaction marks.
const MARKED_MAX: i64 = 512;
/// Events that are taken together.
const BATCH_MAX: i64 = 16;
/// How long the loop sleeps if nobody wakes it.
const POLL: Duration = Duration::from_secs(5);
/// From this many tries on an event is digested alone.
const ATTEMPTS_BEFORE_ALONE: i64 = 2;
/// Tries after which an event keeps its old result, until another file arrives.
const ATTEMPTS_MAX: i64 = 4;
/// How long after a try that ended badly the next one comes, in milliseconds.
const RETRY_MS: i64 = 30_000;
/// How long taken events belong to their process, in milliseconds; long against skewed clocks.
const LEASE_MS: i64 = 60_000;
/// How often the lease is renewed while a batch takes long (a large file is derived).
const RENEW: Duration = Duration::from_millis(LEASE_MS as u64 / 3);
/// PostgreSQL: how long after a file arrived a digest that did not see it may still be on its way to commit,
/// in milliseconds. The job then looks once more.
const SETTLE_MS: i64 = 60_000;

/// Prepares the queue at the start of a process.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn recover(app: &App) -> Result<()> {
    if app.db.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let now_ms = app.clock.now_ms();
    app.db.write(move |tx| Box::pin(async move { queue::end_leases(tx, now_ms).await })).await
}

/// Digests one batch again, or sleeps until a file arrives.
///
/// # Errors
/// When the database or the blob store cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    if !work(&app).await? {
        tokio::select! {
            () = app.wake.resymbolicate.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    Ok(())
}

/// Digests one batch again and says whether there was one.
pub(crate) async fn work(app: &App) -> Result<bool> {
    let claimed = claim(app, (0, ATTEMPTS_BEFORE_ALONE - 1), BATCH_MAX).await?;
    if !claimed.ids.is_empty() {
        batch(app, claimed.ids).await?;
        return Ok(true);
    }
    let suspects = claim(app, (ATTEMPTS_BEFORE_ALONE, i64::MAX), 1).await?;
    let had_suspects = !suspects.ids.is_empty();
    for suspect in suspects.ids {
        alone(app, suspect).await?;
    }
    // A file that nothing waited for is no reason to sleep before the next one.
    Ok(had_suspects || claimed.had_arrivals || suspects.had_arrivals)
}

/// Which try of an event this is, by row.
type Tries = BTreeMap<i64, i64>;

/// Digests taken events portion by portion.
async fn batch(app: &App, claimed: Vec<i64>) -> Result<()> {
    let mut rest = claimed;
    while !rest.is_empty() && !app.shutdown.is_cancelled() {
        portion::wait_for_accepts(app).await?;
        let (taken, rows) = portion::read(app, &rest).await?;
        let tries = rows.iter().map(|row| (row.id, row.redigest_attempts)).collect();
        match leased(app, rows, &rest).await {
            Ok(report) => finish(app, &tries, report).await?,
            Err(error) if is_passing(&error) => {
                give_back(app, rest, RETRY_MS).await?;
                return Err(error);
            }
            Err(error) => {
                // Perhaps one of them is to blame: alone it can only stop itself.
                warn!(
                    "{taken} events could not be digested again together, each is tried alone: {error}"
                );
                suspect(app, rest[..taken].to_vec()).await?;
            }
        }
        rest.drain(..taken);
    }
    // Only at the end of the process something is left: others may have it at once.
    give_back(app, rest, 0).await
}

/// Digests an event again that was in hand when a process ended, or whose batch failed.
async fn alone(app: &App, id: i64) -> Result<()> {
    let (_, rows) = portion::read(app, &[id]).await?;
    let tries: Tries = rows.iter().map(|row| (row.id, row.redigest_attempts)).collect();
    if tries.values().any(|tries| *tries > ATTEMPTS_MAX) {
        let reason = "the process ended again and again while it was digesting this event again";
        return give_up(app, id, reason.to_owned()).await;
    }
    match leased(app, rows, &[id]).await {
        Ok(report) => finish(app, &tries, report).await,
        Err(error) if is_passing(&error) => {
            give_back(app, vec![id], RETRY_MS).await?;
            Err(error)
        }
        Err(error) => {
            let failed = vec![(id, error.to_string())];
            finish(app, &tries, Report { failed, ..Report::default() }).await
        }
    }
}

/// Says whether a failure passes by itself and no event can be its reason.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Busy | Error::Unavailable { .. })
}

/// Digests events again, and renews the lease of all that are in hand while that takes long.
async fn leased(app: &App, rows: Vec<StoredEvent>, in_hand: &[i64]) -> Result<Report> {
    let mut redigest = std::pin::pin!(redigest::redigest(app, rows, Reason::Files));
    loop {
        tokio::select! {
            report = &mut redigest => return report,
            () = tokio::time::sleep(RENEW) => {
                if let Err(error) = renew(app, in_hand.to_vec()).await {
                    warn!("could not renew the lease of {} events: {error}", in_hand.len());
                }
            }
        }
    }
}

async fn renew(app: &App, ids: Vec<i64>) -> Result<()> {
    let until_ms = app.clock.now_ms() + LEASE_MS;
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { queue::extend_lease(tx, &ids, until_ms).await })
        })
        .await
}

/// Tries events that failed later once more, up to a number of times.
async fn finish(app: &App, tries: &Tries, report: Report) -> Result<()> {
    for (id, error) in report.failed {
        let attempts = tries.get(&id).copied().unwrap_or(ATTEMPTS_MAX);
        warn!(event.row = id, "could not digest event {id} again (try {attempts}): {error}");
        if attempts < ATTEMPTS_MAX {
            retry(app, id, app.clock.now_ms() + RETRY_MS, error).await?;
        } else {
            give_up(app, id, error).await?;
        }
    }
    Ok(())
}

/// Gives taken events back after a failure that is not theirs, or at the end of the process.
async fn give_back(app: &App, ids: Vec<i64>, after_ms: i64) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let until_ms = app.clock.now_ms() + after_ms;
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { queue::put_off(tx, &ids, until_ms).await })
        })
        .await
}

async fn suspect(app: &App, ids: Vec<i64>) -> Result<()> {
    let now_ms = app.clock.now_ms();
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move { queue::suspect(tx, &ids, now_ms, ATTEMPTS_BEFORE_ALONE).await })
        })
        .await
}

/// What was taken.
#[derive(Debug, Default)]
struct Claimed {
    ids: Vec<i64>,
    /// Whether a file had arrived.
    had_arrivals: bool,
}

/// Marks what waited for a stored file, and takes what is marked. Nothing is written if there is nothing.
async fn claim(app: &App, attempts: (i64, i64), limit: i64) -> Result<Claimed> {
    let now_ms = app.clock.now_ms();
    let (has_arrivals, has_marked) = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                Ok((job::is_due(tx, KIND, now_ms).await?, queue::is_due(tx, now_ms).await?))
            })
        })
        .await?;
    if !has_arrivals && !has_marked {
        return Ok(Claimed::default());
    }
    let ids = app
        .db
        .write_digest(move |tx| {
            Box::pin(async move {
                mark(tx, now_ms).await?;
                queue::claim(tx, (now_ms, now_ms + LEASE_MS), attempts, limit).await
            })
        })
        .await?;
    Ok(Claimed { ids, had_arrivals: has_arrivals })
}

/// Marks the events that waited for one arrived file; the job ends when there is none left.
async fn mark(tx: &mut Tx<'_>, now_ms: i64) -> Result<()> {
    let Some(job) = job::claim(tx, KIND, now_ms, now_ms).await? else { return Ok(()) };
    let Ok(file_id) = job.dedupe.parse() else {
        warn!("job {} names no stored file: {}", job.id, job.dedupe);
        return job::finish(tx, KIND, &job.dedupe).await;
    };
    let marked = missing_file::waiting_for_file(tx, file_id, MARKED_MAX).await?;
    for event_row_id in &marked {
        queue::queue(tx, *event_row_id, now_ms).await?;
        missing_file::count_as_seen(tx, *event_row_id).await?;
    }
    if marked.len() as i64 >= MARKED_MAX {
        return Ok(());
    }
    let arrived_at_ms = file_key::arrived_at_ms(tx, file_id).await?.unwrap_or(0);
    if tx.dialect() == Dialect::Postgres && now_ms < arrived_at_ms + SETTLE_MS {
        return job::put_off(tx, job.id, arrived_at_ms + SETTLE_MS).await;
    }
    job::finish(tx, KIND, &job.dedupe).await
}

async fn retry(app: &App, id: i64, at_ms: i64, reason: String) -> Result<()> {
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { queue::retry(tx, id, at_ms, &reason).await })
        })
        .await
}

async fn give_up(app: &App, id: i64, reason: String) -> Result<()> {
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { queue::give_up(tx, id, &reason).await })
        })
        .await
}
