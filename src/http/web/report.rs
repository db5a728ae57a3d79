//! An event to be pasted elsewhere: as text and as Markdown.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pages::markdown::Report;
use protocol::short_id::short_id;

use super::event::EventPath;
use super::issue::{event_url, find_event, unpacked};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::error::{Error, Result};
use crate::http::origin::Origin;

/// Both are shown as they stand: a browser never takes them for a page.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// `GET /{organization}/{project}/events/{event_id}/text`.
pub(crate) async fn text(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<EventPath>,
    origin: Origin,
) -> Result<Response> {
    written(&app, &at, &path, &origin, |report| report.text()).await
}

/// `GET /{organization}/{project}/events/{event_id}/markdown`.
pub(crate) async fn markdown(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<EventPath>,
    origin: Origin,
) -> Result<Response> {
    written(&app, &at, &path, &origin, |report| report.markdown()).await
}

async fn written(
    app: &App,
    at: &ProjectVisit<ReadEvents>,
    path: &EventPath,
    origin: &Origin,
    write: impl Fn(&Report<'_>) -> String,
) -> Result<Response> {
    let found = find_event(app, &at.project, &path.event_id).await?;
    let (issue, row) = found.ok_or(Error::NotFound)?;
    let (event, row) = unpacked(app, row).await?;
    let id = row.event_id().map(|id| id.to_string()).unwrap_or_default();
    let report = Report {
        event: &event,
        title: &issue.title,
        short_id: &short_id(&at.project.slug, issue.number),
        url: &format!("{}{}", origin.as_str(), event_url(at, &issue, &id)),
    };
    Ok(([(header::CONTENT_TYPE, TEXT)], write(&report)).into_response())
}
