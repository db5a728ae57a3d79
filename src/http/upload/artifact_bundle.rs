//! `…/artifactbundle/assemble/`: source map bundles.

use axum::Json;
use axum::extract::State;
use protocol::upload::AssembleResponse;

use crate::accounts::permission::WriteUploads;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::OrganizationAccess;
use crate::uploads::artifact_bundle;

/// `POST /api/0/organizations/{organization}/artifactbundle/assemble/`.
pub(crate) async fn assemble(
    State(app): State<App>,
    at: OrganizationAccess<WriteUploads>,
    body: super::Body,
) -> Result<Json<AssembleResponse>> {
    let request = super::json(body)?;
    Ok(Json(artifact_bundle::assemble(&app, at.organization.id, request).await?))
}
