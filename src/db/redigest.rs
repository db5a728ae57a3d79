//! Kept events that are digested again: when, how often it was tried, and the new result.
//!
//! `event.redigest_at_ms` is run time, backoff and lease in one, as `accepted.visible_at_ms` is.

use super::engine::{Bind, Tx};
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

/// Makes events due that would be only after `ahead_ms`: their times are from a clock that was ahead.
pub(crate) async fn pull_back(tx: &mut Tx<'_>, now_ms: i64, ahead_ms: i64) -> Result<u64> {
    tx.execute(
        "UPDATE event SET redigest_at_ms = $1 WHERE redigest_at_ms > $2",
        &[&now_ms, &ahead_ms],
    )
    .await
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

/// Takes events that are to be digested again and were tried between `attempts_min` and `attempts_max` times,
/// until `lease_until_ms`, newest first.
///
/// The try is counted before it is made, so that an event which ends the process does not end it for ever.
pub(crate) async fn claim(
    tx: &mut Tx<'_>,
    (now_ms, lease_until_ms): (i64, i64),
    (attempts_min, attempts_max): (i64, i64),
    limit: i64,
) -> Result<Vec<i64>> {
    let sql = tx.dialect().pick(
        "UPDATE event SET redigest_at_ms = $2, redigest_attempts = redigest_attempts + 1
         WHERE id IN (
           SELECT id FROM event
           WHERE redigest_at_ms IS NOT NULL AND redigest_at_ms <= $1
             AND redigest_attempts >= $3 AND redigest_attempts <= $4
           ORDER BY id DESC
           LIMIT $5)
         RETURNING id",
        "UPDATE event SET redigest_at_ms = $2, redigest_attempts = redigest_attempts + 1
         WHERE id IN (
           SELECT id FROM event
           WHERE redigest_at_ms IS NOT NULL AND redigest_at_ms <= $1
             AND redigest_attempts >= $3 AND redigest_attempts <= $4
           ORDER BY id DESC
           LIMIT $5
           FOR UPDATE SKIP LOCKED)
         RETURNING id",
    );
    let args: [&dyn Bind; 5] = [&now_ms, &lease_until_ms, &attempts_min, &attempts_max, &limit];
    let mut ids: Vec<i64> = tx.all(sql, &args).await?;
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Keeps taken events for their process while it still works on them.
pub(crate) async fn extend_lease(tx: &mut Tx<'_>, ids: &[i64], until_ms: i64) -> Result<()> {
    for id in ids {
        let sql =
            "UPDATE event SET redigest_at_ms = $2 WHERE id = $1 AND redigest_at_ms IS NOT NULL";
        tx.execute(sql, &[id, &until_ms]).await?;
    }
    Ok(())
}

/// Makes events be digested alone from now on, after `attempts` tries.
pub(crate) async fn suspect(tx: &mut Tx<'_>, ids: &[i64], at_ms: i64, attempts: i64) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE event SET redigest_at_ms = $2, redigest_attempts = $3 WHERE id = $1",
            &[id, &at_ms, &attempts],
        )
        .await?;
    }
    Ok(())
}

/// What a second digest made of an event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewResult<'a> {
    /// See `ingest::stored`.
    pub(crate) original: &'a [u8],
    /// See `ingest::stored`.
    pub(crate) result: &'a [u8],
    pub(crate) occurred_at_ms: i64,
    pub(crate) user_hash: Option<&'a [u8]>,
}

/// Keeps both forms of an event anew, and puts it into its issue.
pub(crate) async fn keep_result(
    tx: &mut Tx<'_>,
    id: i64,
    issue_id: i64,
    kept: &NewResult<'_>,
) -> Result<()> {
    tx.execute(
        "UPDATE event
         SET issue_id = $2, original = $3, result = $4, occurred_at_ms = $5, user_hash = $6,
           redigest_at_ms = NULL, redigest_attempts = 0, redigest_error = NULL
         WHERE id = $1",
        &[&id, &issue_id, &kept.original, &kept.result, &kept.occurred_at_ms, &kept.user_hash],
    )
    .await?;
    Ok(())
}

/// Returns the row of the event of an issue that occurred first.
pub(crate) async fn first_of(tx: &mut Tx<'_>, issue_id: i64) -> Result<Option<i64>> {
    tx.optional(
        "SELECT id FROM event WHERE issue_id = $1 ORDER BY occurred_at_ms, id LIMIT 1",
        &[&issue_id],
    )
    .await
}

/// Returns the row of the event of an issue that occurred last.
pub(crate) async fn newest_of(tx: &mut Tx<'_>, issue_id: i64) -> Result<Option<i64>> {
    tx.optional(
        "SELECT id FROM event WHERE issue_id = $1 ORDER BY occurred_at_ms DESC, id DESC LIMIT 1",
        &[&issue_id],
    )
    .await
}

/// Puts events off after a failure that is not their own: the try does not count.
pub(crate) async fn put_off(tx: &mut Tx<'_>, ids: &[i64], until_ms: i64) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE event
             SET redigest_at_ms = $2,
               redigest_attempts = CASE WHEN redigest_attempts > 0 THEN redigest_attempts - 1 ELSE 0 END
             WHERE id = $1",
            &[id, &until_ms],
        )
        .await?;
    }
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
