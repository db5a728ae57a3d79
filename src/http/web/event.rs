//! An event by its id alone: where SDKs' ids and links lead, whatever became of the event.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use pages::message::MessagePage;
use protocol::id::{EventId, ProjectId};
use serde::Deserialize;
use serde_json::Value;

use super::html::Html;
use super::issue::{event_url, find_event};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::error::{Error, Result};
use crate::{blocking, db};

/// Seconds after which the page of a waiting event asks again.
const ASK_AGAIN_S: &str = "2";

/// Which event a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct EventPath {
    pub(super) event_id: String,
}

/// `GET /{organization}/{project}/events/{event_id}/`.
pub(crate) async fn find(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<EventPath>,
) -> Result<Response> {
    if let Some((issue, event)) = find_event(&app, &at.project, &path.event_id).await? {
        let id = event.event_id().map(|id| id.to_string()).unwrap_or_default();
        return Ok(Redirect::to(&event_url(&at, &issue, &id)).into_response());
    }
    let event_id: EventId = path.event_id.parse().map_err(|_| Error::NotFound)?;
    let project = ProjectId(at.project.id);
    let waiting = app
        .db
        .read(move |tx| Box::pin(async move { db::accepted::find(tx, project, &event_id).await }))
        .await?;
    let waiting = waiting.ok_or(Error::NotFound)?;
    let (chrome, issues_url) = (at.chrome(&app), at.shown().issues_url());
    if waiting.parked_at_ms.is_some() {
        let error = waiting.error.unwrap_or_else(|| "no reason was written down".to_owned());
        return Ok(Html(MessagePage::parked(chrome, &error, &issues_url)).into_response());
    }
    let page = Html(MessagePage::waiting(chrome, waiting.error.as_deref(), &issues_url));
    Ok(([(header::REFRESH, HeaderValue::from_static(ASK_AGAIN_S))], page).into_response())
}

/// Which of the two forms of an event is wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Form {
    /// `original`: as it was accepted, normalized and scrubbed; anything else: as it was symbolicated.
    #[serde(default)]
    form: String,
}

/// `GET /{organization}/{project}/events/{event_id}/json`.
pub(crate) async fn json(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<EventPath>,
    Query(form): Query<Form>,
) -> Result<Response> {
    let found = find_event(&app, &at.project, &path.event_id).await?;
    let (_, row) = found.ok_or(Error::NotFound)?;
    let unpacker = app.dictionaries.unpacker(&app.db, [row.result.as_slice()]).await?;
    let json = blocking::run(move || {
        let json = match form.form.as_str() {
            "original" => unpacker.original_json(&row.original, &row.result)?,
            _ => unpacker.result_json(&row.original, &row.result)?,
        };
        let value: Value = serde_json::from_slice(&json)?;
        Ok(serde_json::to_vec_pretty(&value)?)
    })
    .await?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind)], json).into_response())
}
