//! Whether a project has got its first event: asked by the page that waits for it, every few seconds.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use protocol::id::ProjectId;
use serde_json::json;

use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::error::Result;

/// `GET /{organization}/{project}/first-event`: 204 while there is none, then where to look at it.
pub(crate) async fn ask(State(app): State<App>, at: ProjectVisit<ReadEvents>) -> Result<Response> {
    let project = ProjectId(at.project.id);
    let last = app
        .db
        .read(move |tx| Box::pin(async move { db::issue::last_seen(tx, project).await }))
        .await?;
    Ok(match last {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(_) => Json(json!({"url": at.shown().issues_url()})).into_response(),
    })
}
