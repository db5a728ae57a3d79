//! Organizations: make, list, revoke.

use super::{slug, taken, unknown};
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::organization::Organization;
use crate::error::Result;

/// Makes an organization.
///
/// # Errors
/// `Invalid` if the slug is none, `Conflict` if it is taken.
pub(crate) async fn create(app: &App, slug: &str, name: Option<&str>) -> Result<Organization> {
    slug::check("organization", slug)?;
    let now_ms = app.clock.now_ms();
    let (slug, name) = (slug.to_owned(), name.unwrap_or(slug).to_owned());
    app.db
        .write(move |tx| {
            let (slug, name) = (slug.clone(), name.clone());
            Box::pin(async move { insert(tx, slug, name, now_ms).await })
        })
        .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    slug: String,
    name: String,
    now_ms: i64,
) -> Result<Organization> {
    let id = db::sequence::next(tx, "organization").await?;
    let organization = Organization { id, slug, name, created_at_ms: now_ms, revoked_at_ms: None };
    if db::organization::insert(tx, &organization).await? {
        Ok(organization)
    } else {
        Err(taken("organization", &organization.slug))
    }
}

/// Returns all organizations, also revoked ones.
pub(crate) async fn list(app: &App) -> Result<Vec<Organization>> {
    app.db.read(|tx| Box::pin(async move { db::organization::all(tx).await })).await
}

/// Revokes an organization: nothing of it is reachable any more, and its projects take no events.
///
/// # Errors
/// `Invalid` if there is none of that name.
pub(crate) async fn revoke(app: &App, slug: &str) -> Result<()> {
    let (slug, now_ms) = (slug.to_owned(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let slug = slug.clone();
            Box::pin(async move {
                let organization = named(tx, &slug).await?;
                db::organization::revoke(tx, organization.id, now_ms).await
            })
        })
        .await?;
    app.forget_access();
    Ok(())
}

/// Returns the organization that a command names.
pub(super) async fn named(tx: &mut Tx<'_>, slug: &str) -> Result<Organization> {
    db::organization::find_by_slug(tx, slug).await?.ok_or_else(|| unknown("organization", slug))
}
