//! Blobs that no row names any more, and how they go without taking a blob that somebody is about to name.
//!
//! Blobs are stored before the row that names them, and one that is there already is not stored again. So between
//! the two a blob must not be deleted. Who stores one asks here first: a noted blob is put off for a day, which is
//! longer than any request; one that is being deleted is waited for, and then stored anew.

use std::time::Duration;

use tracing::warn;

use crate::app::App;
use crate::blobs::BlobKey;
use crate::db::blob_garbage;
use crate::error::{Error, Result};

/// How long after it lost a row a blob is looked at, in milliseconds.
// Invariant: longer than any request may take between storing a blob and naming it.
pub(crate) const GRACE_MS: i64 = 24 * 3_600_000;
/// After how long somebody who began to delete a blob has failed, in milliseconds.
const STALE_MS: i64 = 600_000;
/// Blobs that are deleted together.
const BATCH_MAX: i64 = 100;
/// How long to wait before a deletion that is under way is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How often: after that the caller is told to come again.
const LOOKS_MAX: usize = 40;

/// Makes sure that a blob, if it is there, stays long enough to be named. To be called before it is stored.
///
/// # Errors
/// `Busy` when its deletion does not end; when the database cannot be asked.
pub(crate) async fn spare(app: &App, key: BlobKey) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        let noted = app
            .db
            .read(move |tx| Box::pin(async move { blob_garbage::find(tx, &key.0).await }))
            .await?;
        match noted {
            None => return Ok(()),
            Some(noted) if noted.deleting_at_ms.is_some() => tokio::time::sleep(LOOK_AGAIN).await,
            Some(_) => {
                let until_ms = app.clock.now_ms() + GRACE_MS;
                let spared = app.db.write(move |tx| {
                    Box::pin(async move { blob_garbage::spare(tx, &key.0, until_ms).await })
                });
                if spared.await? {
                    return Ok(());
                }
            }
        }
    }
    Err(Error::Busy)
}

/// Deletes blobs that lost a row a day ago and are named by none; returns how many.
///
/// # Errors
/// When the database or the blob store cannot be reached: the rest goes another time.
pub(crate) async fn sweep(app: &App, now_ms: i64) -> Result<u64> {
    let mut count = 0;
    loop {
        let free = app
            .db
            .write_digest(move |tx| {
                Box::pin(blob_garbage::claim(tx, now_ms, now_ms - STALE_MS, BATCH_MAX))
            })
            .await?;
        let is_last = (free.len() as i64) < BATCH_MAX;
        for sha256 in free {
            let Ok(key) = <[u8; 32]>::try_from(sha256.as_slice()).map(BlobKey) else {
                warn!("{} names no blob", hex::encode(&sha256));
                continue;
            };
            app.blobs.delete(key).await?;
            app.db
                .write(move |tx| Box::pin(async move { blob_garbage::forget(tx, &key.0).await }))
                .await?;
            count += 1;
        }
        if is_last || app.shutdown.is_cancelled() {
            return Ok(count);
        }
    }
}
