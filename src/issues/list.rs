//! Lists of issues: of one project or of several, searched, ordered, from a place on.

use pages::issue::IssueStatus;
use protocol::id::{EventId, IssueId, ProjectId};
use protocol::short_id::ShortId;

use super::named;
use super::query::IssueQuery;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::issue_search::{Holds, Match, Place, Sort};
use crate::db::project::Project;
use crate::error::Result;

/// What is listed.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    /// The projects that the caller may see, before the query's own choice.
    pub(crate) projects: Vec<Project>,
    /// What is searched.
    pub(crate) query: IssueQuery,
    /// In which order.
    pub(crate) sort: Sort,
    /// From where on.
    pub(crate) place: Place,
    /// How many at most.
    pub(crate) limit: i64,
}

impl Listing {
    /// Returns the projects that are searched.
    fn searched(&self) -> impl Iterator<Item = &Project> {
        let named = &self.query.projects;
        self.projects.iter().filter(|project| named.is_empty() || named.contains(&project.slug))
    }
}

/// Returns issues from the listing's place on, nearest first: for a place before which they are, that is against
/// the list's order.
///
/// The lists of all projects and statuses in question are merged: each of them walks an index, where one statement
/// over all would sort everything.
pub(crate) async fn search(tx: &mut Tx<'_>, listing: &Listing) -> Result<Vec<StoredIssue>> {
    let mut read = Vec::new();
    if asks_for_nothing(tx, listing).await? {
        return Ok(read);
    }
    let order = (listing.sort, listing.place);
    for project in listing.searched() {
        for status in &listing.query.statuses {
            let (project, status) = (ProjectId(project.id), status.as_str());
            let filter = &listing.query.filter;
            let found =
                db::issue_search::search(tx, project, status, filter, order, listing.limit).await?;
            read.extend(found);
        }
    }
    read.sort_unstable_by_key(|issue| std::cmp::Reverse((listing.sort.key(issue), issue.id)));
    if matches!(listing.place, Place::Before(..)) {
        read.reverse();
    }
    read.truncate(usize::try_from(listing.limit).unwrap_or(usize::MAX));
    Ok(read)
}

/// Says whether a tag is asked for that no issue at all has: then no list needs to be walked to its end.
async fn asks_for_nothing(tx: &mut Tx<'_>, listing: &Listing) -> Result<bool> {
    for test in &listing.query.filter.tests {
        let (false, Holds::Tag(key, Match::OneOf(values))) = (test.is_negated, &test.holds) else {
            continue;
        };
        let mut is_known = false;
        for value in values {
            is_known |= db::issue_count::is_value(tx, key, value).await?;
        }
        if !is_known {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Finds the one issue that the query names, by short id or by the id of one of its events.
pub(crate) async fn named(tx: &mut Tx<'_>, listing: &Listing) -> Result<Option<StoredIssue>> {
    if let Some(short_id) = &listing.query.short_id
        && let Some(found) = by_short_id(tx, listing, short_id).await?
    {
        return Ok(Some(found));
    }
    match &listing.query.event_id {
        Some(event_id) => with_event(tx, listing, event_id).await,
        None => Ok(None),
    }
}

async fn by_short_id(
    tx: &mut Tx<'_>,
    listing: &Listing,
    short_id: &ShortId,
) -> Result<Option<StoredIssue>> {
    match listing.searched().find(|project| project.slug == short_id.slug) {
        Some(project) => named::by_number(tx, ProjectId(project.id), short_id.number).await,
        None => Ok(None),
    }
}

async fn with_event(
    tx: &mut Tx<'_>,
    listing: &Listing,
    event_id: &EventId,
) -> Result<Option<StoredIssue>> {
    for project in listing.searched() {
        let project = ProjectId(project.id);
        if let Some(issue) = db::event::issue_of(tx, project, event_id).await? {
            return db::issue::by_id(tx, issue).await;
        }
    }
    Ok(None)
}

/// Returns the ids of up to `limit` issues that a change would change: those found that have another status.
pub(crate) async fn to_change(
    tx: &mut Tx<'_>,
    listing: &Listing,
    to: IssueStatus,
) -> Result<Vec<(ProjectId, IssueId)>> {
    let mut listing = listing.clone();
    listing.query.statuses.retain(|status| *status != to);
    let found = search(tx, &listing).await?;
    Ok(found.iter().map(|issue| (ProjectId(issue.project_id), IssueId(issue.id))).collect())
}
