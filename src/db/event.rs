//! Kept events: the scrubbed original and the symbolicated result, both compressed.

use protocol::id::{EventId, IssueId, ProjectId};

use super::engine::{Bind, Tx, from_row};
use crate::error::Result;

/// An event as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct StoredEvent {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
    pub(crate) issue_id: i64,
    pub(crate) received_at_ms: i64,
    pub(crate) occurred_at_ms: i64,
    /// See `ingest::stored`.
    pub(crate) original: Vec<u8>,
    /// See `ingest::stored`.
    pub(crate) result: Vec<u8>,
    pub(crate) redigest_attempts: i64,
    pub(crate) user_hash: Option<Vec<u8>>,
}
from_row!(StoredEvent {
    id,
    project_id,
    event_id,
    issue_id,
    received_at_ms,
    occurred_at_ms,
    original,
    result,
    redigest_attempts,
    user_hash
});

impl StoredEvent {
    /// Returns the event's id.
    pub(crate) fn event_id(&self) -> Option<EventId> {
        EventId::from_slice(&self.event_id)
    }
}

/// Project and event id of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventKey {
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
}
from_row!(EventKey { project_id, event_id });

/// Inserts events and returns those that were not there yet.
pub(crate) async fn insert(tx: &mut Tx<'_>, events: &[&StoredEvent]) -> Result<Vec<EventKey>> {
    let rows: Vec<[&dyn Bind; 9]> = events
        .iter()
        .map(|event| -> [&dyn Bind; 9] {
            [
                &event.id,
                &event.project_id,
                &event.event_id,
                &event.issue_id,
                &event.received_at_ms,
                &event.occurred_at_ms,
                &event.original,
                &event.result,
                &event.user_hash,
            ]
        })
        .collect();
    tx.insert_many_returning(
        "INSERT INTO event (id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms,
           original, result, user_hash) VALUES",
        &rows,
        "ON CONFLICT (project_id, event_id) DO NOTHING RETURNING project_id, event_id",
    )
    .await
}

/// Returns those of the events that are kept already.
pub(crate) async fn kept(tx: &mut Tx<'_>, keys: &[(i64, &Vec<u8>)]) -> Result<Vec<EventKey>> {
    let rows: Vec<[&dyn Bind; 2]> =
        keys.iter().map(|(project, event)| -> [&dyn Bind; 2] { [project, *event] }).collect();
    tx.insert_many_returning(
        "WITH wanted (project_id, event_id) AS (VALUES",
        &rows,
        ") SELECT e.project_id, e.event_id
         FROM wanted w
         JOIN event e ON e.project_id = w.project_id AND e.event_id = w.event_id",
    )
    .await
}

/// Returns the issue of an event.
pub(crate) async fn issue_of(
    tx: &mut Tx<'_>,
    project: ProjectId,
    event_id: &EventId,
) -> Result<Option<IssueId>> {
    let found: Option<i64> = tx
        .optional(
            "SELECT issue_id FROM event WHERE project_id = $1 AND event_id = $2",
            &[&project.0, &event_id.bytes()],
        )
        .await?;
    Ok(found.map(IssueId))
}

/// Returns an event by its id.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    event_id: &EventId,
) -> Result<Option<StoredEvent>> {
    tx.optional(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE project_id = $1 AND event_id = $2",
        &[&project.0, &event_id.bytes()],
    )
    .await
}

/// Returns an event by its row.
pub(crate) async fn by_row(tx: &mut Tx<'_>, id: i64) -> Result<Option<StoredEvent>> {
    tx.optional(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE id = $1",
        &[&id],
    )
    .await
}

/// Returns an event by its row, which no other transaction changes before this one ends.
pub(crate) async fn lock(tx: &mut Tx<'_>, id: i64) -> Result<Option<StoredEvent>> {
    let sql = tx.dialect().pick(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE id = $1",
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE id = $1
         FOR UPDATE",
    );
    tx.optional(sql, &[&id]).await
}

/// Which event of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// The newest.
    Latest,
    /// The oldest.
    Oldest,
    /// The next newer than this row.
    NewerThan(i64),
    /// The next older than this row.
    OlderThan(i64),
}

