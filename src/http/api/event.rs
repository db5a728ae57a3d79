//! Events: lists of them, and everything about one.

use axum::Json;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use protocol::id::{EventId, IssueId, ProjectId};
use protocol::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::attachment::crash_file_json;
use super::event_json::{Decoded, Surroundings, detail_json, item_json};
use super::paging::{Cursor, Page};
use super::parameters::Parameters;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db::event::{StoredEvent, Which};
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::db::{self, accepted};
use crate::error::{Error, Result};
use crate::http::extract::{OrganizationAccess, ProjectAccess};
use crate::http::issue_access::IssueAccess;
use crate::http::origin::Origin;
use crate::http::upload_help;
use crate::ingest::stored::{self, Unpacker};
use crate::issues::source_lines;
use crate::{blocking, grouping};

/// Source lines shown before and after a frame's line.
const CONTEXT_LINES: u32 = 5;
/// Newest events among which the one to look at first is chosen.
const RECOMMENDED_AMONG: i64 = 10;
/// Sentry's words for an event that is not there.
const NOT_FOUND: &str = "Event not found";

/// The event in a path.
#[derive(Debug, Deserialize)]
pub(crate) struct EventPath {
    event: String,
}

impl EventPath {
    /// Reads the id; what is none names no event.
    pub(super) fn id(&self) -> Result<EventId> {
        self.event.parse().map_err(|_| Error::Absent(NOT_FOUND.to_owned()))
    }
}

/// `GET /api/0/projects/{organization}/{project}/events/`, newest first.
pub(crate) async fn of_project(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    parameters: Parameters,
    origin: Origin,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list(&app, Of::Project(ProjectId(at.project.id)), &parameters, &origin, &uri).await
}

/// `GET …/issues/{issue}/events/`, newest first.
pub(crate) async fn of_issue(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
    parameters: Parameters,
    origin: Origin,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    list(&app, Of::Issue(IssueId(at.found.issue.id)), &parameters, &origin, &uri).await
}

/// Whose events are listed.
#[derive(Debug, Clone, Copy)]
enum Of {
    Project(ProjectId),
    Issue(IssueId),
}

async fn list(
    app: &App,
    of: Of,
    parameters: &Parameters,
    origin: &Origin,
    uri: &Uri,
) -> Result<Response> {
    if parameters.get("query").is_some_and(|query| !query.trim().is_empty()) {
        return Err(Error::Invalid(
            "Error parsing search query: events cannot be searched yet, leave `query` out"
                .to_owned(),
        ));
    }
    let (cursor, limit) = (parameters.cursor()?, parameters.limit()?);
    let read_max = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let read = app
        .db
        .read(move |tx| {
            let Cursor { key: row, is_previous, .. } = cursor;
            Box::pin(async move {
                match (of, is_previous) {
                    (Of::Project(id), false) => {
                        db::event::page_of_project(tx, id, row, read_max).await
                    }
                    (Of::Project(id), true) => {
                        db::event::newer_of_project(tx, id, row, read_max).await
                    }
                    (Of::Issue(id), false) => db::event::page_of_issue(tx, id, row, read_max).await,
                    (Of::Issue(id), true) => db::event::newer_of_issue(tx, id, row, read_max).await,
                }
            })
        })
        .await?;
    let page = Page::new(read, cursor, limit, |event: &StoredEvent| (event.id, 0));
    let headers = page.link(origin.as_str(), uri);
    let decoded = decode_all(app, page.items).await?;
    let items: Vec<Value> = decoded.iter().map(|event| Value::Object(item_json(event))).collect();
    Ok((headers, Json(items)).into_response())
}

