//! The uploaded debug files of a project.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use pages::chrome::Section;
use pages::debug_files::{DebugFileList, DebugFileRow, Readiness};
use protocol::time::Timestamp;

use super::figures::count;
use super::html::Html;
use super::listing::{Listing, ROWS_MAX, limit};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadProjects;
use crate::app::App;
use crate::db;
use crate::db::debug_file::DebugFile;
use crate::error::Result;
use crate::http::origin::Origin;
use crate::symbols::derived::readiness;

/// `GET /{organization}/{project}/debug-files/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadProjects>,
    origin: Origin,
    Query(listing): Query<Listing>,
) -> Result<Response> {
    let before = listing.before(i64::MAX, |text| text.parse().ok())?;
    let (project, text) = (at.project.id, listing.text());
    let mut files = app
        .db
        .read(move |tx| {
            let text = text.clone();
            Box::pin(async move { db::debug_file::page(tx, project, &text, before, limit()).await })
        })
        .await?;
    let project = at.shown();
    let path = project.debug_files_url();
    let next = listing.next(&path, &files, |file| file.id.to_string());
    files.truncate(ROWS_MAX);
    let ready = readiness::of_each(&app, &files).await?;
    let page = DebugFileList {
        chrome: at.chrome_in(&app, Section::DebugFiles),
        query: listing.query().to_owned(),
        files: files.into_iter().zip(ready).map(|(file, ready)| row(file, ready)).collect(),
        first: listing.first(&path),
        next,
        upload: at.upload_help(&origin),
        project,
    };
    Ok(Html(page).into_response())
}

fn row(file: DebugFile, ready: readiness::Readiness) -> DebugFileRow {
    DebugFileRow {
        name: file.name,
        debug_id: file.debug_id,
        code_id: file.code_id,
        format: file.format,
        kind: file.object_kind,
        arch: file.arch,
        features: file.features.split_whitespace().map(str::to_owned).collect(),
        bytes: count(file.size),
        uploaded: Timestamp(file.created_at_ms),
        gaps: file.detail,
        readiness: match ready {
            readiness::Readiness::Ready => Readiness::Ready,
            readiness::Readiness::OnFirstUse => Readiness::OnFirstUse,
            readiness::Readiness::Unusable(why) => Readiness::Unusable(why),
            readiness::Readiness::TooLargeHere(why) => Readiness::TooLargeHere(why),
            readiness::Readiness::Nothing => Readiness::Nothing,
        },
    }
}
