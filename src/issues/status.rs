//! Resolve, reopen and ignore issues.

use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};

use crate::app::App;
use crate::db;
use crate::error::Result;

/// Sets the status of issues of a project and returns those that exist.
///
/// # Errors
/// When the database cannot be written; then nothing is changed.
pub(crate) async fn set(
    app: &App,
    project: ProjectId,
    issues: &[IssueId],
    status: IssueStatus,
) -> Result<Vec<IssueId>> {
    let issues = issues.to_vec();
    let now_ms = app.clock.now_ms();
    app.db
        .write(move |tx| {
            let issues = issues.clone();
            Box::pin(async move {
                let mut changed = Vec::with_capacity(issues.len());
                for issue in issues {
                    let status = status.as_str();
                    if db::issue::set_status(tx, project, issue, status, now_ms).await? {
                        changed.push(issue);
                    }
                }
                Ok(changed)
            })
        })
        .await
}
