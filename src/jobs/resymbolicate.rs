//! Digests events again for which a file has arrived: in bounded batches, newest first, beside the accepts.

use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::db::event::{self, StoredEvent};
use crate::db::{job, missing_file};
use crate::error::Result;
use crate::ingest::redigest;

/// Events per batch.
const BATCH_MAX: i64 = 64;
/// How long the loop sleeps if nobody wakes it. A file that was stored in the moment of a digest may be
/// seen by neither side; the next look finds it.
const POLL: Duration = Duration::from_secs(5);
/// Tries after which an event keeps its old result.
const ATTEMPTS_MAX: i64 = 3;
/// How long after a try that ended badly the next one comes, in milliseconds.
const RETRY_MS: i64 = 30_000;

/// Digests one batch again, or sleeps until a file arrives.
///
/// # Errors
/// When the database or the blob store cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    let rows = claim(&app).await?;
    if rows.is_empty() {
        tokio::select! {
            () = app.wake.resymbolicate.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = app.shutdown.cancelled() => {}
        }
    }
    for row in rows {
        one(&app, row).await?;
    }
    Ok(())
}

/// Marks what waited for a stored file as due, and takes what is due. The try is counted before it is made,
/// so that an event which ends the process does not end it for ever.
async fn claim(app: &App) -> Result<Vec<StoredEvent>> {
    let now_ms = app.clock.now_ms();
    let has_work = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let satisfied = missing_file::satisfied(tx, 1).await?;
                let due = event::redigest_due(tx, now_ms, 1).await?;
                Ok(!satisfied.is_empty() || !due.is_empty())
            })
        })
        .await?;
    if !has_work {
        return Ok(Vec::new());
    }
    app.db
        .write_digest(move |tx| {
            Box::pin(async move {
                job::finish(tx, "resymbolicate", "").await?;
                for satisfied in missing_file::satisfied(tx, BATCH_MAX).await? {
                    event::queue_redigest(tx, satisfied.event_row_id, now_ms).await?;
                    missing_file::delete_of_event(tx, satisfied.event_row_id).await?;
                }
                let rows = event::redigest_due(tx, now_ms, BATCH_MAX).await?;
                for row in &rows {
                    event::begin_redigest(tx, row.id, now_ms + RETRY_MS).await?;
                }
                Ok(rows)
            })
        })
        .await
}

async fn one(app: &App, row: StoredEvent) -> Result<()> {
    let (id, attempts) = (row.id, row.redigest_attempts + 1);
    if attempts > ATTEMPTS_MAX {
        return give_up(
            app,
            id,
            "the process ended three times while it was digesting this event again",
        )
        .await;
    }
    let Err(error) = redigest::redigest(app, vec![row]).await else { return Ok(()) };
    warn!(event.row = id, "could not digest event {id} again (try {attempts}): {error}");
    if attempts < ATTEMPTS_MAX { Ok(()) } else { give_up(app, id, &error.to_string()).await }
}

async fn give_up(app: &App, id: i64, reason: &str) -> Result<()> {
    let reason = reason.to_owned();
    app.db
        .write(move |tx| {
            let reason = reason.clone();
            Box::pin(async move { event::give_up_redigest(tx, id, &reason).await })
        })
        .await
}