/// `GET …/issues/{issue}/events/{latest | oldest | recommended | event id}/`.
pub(crate) async fn of_issue_named(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
    Path(path): Path<EventPath>,
    origin: Origin,
) -> Result<Json<Value>> {
    let issue = IssueId(at.found.issue.id);
    let project = ProjectId(at.found.project.id);
    let found = match path.event.as_str() {
        "latest" => one_of_issue(&app, issue, Which::Latest).await?,
        "oldest" => one_of_issue(&app, issue, Which::Oldest).await?,
        // `helpful` is the old name.
        "recommended" | "helpful" => recommended(&app, issue).await?,
        _ => {
            let found = find(&app, project, path.id()?).await?;
            Some(found).filter(|event| event.issue_id == issue.0)
        }
    };
    let found = found.ok_or_else(|| Error::Absent(NOT_FOUND.to_owned()))?;
    let owner = (&at.found.organization, &at.found.project);
    Ok(Json(detail(&app, &origin, owner, found).await?))
}

async fn one_of_issue(app: &App, issue: IssueId, which: Which) -> Result<Option<StoredEvent>> {
    app.db
        .read(move |tx| Box::pin(async move { db::event::of_issue(tx, issue, which).await }))
        .await
}

/// The newest event that is completely symbolicated, among the newest; else the newest.
async fn recommended(app: &App, issue: IssueId) -> Result<Option<StoredEvent>> {
    let newest = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                db::event::page_of_issue(tx, issue, i64::MAX, RECOMMENDED_AMONG).await
            })
        })
        .await?;
    let decoded = decode_all(app, newest.clone()).await?;
    let is_resolved = |decoded: &Decoded| {
        let frames =
            grouping::culprit::main_trace(&decoded.event).into_iter().flat_map(|t| &t.frames);
        let mut verdicts = frames.filter_map(|frame| frame.symbolication.as_ref());
        verdicts.all(|verdict| verdict.status.is_resolved())
    };
    let best = decoded.iter().find(|decoded| is_resolved(decoded)).or(decoded.first());
    let best_row = best.map(|decoded| decoded.row);
    Ok(newest.into_iter().find(|event| Some(event.id) == best_row))
}

/// `GET /api/0/projects/{organization}/{project}/events/{event}/`.
pub(crate) async fn show(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    Path(path): Path<EventPath>,
    origin: Origin,
) -> Result<Json<Value>> {
    let found = find(&app, ProjectId(at.project.id), path.id()?).await?;
    Ok(Json(detail(&app, &origin, (&at.organization, &at.project), found).await?))
}

/// `GET /api/0/projects/{organization}/{project}/events/{event}/json/`: the result as it is kept.
pub(crate) async fn json(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    Path(path): Path<EventPath>,
) -> Result<Response> {
    let found = find(&app, ProjectId(at.project.id), path.id()?).await?;
    let unpacker = app.dictionaries.unpacker(&app.db, [found.result.as_slice()]).await?;
    let body = blocking::run(move || unpacker.result_json(&found.original, &found.result)).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// `GET /api/0/organizations/{organization}/eventids/{event}/`: in which project an event is.
pub(crate) async fn by_id(
    State(app): State<App>,
    at: OrganizationAccess<ReadEvents>,
    Path(path): Path<EventPath>,
    origin: Origin,
) -> Result<Json<Value>> {
    let (organization, event_id) = (at.organization.id, path.id()?);
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                for project in db::project::active_of(tx, organization).await? {
                    let event = db::event::find(tx, ProjectId(project.id), &event_id).await?;
                    if let Some(event) = event {
                        return Ok(Some((project, event)));
                    }
                }
                Ok(None)
            })
        })
        .await?;
    let (project, event) = found.ok_or_else(|| Error::Absent(NOT_FOUND.to_owned()))?;
    Ok(Json(json!({
        "organizationSlug": at.organization.slug,
        "projectSlug": project.slug,
        "groupId": event.issue_id.to_string(),
        "eventId": event_id.to_string(),
        "event": detail(&app, &origin, (&at.organization, &project), event).await?,
    })))
}

