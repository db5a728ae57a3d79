//! Addresses of Sentry's own pages, which its clients and its MCP server print: they lead to ours.
//!
//! `/organizations/{organization}/issues/{id or short id}/…` is how Sentry writes an issue since 2022, and
//! `/issues/{id}/` below an organization's own host.

use axum::extract::{Path, RawQuery, State};
use axum::response::Redirect;
use protocol::short_id::short_id;
use serde::Deserialize;

use super::visit::Visit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::error::{Error, Result};
use crate::http::extract::find_organization;
use crate::http::issue_access::{self, FoundIssue};

/// What a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct OrganizationPath {
    organization: String,
}

/// `GET /organizations/{organization}/`, `…/projects/`.
pub(crate) async fn organization(_: Visit, Path(path): Path<OrganizationPath>) -> Redirect {
    Redirect::to(&format!("/{}/", pages::address::encoded(&path.organization)))
}

/// `GET /organizations/{organization}/issues/`, with the search that it has.
pub(crate) async fn issues(
    _: Visit,
    Path(path): Path<OrganizationPath>,
    RawQuery(query): RawQuery,
) -> Redirect {
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Redirect::to(&format!("/{}/issues/{query}", pages::address::encoded(&path.organization)))
}

/// What a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct ProjectPath {
    organization: String,
    project: String,
}

/// `GET /organizations/{organization}/projects/{project}/`.
pub(crate) async fn project(_: Visit, Path(path): Path<ProjectPath>) -> Redirect {
    let [organization, project] =
        [&path.organization, &path.project].map(|name| pages::address::encoded(name));
    Redirect::to(&format!("/{organization}/{project}/issues/"))
}

/// What a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct IssuePath {
    organization: Option<String>,
    issue: String,
    #[serde(default)]
    rest: String,
}

/// `GET /organizations/{organization}/issues/{issue}/`.
pub(crate) async fn issue(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<IssuePath>,
) -> Result<Redirect> {
    let found = find(&app, &visit, path.organization.as_deref(), &path.issue).await?;
    Ok(Redirect::to(&url(&found)))
}

/// `GET /organizations/{organization}/issues/{issue}/events/{event}/` and what else stands below an issue.
pub(crate) async fn below_issue(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<IssuePath>,
) -> Result<Redirect> {
    let found = find(&app, &visit, path.organization.as_deref(), &path.issue).await?;
    let parts: Vec<&str> = path.rest.split('/').filter(|part| !part.is_empty()).collect();
    let below = match parts.as_slice() {
        ["events", "latest" | "recommended", ..] => String::new(),
        ["events", event, ..] => format!("events/{}/", pages::address::encoded(event)),
        ["events"] => "events/".to_owned(),
        ["tags" | "distributions", ..] => "tags/".to_owned(),
        _ => String::new(),
    };
    Ok(Redirect::to(&format!("{}{below}", url(&found))))
}

/// `GET /issues/{issue}/`: in any organization of the user.
pub(crate) async fn any_issue(
    State(app): State<App>,
    visit: Visit,
    Path(path): Path<IssuePath>,
) -> Result<Redirect> {
    let found = find(&app, &visit, None, &path.issue).await?;
    Ok(Redirect::to(&url(&found)))
}

fn url(found: &FoundIssue) -> String {
    let (organization, project) = (&found.organization.slug, &found.project.slug);
    format!("/{organization}/{project}/issues/{}/", short_id(project, found.issue.number))
}

/// Finds the issue, in one organization or in all that the user belongs to.
async fn find(
    app: &App,
    visit: &Visit,
    organization: Option<&str>,
    issue: &str,
) -> Result<FoundIssue> {
    let allowed = visit.access().organizations_with::<ReadEvents>()?;
    let (organization, issue) = (organization.map(str::to_owned), issue.to_owned());
    let found = app
        .db
        .read(move |tx| {
            let (organization, issue, allowed) =
                (organization.clone(), issue.clone(), allowed.clone());
            Box::pin(async move {
                let mut organizations = Vec::new();
                match organization {
                    Some(name) => organizations.extend(find_organization(tx, &name).await?),
                    None => {
                        for id in &allowed {
                            organizations.extend(db::organization::find(tx, *id).await?);
                        }
                    }
                }
                organizations.retain(|organization| allowed.contains(&organization.id));
                for organization in organizations {
                    if let Some(found) = issue_access::find(tx, organization, &issue).await? {
                        return Ok(Some(found));
                    }
                }
                Ok(None)
            })
        })
        .await?;
    found.ok_or(Error::NotFound)
}
