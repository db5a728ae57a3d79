//! The files that events of a project wait for; a resource of our own.

use axum::Json;
use axum::extract::State;
use pages::help::UploadHelp;
use pages::missing::MissingFile;
use serde_json::{Value, json};

use super::frame_json::reason_json;
use super::organization::time;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::ProjectAccess;
use crate::http::origin::Origin;
use crate::http::upload_help;
use crate::ingest::missing_files::{self, Waited};

/// `GET /api/0/projects/{organization}/{project}/files/missing/`, most events first.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    origin: Origin,
) -> Result<Json<Value>> {
    let help = upload_help::for_project(&origin, &at.organization, &at.project);
    let waited = missing_files::list(&app, at.project.id).await?;
    Ok(Json(waited.iter().filter_map(|file| file_json(file, &help)).collect()))
}

fn file_json(waited: &Waited, help: &UploadHelp) -> Option<Value> {
    let file = MissingFile::of(&waited.status, waited.name.as_deref(), help)?;
    Some(json!({
        "kind": file.kind.as_str(),
        "name": file.name,
        "debugId": file.debug_id,
        "codeId": file.code_id,
        "arch": file.arch,
        "events": waited.events,
        "lastSeen": time(waited.last_seen_ms),
        "latestEventID": waited.event_id.map(|id| id.to_string()),
        "reason": reason_json(&waited.status, help),
    }))
}
