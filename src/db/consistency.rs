//! What `ingest::consistency` reads to count everything anew.

use super::engine::{Tx, from_row};
use super::issue::StoredIssue;
use crate::error::Result;

/// Returns issues after an id, in the order of ids; of one project or of all.
pub(crate) async fn issues_after(
    tx: &mut Tx<'_>,
    project: Option<i64>,
    after_id: i64,
    limit: i64,
) -> Result<Vec<StoredIssue>> {
    tx.all(
        "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
           first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
           is_unhandled_at_ms
         FROM issue
         WHERE id > $1 AND (CAST($2 AS BIGINT) IS NULL OR project_id = $2)
         ORDER BY id
         LIMIT $3",
        &[&after_id, &project, &limit],
    )
    .await
}

/// Returns the users that an issue counts, with their events.
pub(crate) async fn users(tx: &mut Tx<'_>, issue_id: i64) -> Result<Vec<(Vec<u8>, i64)>> {
    tx.all("SELECT user_hash, n FROM issue_user WHERE issue_id = $1", &[&issue_id]).await
}

/// Returns the tag values that an issue counts.
pub(crate) async fn tags(tx: &mut Tx<'_>, issue_id: i64) -> Result<Vec<(String, String, i64)>> {
    tx.all("SELECT key, value, n FROM issue_tag WHERE issue_id = $1", &[&issue_id]).await
}

/// Returns the hours that an issue counts.
pub(crate) async fn hours(tx: &mut Tx<'_>, issue_id: i64) -> Result<Vec<(i64, i64)>> {
    tx.all("SELECT hour, n FROM issue_hour WHERE issue_id = $1 AND n <> 0", &[&issue_id]).await
}

/// How many rows point to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dangling {
    /// Events of issues that do not exist.
    pub(crate) events: i64,
    /// Hashes of issues that do not exist.
    pub(crate) hashes: i64,
    /// Redirects to issues that do not exist.
    pub(crate) redirects: i64,
    /// Missing files of events that do not exist.
    pub(crate) missing_files: i64,
    /// Keys of missing files that are counted wrongly.
    pub(crate) missing_keys: i64,
}
from_row!(Dangling { events, hashes, redirects, missing_files, missing_keys });

/// Counts rows that point to nothing, in the whole database.
pub(crate) async fn dangling(tx: &mut Tx<'_>) -> Result<Dangling> {
    tx.one(
        "SELECT
           (SELECT COUNT(*) FROM event e WHERE NOT EXISTS (SELECT 1 FROM issue i WHERE i.id = e.issue_id)),
           (SELECT COUNT(*) FROM group_hash g WHERE NOT EXISTS (SELECT 1 FROM issue i WHERE i.id = g.issue_id)),
           (SELECT COUNT(*) FROM issue_redirect r WHERE NOT EXISTS (SELECT 1 FROM issue i WHERE i.id = r.issue_id)),
           (SELECT COUNT(*) FROM missing_file m WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.id = m.event_row_id)),
           (SELECT COUNT(*) FROM (
              SELECT project_id, key, SUM(n) AS n FROM (
                SELECT project_id, key, 1 AS n FROM missing_file
                UNION ALL
                SELECT project_id, key, -n FROM missing_key) AS sums
              GROUP BY project_id, key
              HAVING SUM(n) <> 0) AS wrong)",
        &[],
    )
    .await
}
