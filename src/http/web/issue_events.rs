//! The events of an issue, page by page.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use pages::chrome::Chrome;
use pages::events::{EventRow, IssueEvents};
use protocol::id::IssueId;
use protocol::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::html::Html;
use super::issue::{IssuePath, event_url, find};
use super::issue_tags::head;
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db::event::StoredEvent;
use crate::error::Result;
use crate::http::api::paging::{Cursor, Page};
use crate::ingest::stored::Unpacker;
use crate::{blocking, db};

/// Events of one page.
const EVENTS_MAX: usize = 25;

/// Which events are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    #[serde(default)]
    cursor: String,
}

/// `GET /{organization}/{project}/issues/{issue}/events/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<IssuePath>,
    Query(place): Query<Place>,
) -> Result<Response> {
    let issue = find(&app, &at.project, &path.issue).await?;
    let cursor = Cursor::parse(&place.cursor)?;
    let id = IssueId(issue.id);
    let limit = i64::try_from(EVENTS_MAX + 1).unwrap_or(i64::MAX);
    let read = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                if cursor.is_previous {
                    db::event::newer_of_issue(tx, id, cursor.id, limit).await
                } else {
                    db::event::page_of_issue(tx, id, cursor.id, limit).await
                }
            })
        })
        .await?;
    let page = Page::new(read, cursor, EVENTS_MAX, |event| (event.id, event.id));
    let head = head(&at.project, &issue);
    let events_url = format!("{}events/", at.shown().issue_url(&head.short_id));
    let url = |cursor: Option<Cursor>| {
        cursor.map(|cursor| format!("{events_url}?cursor={}", cursor.text()))
    };
    let (previous, next) = (url(page.previous()), url(page.next()));
    let blobs = page.items.iter().map(|event| event.result.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
    let read = move || Ok(page.items.iter().map(|event| row(event, &unpacker)).collect::<Vec<_>>());
    let rows = blocking::run(read).await?;
    let events = rows
        .into_iter()
        .map(|row| EventRow { url: event_url(&at, &issue, &row.id), ..row })
        .collect();
    let page = IssueEvents {
        chrome: Chrome { search: Some(String::new()), ..at.chrome(&app) },
        project: at.shown(),
        head,
        events,
        previous,
        next,
    };
    Ok(Html(page).into_response())
}

/// What of an event the list shows; the rest of it is not even parsed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    release: Option<String>,
    environment: Option<String>,
    transaction: Option<String>,
    server_name: Option<String>,
    user: Value,
    request: Value,
    logentry: Value,
    exception: Value,
}

/// An event that cannot be read is listed by what its row says.
fn row(event: &StoredEvent, unpacker: &Unpacker) -> EventRow {
    let json = unpacker.original_json(&event.original, &event.result).unwrap_or_default();
    let line: Line = serde_json::from_slice(&json).unwrap_or_default();
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let user = ["email", "username", "id", "ip_address"].into_iter();
    let message = ["formatted", "message"].into_iter();
    let exception = line.exception.get("values").unwrap_or(&line.exception);
    let exception = exception.as_array().and_then(|values| values.last());
    EventRow {
        id: event.event_id().map(|id| id.to_string()).unwrap_or_default(),
        url: String::new(),
        at: Timestamp(event.occurred_at_ms),
        user: user.filter_map(|key| text(line.user.get(key))).next(),
        words: message
            .filter_map(|key| text(line.logentry.get(key)))
            .next()
            .or_else(|| text(exception.and_then(|exception| exception.get("value"))))
            .or_else(|| text(exception.and_then(|exception| exception.get("type")))),
        place: line.transaction.or_else(|| text(line.request.get("url"))).or(line.server_name),
        release: line.release,
        environment: line.environment,
    }
}
