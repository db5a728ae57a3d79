//! What retention asks of `event` and `attachment`: which rows are the oldest, and how much there is.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// Rows whose size stands for that of all: as many of the oldest, and of the newest.
const SAMPLE_ROWS: i64 = 500;

/// An event that may go.
#[derive(Debug, Clone)]
pub(crate) struct Old {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
    pub(crate) issue_id: i64,
    /// Of original and result, in bytes.
    pub(crate) size: i64,
}
from_row!(Old { id, project_id, event_id, issue_id, size });

/// Which events may go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Oldest {
    /// Of one project only.
    pub(crate) project_id: Option<i64>,
    /// Rows after this one.
    pub(crate) after_id: i64,
    /// Rows before this one.
    pub(crate) before_id: i64,
    /// Whether every issue keeps its newest event; else only ignored issues do.
    pub(crate) spares_newest: bool,
    /// Most of them.
    pub(crate) limit: i64,
}

/// Returns events that may go, oldest first.
///
/// The newest event of an ignored issue never goes: with it the issue would, and somebody's decision not to hear
/// of it again.
pub(crate) async fn oldest(tx: &mut Tx<'_>, which: Oldest) -> Result<Vec<Old>> {
    let Oldest { project_id, after_id, before_id, spares_newest, limit } = which;
    let spares_newest = i64::from(spares_newest);
    let Some(project_id) = project_id else {
        return tx
            .all(
                "SELECT e.id, e.project_id, e.event_id, e.issue_id,
                   CAST(LENGTH(e.original) + LENGTH(e.result) AS BIGINT)
                 FROM event e
                 WHERE e.id > $1 AND e.id < $2
                   AND (EXISTS (SELECT 1 FROM event n WHERE n.issue_id = e.issue_id AND n.id > e.id)
                     OR ($3 = 0 AND NOT EXISTS (
                       SELECT 1 FROM issue i WHERE i.id = e.issue_id AND i.status = 'ignored')))
                 ORDER BY e.id
                 LIMIT $4",
                &[&after_id, &before_id, &spares_newest, &limit],
            )
            .await;
    };
    tx.all(
        "SELECT e.id, e.project_id, e.event_id, e.issue_id,
           CAST(LENGTH(e.original) + LENGTH(e.result) AS BIGINT)
         FROM event e
         WHERE e.project_id = $5 AND e.id > $1 AND e.id < $2
           AND (EXISTS (SELECT 1 FROM event n WHERE n.issue_id = e.issue_id AND n.id > e.id)
             OR ($3 = 0 AND NOT EXISTS (
               SELECT 1 FROM issue i WHERE i.id = e.issue_id AND i.status = 'ignored')))
         ORDER BY e.id
         LIMIT $4",
        &[&after_id, &before_id, &spares_newest, &limit, &project_id],
    )
    .await
}

/// Removes an event; says whether it was there. What it missed is [`super::missing_file`]'s.
pub(crate) async fn delete_event(tx: &mut Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.execute("DELETE FROM event WHERE id = $1", &[&id]).await? > 0)
}

/// Says whether an issue has an event.
pub(crate) async fn has_events(tx: &mut Tx<'_>, issue_id: i64) -> Result<bool> {
    let sql = "SELECT id FROM event WHERE issue_id = $1 LIMIT 1";
    Ok(tx.optional::<i64>(sql, &[&issue_id]).await?.is_some())
}

/// A removed attachment.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    /// In bytes.
    pub(crate) size: i64,
    /// Where its body was, if not in the row.
    pub(crate) blob: Option<Vec<u8>>,
}
from_row!(Gone { size, blob });

/// Removes the attachments of an event.
pub(crate) async fn delete_attachments(
    tx: &mut Tx<'_>,
    project_id: i64,
    event_id: &[u8],
) -> Result<Vec<Gone>> {
    tx.all(
        "DELETE FROM attachment
         WHERE project_id = $1 AND event_id = $2
         RETURNING size, CASE WHEN body IS NULL THEN sha256 END",
        &[&project_id, &event_id],
    )
    .await
}

/// Removes attachments before a row whose event is not there: it never came, or went.
pub(crate) async fn delete_orphans(
    tx: &mut Tx<'_>,
    before_id: i64,
    limit: i64,
) -> Result<Vec<Gone>> {
    tx.all(
        "DELETE FROM attachment
         WHERE id IN (
           SELECT a.id FROM attachment a
           WHERE a.id < $1
             AND NOT EXISTS (
               SELECT 1 FROM event e WHERE e.project_id = a.project_id AND e.event_id = a.event_id)
             AND NOT EXISTS (
               SELECT 1 FROM accepted w WHERE w.project_id = a.project_id AND w.event_id = a.event_id)
           ORDER BY a.id
           LIMIT $2)
         RETURNING size, CASE WHEN body IS NULL THEN sha256 END",
        &[&before_id, &limit],
    )
    .await
}

/// Returns the projects that have more events than they may, each with how many.
pub(crate) async fn crowded(tx: &mut Tx<'_>, events_max: i64) -> Result<Vec<(i64, i64)>> {
    tx.all(
        "SELECT project_id, COUNT(*) FROM event
         GROUP BY project_id
         HAVING COUNT(*) > $1
         ORDER BY project_id",
        &[&events_max],
    )
    .await
}

/// Returns about how many bytes all events and attachments take. Events are counted and a sample is measured:
/// measuring each would read the whole table.
pub(crate) async fn bytes(tx: &mut Tx<'_>) -> Result<i64> {
    let (events, attachments): (i64, i64) = tx
        .one(
            "SELECT (SELECT COUNT(*) FROM event),
               (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM attachment)",
            &[],
        )
        .await?;
    let (count, sum): (i64, i64) = tx
        .one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(s.size), 0) AS BIGINT)
             FROM (
               SELECT o.size FROM (
                 SELECT LENGTH(original) + LENGTH(result) AS size FROM event ORDER BY id LIMIT $1) o
               UNION ALL
               SELECT n.size FROM (
                 SELECT LENGTH(original) + LENGTH(result) AS size FROM event ORDER BY id DESC LIMIT $1) n) s",
            &[&SAMPLE_ROWS],
        )
        .await?;
    Ok(attachments.saturating_add(events.saturating_mul(sum) / count.max(1)))
}
