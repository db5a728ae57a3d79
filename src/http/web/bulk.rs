//! Resolving, ignoring and reopening several issues from a list.

use axum::extract::State;
use axum::response::Redirect;
use pages::address::with_query;
use pages::issue::IssueStatus;
use pages::search::Period;
use protocol::id::{IssueId, ProjectId};
use serde::Deserialize;

use super::signed::{Signed, SignedForm};
use super::visit::{OrganizationVisit, ProjectVisit};
use crate::accounts::permission::WriteEvents;
use crate::app::App;
use crate::db;
use crate::db::issue_search::{Place, Sort};
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::issues::list::Listing;
use crate::issues::query::IssueQuery;
use crate::issues::status;

/// The form around a list, in the order sent: `id` comes once for each issue that is ticked.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Change(Vec<(String, String)>);

impl SignedForm for Change {
    fn csrf(&self) -> &str {
        self.get("csrf")
    }
}

impl Change {
    fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value)
    }

    fn ids(&self) -> Result<Vec<IssueId>> {
        let named = self.0.iter().filter(|(name, _)| name == "id");
        named
            .map(|(_, id)| id.parse().map_err(|_| Error::Invalid(format!("`{id}` is no issue"))))
            .collect()
    }

    /// Everything that the list shows, on whatever page.
    fn listing(&self, projects: Vec<Project>, now_ms: i64) -> Result<Listing> {
        let mut query = IssueQuery::parse(self.get("query"), now_ms)?;
        if let Some(since_ms) = Period::from_query(self.get("period")).since_ms(now_ms) {
            let seen = &mut query.filter.last_seen_ms;
            *seen = since_ms.max(*seen.start())..=*seen.end();
        }
        Ok(Listing { projects, query, sort: Sort::LastSeen, place: Place::START, limit: 1 })
    }

    /// The list that the form stood around.
    fn back(&self, path: &str, changed: u64, status: IssueStatus) -> Redirect {
        let changed = format!("{changed}-{}", status.as_str());
        let query = match self.get("query") {
            "" => "*",
            query => query,
        };
        let sort = match pages::search::Sort::from_query(self.get("sort")) {
            usual if usual == pages::search::Sort::default() => "",
            chosen => chosen.as_str(),
        };
        let pairs = [
            ("query", query),
            ("sort", sort),
            ("period", self.get("period")),
            ("changed", &changed),
        ];
        Redirect::to(&with_query(path, &pairs))
    }
}

/// `POST /{organization}/{project}/issues/status`.
pub(crate) async fn of_project(
    State(app): State<App>,
    at: ProjectVisit<WriteEvents>,
    Signed(change): Signed<Change>,
) -> Result<Redirect> {
    let path = at.shown().issues_url();
    let actor = at.visit.access().actor();
    apply(&app, vec![at.project], &path, &change, &actor).await
}

/// `POST /{organization}/issues/status`.
pub(crate) async fn of_organization(
    State(app): State<App>,
    at: OrganizationVisit<WriteEvents>,
    Signed(change): Signed<Change>,
) -> Result<Redirect> {
    let id = at.organization.id;
    let projects = app
        .db
        .read(move |tx| Box::pin(async move { db::project::active_of(tx, id).await }))
        .await?;
    let path = format!("/{}/issues/", at.organization.slug);
    apply(&app, projects, &path, &change, &at.visit.access().actor()).await
}

async fn apply(
    app: &App,
    projects: Vec<Project>,
    path: &str,
    change: &Change,
    actor: &str,
) -> Result<Redirect> {
    let word = change.get("status");
    let unknown = || Error::Invalid(format!("`{word}` is no status of an issue"));
    let wanted = IssueStatus::from_text(word).ok_or_else(unknown)?;
    let mut changed = 0;
    if change.get("all") == "1" {
        let found = change.listing(projects, app.clock.now_ms())?;
        changed = status::set_found(app, &found, wanted, actor).await?;
    } else {
        let ids = change.ids()?;
        for project in projects {
            let set = status::set(app, ProjectId(project.id), &ids, wanted, actor).await?;
            changed += u64::try_from(set.len()).unwrap_or(0);
        }
    }
    Ok(change.back(path, changed, wanted))
}
