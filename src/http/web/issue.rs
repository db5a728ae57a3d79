//! One issue, showing one of its events.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use pages::chrome::Chrome;
use pages::help::UploadHelp;
use pages::issue::{Attachment, Issue, IssuePage, IssueStats, IssueStatus, Navigation, TraceView};
use pages::source::Contexts;
use protocol::event::Event;
use protocol::id::{EventId, IssueId, ProjectId};
use protocol::level::Level;
use protocol::short_id::{ShortId, short_id};
use protocol::time::Timestamp;
use serde::Deserialize;
use tracing::warn;

use super::activity::activity;
use super::figures::{count, daily, first_hour, shares, tag_url};
use super::grouped::grouping;
use super::html::Html;
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::attachment::AttachmentInfo;
use crate::db::event::{StoredEvent, Which};
use crate::db::issue::StoredIssue;
use crate::db::issue_count::TagCount;
use crate::db::issue_journal::Entry;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::http::origin::Origin;
use crate::http::upload_help::{self, waiting, waiting_keys};
use crate::ingest::stored;
use crate::issues::{named, source_lines};
use crate::{blocking, db::engine::Tx};

/// Source lines that are read before and after each frame's line.
const LINES_AROUND: u32 = 5;
/// Tag values that shares are computed of; the most frequent come first.
const TAG_VALUES_MAX: i64 = 1_000;
/// Tags whose values are shown beside the trace, and how many values of each.
const TAGS_SHOWN_MAX: usize = 8;
const VALUES_SHOWN_MAX: usize = 3;
/// Hashes that are counted.
const HASHES_MAX: i64 = 100;

/// Which issue a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct IssuePath {
    /// Short id (`SHOP-1K`), number in the project, or id.
    pub(super) issue: String,
}

/// Which event of an issue a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct EventPath {
    issue: String,
    event_id: String,
}

/// How the trace is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Look {
    #[serde(default)]
    view: String,
    #[serde(default)]
    raw: String,
    /// Short id of the issue whose address led here.
    from: Option<String>,
}

/// `GET /{organization}/{project}/issues/{issue}/`: the newest event.
pub(crate) async fn latest(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<IssuePath>,
    Query(look): Query<Look>,
    origin: Origin,
) -> Result<Response> {
    let issue = find(&app, &at.project, &path.issue).await?;
    if !names(&at.project, &path.issue, &issue) {
        // An issue that lost its last event to this one.
        let url = at.shown().issue_url(&short_id(&at.project.slug, issue.number));
        let from = match Named::parse(&at.project.slug, &path.issue) {
            Some(Named::ShortId(number)) => {
                format!("?from={}", short_id(&at.project.slug, number))
            }
            _ => String::new(),
        };
        return Ok(Redirect::to(&format!("{url}{from}")).into_response());
    }
    let id = IssueId(issue.id);
    let event = app
        .db
        .read(move |tx| Box::pin(async move { db::event::of_issue(tx, id, Which::Latest).await }))
        .await?;
    let event = event.ok_or(Error::NotFound)?;
    page(&app, &at, &origin, look, issue, event).await
}

/// `GET /{organization}/{project}/issues/{issue}/events/{event_id}/`.
///
/// An event that was symbolicated again may have moved to another issue: its address leads there.
pub(crate) async fn event(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<EventPath>,
    Query(look): Query<Look>,
    origin: Origin,
) -> Result<Response> {
    let (issue, event) =
        find_event(&app, &at.project, &path.event_id).await?.ok_or(Error::NotFound)?;
    if !names(&at.project, &path.issue, &issue) {
        let url = event_url(&at, &issue, &path.event_id);
        return Ok(Redirect::to(&url).into_response());
    }
    page(&app, &at, &origin, look, issue, event).await
}

/// Finds an issue of a project as a path names it.
///
/// # Errors
/// `NotFound` if there is none.
pub(super) async fn find(app: &App, project: &Project, name: &str) -> Result<StoredIssue> {
    let named = Named::parse(&project.slug, name).ok_or(Error::NotFound)?;
    let project = ProjectId(project.id);
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let (Named::ShortId(number) | Named::Number(number)) = named;
                let found = named::by_number(tx, project, number).await?;
                match named {
                    Named::Number(id) if found.is_none() => named::by_id(tx, IssueId(id)).await,
                    _ => Ok(found),
                }
            })
        })
        .await?;
    found.filter(|issue| issue.project_id == project.0).ok_or(Error::NotFound)
}

/// An issue's name in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// The number that a short id holds.
    ShortId(i64),
    /// The number in the project or, as the API has it, the id.
    Number(i64),
}

impl Named {
    fn parse(slug: &str, name: &str) -> Option<Self> {
        if let Ok(number) = name.parse() {
            return Some(Self::Number(number));
        }
        ShortId::parse(name).filter(|id| id.slug == slug).map(|id| Self::ShortId(id.number))
    }
}

