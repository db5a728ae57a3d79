//! Organizations: who owns projects, files and tokens.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Organization {
    /// Small and sequential.
    pub(crate) id: i64,
    /// Its name in URLs; never only digits, because ids are accepted in the same place.
    pub(crate) slug: String,
    /// Its name for people.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created_at_ms: i64,
    /// When it was revoked; what it owns is kept, but nobody reaches it.
    pub(crate) revoked_at_ms: Option<i64>,
}
from_row!(Organization { id, slug, name, created_at_ms, revoked_at_ms });

/// Inserts an organization; returns `false` if the slug is taken.
pub(crate) async fn insert(tx: &mut Tx<'_>, organization: &Organization) -> Result<bool> {
    let Organization { id, slug, name, created_at_ms, revoked_at_ms } = organization;
    let inserted_count = tx
        .execute(
            "INSERT INTO organization (id, slug, name, created_at_ms, revoked_at_ms)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (slug) DO NOTHING",
            &[id, slug, name, created_at_ms, revoked_at_ms],
        )
        .await?;
    Ok(inserted_count == 1)
}

/// All organizations, also revoked ones.
pub(crate) async fn all(tx: &mut Tx<'_>) -> Result<Vec<Organization>> {
    tx.all("SELECT id, slug, name, created_at_ms, revoked_at_ms FROM organization ORDER BY id", &[])
        .await
}

/// The organization `id`, unless it is revoked.
pub(crate) async fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<Organization>> {
    tx.optional(
        "SELECT id, slug, name, created_at_ms, revoked_at_ms
         FROM organization
         WHERE id = $1 AND revoked_at_ms IS NULL",
        &[&id],
    )
    .await
}

/// The organization called `slug`, unless it is revoked.
pub(crate) async fn find_by_slug(tx: &mut Tx<'_>, slug: &str) -> Result<Option<Organization>> {
    tx.optional(
        "SELECT id, slug, name, created_at_ms, revoked_at_ms
         FROM organization
         WHERE slug = $1 AND revoked_at_ms IS NULL",
        &[&slug],
    )
    .await
}

/// Revokes an organization.
pub(crate) async fn revoke(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE organization SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL",
        &[&now_ms, &id],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    /// Inserts the organization 1, called `acme`, for tests of what belongs to one.
    pub(in crate::db) async fn acme(tx: &mut Tx<'_>) -> Result<Organization> {
        let (slug, name) = ("acme".to_owned(), "Acme".to_owned());
        let organization =
            Organization { id: 1, slug, name, created_at_ms: 7, revoked_at_ms: None };
        insert(tx, &organization).await?;
        Ok(organization)
    }

    on_both!(revoked_ones_are_listed_but_not_found, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let organization = acme(tx).await?;
                assert_eq!(find(tx, 1).await?, Some(organization.clone()));
                assert_eq!(find_by_slug(tx, "acme").await?, Some(organization.clone()));
                assert!(!insert(tx, &Organization { id: 2, ..organization }).await?);
                revoke(tx, 1, 8).await?;
                revoke(tx, 1, 9).await?;
                assert_eq!((find(tx, 1).await?, find_by_slug(tx, "acme").await?), (None, None));
                assert_eq!(all(tx).await?[0].revoked_at_ms, Some(8));
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
