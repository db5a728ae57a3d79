//! The issue that a path names, and whether the caller may know of it.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use protocol::id::{IssueId, ProjectId};
use protocol::short_id::ShortId;

use super::extract::{Access, find_organization, parameter};
use crate::accounts::permission::Permission;
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::issues::named;

/// A caller with the permission `P` in the organization of an issue. The path names the issue by id or short
/// id (`{issue}`), and the organization (`{organization}`) unless it is one of Sentry's old ones.
#[derive(Debug)]
pub(crate) struct IssueAccess<P> {
    /// The issue with what it belongs to.
    pub(crate) found: FoundIssue,
    /// Who is calling, for the journal.
    pub(crate) actor: String,
    permission: PhantomData<P>,
}

/// An issue with what it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct FoundIssue {
    /// The organization.
    pub(crate) organization: Organization,
    /// The project.
    pub(crate) project: Project,
    /// The issue.
    pub(crate) issue: StoredIssue,
}

impl<P: Permission> FromRequestParts<App> for IssueAccess<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = Access::from_request_parts(parts, app).await?;
        let name = parameter(parts, app, "issue").await?;
        let found = if has_organization(parts, app).await {
            let organization = parameter(parts, app, "organization").await?;
            find_named(app, organization, name).await?
        } else {
            find_among(app, access.organizations_with::<P>()?, name).await?
        };
        let found = found.ok_or(Error::NotFound)?;
        access.require::<P>(found.organization.id)?;
        Ok(Self { found, actor: access.actor(), permission: PhantomData })
    }
}

async fn has_organization(parts: &mut Parts, app: &App) -> bool {
    let parameters = RawPathParams::from_request_parts(parts, app).await;
    parameters.is_ok_and(|parameters| parameters.iter().any(|(key, _)| key == "organization"))
}

async fn find_named(app: &App, organization: String, name: String) -> Result<Option<FoundIssue>> {
    app.db
        .read(move |tx| {
            let (organization, name) = (organization.clone(), name.clone());
            Box::pin(async move {
                match find_organization(tx, &organization).await? {
                    Some(organization) => find(tx, organization, &name).await,
                    None => Ok(None),
                }
            })
        })
        .await
}

async fn find_among(app: &App, ids: Vec<i64>, name: String) -> Result<Option<FoundIssue>> {
    app.db
        .read(move |tx| {
            let (ids, name) = (ids.clone(), name.clone());
            Box::pin(async move {
                for id in ids {
                    let Some(organization) = db::organization::find(tx, id).await? else {
                        continue;
                    };
                    if let Some(found) = find(tx, organization, &name).await? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            })
        })
        .await
}

/// Finds an issue of an organization by id or short id, its own or that of one that leads to it.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    organization: Organization,
    name: &str,
) -> Result<Option<FoundIssue>> {
    if let Ok(id) = name.parse::<IssueId>() {
        let Some(issue) = named::by_id(tx, id).await? else { return Ok(None) };
        let project = db::project::find(tx, organization.id, issue.project_id).await?;
        return Ok(project.map(|project| FoundIssue { organization, project, issue }));
    }
    match ShortId::parse(name) {
        Some(short_id) => find_by_short_id(tx, organization, &short_id).await,
        None => Ok(None),
    }
}

/// Finds an issue of an organization by short id, its own or that of one that leads to it.
pub(crate) async fn find_by_short_id(
    tx: &mut Tx<'_>,
    organization: Organization,
    short_id: &ShortId,
) -> Result<Option<FoundIssue>> {
    let project = db::project::find_by_slug(tx, organization.id, &short_id.slug).await?;
    let Some(project) = project else { return Ok(None) };
    let issue = named::by_number(tx, ProjectId(project.id), short_id.number).await?;
    Ok(issue.map(|issue| FoundIssue { organization, project, issue }))
}
