//! Lists of issues: of a project, and of all projects of an organization.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use pages::chrome::{Chrome, Section};
use pages::issue::IssueStatus;
use pages::issues::{Changed, Facet, IssueList, IssueRow, RefusedTerm};
use pages::search::{DEFAULT_QUERY, Period, Search, Sort};
use protocol::level::Level;
use protocol::short_id::short_id;
use protocol::time::Timestamp;
use serde::Deserialize;

use super::figures::count;
use super::html::Html;
use super::issues_found::{Asked, Found, read};
use super::projects::dsn;
use super::visit::{OrganizationVisit, ProjectVisit};
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::issue::StoredIssue;
use crate::db::issue_search;
use crate::db::project::Project;
use crate::error::Result;
use crate::http::api::paging::Cursor;
use crate::http::origin::Origin;
use crate::ingest::summary::Metadata;
use crate::issues::query::{IssueQuery, Refused};

/// Which issues are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Filter {
    /// Sentry's search language; absent is what is unresolved, `*` everything.
    query: Option<String>,
    /// A status, in addresses from before there was a search.
    status: Option<String>,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    period: String,
    #[serde(default)]
    cursor: String,
    /// How many issues the change before this changed, and to what: `3-resolved`.
    #[serde(default)]
    changed: String,
}

/// `GET /{organization}/{project}/`.
pub(crate) async fn front(at: ProjectVisit<ReadEvents>) -> Redirect {
    Redirect::to(&at.shown().issues_url())
}

/// `GET /{organization}/{project}/issues/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    origin: Origin,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let scope = Scope {
        path: at.shown().issues_url(),
        chrome: at.chrome(&app),
        projects: vec![at.project.clone()],
        project: Some(at.shown()),
    };
    answer(&app, scope, &origin, &filter).await
}

/// `GET /{organization}/issues/`: of all its projects.
pub(crate) async fn of_organization(
    State(app): State<App>,
    at: OrganizationVisit<ReadEvents>,
    origin: Origin,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let id = at.organization.id;
    let projects = app
        .db
        .read(move |tx| Box::pin(async move { db::project::active_of(tx, id).await }))
        .await?;
    let slug = &at.organization.slug;
    let scope = Scope {
        path: format!("/{slug}/issues/"),
        chrome: at.visit.chrome(&app, slug, Section::Issues),
        projects,
        project: None,
    };
    answer(&app, scope, &origin, &filter).await
}

/// Whose issues are listed.
struct Scope {
    path: String,
    chrome: Chrome,
    projects: Vec<Project>,
    /// The one project, as pages know it.
    project: Option<pages::chrome::Project>,
}

impl Filter {
    /// What is to be searched, as the field shows it.
    fn query(&self) -> String {
        match (&self.query, &self.status) {
            (Some(query), _) if query.trim() == "*" => String::new(),
            (Some(query), _) => query.trim().to_owned(),
            (None, Some(status)) if status == "all" => String::new(),
            (None, Some(status)) => format!("is:{status}"),
            (None, None) => DEFAULT_QUERY.to_owned(),
        }
    }

    fn changed(&self) -> Option<Changed> {
        let (issues, status) = self.changed.split_once('-')?;
        Some(Changed { issues: issues.parse().ok()?, status: IssueStatus::from_text(status)? })
    }

    fn search(&self, path: String) -> Search {
        Search {
            path,
            query: self.query(),
            terms: Vec::new(),
            sort: Sort::from_query(&self.sort),
            period: Period::from_query(&self.period),
        }
    }
}

