//! Issues that lost their last event to others: their ids and numbers lead to where most of it went.

use protocol::id::ProjectId;

use super::engine::Tx;
use crate::error::Result;

/// An emptied issue, and where its names lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redirect {
    pub(crate) old_issue_id: i64,
    pub(crate) project_id: i64,
    /// The number in the old issue's short id.
    pub(crate) number: i64,
    pub(crate) issue_id: i64,
    pub(crate) created_at_ms: i64,
}

/// Keeps a redirect.
pub(crate) async fn insert(tx: &mut Tx<'_>, redirect: &Redirect) -> Result<()> {
    let Redirect { old_issue_id, project_id, number, issue_id, created_at_ms } = redirect;
    tx.execute(
        "INSERT INTO issue_redirect (old_issue_id, project_id, number, issue_id, created_at_ms)
         VALUES ($1, $2, $3, $4, $5)",
        &[old_issue_id, project_id, number, issue_id, created_at_ms],
    )
    .await?;
    Ok(())
}

/// Lets what led to one issue lead to another one: chains collapse.
pub(crate) async fn collapse(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<()> {
    let sql = "UPDATE issue_redirect SET issue_id = $2 WHERE issue_id = $1";
    tx.execute(sql, &[&from, &to]).await?;
    Ok(())
}

/// Forgets what led to an issue, because it goes.
pub(crate) async fn delete_to(tx: &mut Tx<'_>, issue_id: i64) -> Result<()> {
    tx.execute("DELETE FROM issue_redirect WHERE issue_id = $1", &[&issue_id]).await?;
    Ok(())
}

/// Returns where an issue's id leads.
pub(crate) async fn by_id(tx: &mut Tx<'_>, old_issue_id: i64) -> Result<Option<i64>> {
    let sql = "SELECT issue_id FROM issue_redirect WHERE old_issue_id = $1";
    tx.optional(sql, &[&old_issue_id]).await
}

/// Returns where an issue's number within its project leads.
pub(crate) async fn by_number(
    tx: &mut Tx<'_>,
    project: ProjectId,
    number: i64,
) -> Result<Option<i64>> {
    tx.optional(
        "SELECT issue_id FROM issue_redirect WHERE project_id = $1 AND number = $2",
        &[&project.0, &number],
    )
    .await
}
