//! What happened to issues. Moves of events for one reason are one entry that counts them; everything else
//! is an entry of its own. How many an issue has is bounded.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// Most entries of one issue; the oldest go first.
pub(crate) const ENTRIES_MAX: i64 = 100;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) issue_id: i64,
    /// Text of `issues::journal::Kind`.
    pub(crate) kind: String,
    /// When it happened; of several events, the last.
    pub(crate) at_ms: i64,
    /// How many events it is about.
    pub(crate) n: i64,
    /// The issue on the other side.
    pub(crate) other_issue_id: Option<i64>,
    /// The number in the other issue's short id.
    pub(crate) other_number: Option<i64>,
    /// The file that arrived, or the run of `symbolist redigest`.
    pub(crate) cause_id: Option<i64>,
    /// The same for people.
    pub(crate) cause: Option<String>,
    /// Who did it.
    pub(crate) actor: Option<String>,
}
from_row!(Entry {
    id,
    issue_id,
    kind,
    at_ms,
    n,
    other_issue_id,
    other_number,
    cause_id,
    cause,
    actor
});

/// Writes an entry down.
pub(crate) async fn insert(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    tx.execute(
        "INSERT INTO issue_journal (id, issue_id, kind, at_ms, n, other_issue_id, other_number, cause_id,
           cause, actor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &[
            &entry.id, &entry.issue_id, &entry.kind, &entry.at_ms, &entry.n, &entry.other_issue_id,
            &entry.other_number, &entry.cause_id, &entry.cause, &entry.actor,
        ],
    )
    .await?;
    Ok(())
}

/// Counts more events on the entry that is about the same two issues for the same reason, and says whether
/// there is one.
pub(crate) async fn count_more(tx: &mut Tx<'_>, entry: &Entry) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE issue_journal SET n = n + $4, at_ms = $5
             WHERE issue_id = $1 AND kind = $2 AND other_issue_id = $3
               AND COALESCE(cause_id, 0) = COALESCE(CAST($6 AS BIGINT), 0)",
            &[
                &entry.issue_id,
                &entry.kind,
                &entry.other_issue_id,
                &entry.n,
                &entry.at_ms,
                &entry.cause_id,
            ],
        )
        .await?;
    Ok(changed > 0)
}

/// Removes the oldest entries of an issue beyond [`ENTRIES_MAX`].
pub(crate) async fn trim(tx: &mut Tx<'_>, issue_id: i64) -> Result<()> {
    tx.execute(
        "DELETE FROM issue_journal
         WHERE issue_id = $1 AND id <= (
           SELECT id FROM issue_journal WHERE issue_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)",
        &[&issue_id, &ENTRIES_MAX],
    )
    .await?;
    Ok(())
}

/// Returns what happened to an issue, the newest first.
pub(crate) async fn of_issue(tx: &mut Tx<'_>, issue_id: i64) -> Result<Vec<Entry>> {
    tx.all(
        "SELECT id, issue_id, kind, at_ms, n, other_issue_id, other_number, cause_id, cause, actor
         FROM issue_journal
         WHERE issue_id = $1
         ORDER BY at_ms DESC, id DESC
         LIMIT $2",
        &[&issue_id, &ENTRIES_MAX],
    )
    .await
}

/// Returns the live issue that took most events of an issue; where several took as many, the youngest.
pub(crate) async fn heir(tx: &mut Tx<'_>, issue_id: i64) -> Result<Option<i64>> {
    let heir: Option<(i64, i64)> = tx
        .optional(
            "SELECT i.id, CAST(SUM(j.n) AS BIGINT) AS events
             FROM issue_journal j
             LEFT JOIN issue_redirect r ON r.old_issue_id = j.other_issue_id
             JOIN issue i ON i.id = COALESCE(r.issue_id, j.other_issue_id)
             WHERE j.issue_id = $1 AND j.kind = 'moved_out' AND i.id <> $1
             GROUP BY i.id
             ORDER BY events DESC, i.id DESC
             LIMIT 1",
            &[&issue_id],
        )
        .await?;
    Ok(heir.map(|(id, _)| id))
}

/// Hands what people decided about an emptied issue to its heir, with the number it had.
pub(crate) async fn hand_over(tx: &mut Tx<'_>, from: i64, from_number: i64, to: i64) -> Result<()> {
    tx.execute(
        "UPDATE issue_journal
         SET issue_id = $3, other_issue_id = COALESCE(other_issue_id, $1),
           other_number = COALESCE(other_number, $2)
         WHERE issue_id = $1 AND kind NOT IN ('moved_in', 'moved_out')",
        &[&from, &from_number, &to],
    )
    .await?;
    Ok(())
}

/// Forgets what happened to an issue.
pub(crate) async fn delete(tx: &mut Tx<'_>, issue_id: i64) -> Result<()> {
    tx.execute("DELETE FROM issue_journal WHERE issue_id = $1", &[&issue_id]).await?;
    Ok(())
}