fn names(project: &Project, name: &str, issue: &StoredIssue) -> bool {
    match Named::parse(&project.slug, name) {
        Some(Named::ShortId(number)) => number == issue.number,
        Some(Named::Number(number)) => number == issue.number || number == issue.id,
        None => false,
    }
}

/// Finds an event of a project with its issue.
///
/// # Errors
/// `NotFound` if the id is none.
pub(super) async fn find_event(
    app: &App,
    project: &Project,
    event_id: &str,
) -> Result<Option<(StoredIssue, StoredEvent)>> {
    let project = ProjectId(project.id);
    let event_id: EventId = event_id.parse().map_err(|_| Error::NotFound)?;
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let Some(event) = db::event::find(tx, project, &event_id).await? else {
                    return Ok(None);
                };
                let issue = db::issue::by_id(tx, IssueId(event.issue_id)).await?;
                Ok(issue.map(|issue| (issue, event)))
            })
        })
        .await
}

/// Returns the address of an event on its issue's page.
pub(super) fn event_url(
    at: &ProjectVisit<ReadEvents>,
    issue: &StoredIssue,
    event_id: &str,
) -> String {
    let short_id = short_id(&at.project.slug, issue.number);
    format!("{}events/{event_id}/", at.shown().issue_url(&short_id))
}

async fn page(
    app: &App,
    at: &ProjectVisit<ReadEvents>,
    origin: &Origin,
    look: Look,
    issue: StoredIssue,
    row: StoredEvent,
) -> Result<Response> {
    let raw = look.raw == "1";
    let (event, row) = unpacked(app, row).await?;
    let contexts = if raw { Contexts::new() } else { contexts(app, &event).await };
    let beside = beside(app, at.project.id, &issue, &row, waiting_keys(&event)).await?;
    let now_ms = app.clock.now_ms();
    let page = IssuePage {
        chrome: Chrome { search: Some(String::new()), ..at.chrome(app) },
        project: at.shown(),
        navigation: navigation(at, &issue, &row, &beside),
        view: TraceView::from_query(&look.view),
        raw,
        contexts,
        upload: UploadHelp {
            waiting: beside.waiting,
            ..upload_help::for_project(origin, &at.organization, &at.project)
        },
        attachments: beside.attachments.iter().map(|file| attachment(at, &row, file)).collect(),
        activity: activity(&at.project.slug, &issue, &beside.journal, look.from.as_deref()),
        stats: IssueStats {
            daily: daily(&beside.hours, now_ms),
            tags: shares(&beside.tags, TAGS_SHOWN_MAX, VALUES_SHOWN_MAX, |key, value| {
                tag_url(&at.shown().issues_url(), key, value)
            }),
        },
        grouping: grouping(&event, beside.hashes),
        issue: Issue {
            status_changed: beside.status_changed_ms.map(Timestamp),
            ..shown(&at.project.slug, issue)
        },
        event,
    };
    Ok(Html(page).into_response())
}

/// Unpacks the result of an event; it may be large, so off the async threads.
pub(super) async fn unpacked(app: &App, row: StoredEvent) -> Result<(Event, StoredEvent)> {
    let unpacker = app.dictionaries.unpacker(&app.db, [row.result.as_slice()]).await?;
    blocking::run(move || {
        let json = unpacker.result_json(&row.original, &row.result)?;
        Ok((stored::event(&json)?, row))
    })
    .await
}

/// Reads source lines. A page without them is better than none, so a failure is logged and not shown.
async fn contexts(app: &App, event: &Event) -> Contexts {
    match source_lines::read(app, event, LINES_AROUND).await {
        Ok(contexts) => contexts,
        Err(error) => {
            warn!("could not read source lines of an event: {error}");
            Contexts::new()
        }
    }
}

/// What stands beside an event.
struct Beside {
    /// Ids of events of the same issue.
    older: Option<EventId>,
    newer: Option<EventId>,
    oldest: Option<EventId>,
    latest: Option<EventId>,
    /// How many events of the issue are newer, and how many there are.
    place: (i64, i64),
    attachments: Vec<AttachmentInfo>,
    hours: Vec<(i64, i64)>,
    tags: Vec<TagCount>,
    hashes: usize,
    status_changed_ms: Option<i64>,
    journal: Vec<Entry>,
    waiting: BTreeMap<String, u64>,
}

