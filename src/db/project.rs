//! Projects: what sends events.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// Small and sequential: it appears in DSNs.
    pub(crate) id: i64,
    /// Who owns it.
    pub(crate) organization_id: i64,
    /// Its name in URLs, unique within the organization; never only digits.
    pub(crate) slug: String,
    /// Its name for people.
    pub(crate) name: String,
    /// What it is written in, as its owner says.
    pub(crate) platform: Option<String>,
    /// When it was made.
    pub(crate) created_at_ms: i64,
    /// When it was revoked: it takes no more events, and nobody reaches it.
    pub(crate) revoked_at_ms: Option<i64>,
    /// When its first event came.
    pub(crate) first_event_ms: Option<i64>,
}
from_row!(Project {
    id,
    organization_id,
    slug,
    name,
    platform,
    created_at_ms,
    revoked_at_ms,
    first_event_ms
});

/// Inserts a project; returns `false` if the slug is taken in its organization.
pub(crate) async fn insert(tx: &mut Tx<'_>, project: &Project) -> Result<bool> {
    let Project { id, organization_id, slug, name, platform, created_at_ms, .. } = project;
    let inserted_count = tx
        .execute(
            "INSERT INTO project (id, organization_id, slug, name, platform, created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (organization_id, slug) DO NOTHING",
            &[id, organization_id, slug, name, platform, created_at_ms],
        )
        .await?;
    Ok(inserted_count == 1)
}

/// The projects of an organization, also revoked ones.
pub(crate) async fn all_of(tx: &mut Tx<'_>, organization: i64) -> Result<Vec<Project>> {
    tx.all(
        "SELECT id, organization_id, slug, name, platform, created_at_ms, revoked_at_ms, first_event_ms
         FROM project
         WHERE organization_id = $1
         ORDER BY id",
        &[&organization],
    )
    .await
}

/// The projects of an organization that take events.
pub(crate) async fn active_of(tx: &mut Tx<'_>, organization: i64) -> Result<Vec<Project>> {
    tx.all(
        "SELECT id, organization_id, slug, name, platform, created_at_ms, revoked_at_ms, first_event_ms
         FROM project
         WHERE organization_id = $1 AND revoked_at_ms IS NULL
         ORDER BY id",
        &[&organization],
    )
    .await
}

/// The project `id` of an organization, unless it is revoked.
pub(crate) async fn find(tx: &mut Tx<'_>, organization: i64, id: i64) -> Result<Option<Project>> {
    tx.optional(
        "SELECT id, organization_id, slug, name, platform, created_at_ms, revoked_at_ms, first_event_ms
         FROM project
         WHERE organization_id = $1 AND id = $2 AND revoked_at_ms IS NULL",
        &[&organization, &id],
    )
    .await
}

/// The project called `slug` of an organization, unless it is revoked.
pub(crate) async fn find_by_slug(
    tx: &mut Tx<'_>,
    organization: i64,
    slug: &str,
) -> Result<Option<Project>> {
    tx.optional(
        "SELECT id, organization_id, slug, name, platform, created_at_ms, revoked_at_ms, first_event_ms
         FROM project
         WHERE organization_id = $1 AND slug = $2 AND revoked_at_ms IS NULL",
        &[&organization, &slug],
    )
    .await
}

/// Revokes a project.
pub(crate) async fn revoke(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE project SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL",
        &[&now_ms, &id],
    )
    .await?;
    Ok(())
}
