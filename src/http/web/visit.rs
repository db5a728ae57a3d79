//! Who reads a page, and what stands around it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pages::chrome::{Chrome, Section, Theme};
use pages::help::UploadHelp;

use super::theme;
use crate::accounts::permission::Permission;
use crate::accounts::session::{self, SessionKey, Viewer};
use crate::app::App;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::http::extract::{Access, organization_of_path, project_of_path};
use crate::http::origin::Origin;
use crate::http::session_cookie;

/// A signed-in user in a browser. Tokens open the API, not pages.
#[derive(Debug)]
pub(crate) struct Visit {
    key: SessionKey,
    viewer: Arc<Viewer>,
    theme: Theme,
}

impl Visit {
    /// Returns who is visiting, as the API knows callers.
    pub(super) fn access(&self) -> Access {
        Access::Viewer(Arc::clone(&self.viewer))
    }

    /// Returns the session.
    pub(super) fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Returns what stands around a page of an organization.
    pub(super) fn chrome(&self, app: &App, organization: &str, section: Section) -> Chrome {
        Chrome {
            user_email: self.viewer.user.email.clone(),
            organization: organization.to_owned(),
            section,
            csrf: self.key.csrf_token(app),
            search: None,
            project: None,
            theme: self.theme,
            now: app.clock.now(),
        }
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let unknown = || Error::Unauthorized("nobody is signed in".to_owned());
        let key = session_cookie::read(&parts.headers).ok_or_else(unknown)?;
        let viewer = session::find(app, &key).await?.ok_or_else(unknown)?;
        Ok(Self { key, viewer: Arc::new(viewer), theme: theme::of(&parts.headers) })
    }
}

/// A signed-in user with the permission `P` in the organization that the path names.
#[derive(Debug)]
pub(crate) struct OrganizationVisit<P> {
    pub(super) visit: Visit,
    pub(super) organization: Organization,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for OrganizationVisit<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let organization = organization_of_path(parts, app).await?;
        visit.access().require::<P>(organization.id)?;
        Ok(Self { visit, organization, permission: PhantomData })
    }
}

/// A signed-in user with the permission `P` in the project that the path names.
#[derive(Debug)]
pub(crate) struct ProjectVisit<P> {
    pub(super) visit: Visit,
    pub(super) organization: Organization,
    pub(super) project: Project,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for ProjectVisit<P> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let visit = Visit::from_request_parts(parts, app).await?;
        let (organization, project) = project_of_path(parts, app).await?;
        visit.access().require::<P>(organization.id)?;
        Ok(Self { visit, organization, project, permission: PhantomData })
    }
}

impl<P> ProjectVisit<P> {
    /// Returns the project as pages know it.
    pub(super) fn shown(&self) -> pages::chrome::Project {
        pages::chrome::Project {
            organization: self.organization.slug.clone(),
            slug: self.project.slug.clone(),
            name: self.project.name.clone(),
            platform: self.project.platform.clone(),
        }
    }

    /// Returns what stands around a page of the project's issues.
    pub(super) fn chrome(&self, app: &App) -> Chrome {
        self.chrome_in(app, Section::Issues)
    }

    /// Returns what stands around a page of a section of the project.
    pub(super) fn chrome_in(&self, app: &App, section: Section) -> Chrome {
        let chrome = self.visit.chrome(app, &self.organization.slug, section);
        Chrome { project: Some(self.shown()), ..chrome }
    }

    /// Returns what commands that upload need to know.
    pub(super) fn upload_help(&self, origin: &Origin) -> UploadHelp {
        UploadHelp {
            origin: origin.as_str().to_owned(),
            organization: self.organization.slug.clone(),
            project: self.project.slug.clone(),
            waiting: BTreeMap::new(),
        }
    }
}
