//! Digests events again for which a file has arrived: in bounded batches, newest first, beside the accepts.
//!
//! Every stored file queues a job under its own id. The job marks the events that missed what the file
//! answers to; the marked ones are then taken and digested one by one.

use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::db::engine::{Dialect, Tx};
use crate::db::{event, file_key, job, missing_file, redigest as queue};
use crate::error::Result;
use crate::ingest::redigest;

/// Kind of the jobs.
const KIND: &str = "resymbolicate";
/// Most events that one transaction marks.
const MARKED_MAX: i64 = 512;
/// Events that are taken together.
const BATCH_MAX: i64 = 16;
/// How long the loop sleeps if nobody wakes it.
const POLL: Duration = Duration::from_secs(5);
/// Tries after which an event keeps its old result.
const ATTEMPTS_MAX: i64 = 3;
/// How long after a try that ended badly the next one comes, in milliseconds.
const RETRY_MS: i64 = 30_000;
/// How long taken events belong to their process, in milliseconds: longer than deriving a large file takes.
const LEASE_MS: i64 = 600_000;
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
    let mut rows = claim(app).await?;
    let had_rows = !rows.is_empty();
    let mut outcome = Ok(());
    while let Some(id) = rows.first().copied()
        && outcome.is_ok()
        && !app.shutdown.is_cancelled()
    {
        outcome = one(app, id).await;
        if outcome.is_ok() {
            rows.remove(0);
        }
    }
    give_back(app, rows, outcome.is_ok()).await?;
    outcome.map(|()| had_rows)
}

/// Gives taken events back: at the end of the process at once, after a failure that is not theirs later.
async fn give_back(app: &App, ids: Vec<i64>, at_once: bool) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let until_ms = app.clock.now_ms() + if at_once { 0 } else { RETRY_MS };
    app.db
        .write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                for id in ids {
                    queue::put_off(tx, id, until_ms).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Marks what waited for a stored file, and takes what is marked. Nothing is written if there is nothing.
async fn claim(app: &App) -> Result<Vec<i64>> {
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
        return Ok(Vec::new());
    }
    app.db
        .write_digest(move |tx| {
            Box::pin(async move {
                mark(tx, now_ms).await?;
                queue::claim(tx, now_ms, now_ms + LEASE_MS, BATCH_MAX).await
            })
        })
        .await
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

async fn one(app: &App, id: i64) -> Result<()> {
    let row = app.db.read(move |tx| Box::pin(async move { event::by_row(tx, id).await })).await?;
    let Some(row) = row else { return Ok(()) };
    let attempts = row.redigest_attempts;
    let now_ms = app.clock.now_ms();
    if attempts > ATTEMPTS_MAX {
        let reason = "the process ended three times while it was digesting this event again";
        return give_up(app, id, reason.to_owned()).await;
    }
    match redigest::redigest(app, row).await? {
        Ok(()) => Ok(()),
        Err(error) => {
            warn!(event.row = id, "could not digest event {id} again (try {attempts}): {error}");
            if attempts < ATTEMPTS_MAX {
                retry(app, id, now_ms, error).await
            } else {
                give_up(app, id, error).await
            }
        }
    }
}

async fn retry(app: &App, id: i64, now_ms: i64, reason: String) -> Result<()> {
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { queue::retry(tx, id, now_ms + RETRY_MS, &reason).await })
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
