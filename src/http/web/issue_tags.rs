//! All tags of an issue.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use pages::chrome::Chrome;
use pages::issue_head::IssueHead;
use pages::tags::IssueTags;
use protocol::short_id::short_id;

use super::figures::{count, shares, tag_url};
use super::html::Html;
use super::issue::{IssuePath, find};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::issue::StoredIssue;
use crate::db::project::Project;
use crate::error::Result;

/// Tag values that are read, the most frequent first.
const VALUES_READ_MAX: i64 = 20_000;
/// Tags that are shown, and how many values of each.
const TAGS_MAX: usize = 200;
const VALUES_MAX: usize = 10;

/// `GET /{organization}/{project}/issues/{issue}/tags/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<IssuePath>,
) -> Result<Response> {
    let issue = find(&app, &at.project, &path.issue).await?;
    let id = issue.id;
    let counts = app
        .db
        .read(move |tx| {
            Box::pin(async move { db::issue_count::tags(tx, id, VALUES_READ_MAX).await })
        })
        .await?;
    let issues_url = at.shown().issues_url();
    let mut tags =
        shares(&counts, TAGS_MAX, VALUES_MAX, |key, value| tag_url(&issues_url, key, value));
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    let page = IssueTags {
        chrome: Chrome { search: Some(String::new()), ..at.chrome(&app) },
        project: at.shown(),
        head: head(&at.project, &issue),
        tags,
    };
    Ok(Html(page).into_response())
}

/// What stands above the pages beside an issue's own.
pub(super) fn head(project: &Project, issue: &StoredIssue) -> IssueHead {
    IssueHead {
        short_id: short_id(&project.slug, issue.number),
        title: issue.title.clone(),
        culprit: issue.culprit.clone(),
        events: count(issue.times_seen),
    }
}
