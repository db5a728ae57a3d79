//! Resolving, ignoring and reopening an issue from its page.

use axum::extract::{Path, State};
use axum::response::Redirect;
use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};
use protocol::short_id::short_id;
use serde::Deserialize;

use super::issue::{IssuePath, find};
use super::signed::{Signed, SignedForm};
use super::visit::ProjectVisit;
use crate::accounts::permission::WriteEvents;
use crate::app::App;
use crate::error::{Error, Result};
use crate::issues;

/// The form on the issue page.
#[derive(Debug, Deserialize)]
pub(crate) struct Change {
    status: String,
    #[serde(default)]
    csrf: String,
}

impl SignedForm for Change {
    fn csrf(&self) -> &str {
        &self.csrf
    }
}

/// `POST /{organization}/{project}/issues/{issue}/status`.
pub(crate) async fn change(
    State(app): State<App>,
    at: ProjectVisit<WriteEvents>,
    Path(path): Path<IssuePath>,
    Signed(change): Signed<Change>,
) -> Result<Redirect> {
    let unknown = || Error::Invalid(format!("`{}` is no status of an issue", change.status));
    let status = IssueStatus::from_text(&change.status).ok_or_else(unknown)?;
    let issue = find(&app, &at.project, &path.issue).await?;
    let (project, id) = (ProjectId(at.project.id), IssueId(issue.id));
    issues::status::set(&app, project, &[id], status, &at.visit.access().actor()).await?;
    Ok(Redirect::to(&at.shown().issue_url(&short_id(&at.project.slug, issue.number))))
}
