//! Digests of stored events that somebody asked for, and how far each is.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// Which events are digested again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Those of a project, else of all.
    pub(crate) project_id: Option<i64>,
    /// Those of an issue.
    pub(crate) issue_id: Option<i64>,
    /// Those that were received since then.
    pub(crate) since_ms: i64,
}

/// A digest of stored events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) id: i64,
    /// The row that was digested last; what is still to do is below it.
    pub(crate) before_id: i64,
    /// How often the next events were begun with.
    pub(crate) tries: i64,
    pub(crate) done: i64,
    pub(crate) changed: i64,
    pub(crate) moved: i64,
    pub(crate) failed: i64,
    pub(crate) started_at_ms: i64,
}
from_row!(Run { id, before_id, tries, done, changed, moved, failed, started_at_ms });

/// What one step adds to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Step {
    /// Where the run stood before.
    pub(crate) from_id: i64,
    /// Where it stands now.
    pub(crate) to_id: i64,
    pub(crate) done: i64,
    pub(crate) changed: i64,
    pub(crate) moved: i64,
    pub(crate) failed: i64,
}

/// Begins a run.
pub(crate) async fn insert(tx: &mut Tx<'_>, run: &Run, scope: &Scope) -> Result<()> {
    tx.execute(
        "INSERT INTO redigest_run (id, project_id, issue_id, since_ms, before_id, tries, done, changed, moved,
           failed, started_at_ms)
         VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, 0, $6)",
        &[
            &run.id, &scope.project_id, &scope.issue_id, &scope.since_ms, &run.before_id,
            &run.started_at_ms,
        ],
    )
    .await?;
    Ok(())
}

/// Returns the youngest run of a scope that did not come to its end.
pub(crate) async fn unfinished(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<Run>> {
    tx.optional(
        "SELECT id, before_id, tries, done, changed, moved, failed, started_at_ms
         FROM redigest_run
         WHERE finished_at_ms IS NULL AND since_ms = $3
           AND COALESCE(project_id, 0) = COALESCE(CAST($1 AS BIGINT), 0)
           AND COALESCE(issue_id, 0) = COALESCE(CAST($2 AS BIGINT), 0)
         ORDER BY id DESC
         LIMIT 1",
        &[&scope.project_id, &scope.issue_id, &scope.since_ms],
    )
    .await
}

/// Returns a run.
pub(crate) async fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<Run>> {
    tx.optional(
        "SELECT id, before_id, tries, done, changed, moved, failed, started_at_ms
         FROM redigest_run
         WHERE id = $1",
        &[&id],
    )
    .await
}

/// Notes, before it is made, that a step is tried, and returns how often it was tried now.
pub(crate) async fn count_try(tx: &mut Tx<'_>, id: i64) -> Result<i64> {
    tx.one("UPDATE redigest_run SET tries = tries + 1 WHERE id = $1 RETURNING tries", &[&id]).await
}

/// Moves a run on, unless another process did, and says so.
pub(crate) async fn advance(tx: &mut Tx<'_>, id: i64, step: &Step) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE redigest_run
             SET before_id = $3, tries = 0, done = done + $4, changed = changed + $5, moved = moved + $6,
               failed = failed + $7
             WHERE id = $1 AND before_id = $2",
            &[
                &id, &step.from_id, &step.to_id, &step.done, &step.changed, &step.moved, &step.failed,
            ],
        )
        .await?;
    Ok(changed > 0)
}

/// Ends a run.
pub(crate) async fn finish(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<()> {
    tx.execute("UPDATE redigest_run SET finished_at_ms = $2 WHERE id = $1", &[&id, &now_ms])
        .await?;
    Ok(())
}

/// Forgets runs that ended before `before_ms`, and unfinished ones that began before it.
pub(crate) async fn expire(tx: &mut Tx<'_>, before_ms: i64) -> Result<()> {
    let sql = "DELETE FROM redigest_run WHERE COALESCE(finished_at_ms, started_at_ms) < $1";
    tx.execute(sql, &[&before_ms]).await?;
    Ok(())
}

/// Returns the newest events of a scope below a row, newest first.
pub(crate) async fn events_below(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before_id: i64,
    since_id: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    match (scope.issue_id, scope.project_id) {
        (Some(issue_id), _) => {
            tx.all(
                "SELECT id FROM event WHERE issue_id = $1 AND id < $2 AND id >= $3
                 ORDER BY id DESC LIMIT $4",
                &[&issue_id, &before_id, &since_id, &limit],
            )
            .await
        }
        (None, Some(project_id)) => {
            tx.all(
                "SELECT id FROM event WHERE project_id = $1 AND id < $2 AND id >= $3
                 ORDER BY id DESC LIMIT $4",
                &[&project_id, &before_id, &since_id, &limit],
            )
            .await
        }
        (None, None) => {
            tx.all(
                "SELECT id FROM event WHERE id < $1 AND id >= $2 ORDER BY id DESC LIMIT $3",
                &[&before_id, &since_id, &limit],
            )
            .await
        }
    }
}

/// Returns how many events of a scope lie below a row.
pub(crate) async fn count_below(
    tx: &mut Tx<'_>,
    scope: &Scope,
    before_id: i64,
    since_id: i64,
) -> Result<i64> {
    match (scope.issue_id, scope.project_id) {
        (Some(issue_id), _) => {
            tx.one(
                "SELECT COUNT(*) FROM event WHERE issue_id = $1 AND id < $2 AND id >= $3",
                &[&issue_id, &before_id, &since_id],
            )
            .await
        }
        (None, Some(project_id)) => {
            tx.one(
                "SELECT COUNT(*) FROM event WHERE project_id = $1 AND id < $2 AND id >= $3",
                &[&project_id, &before_id, &since_id],
            )
            .await
        }
        (None, None) => {
            tx.one(
                "SELECT COUNT(*) FROM event WHERE id < $1 AND id >= $2",
                &[&before_id, &since_id],
            )
            .await
        }
    }
}
