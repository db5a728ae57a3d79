//! Who is calling and what they may do: the extractors in the signatures of handlers.
//!
//! `Access` knows the caller; `OrganizationAccess<P>` and `ProjectAccess<P>` look at the path as well: the
//! permission `P` is checked before the handler runs. What a caller may not see does not exist (404).

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};

use super::session_cookie;
use crate::accounts::permission::Permission;
use crate::accounts::scope::Scopes;
use crate::accounts::session::{self, SessionKey, Viewer};
use crate::accounts::token;
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::db::token::Token;
use crate::error::{Error, Result};

/// Header with the token of the session's forms, for requests by script.
const CSRF_HEADER: &str = "x-csrf-token";

/// Somebody known.
#[derive(Debug, Clone)]
pub(crate) enum Access {
    /// Somebody with a token, which opens one organization.
    Token(Arc<Token>),
    /// A user in a browser.
    Viewer(Arc<Viewer>),
}

impl Access {
    /// Returns what the caller may do in an organization; `None` if the caller may not know that it exists.
    pub(crate) fn scopes_in(&self, organization: i64) -> Option<Scopes> {
        match self {
            Self::Token(token) => {
                (token.organization_id == organization).then(|| Scopes::of_stored(&token.scopes))
            }
            Self::Viewer(viewer) => {
                let found = viewer.organizations.iter().find(|(id, _)| *id == organization);
                found.map(|(_, scopes)| *scopes)
            }
        }
    }

    /// Returns the organizations the caller may know of, with what may be done there.
    pub(crate) fn organizations(&self) -> Vec<(i64, Scopes)> {
        match self {
            Self::Token(token) => vec![(token.organization_id, Scopes::of_stored(&token.scopes))],
            Self::Viewer(viewer) => viewer.organizations.clone(),
        }
    }

    /// Returns the organizations where the caller has the permission `P`.
    ///
    /// # Errors
    /// `Forbidden` if there is none.
    pub(crate) fn organizations_with<P: Permission>(&self) -> Result<Vec<i64>> {
        let allowed =
            self.organizations().into_iter().filter(|(_, scopes)| scopes.contain_any(P::ANY_OF));
        let ids: Vec<i64> = allowed.map(|(id, _)| id).collect();
        if ids.is_empty() { Err(forbidden()) } else { Ok(ids) }
    }

    /// Returns the id of the user, unless the token is an organization's own.
    pub(crate) fn user_id(&self) -> Option<i64> {
        match self {
            Self::Token(token) => token.user_id,
            Self::Viewer(viewer) => Some(viewer.user.id),
        }
    }

    /// Returns who it is, in words for people: the address of a user, or the name of a token.
    pub(crate) fn actor(&self) -> String {
        match self {
            Self::Token(token) => format!("token {}", token.name),
            Self::Viewer(viewer) => viewer.user.email.clone(),
        }
    }

    /// Checks the permission `P` in an organization.
    ///
    /// # Errors
    /// `NotFound` if the caller may not know of it, `Forbidden` without a scope for it.
    pub(crate) fn require<P: Permission>(&self, organization: i64) -> Result<()> {
        let scopes = self.scopes_in(organization).ok_or(Error::NotFound)?;
        if scopes.contain_any(P::ANY_OF) { Ok(()) } else { Err(forbidden()) }
    }
}

fn forbidden() -> Error {
    Error::Forbidden("You do not have permission to perform this action.".to_owned())
}

impl FromRequestParts<App> for Access {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        if let Some(text) = bearer(&parts.headers) {
            return token::identify(app, text).await.map(Self::Token);
        }
        let missing =
            || Error::Unauthorized("Authentication credentials were not provided.".to_owned());
        let key = session_cookie::read(&parts.headers).ok_or_else(missing)?;
        if !parts.method.is_safe() {
            refuse_forged(app, &key, &parts.method, &parts.headers)?;
        }
        let viewer = session::find(app, &key).await?.ok_or_else(missing)?;
        Ok(Self::Viewer(Arc::new(viewer)))
    }
}

/// Who is calling, if anybody says so; a wrong token is still refused.
#[derive(Debug, Clone)]
pub(crate) struct MaybeAccess(pub(crate) Option<Access>);

