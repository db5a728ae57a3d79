//! The issues of a project.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use pages::issue::IssueStatus;
use pages::issues::{IssueList, IssueRow, StatusTab};
use protocol::id::ProjectId;
use protocol::level::Level;
use protocol::short_id::short_id;
use protocol::time::Timestamp;
use serde::Deserialize;

use super::figures::{count, daily, first_hour};
use super::html::Html;
use super::projects::{dsn, public_key};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::issue::{Before, StoredIssue};
use crate::error::{Error, Result};
use crate::http::origin::Origin;
use crate::ingest::summary::Metadata;

/// Issues of one page.
const ISSUES_MAX: usize = 50;

/// Which issues are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    #[serde(default)]
    status: String,
    /// Place after which the page starts: `<last seen in ms>-<id>`.
    before: Option<String>,
}

/// `GET /{organization}/{project}/`.
pub(crate) async fn front(at: ProjectVisit<ReadEvents>) -> Redirect {
    Redirect::to(&at.shown().issues_url())
}

/// `GET /{organization}/{project}/issues/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    origin: Origin,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let tab = StatusTab::from_query(&filter.status);
    let before = filter.before.as_deref().map_or(Ok(Before::START), place)?;
    let found = read(&app, &at, tab, before).await?;
    let project = at.shown();
    let url = project.issues_url();
    let after = |last: &StoredIssue| {
        format!("{url}?status={}&before={}-{}", tab.as_str(), last.last_seen_ms, last.id)
    };
    let shown = || found.issues.iter().take(ISSUES_MAX);
    let next = shown().next_back().filter(|_| found.issues.len() > ISSUES_MAX).map(after);
    let first = filter.before.is_some().then(|| format!("{url}?status={}", tab.as_str()));
    let now_ms = app.clock.now_ms();
    let issues = shown()
        .zip(&found.trends)
        .map(|(issue, hours)| row(issue, &project.slug, daily(hours, now_ms)))
        .collect();
    let page = IssueList {
        chrome: at.chrome(&app),
        issues,
        filter: tab,
        next,
        first,
        dsn: dsn(&origin, found.public_key.as_deref(), at.project.id),
        has_events: found.has_events,
        project,
    };
    Ok(Html(page).into_response())
}

/// Reads a place in the list.
fn place(text: &str) -> Result<Before> {
    let read = |(last_seen_ms, id): (&str, &str)| {
        Some(Before { last_seen_ms: last_seen_ms.parse().ok()?, id: id.parse().ok()? })
    };
    let invalid = || Error::Invalid(format!("`{text}` is no place in the list: start at its top"));
    text.split_once('-').and_then(read).ok_or_else(invalid)
}

/// What the page shows, one more issue than it has room for.
struct Found {
    issues: Vec<StoredIssue>,
    /// Events per hour of each issue that is shown.
    trends: Vec<Vec<(i64, i64)>>,
    public_key: Option<String>,
    has_events: bool,
}

async fn read(
    app: &App,
    at: &ProjectVisit<ReadEvents>,
    tab: StatusTab,
    before: Before,
) -> Result<Found> {
    let (id, now_ms) = (at.project.id, app.clock.now_ms());
    let status = (tab != StatusTab::All).then(|| tab.as_str());
    let limit = i64::try_from(ISSUES_MAX + 1).unwrap_or(i64::MAX);
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let project = ProjectId(id);
                let issues = db::issue::page(tx, project, status, before, limit).await?;
                let mut trends = Vec::new();
                for issue in issues.iter().take(ISSUES_MAX) {
                    trends.push(db::issue_count::hours(tx, issue.id, first_hour(now_ms)).await?);
                }
                let has_events =
                    !issues.is_empty() || db::issue::last_seen(tx, project).await?.is_some();
                let public_key = public_key(tx, id).await?;
                Ok(Found { issues, trends, public_key, has_events })
            })
        })
        .await
}

fn row(issue: &StoredIssue, slug: &str, trend: Vec<u64>) -> IssueRow {
    let metadata: Metadata = serde_json::from_str(&issue.metadata).unwrap_or_default();
    IssueRow {
        id: issue.id,
        short_id: short_id(slug, issue.number),
        title: issue.title.clone(),
        culprit: issue.culprit.clone(),
        level: Level::from_text(&issue.level).unwrap_or_default(),
        status: IssueStatus::from_text(&issue.status).unwrap_or_default(),
        platform: issue.platform.clone(),
        times_seen: count(issue.times_seen),
        users: count(issue.users_seen),
        first_seen: Timestamp(issue.first_seen_ms),
        last_seen: Timestamp(issue.last_seen_ms),
        release: issue.last_release.clone(),
        unresolved_frames: metadata.unresolved_frames > 0,
        handled: issue.is_unhandled_at_ms.map(|_| false),
        trend,
    }
}
