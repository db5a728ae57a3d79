//! Projects: make, list, revoke.

use super::{key, organization, slug, taken, unknown};
use crate::app::App;
use crate::clock::Clock;
use crate::db;
use crate::db::engine::Tx;
use crate::db::project::Project;
use crate::db::project_key::ProjectKey;
use crate::error::Result;

/// Makes a project with its first key.
///
/// # Errors
/// `Invalid` if the slug is none or there is no such organization, `Conflict` if the slug is taken.
pub(crate) async fn create(
    app: &App,
    organization: &str,
    slug: &str,
    name: Option<&str>,
    platform: Option<&str>,
) -> Result<(Project, ProjectKey)> {
    slug::check("project", slug)?;
    let clock = app.clock.clone();
    let texts = (
        organization.to_owned(),
        slug.to_owned(),
        name.unwrap_or(slug).to_owned(),
        platform.map(str::to_owned),
    );
    app.db
        .write(move |tx| {
            let (clock, (organization, slug, name, platform)) = (clock.clone(), texts.clone());
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                insert(tx, &clock, organization.id, slug, name, platform).await
            })
        })
        .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    clock: &Clock,
    organization_id: i64,
    slug: String,
    name: String,
    platform: Option<String>,
) -> Result<(Project, ProjectKey)> {
    let id = db::sequence::next(tx, "project").await?;
    let created_at_ms = clock.now_ms();
    let project = Project {
        id,
        organization_id,
        slug,
        name,
        platform,
        created_at_ms,
        revoked_at_ms: None,
        first_event_ms: None,
    };
    if !db::project::insert(tx, &project).await? {
        return Err(taken("project", &project.slug));
    }
    let key = key::insert(tx, clock, id, "Default", None).await?;
    Ok((project, key))
}

/// Returns the projects of an organization, also revoked ones.
///
/// # Errors
/// `Invalid` if there is no such organization.
pub(crate) async fn list(app: &App, organization: &str) -> Result<Vec<Project>> {
    let organization = organization.to_owned();
    app.db
        .read(move |tx| {
            let organization = organization.clone();
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                db::project::all_of(tx, organization.id).await
            })
        })
        .await
}

/// Revokes a project: it takes no more events, and nobody reaches it.
///
/// # Errors
/// `Invalid` if there is none of that name.
pub(crate) async fn revoke(app: &App, organization: &str, slug: &str) -> Result<()> {
    let (organization, slug, now_ms) =
        (organization.to_owned(), slug.to_owned(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let (organization, slug) = (organization.clone(), slug.clone());
            Box::pin(async move {
                let project = named(tx, &organization, &slug).await?;
                db::project::revoke(tx, project.id, now_ms).await
            })
        })
        .await?;
    app.forget_access();
    Ok(())
}

/// Returns the project that a command names.
pub(super) async fn named(tx: &mut Tx<'_>, organization: &str, slug: &str) -> Result<Project> {
    let organization = organization::named(tx, organization).await?;
    db::project::find_by_slug(tx, organization.id, slug)
        .await?
        .ok_or_else(|| unknown("project", slug))
}