impl FromRequestParts<App> for MaybeAccess {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        if bearer(&parts.headers).is_none() && session_cookie::read(&parts.headers).is_none() {
            return Ok(Self(None));
        }
        match Access::from_request_parts(parts, app).await {
            Ok(access) => Ok(Self(Some(access))),
            Err(Error::Unauthorized(_)) if bearer(&parts.headers).is_none() => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// Returns the token of an `Authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A change that a browser asks for with its cookie alone may be another page's doing.
fn refuse_forged(app: &App, key: &SessionKey, method: &Method, headers: &HeaderMap) -> Result<()> {
    let token = headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if key.is_csrf_token(app, token) {
        Ok(())
    } else {
        Err(Error::Forbidden(format!(
            "{method} with a session needs its token in the header {CSRF_HEADER}"
        )))
    }
}

/// A caller with the permission `P` in the organization that the path names (`{organization}`).
#[derive(Debug)]
pub(crate) struct OrganizationAccess<P> {
    /// The organization.
    pub(crate) organization: Organization,
    /// Who is calling, for the journal.
    pub(crate) actor: String,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for OrganizationAccess<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = Access::from_request_parts(parts, app).await?;
        let organization = organization_of_path(parts, app).await?;
        access.require::<P>(organization.id)?;
        Ok(Self { organization, actor: access.actor(), permission: PhantomData })
    }
}

/// A caller with the permission `P` in the project that the path names (`{organization}`, `{project}`).
#[derive(Debug)]
pub(crate) struct ProjectAccess<P> {
    /// The organization.
    pub(crate) organization: Organization,
    /// The project.
    pub(crate) project: Project,
    /// Who is calling, for the journal.
    pub(crate) actor: String,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for ProjectAccess<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let access = Access::from_request_parts(parts, app).await?;
        let (organization, project) = project_of_path(parts, app).await?;
        access.require::<P>(organization.id)?;
        Ok(Self { organization, project, actor: access.actor(), permission: PhantomData })
    }
}

/// Returns the organization that the path names, whoever asks.
pub(super) async fn organization_of_path(parts: &mut Parts, app: &App) -> Result<Organization> {
    let name = parameter(parts, app, "organization").await?;
    let found = app
        .db
        .read(move |tx| {
            let name = name.clone();
            Box::pin(async move { find_organization(tx, &name).await })
        })
        .await?;
    found.ok_or(Error::NotFound)
}

/// Returns the organization and project that the path names, whoever asks.
pub(super) async fn project_of_path(
    parts: &mut Parts,
    app: &App,
) -> Result<(Organization, Project)> {
    let organization = parameter(parts, app, "organization").await?;
    let project = parameter(parts, app, "project").await?;
    let found = app
        .db
        .read(move |tx| {
            let (organization, project) = (organization.clone(), project.clone());
            Box::pin(async move {
                let Some(organization) = find_organization(tx, &organization).await? else {
                    return Ok(None);
                };
                let project = find_project(tx, organization.id, &project).await?;
                Ok(project.map(|project| (organization, project)))
            })
        })
        .await?;
    found.ok_or(Error::NotFound)
}

/// Returns a part of the path, decoded.
pub(super) async fn parameter(parts: &mut Parts, app: &App, name: &str) -> Result<String> {
    let parameters =
        RawPathParams::from_request_parts(parts, app).await.map_err(|_| Error::NotFound)?;
    let found = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    found.ok_or_else(|| Error::internal(format!("the route has no parameter {name}")))
}

/// Finds an organization by id or slug.
pub(super) async fn find_organization(tx: &mut Tx<'_>, name: &str) -> Result<Option<Organization>> {
    match name.parse() {
        Ok(id) => db::organization::find(tx, id).await,
        Err(_) => db::organization::find_by_slug(tx, name).await,
    }
}

/// Finds a project by id or slug.
async fn find_project(tx: &mut Tx<'_>, organization: i64, name: &str) -> Result<Option<Project>> {
    match name.parse() {
        Ok(id) => db::project::find(tx, organization, id).await,
        Err(_) => db::project::find_by_slug(tx, organization, name).await,
    }
}
