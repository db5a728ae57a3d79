//! Kept events that are digested again: when, how often it was tried, and the new result.
//!
//! `event.redigest_at_ms` is run time, backoff and lease in one, as `accepted.visible_at_ms` is.

use protocol::id::IssueId;

use super::engine::Tx;
use crate::error::Result;

/// Asks for an event to be digested again.
pub(crate) async fn queue(tx: &mut Tx<'_>, id: i64, at_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE event SET redigest_at_ms = $2, redigest_attempts = 0 WHERE id = $1",
        &[&id, &at_ms],
    )
    .await?;
    Ok(())
}

/// At the start of the process that owns a SQLite file: nobody else holds a lease.
pub(crate) async fn end_leases(tx: &mut Tx<'_>, now_ms: i64) -> Result<()> {
    let sql = "UPDATE event SET redigest_at_ms = $1 WHERE redigest_at_ms > $1";
    tx.execute(sql, &[&now_ms]).await?;
    Ok(())
}

/// Says whether an event is to be digested again.
pub(crate) async fn is_due(tx: &mut Tx<'_>, now_ms: i64) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT id FROM event WHERE redigest_at_ms IS NOT NULL AND redigest_at_ms <= $1 LIMIT 1",
            &[&now_ms],
        )
        .await?;
    Ok(found.is_some())
}

/// Takes events that are to be digested again until `lease_until_ms`, and returns their rows, newest first.
///
/// The try is counted before it is made, so that an event which ends the process does not end it for ever.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    now_ms: i64,
    lease_until_ms: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    let sql = tx.dialect().pick(
        "UPDATE event SET redigest_at_ms = $2, redigest_attempts = redigest_attempts + 1
         WHERE id IN (
           SELECT id FROM event
           WHERE redigest_at_ms IS NOT NULL AND redigest_at_ms <= $1
           ORDER BY id DESC
           LIMIT $3)
         RETURNING id",
        "UPDATE event SET redigest_at_ms = $2, redigest_attempts = redigest_attempts + 1
         WHERE id IN (
           SELECT id FROM event
           WHERE redigest_at_ms IS NOT NULL AND redigest_at_ms <= $1
           ORDER BY id DESC
           LIMIT $3
           FOR UPDATE SKIP LOCKED)
         RETURNING id",
    );
    let mut ids: Vec<i64> = tx.all(sql, &[&now_ms, &lease_until_ms, &limit]).await?;
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Puts a new result beside the original, and the event into its issue.
pub(crate) async fn keep_result(
    tx: &mut Tx<'_>,
    id: i64,
    issue: IssueId,
    original: &[u8],
    result: &[u8],
) -> Result<()> {
    tx.execute(
        "UPDATE event
         SET issue_id = $2, original = $3, result = $4, redigest_at_ms = NULL, redigest_attempts = 0, redigest_error = NULL
         WHERE id = $1",
        &[&id, &issue.0, &original, &result],
    )
    .await?;
    Ok(())
}

/// Puts an event off after a failure that is not its own: the try does not count.
pub(crate) async fn put_off(tx: &mut Tx<'_>, id: i64, until_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE event
         SET redigest_at_ms = $2,
           redigest_attempts = CASE WHEN redigest_attempts > 0 THEN redigest_attempts - 1 ELSE 0 END
         WHERE id = $1",
        &[&id, &until_ms],
    )
    .await?;
    Ok(())
}

/// Tries an event once more later, after a failure of its own.
pub(crate) async fn retry(tx: &mut Tx<'_>, id: i64, at_ms: i64, error: &str) -> Result<()> {
    tx.execute(
        "UPDATE event SET redigest_at_ms = $2, redigest_error = $3 WHERE id = $1",
        &[&id, &at_ms, &error],
    )
    .await?;
    Ok(())
}

/// Gives up digesting an event again; its old result stays.
pub(crate) async fn give_up(tx: &mut Tx<'_>, id: i64, error: &str) -> Result<()> {
    tx.execute(
        "UPDATE event SET redigest_at_ms = NULL, redigest_attempts = 0, redigest_error = $2 WHERE id = $1",
        &[&id, &error],
    )
    .await?;
    Ok(())
}
