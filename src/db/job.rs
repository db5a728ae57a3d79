//! Queued work: a closed list of kinds, each row unique by kind and what it is about.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// A queued job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: i64,
    /// What it is about; two jobs of one kind about the same thing are one.
    pub(crate) dedupe: String,
}
from_row!(Job { id, dedupe });

/// Queues a job, unless the same one waits already.
pub(crate) async fn enqueue(
    tx: &mut Tx<'_>,
    id: i64,
    kind: &str,
    dedupe: &str,
    at_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO job (id, kind, dedupe, payload, visible_at_ms, attempts)
         VALUES ($1, $2, $3, '', $4, 0)
         ON CONFLICT (kind, dedupe) DO UPDATE SET visible_at_ms = excluded.visible_at_ms",
        &[&id, &kind, &dedupe, &at_ms],
    )
    .await?;
    Ok(())
}

/// Takes the oldest visible job of a kind until `lease_until_ms`.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    kind: &str,
    now_ms: i64,
    lease_until_ms: i64,
) -> Result<Option<Job>> {
    let sql = tx.dialect().pick(
        "UPDATE job SET visible_at_ms = $3, attempts = attempts + 1
         WHERE id = (
           SELECT id FROM job
           WHERE kind = $1 AND parked_at_ms IS NULL AND visible_at_ms <= $2
           ORDER BY visible_at_ms, id
           LIMIT 1)
         RETURNING id, dedupe",
        "UPDATE job SET visible_at_ms = $3, attempts = attempts + 1
         WHERE id = (
           SELECT id FROM job
           WHERE kind = $1 AND parked_at_ms IS NULL AND visible_at_ms <= $2
           ORDER BY visible_at_ms, id
           LIMIT 1
           FOR UPDATE SKIP LOCKED)
         RETURNING id, dedupe",
    );
    tx.optional(sql, &[&kind, &now_ms, &lease_until_ms]).await
}

/// Says whether a job of a kind is to be done.
pub(crate) async fn is_due(tx: &mut Tx<'_>, kind: &str, now_ms: i64) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT id FROM job
             WHERE kind = $1 AND parked_at_ms IS NULL AND visible_at_ms <= $2
             LIMIT 1",
            &[&kind, &now_ms],
        )
        .await?;
    Ok(found.is_some())
}

/// Puts a taken job off.
pub(crate) async fn put_off(tx: &mut Tx<'_>, id: i64, until_ms: i64) -> Result<()> {
    tx.execute("UPDATE job SET visible_at_ms = $2 WHERE id = $1", &[&id, &until_ms]).await?;
    Ok(())
}

/// Makes jobs visible that would be only after `ahead_ms`: their times are from a clock that was ahead.
pub(crate) async fn pull_back(tx: &mut Tx<'_>, now_ms: i64, ahead_ms: i64) -> Result<u64> {
    tx.execute(
        "UPDATE job SET visible_at_ms = $1 WHERE parked_at_ms IS NULL AND visible_at_ms > $2",
        &[&now_ms, &ahead_ms],
    )
    .await
}

/// Removes a job that is done.
pub(crate) async fn finish(tx: &mut Tx<'_>, kind: &str, dedupe: &str) -> Result<()> {
    tx.execute("DELETE FROM job WHERE kind = $1 AND dedupe = $2", &[&kind, &dedupe]).await?;
    Ok(())
}

/// Returns how many jobs wait.
pub(crate) async fn waiting(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT COUNT(*) FROM job WHERE parked_at_ms IS NULL", &[]).await
}
