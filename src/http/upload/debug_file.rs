//! `…/files/difs/assemble/` and `…/files/dsyms/`: debug files.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use protocol::id::DebugId;
use protocol::upload::{AssembleResponse, DebugFileInfo};
use serde::Deserialize;

use crate::accounts::permission::{ReadUploads, WriteUploads};
use crate::app::App;
use crate::db;
use crate::error::{Error, Result};
use crate::http::extract::ProjectAccess;
use crate::uploads::debug_file::{self, Owner};

/// Files on the list.
const LISTED_MAX: u32 = 100;

/// `POST /api/0/projects/{organization}/{project}/files/difs/assemble/`.
pub(crate) async fn assemble(
    State(app): State<App>,
    at: ProjectAccess<WriteUploads>,
    body: super::Body,
) -> Result<Json<BTreeMap<String, AssembleResponse>>> {
    let owner = Owner { organization: at.organization.id, project: at.project.id };
    Ok(Json(debug_file::assemble(&app, owner, super::json(body)?).await?))
}

/// What to list.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    /// A debug id in any spelling, or a part of an id or name.
    #[serde(default)]
    query: String,
    /// Exactly this debug id.
    #[serde(default)]
    debug_id: Option<DebugId>,
    /// Exactly this code id.
    #[serde(default)]
    code_id: Option<String>,
}

/// `GET /api/0/projects/{organization}/{project}/files/dsyms/`: the newest files first.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectAccess<ReadUploads>,
    search: std::result::Result<Query<Search>, QueryRejection>,
) -> Result<Json<Vec<DebugFileInfo>>> {
    let Query(search) = search.map_err(|rejection| Error::Invalid(rejection.body_text()))?;
    let project = at.project.id;
    let debug_id = search.debug_id.or_else(|| search.query.parse().ok()).map(|id| id.to_string());
    let code_id = search.code_id.map(|id| id.to_lowercase());
    let text = search.query.to_lowercase();
    let files = app
        .db
        .read(move |tx| {
            let (debug_id, code_id, text) = (debug_id.clone(), code_id.clone(), text.clone());
            Box::pin(async move {
                if let Some(debug_id) = &debug_id {
                    let found =
                        db::debug_file::with_debug_id(tx, project, debug_id, LISTED_MAX).await?;
                    if !found.is_empty() || code_id.is_none() {
                        return Ok(found);
                    }
                }
                match &code_id {
                    Some(id) => db::debug_file::with_code_id(tx, project, id, LISTED_MAX).await,
                    None => db::debug_file::search(tx, project, &text, LISTED_MAX).await,
                }
            })
        })
        .await?;
    Ok(Json(files.iter().map(debug_file::info).collect()))
}
