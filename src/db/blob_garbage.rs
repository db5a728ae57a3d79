//! `blob_garbage`: blobs that lost a row which named them, and whether one still does.
//!
//! A blob is named by its content, so it may be shared: by events, and even by an attachment and a debug file.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// Notes blobs to be looked at after `delete_after_ms`.
pub(crate) async fn note(tx: &mut Tx<'_>, blobs: &[Vec<u8>], delete_after_ms: i64) -> Result<()> {
    for sha256 in blobs {
        tx.execute(
            "INSERT INTO blob_garbage (sha256, delete_after_ms) VALUES ($1, $2)
             ON CONFLICT (sha256) DO UPDATE SET delete_after_ms = excluded.delete_after_ms",
            &[sha256, &delete_after_ms],
        )
        .await?;
    }
    Ok(())
}

/// A noted blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Since when it is being deleted, if it is.
    pub(crate) deleting_at_ms: Option<i64>,
}
from_row!(Noted { deleting_at_ms });

/// Returns what is noted of a blob.
pub(crate) async fn find(tx: &mut Tx<'_>, sha256: &[u8]) -> Result<Option<Noted>> {
    let sql = "SELECT deleting_at_ms FROM blob_garbage WHERE sha256 = $1";
    tx.optional(sql, &[&sha256]).await
}

/// Puts off looking at a blob; `false` where it is being deleted, or no longer noted.
pub(crate) async fn spare(tx: &mut Tx<'_>, sha256: &[u8], delete_after_ms: i64) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE blob_garbage SET delete_after_ms = $2
             WHERE sha256 = $1 AND deleting_at_ms IS NULL",
            &[&sha256, &delete_after_ms],
        )
        .await?;
    Ok(changed > 0)
}

/// Forgets due blobs that a row names, marks the others as being deleted and returns them, at most `limit`. Those
/// that somebody began to delete before `stale_before_ms` and did not finish are returned too.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    now_ms: i64,
    stale_before_ms: i64,
    limit: i64,
) -> Result<Vec<Vec<u8>>> {
    let due: Vec<Vec<u8>> = tx
        .all(
            "SELECT sha256 FROM blob_garbage
             WHERE delete_after_ms <= $1 AND (deleting_at_ms IS NULL OR deleting_at_ms <= $2)
             ORDER BY delete_after_ms, sha256
             LIMIT $3",
            &[&now_ms, &stale_before_ms, &limit],
        )
        .await?;
    let mut free = Vec::new();
    for sha256 in due {
        if is_named(tx, &sha256).await? {
            forget(tx, &sha256).await?;
            continue;
        }
        let claimed = tx
            .execute(
                "UPDATE blob_garbage SET deleting_at_ms = $2
                 WHERE sha256 = $1 AND delete_after_ms <= $2
                   AND (deleting_at_ms IS NULL OR deleting_at_ms <= $3)",
                &[&sha256, &now_ms, &stale_before_ms],
            )
            .await?;
        free.extend((claimed > 0).then_some(sha256));
    }
    Ok(free)
}

/// Forgets a blob: it is gone, or named.
pub(crate) async fn forget(tx: &mut Tx<'_>, sha256: &[u8]) -> Result<()> {
    tx.execute("DELETE FROM blob_garbage WHERE sha256 = $1", &[&sha256]).await?;
    Ok(())
}

async fn is_named(tx: &mut Tx<'_>, sha256: &[u8]) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT CAST(1 AS BIGINT) WHERE EXISTS (SELECT 1 FROM attachment WHERE sha256 = $1 AND body IS NULL)
               OR EXISTS (SELECT 1 FROM debug_file WHERE sha256 = $1)
               OR EXISTS (SELECT 1 FROM artifact_bundle WHERE sha256 = $1)
               OR EXISTS (SELECT 1 FROM chunk WHERE sha256 = $1)",
            &[&sha256],
        )
        .await?;
    Ok(found.is_some())
}
