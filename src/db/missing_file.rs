//! What events asked for in vain, or got no good answer to, and what was stored since.

use super::engine::{Bind, Tx};
use crate::error::Result;

/// One file that one event misses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MissingFile {
    pub(crate) project_id: i64,
    pub(crate) key: String,
    pub(crate) received_at_ms: i64,
    pub(crate) event_row_id: i64,
    /// How many files answered to the key when the event was looked up; see [`stored_count`].
    pub(crate) seen_count: i64,
}

/// Remembers what events miss.
pub(crate) async fn insert(tx: &mut Tx<'_>, missing: &[MissingFile]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 5]> = missing
        .iter()
        .map(|missing| -> [&dyn Bind; 5] {
            [
                &missing.project_id,
                &missing.key,
                &missing.received_at_ms,
                &missing.event_row_id,
                &missing.seen_count,
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO missing_file (project_id, key, received_at_ms, event_row_id, seen_count) VALUES",
        &rows,
        "ON CONFLICT (project_id, key, received_at_ms, event_row_id) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// Forgets what an event misses, because it is digested again or goes, and returns the keys.
/// [`super::missing_key::add`] must hear of them.
pub(crate) async fn delete_of_event(tx: &mut Tx<'_>, event_row_id: i64) -> Result<Vec<String>> {
    tx.all("DELETE FROM missing_file WHERE event_row_id = $1 RETURNING key", &[&event_row_id]).await
}

/// Returns what an event misses.
pub(crate) async fn of_event(tx: &mut Tx<'_>, event_row_id: i64) -> Result<Vec<String>> {
    tx.all("SELECT key FROM missing_file WHERE event_row_id = $1", &[&event_row_id]).await
}

/// Returns the youngest file that answers to what an event missed; 0 where none does.
pub(crate) async fn youngest_answer(tx: &mut Tx<'_>, event_row_id: i64) -> Result<i64> {
    tx.one(
        "SELECT COALESCE(MAX(k.file_id), 0)
         FROM missing_file m
         JOIN file_key k ON k.project_id = m.project_id AND k.key = m.key
         WHERE m.event_row_id = $1",
        &[&event_row_id],
    )
    .await
}

/// Returns the newest event that waits for a key, and when it was received.
pub(crate) async fn newest_event(
    tx: &mut Tx<'_>,
    project_id: i64,
    key: &str,
) -> Result<Option<(i64, i64)>> {
    tx.optional(
        "SELECT event_row_id, received_at_ms FROM missing_file
         WHERE project_id = $1 AND key = $2
         ORDER BY received_at_ms DESC, event_row_id DESC
         LIMIT 1",
        &[&project_id, &key],
    )
    .await
}

/// Returns events that missed what a file answers to and have not seen it, newest first.
///
/// It starts from one file, so it costs nothing while no file arrives, however many events wait.
pub(crate) async fn waiting_for_file(
    tx: &mut Tx<'_>,
    file_id: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    let rows: Vec<(i64, i64)> = tx
        .all(
            "SELECT DISTINCT m.event_row_id, m.received_at_ms
             FROM file_key k
             JOIN missing_file m ON m.project_id = k.project_id AND m.key = k.key
             WHERE k.file_id = $1 AND m.seen_count < (
               SELECT COUNT(*) FROM file_key c WHERE c.project_id = k.project_id AND c.key = k.key)
             ORDER BY m.received_at_ms DESC, m.event_row_id DESC
             LIMIT $2",
            &[&file_id, &limit],
        )
        .await?;
    Ok(rows.into_iter().map(|(event_row_id, _)| event_row_id).collect())
}

/// Notes that an event is digested again for all that is stored now; if that fails, the next file that
/// arrives is another chance.
pub(crate) async fn count_as_seen(tx: &mut Tx<'_>, event_row_id: i64) -> Result<()> {
    tx.execute(
        "UPDATE missing_file
         SET seen_count = (
           SELECT COUNT(*) FROM file_key c
           WHERE c.project_id = missing_file.project_id AND c.key = missing_file.key)
         WHERE event_row_id = $1",
        &[&event_row_id],
    )
    .await?;
    Ok(())
}

/// Returns how many files of a project answer to a key. It only grows.
pub(crate) async fn stored_count(tx: &mut Tx<'_>, project_id: i64, key: &str) -> Result<i64> {
    tx.one("SELECT COUNT(*) FROM file_key WHERE project_id = $1 AND key = $2", &[&project_id, &key])
        .await
}