async fn beside(
    app: &App,
    project: i64,
    issue: &StoredIssue,
    row: &StoredEvent,
    keys: Vec<String>,
) -> Result<Beside> {
    let (issue, row_id, event_id) =
        (IssueId(issue.id), row.id, row.event_id().ok_or(Error::NotFound)?);
    let from_hour = first_hour(app.clock.now_ms());
    app.db
        .read(move |tx| {
            let keys = keys.clone();
            Box::pin(async move {
                Ok(Beside {
                    older: neighbour(tx, issue, Which::OlderThan(row_id)).await?,
                    newer: neighbour(tx, issue, Which::NewerThan(row_id)).await?,
                    oldest: neighbour(tx, issue, Which::Oldest).await?,
                    latest: neighbour(tx, issue, Which::Latest).await?,
                    place: db::event::position(tx, issue, row_id).await?,
                    attachments: db::attachment::of_event(tx, ProjectId(project), &event_id)
                        .await?,
                    hours: db::issue_count::hours(tx, issue.0, from_hour).await?,
                    tags: db::issue_count::tags(tx, issue.0, TAG_VALUES_MAX).await?,
                    hashes: db::issue_search::hashes(tx, issue, HASHES_MAX).await?.len(),
                    status_changed_ms: db::issue_search::status_changed(tx, issue).await?,
                    journal: db::issue_journal::of_issue(tx, issue.0).await?,
                    waiting: waiting(tx, project, &keys).await?,
                })
            })
        })
        .await
}

async fn neighbour(tx: &mut Tx<'_>, issue: IssueId, which: Which) -> Result<Option<EventId>> {
    let found = db::event::id_of_issue(tx, issue, which).await?;
    Ok(found.and_then(|bytes| EventId::from_slice(&bytes)))
}

fn navigation(
    at: &ProjectVisit<ReadEvents>,
    issue: &StoredIssue,
    row: &StoredEvent,
    beside: &Beside,
) -> Navigation {
    let own = row.event_id();
    let url = |id: EventId| event_url(at, issue, &id.to_string());
    let other = |id: Option<EventId>| id.filter(|id| Some(*id) != own).map(url);
    let (newer, all) = beside.place;
    Navigation {
        older: other(beside.older),
        newer: other(beside.newer),
        oldest: other(beside.oldest),
        latest: other(beside.latest),
        current: own.map(url).unwrap_or_default(),
        position: Navigation::position_of(count(newer) + 1, count(all)),
        json: format!("{}json", project_event_url(at, row)),
        text: format!("{}text", project_event_url(at, row)),
        markdown: format!("{}markdown", project_event_url(at, row)),
    }
}

/// Returns the address of an event that holds whatever issue it is in.
fn project_event_url(at: &ProjectVisit<ReadEvents>, row: &StoredEvent) -> String {
    let id = row.event_id().map(|id| id.to_string()).unwrap_or_default();
    format!("/{}/{}/events/{id}/", at.organization.slug, at.project.slug)
}

fn attachment(
    at: &ProjectVisit<ReadEvents>,
    row: &StoredEvent,
    file: &AttachmentInfo,
) -> Attachment {
    Attachment {
        name: file.name.clone(),
        kind: file.kind.clone(),
        bytes: count(file.size),
        url: format!("{}attachments/{}", project_event_url(at, row), file.id),
    }
}

fn shown(slug: &str, issue: StoredIssue) -> Issue {
    Issue {
        id: issue.id,
        short_id: short_id(slug, issue.number),
        title: issue.title,
        culprit: issue.culprit,
        level: Level::from_text(&issue.level).unwrap_or_default(),
        status: IssueStatus::from_text(&issue.status).unwrap_or_default(),
        times_seen: count(issue.times_seen),
        users: count(issue.users_seen),
        first_seen: Timestamp(issue.first_seen_ms),
        last_seen: Timestamp(issue.last_seen_ms),
        first_release: issue.first_release,
        last_release: issue.last_release,
        status_changed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_have_three_names() {
        assert_eq!(Named::parse("web-shop", "WEB-SHOP-1K"), Some(Named::ShortId(51)));
        assert_eq!(Named::parse("web-shop", "web-shop-1k"), Some(Named::ShortId(51)));
        assert_eq!(Named::parse("web-shop", "51"), Some(Named::Number(51)));
        assert_eq!(Named::parse("web-shop", "OTHER-1K"), None);
        assert_eq!(Named::parse("web-shop", "latest"), None);
    }

    #[test]
    fn pages_ask_for_the_keys_that_the_digest_writes() {
        use protocol::stacktrace::FrameStatus;
        use symbolicate::wanted::Wanted;

        let debug_id = "bf5627ec-1a34-c0cc-408d-e3b4ae21aaee".parse().unwrap();
        let abs_path = "/app.js".to_owned();
        let map = FrameStatus::MissingSourceMap { debug_id, abs_path };
        assert_eq!(pages::reason::missing_keys(&map), Wanted::SourceMap { debug_id }.keys());
        let (debug_id, code_id) = (Some(debug_id), Some("ec2756bf34".parse().unwrap()));
        let file = FrameStatus::MissingDebugFile {
            debug_id,
            code_id: code_id.clone(),
            code_file: None,
            arch: None,
        };
        let wanted = Wanted::DebugFile { debug_id, code_id };
        assert_eq!(pages::reason::missing_keys(&file), wanted.keys());
    }
}
