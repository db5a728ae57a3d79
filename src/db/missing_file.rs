//! What events asked for in vain, joined with what was stored since.

use super::engine::{Bind, Tx, from_row};
use crate::error::Result;

/// One file that one event misses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MissingFile {
    pub(crate) project_id: i64,
    pub(crate) key: String,
    pub(crate) received_at_ms: i64,
    pub(crate) event_row_id: i64,
}

/// Remembers what events miss.
pub(crate) async fn insert(tx: &mut Tx<'_>, missing: &[MissingFile]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 4]> = missing
        .iter()
        .map(|missing| -> [&dyn Bind; 4] {
            [&missing.project_id, &missing.key, &missing.received_at_ms, &missing.event_row_id]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO missing_file (project_id, key, received_at_ms, event_row_id) VALUES",
        &rows,
        "ON CONFLICT (project_id, key, received_at_ms, event_row_id) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// Forgets what an event misses, because it is digested again.
pub(crate) async fn delete_of_event(tx: &mut Tx<'_>, event_row_id: i64) -> Result<()> {
    tx.execute("DELETE FROM missing_file WHERE event_row_id = $1", &[&event_row_id]).await?;
    Ok(())
}

/// An event that waited for a file which exists now.
#[derive(Debug, Clone)]
pub(crate) struct Satisfied {
    pub(crate) event_row_id: i64,
    pub(crate) received_at_ms: i64,
}
from_row!(Satisfied { event_row_id, received_at_ms });

/// Returns events that waited for a file which exists now, newest first.
pub(crate) async fn satisfied(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Satisfied>> {
    tx.all(
        "SELECT DISTINCT m.event_row_id, m.received_at_ms
         FROM missing_file m
         JOIN file_key k ON k.project_id = m.project_id AND k.key = m.key
         ORDER BY m.received_at_ms DESC
         LIMIT $1",
        &[&limit],
    )
    .await
}

/// Says whether a project has a file under a key.
pub(crate) async fn is_stored(tx: &mut Tx<'_>, project_id: i64, key: &str) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT file_id FROM file_key WHERE project_id = $1 AND key = $2 LIMIT 1",
            &[&project_id, &key],
        )
        .await?;
    Ok(found.is_some())
}

/// Returns how many events of a project wait for a key; counted up to `limit`.
pub(crate) async fn waiting(
    tx: &mut Tx<'_>,
    project_id: i64,
    key: &str,
    limit: i64,
) -> Result<i64> {
    tx.one(
        "SELECT COUNT(*) FROM (
           SELECT 1 AS one FROM missing_file WHERE project_id = $1 AND key = $2 LIMIT $3) AS found",
        &[&project_id, &key, &limit],
    )
    .await
}