/// Finds an event, or says what became of it.
async fn find(app: &App, project: ProjectId, event_id: EventId) -> Result<StoredEvent> {
    let (kept, waiting) = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let kept = db::event::find(tx, project, &event_id).await?;
                let waiting = match kept {
                    Some(_) => None,
                    None => accepted::find(tx, project, &event_id).await?,
                };
                Ok((kept, waiting))
            })
        })
        .await?;
    kept.ok_or_else(|| {
        Error::Absent(waiting.map_or_else(|| NOT_FOUND.to_owned(), |waiting| why_not_yet(&waiting)))
    })
}

fn why_not_yet(waiting: &accepted::Parked) -> String {
    let received = Timestamp(waiting.received_at_ms);
    let error = waiting.error.as_deref().unwrap_or("no error was noted");
    match (waiting.parked_at_ms, &waiting.error) {
        (Some(parked), _) => format!(
            "The event was accepted at {received} and could not be processed; it is kept aside since {}: {error}",
            Timestamp(parked)
        ),
        (None, Some(_)) => format!(
            "The event was accepted at {received} and waits to be processed again; the last try failed: {error}"
        ),
        (None, None) => format!("The event was accepted at {received} and waits to be processed"),
    }
}

/// Returns everything about an event.
async fn detail(
    app: &App,
    origin: &Origin,
    owner: (&Organization, &Project),
    event: StoredEvent,
) -> Result<Value> {
    let mut decoded = decode_all(app, vec![event]).await?;
    let decoded =
        decoded.pop().ok_or_else(|| Error::internal("an event was lost while decoding"))?;
    let (project, issue) = (ProjectId(decoded.project_id), IssueId(decoded.issue_id));
    let (row, event_id) = (decoded.row, decoded.event_id);
    let (neighbours, attachments) = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let neighbours = db::event::neighbours(tx, issue, row).await?;
                Ok((neighbours, db::attachment::of_event(tx, project, &event_id).await?))
            })
        })
        .await?;
    let id = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| EventId::from_slice(&bytes));
    let around = Surroundings {
        contexts: source_lines::read(app, &decoded.event, CONTEXT_LINES).await?,
        previous: id(neighbours.older),
        next: id(neighbours.newer),
        crash_file: crash_file_json(&event_id, &attachments),
        help: upload_help::for_event(app, origin, owner, &decoded.event).await?,
    };
    Ok(detail_json(&decoded, &around))
}

/// Unpacks kept events, where that may take its time.
async fn decode_all(app: &App, events: Vec<StoredEvent>) -> Result<Vec<Decoded>> {
    let blobs = events.iter().map(|event| event.result.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
    blocking::run(move || events.iter().map(|event| decode(event, &unpacker)).collect()).await
}

fn decode(stored: &StoredEvent, unpacker: &Unpacker) -> Result<Decoded> {
    let json = unpacker.result_json(&stored.original, &stored.result)?;
    Ok(Decoded {
        row: stored.id,
        project_id: stored.project_id,
        issue_id: stored.issue_id,
        event_id: stored.event_id().ok_or_else(|| Error::internal("a stored event id is none"))?,
        received_at_ms: stored.received_at_ms,
        occurred_at_ms: stored.occurred_at_ms,
        size: json.len(),
        event: stored::event(&json)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_not_there_yet_says_why() {
        let waiting = |parked_at_ms, error: Option<&str>| {
            why_not_yet(&accepted::Parked {
                received_at_ms: 1_795_226_127_147,
                parked_at_ms,
                error: error.map(str::to_owned),
            })
        };
        let accepted = "The event was accepted at 2026-11-21T01:55:27.147Z and";
        assert_eq!(waiting(None, None), format!("{accepted} waits to be processed"));
        assert_eq!(
            waiting(None, Some("no disk")),
            format!("{accepted} waits to be processed again; the last try failed: no disk")
        );
        assert_eq!(
            waiting(Some(1_795_226_128_000), Some("it aborts")),
            format!(
                "{accepted} could not be processed; it is kept aside since 2026-11-21T01:55:28.000Z: it aborts"
            )
        );
    }
}
