//! Projects and their keys (`GET` only; they are made by commands).

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::organization::time;
use crate::accounts::permission::ReadProjects;
use crate::app::App;
use crate::db;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::db::project_key::ProjectKey;
use crate::error::Result;
use crate::http::extract::{Access, OrganizationAccess, ProjectAccess};
use crate::http::origin::Origin;

/// What of the search language the list of projects knows.
#[derive(Debug, Deserialize)]
pub(crate) struct Search {
    /// `dsn:<public key>` finds exactly the project of that key (npm `sentry` relies on it); anything else
    /// is part of a slug or name.
    #[serde(default)]
    query: String,
}

/// `GET /api/0/projects/`: those of all organizations the caller belongs to.
pub(crate) async fn list_all(
    State(app): State<App>,
    access: Access,
    Query(search): Query<Search>,
) -> Result<Json<Value>> {
    let ids = access.organizations_with::<ReadProjects>()?;
    let key = search.query.strip_prefix("dsn:").map(str::to_owned);
    let (found, admitted) = app
        .db
        .read(move |tx| {
            let (ids, key) = (ids.clone(), key.clone());
            Box::pin(async move {
                let mut found = Vec::new();
                for id in ids {
                    let Some(organization) = db::organization::find(tx, id).await? else {
                        continue;
                    };
                    let projects = db::project::active_of(tx, id).await?;
                    found.extend(
                        projects.into_iter().map(|project| (organization.clone(), project)),
                    );
                }
                let admission = match &key {
                    Some(key) => db::project_key::admit(tx, key).await?,
                    None => None,
                };
                Ok((found, admission.map(|admission| admission.project_id)))
            })
        })
        .await?;
    let is_wanted = |project: &Project| match search.query.strip_prefix("dsn:") {
        Some(_) => Some(project.id) == admitted,
        None => project.slug.contains(&search.query) || project.name.contains(&search.query),
    };
    let wanted = found.iter().filter(|(_, project)| is_wanted(project));
    Ok(Json(wanted.map(|(organization, project)| project_json(organization, project)).collect()))
}

/// `GET /api/0/organizations/{organization}/projects/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: OrganizationAccess<ReadProjects>,
) -> Result<Json<Value>> {
    let id = at.organization.id;
    let projects = app
        .db
        .read(move |tx| Box::pin(async move { db::project::active_of(tx, id).await }))
        .await?;
    Ok(Json(projects.iter().map(|project| project_json(&at.organization, project)).collect()))
}

/// `GET /api/0/projects/{organization}/{project}/`.
pub(crate) async fn show(at: ProjectAccess<ReadProjects>) -> Json<Value> {
    Json(project_json(&at.organization, &at.project))
}

/// `GET /api/0/projects/{organization}/{project}/keys/`.
pub(crate) async fn keys(
    State(app): State<App>,
    at: ProjectAccess<ReadProjects>,
    origin: Origin,
) -> Result<Json<Value>> {
    let id = at.project.id;
    let keys = app
        .db
        .read(move |tx| Box::pin(async move { db::project_key::all_of(tx, id).await }))
        .await?;
    Ok(Json(keys.iter().map(|key| key_json(key, &origin)).collect()))
}

/// Returns a project in Sentry's shape.
pub(crate) fn project_json(organization: &Organization, project: &Project) -> Value {
    json!({
        "id": project.id.to_string(),
        "slug": project.slug,
        "name": project.name,
        "platform": project.platform,
        "dateCreated": time(project.created_at_ms),
        "firstEvent": project.first_event_ms.map(time),
        "status": "active",
        "isBookmarked": false,
        "isMember": true,
        "hasAccess": true,
        "isInternal": false,
        "isPublic": false,
        "access": [],
        "features": [],
        "team": null,
        "teams": [],
        "color": "#3f51b5",
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": null},
        "organization": {
            "id": organization.id.to_string(),
            "slug": organization.slug,
            "name": organization.name,
        },
    })
}

/// Returns a key in Sentry's shape. `secret` is for old SDKs, which want one; it opens nothing.
fn key_json(key: &ProjectKey, origin: &Origin) -> Value {
    let dsn = origin.dsn(&key.public_key, key.project_id);
    let limit = key.rate_limit_events.zip(key.rate_limit_window_s);
    let endpoint = format!("{origin}/api/{}", key.project_id);
    json!({
        "id": key.public_key,
        "name": key.label,
        "label": key.label,
        "public": key.public_key,
        "secret": key.public_key,
        "projectId": key.project_id,
        "isActive": key.revoked_at_ms.is_none(),
        "rateLimit": limit.map(|(count, window)| json!({"count": count, "window": window})),
        "dateCreated": time(key.created_at_ms),
        "dsn": {
            "public": dsn,
            "secret": dsn,
            "minidump": format!("{endpoint}/minidump/?sentry_key={}", key.public_key),
            "security": format!("{endpoint}/security/?sentry_key={}", key.public_key),
        },
    })
}
