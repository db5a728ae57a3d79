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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::organization::tests::acme;

    /// Inserts the project 1, called `web`, of the organization 1, for tests of what belongs to one.
    pub(in crate::db) async fn web(tx: &mut Tx<'_>) -> Result<Project> {
        let project = Project {
            id: 1,
            organization_id: acme(tx).await?.id,
            slug: "web".to_owned(),
            name: "Web".to_owned(),
            platform: None,
            created_at_ms: 7,
            revoked_at_ms: None,
            first_event_ms: None,
        };
        insert(tx, &project).await?;
        Ok(project)
    }

    on_both!(revoked_ones_are_listed_but_not_found, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let project = web(tx).await?;
                assert_eq!(find(tx, 1, 1).await?, Some(project.clone()));
                assert_eq!(find_by_slug(tx, 1, "web").await?, Some(project.clone()));
                assert_eq!(
                    (find(tx, 2, 1).await?, find_by_slug(tx, 2, "web").await?),
                    (None, None)
                );
                assert_eq!(active_of(tx, 1).await?, std::slice::from_ref(&project));
                assert!(!insert(tx, &Project { id: 2, ..project }).await?);
                revoke(tx, 1, 8).await?;
                assert_eq!(
                    (find(tx, 1, 1).await?, find_by_slug(tx, 1, "web").await?),
                    (None, None)
                );
                assert_eq!(active_of(tx, 1).await?, []);
                assert_eq!(all_of(tx, 1).await?[0].revoked_at_ms, Some(8));
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