/// Returns one event of an issue.
pub(crate) async fn of_issue(
    tx: &mut Tx<'_>,
    issue: IssueId,
    which: Which,
) -> Result<Option<StoredEvent>> {
    let (sql, row) = match which {
        Which::Latest => (
            "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
               redigest_attempts, user_hash
             FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id DESC LIMIT 1",
            0,
        ),
        Which::Oldest => (
            "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
               redigest_attempts, user_hash
             FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id LIMIT 1",
            0,
        ),
        Which::NewerThan(row) => (
            "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
               redigest_attempts, user_hash
             FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id LIMIT 1",
            row,
        ),
        Which::OlderThan(row) => (
            "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
               redigest_attempts, user_hash
             FROM event WHERE issue_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1",
            row,
        ),
    };
    tx.optional(sql, &[&issue.0, &row]).await
}

/// Returns the event id of one event of an issue, without reading the event.
pub(crate) async fn id_of_issue(
    tx: &mut Tx<'_>,
    issue: IssueId,
    which: Which,
) -> Result<Option<Vec<u8>>> {
    let (sql, row) = match which {
        Which::Latest => (
            "SELECT event_id FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id DESC LIMIT 1",
            0,
        ),
        Which::Oldest => {
            ("SELECT event_id FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id LIMIT 1", 0)
        }
        Which::NewerThan(row) => {
            ("SELECT event_id FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id LIMIT 1", row)
        }
        Which::OlderThan(row) => (
            "SELECT event_id FROM event WHERE issue_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1",
            row,
        ),
    };
    tx.optional(sql, &[&issue.0, &row]).await
}

/// Returns events of an issue older than a row, newest first.
pub(crate) async fn page_of_issue(
    tx: &mut Tx<'_>,
    issue: IssueId,
    before_row: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    tx.all(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE issue_id = $1 AND id < $2
         ORDER BY id DESC
         LIMIT $3",
        &[&issue.0, &before_row, &limit],
    )
    .await
}

/// Returns events of a project older than a row, newest first.
pub(crate) async fn page_of_project(
    tx: &mut Tx<'_>,
    project: ProjectId,
    before_row: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    tx.all(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE project_id = $1 AND id < $2
         ORDER BY id DESC
         LIMIT $3",
        &[&project.0, &before_row, &limit],
    )
    .await
}

/// Returns events of an issue newer than a row, oldest first: the page before.
pub(crate) async fn newer_of_issue(
    tx: &mut Tx<'_>,
    issue: IssueId,
    after_row: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    tx.all(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE issue_id = $1 AND id > $2
         ORDER BY id
         LIMIT $3",
        &[&issue.0, &after_row, &limit],
    )
    .await
}

/// Returns events of a project newer than a row, oldest first: the page before.
pub(crate) async fn newer_of_project(
    tx: &mut Tx<'_>,
    project: ProjectId,
    after_row: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>> {
    tx.all(
        "SELECT id, project_id, event_id, issue_id, received_at_ms, occurred_at_ms, original, result,
           redigest_attempts, user_hash
         FROM event
         WHERE project_id = $1 AND id > $2
         ORDER BY id
         LIMIT $3",
        &[&project.0, &after_row, &limit],
    )
    .await
}

/// Event ids beside an event of an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Neighbours {
    /// The next older one.
    pub(crate) older: Option<Vec<u8>>,
    /// The next newer one.
    pub(crate) newer: Option<Vec<u8>>,
}
from_row!(Neighbours { older, newer });

/// Returns the events beside a row of an issue.
pub(crate) async fn neighbours(tx: &mut Tx<'_>, issue: IssueId, row: i64) -> Result<Neighbours> {
    tx.one(
        "SELECT (SELECT event_id FROM event WHERE issue_id = $1 AND id < $2 ORDER BY id DESC LIMIT 1),
           (SELECT event_id FROM event WHERE issue_id = $1 AND id > $2 ORDER BY id LIMIT 1)",
        &[&issue.0, &row],
    )
    .await
}

/// Returns how many events of an issue are newer than a row, and how many there are in all.
pub(crate) async fn position(tx: &mut Tx<'_>, issue: IssueId, row: i64) -> Result<(i64, i64)> {
    tx.one(
        "SELECT COUNT(CASE WHEN id > $2 THEN 1 END), COUNT(*) FROM event WHERE issue_id = $1",
        &[&issue.0, &row],
    )
    .await
}