async fn answer(app: &App, scope: Scope, origin: &Origin, filter: &Filter) -> Result<Response> {
    let mut search = filter.search(scope.path.clone());
    let now_ms = app.clock.now_ms();
    let mut query = match IssueQuery::parse(&search.query, now_ms) {
        Ok(query) => query,
        Err(refused) => return Ok(not_understood(scope, search, refused)),
    };
    search.terms.clone_from(&query.terms);
    if let Some(since_ms) = search.period.since_ms(now_ms) {
        let seen = &mut query.filter.last_seen_ms;
        *seen = since_ms.max(*seen.start())..=*seen.end();
    }
    let asked = Asked {
        projects: scope.projects.clone(),
        query,
        sort: sort(search.sort),
        period: search.period,
        cursor: Cursor::parse(&filter.cursor)?,
        is_narrow: search.period != Period::All || search.terms.len() > 1,
        now_ms,
    };
    let found = read(app, asked).await?;
    Ok(Html(page(scope, search, found, origin, filter.changed(), now_ms)).into_response())
}

fn sort(sort: Sort) -> issue_search::Sort {
    match sort {
        Sort::LastSeen => issue_search::Sort::LastSeen,
        Sort::FirstSeen => issue_search::Sort::FirstSeen,
        Sort::Events => issue_search::Sort::Events,
        Sort::Users => issue_search::Sort::Users,
    }
}

/// The list's page without a list, and which word is in the way.
fn not_understood(scope: Scope, search: Search, refused: Refused) -> Response {
    let page = IssueList {
        refused: Some(RefusedTerm { term: refused.term, why: refused.why }),
        ..blank(scope, search)
    };
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}

fn blank(scope: Scope, search: Search) -> IssueList {
    IssueList {
        chrome: scope.chrome,
        project: scope.project,
        search,
        refused: None,
        issues: Vec::new(),
        facets: Vec::new(),
        counts: Vec::new(),
        previous: None,
        next: None,
        changed: None,
        hints: pages::issues::Hints::default(),
        dsn: String::new(),
        has_events: true,
    }
}

fn page(
    scope: Scope,
    search: Search,
    found: Found,
    origin: &Origin,
    changed: Option<Changed>,
    now_ms: i64,
) -> IssueList {
    let url = |cursor: Option<Cursor>| cursor.map(|cursor| search.page_url(&cursor.text()));
    let row = |(issue, hours): (&StoredIssue, &Vec<(i64, i64)>)| {
        let project = scope.projects.iter().find(|project| project.id == issue.project_id)?;
        let trend = search.period.spread(hours, now_ms);
        Some(row(issue, &scope.chrome.organization, project, trend))
    };
    let facet = |(key, words, values): (&str, &'static str, Vec<String>)| Facet {
        key: key.to_owned(),
        words,
        values,
    };
    let first = scope.projects.first().map_or(0, |project| project.id);
    IssueList {
        issues: found.page.items.iter().zip(&found.trends).filter_map(row).collect(),
        facets: found.facets.into_iter().map(facet).collect(),
        counts: found.counts,
        previous: url(found.page.previous()),
        next: url(found.page.next()),
        changed,
        hints: found.hints,
        dsn: dsn(origin, found.public_key.as_deref(), first),
        has_events: found.has_events,
        ..blank(scope, search)
    }
}

fn row(issue: &StoredIssue, organization: &str, project: &Project, trend: Vec<u64>) -> IssueRow {
    let metadata: Metadata = serde_json::from_str(&issue.metadata).unwrap_or_default();
    let short_id = short_id(&project.slug, issue.number);
    IssueRow {
        id: issue.id,
        url: format!("/{organization}/{}/issues/{short_id}/", project.slug),
        short_id,
        title: issue.title.clone(),
        culprit: issue.culprit.clone(),
        level: Level::from_text(&issue.level).unwrap_or_default(),
        status: IssueStatus::from_text(&issue.status).unwrap_or_default(),
        platform: issue.platform.clone(),
        times_seen: count(issue.times_seen),
        users: count(issue.users_seen),
        first_seen: Timestamp(issue.first_seen_ms),
        last_seen: Timestamp(issue.last_seen_ms),
        release: issue.last_release.clone(),
        unresolved_frames: metadata.unresolved_frames > 0,
        handled: issue.is_unhandled_at_ms.map(|_| false),
        trend,
    }
}
