//! Finding an issue by one of its names. An issue that lost its last event to another one is found under
//! its old names as that one.

use protocol::id::{IssueId, ProjectId};

use crate::db::engine::Tx;
use crate::db::issue::{self, StoredIssue};
use crate::db::issue_redirect;
use crate::error::Result;

/// Most redirects that are followed: chains collapse when they are made, except when two transactions make
/// two links at the same moment.
const HOPS_MAX: usize = 8;

/// Finds an issue by its id, or by the id of one that leads to it.
pub(crate) async fn by_id(tx: &mut Tx<'_>, id: IssueId) -> Result<Option<StoredIssue>> {
    let mut id = id;
    for _ in 0..HOPS_MAX {
        if let Some(issue) = issue::by_id(tx, id).await? {
            return Ok(Some(issue));
        }
        match issue_redirect::by_id(tx, id.0).await? {
            Some(next) => id = IssueId(next),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Finds an issue by its number in its project, or by that of one that leads to it.
pub(crate) async fn by_number(
    tx: &mut Tx<'_>,
    project: ProjectId,
    number: i64,
) -> Result<Option<StoredIssue>> {
    if let Some(issue) = issue::by_number(tx, project, number).await? {
        return Ok(Some(issue));
    }
    match issue_redirect::by_number(tx, project, number).await? {
        Some(id) => by_id(tx, IssueId(id)).await,
        None => Ok(None),
    }
}
