//! The files that events of a project wait for.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use pages::chrome::{Chrome, Section};
use pages::missing::{MissingFile, MissingPage, MissingRow};
use protocol::time::Timestamp;

use super::figures::count;
use super::html::Html;
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::error::Result;
use crate::http::origin::Origin;
use crate::http::upload_help;
use crate::ingest::missing_files;

/// `GET /{organization}/{project}/missing/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    origin: Origin,
) -> Result<Response> {
    let help = upload_help::for_project(&origin, &at.organization, &at.project);
    let waited = missing_files::list(&app, at.project.id).await?;
    let base = format!("/{}/{}/events/", at.organization.slug, at.project.slug);
    let row = |file: &missing_files::Waited| {
        Some(MissingRow {
            events: count(file.events),
            last_seen: Timestamp(file.last_seen_ms),
            event_url: file.event_id.map(|id| format!("{base}{id}/")),
            file: MissingFile::of(&file.status, file.name.as_deref(), &help)?,
        })
    };
    let page = MissingPage {
        chrome: Chrome { section: Section::Missing, ..at.chrome(&app) },
        project: at.shown(),
        files: waited.iter().filter_map(row).collect(),
    };
    Ok(Html(page).into_response())
}
