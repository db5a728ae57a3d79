//! Resolve, reopen and ignore issues.

use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};

use super::list::{self, Listing};
use crate::app::App;
use crate::db;
use crate::db::issue_search::Place;
use crate::error::Result;

/// Issues changed in one transaction, so that the digest gets its turn between two of them.
const BATCH_ISSUES: i64 = 1_000;
/// Batches of one request: a million issues.
const BATCHES_MAX: u32 = 1_000;

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

/// Sets the status of all issues that are found, whatever page they are on, and returns how many had another.
///
/// # Errors
/// When the database cannot be written; batches before that one stay changed, and a second call goes on.
pub(crate) async fn set_found(app: &App, found: &Listing, status: IssueStatus) -> Result<u64> {
    let now_ms = app.clock.now_ms();
    let from_the_top = Listing { place: Place::START, limit: BATCH_ISSUES, ..found.clone() };
    let mut changed = 0;
    for _ in 0..BATCHES_MAX {
        let found = from_the_top.clone();
        let batch = app
            .db
            .write(move |tx| {
                let found = found.clone();
                Box::pin(async move {
                    let issues = list::to_change(tx, &found, status).await?;
                    for (project, issue) in &issues {
                        let status = status.as_str();
                        db::issue::set_status(tx, *project, *issue, status, now_ms).await?;
                    }
                    Ok(issues.len())
                })
            })
            .await?;
        changed += u64::try_from(batch).unwrap_or(u64::MAX);
        if batch == 0 {
            break;
        }
    }
    Ok(changed)
}

/// Sets the status of all issues of a project that have the status `from` (`None`: any other), and returns
/// how many there were.
///
/// # Errors
/// When the database cannot be written; batches before that one stay changed, and a second call goes on.
pub(crate) async fn set_all(
    app: &App,
    project: ProjectId,
    from: Option<IssueStatus>,
    status: IssueStatus,
) -> Result<u64> {
    let now_ms = app.clock.now_ms();
    let mut changed = 0;
    for _ in 0..BATCHES_MAX {
        let batch = app
            .db
            .write(move |tx| {
                let (from, to) = (from.map(IssueStatus::as_str), status.as_str());
                Box::pin(async move {
                    db::issue_search::set_status_where(tx, project, from, to, now_ms, BATCH_ISSUES)
                        .await
                })
            })
            .await?;
        changed += batch;
        if batch == 0 {
            break;
        }
    }
    Ok(changed)
}
