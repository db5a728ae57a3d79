//! Resolve, reopen and ignore issues; the journal says who did.

use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};

use super::list::{self, Listing};
use super::{journal, named};
use crate::app::App;
use crate::clock::Clock;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue_search::Place;
use crate::error::Result;

/// Issues changed in one transaction, so that the digest gets its turn between two of them.
const BATCH_ISSUES: i64 = 1_000;
/// Batches of one request: a million issues.
const BATCHES_MAX: u32 = 1_000;

/// Sets the status of issues of a project and returns those that exist. One that became a redirect meanwhile
/// is the one it leads to.
///
/// # Errors
/// When the database cannot be written; then nothing is changed.
pub(crate) async fn set(
    app: &App,
    project: ProjectId,
    issues: &[IssueId],
    status: IssueStatus,
    actor: &str,
) -> Result<Vec<IssueId>> {
    let change = Change { project, status, actor: actor.to_owned(), clock: app.clock.clone() };
    let issues = issues.to_vec();
    app.db
        .write(move |tx| {
            let (issues, change) = (issues.clone(), change.clone());
            Box::pin(async move {
                let mut changed = Vec::with_capacity(issues.len());
                for issue in issues {
                    changed.extend(change.one(tx, issue).await?);
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
pub(crate) async fn set_found(
    app: &App,
    found: &Listing,
    status: IssueStatus,
    actor: &str,
) -> Result<u64> {
    let from_the_top = Listing { place: Place::START, limit: BATCH_ISSUES, ..found.clone() };
    let mut changed = 0;
    for _ in 0..BATCHES_MAX {
        let (found, actor, clock) = (from_the_top.clone(), actor.to_owned(), app.clock.clone());
        let batch = app
            .db
            .write(move |tx| {
                let (found, actor, clock) = (found.clone(), actor.clone(), clock.clone());
                Box::pin(async move {
                    let issues = list::to_change(tx, &found, status).await?;
                    for (project, issue) in &issues {
                        let (project, actor) = (*project, actor.clone());
                        let change = Change { project, status, actor, clock: clock.clone() };
                        change.one(tx, *issue).await?;
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

/// What somebody decided.
#[derive(Debug, Clone)]
struct Change {
    project: ProjectId,
    status: IssueStatus,
    actor: String,
    clock: Clock,
}

impl Change {
    async fn one(&self, tx: &mut Tx<'_>, id: IssueId) -> Result<Option<IssueId>> {
        let Some(issue) = named::by_id(tx, id).await? else { return Ok(None) };
        let (id, status) = (IssueId(issue.id), self.status.as_str());
        let now_ms = self.clock.now_ms();
        if !db::issue::set_status(tx, self.project, id, status, now_ms).await? {
            return Ok(None);
        }
        if issue.status != status {
            journal::decided(tx, &self.clock, issue.id, self.status, &self.actor).await?;
        }
        Ok(Some(id))
    }

    async fn batch(&self, tx: &mut Tx<'_>, from: Option<IssueStatus>) -> Result<u64> {
        let (from, to) = (from.map(IssueStatus::as_str), self.status.as_str());
        let (project, now_ms) = (self.project, self.clock.now_ms());
        let changed =
            db::issue_search::set_status_where(tx, project, from, to, now_ms, BATCH_ISSUES).await?;
        for id in &changed {
            journal::decided(tx, &self.clock, *id, self.status, &self.actor).await?;
        }
        Ok(changed.len() as u64)
    }
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
    actor: &str,
) -> Result<u64> {
    let change = Change { project, status, actor: actor.to_owned(), clock: app.clock.clone() };
    let mut changed = 0;
    for _ in 0..BATCHES_MAX {
        let change = change.clone();
        let batch = app
            .db
            .write(move |tx| {
                let change = change.clone();
                Box::pin(async move { change.batch(tx, from).await })
            })
            .await?;
        changed += batch;
        if batch == 0 {
            break;
        }
    }
    Ok(changed)
}
