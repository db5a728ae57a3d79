//! Organizations (`GET` only; they are made by commands).

use axum::Json;
use axum::extract::State;
use protocol::time::Timestamp;
use serde_json::{Value, json};

use crate::accounts::permission::ReadOrganizations;
use crate::app::App;
use crate::db;
use crate::db::organization::Organization;
use crate::error::Result;
use crate::http::extract::{Access, OrganizationAccess};

/// `GET /api/0/organizations/`: those the caller belongs to.
pub(crate) async fn list(State(app): State<App>, access: Access) -> Result<Json<Value>> {
    let ids = access.organizations_with::<ReadOrganizations>()?;
    let organizations = app
        .db
        .read(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut organizations = Vec::with_capacity(ids.len());
                for id in ids {
                    organizations.extend(db::organization::find(tx, id).await?);
                }
                Ok(organizations)
            })
        })
        .await?;
    Ok(Json(organizations.iter().map(organization_json).collect()))
}

/// `GET /api/0/organizations/{organization}/`. It has no `links`: npm `sentry` then stays at the address it
/// was configured with.
pub(crate) async fn show(at: OrganizationAccess<ReadOrganizations>) -> Json<Value> {
    Json(organization_json(&at.organization))
}

/// Returns an organization in Sentry's shape.
pub(crate) fn organization_json(organization: &Organization) -> Value {
    json!({
        "id": organization.id.to_string(),
        "slug": organization.slug,
        "name": organization.name,
        "dateCreated": time(organization.created_at_ms),
        "isEarlyAdopter": false,
        "require2FA": false,
        "requireEmailVerification": false,
        "features": [],
        "status": {"id": "active", "name": "active"},
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": null},
    })
}

/// Returns a time as the API writes it.
pub(super) fn time(ms: i64) -> Value {
    Timestamp(ms).to_string().into()
}
