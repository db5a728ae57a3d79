//! Lists of issues: of a project and of an organization.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use pages::issue::IssueStatus;
use protocol::id::{EventId, ProjectId};
use serde_json::{Value, json};

use super::issue_json::issue_json;
use super::issue_query::IssueQuery;
use super::issue_stats::{Period, duration_ms};
use super::paging::{Cursor, Page};
use super::parameters::Parameters;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::issue_search::{Filter, Place, Sort};
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::http::extract::{OrganizationAccess, ProjectAccess};
use crate::http::issue_access;
use crate::http::origin::Origin;

/// Every status: a list of all issues is merged of these.
const STATUSES: [IssueStatus; 3] =
    [IssueStatus::Unresolved, IssueStatus::Resolved, IssueStatus::Ignored];
/// Says that the answer is the one thing that was named, not what a search found.
const DIRECT_HIT: &str = "x-sentry-direct-hit";

/// `GET /api/0/projects/{organization}/{project}/issues/`.
pub(crate) async fn of_project(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    parameters: Parameters,
    origin: Origin,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    answer(&app, at.organization, vec![at.project], &parameters, &origin, &uri).await
}

/// `GET /api/0/organizations/{organization}/issues/`; `project=` (id or slug, several times, `-1` for all).
pub(crate) async fn of_organization(
    State(app): State<App>,
    at: OrganizationAccess<ReadEvents>,
    parameters: Parameters,
    origin: Origin,
    OriginalUri(uri): OriginalUri,
) -> Result<Response> {
    let id = at.organization.id;
    let all = app
        .db
        .read(move |tx| Box::pin(async move { db::project::active_of(tx, id).await }))
        .await?;
    let named: Vec<&str> = parameters.all("project").filter(|name| !name.is_empty()).collect();
    let is_wanted = |project: &Project| {
        let id = project.id.to_string();
        named.is_empty()
            || named.iter().any(|name| *name == "-1" || *name == id || *name == project.slug)
    };
    let projects: Vec<Project> = all.into_iter().filter(is_wanted).collect();
    if projects.is_empty() && !named.is_empty() {
        return Err(Error::Absent(format!("there is no project {}", named.join(", "))));
    }
    answer(&app, at.organization, projects, &parameters, &origin, &uri).await
}

/// What is asked for.
#[derive(Debug, Clone)]
struct Listing {
    organization: Organization,
    projects: Vec<Project>,
    query: IssueQuery,
    filter: Filter,
    sort: Sort,
    cursor: Cursor,
    limit: usize,
    period: Option<Period>,
    now_ms: i64,
}

/// What was found.
struct Found {
    page: Page<StoredIssue>,
    /// Events per hour, issue by issue.
    hours: Vec<Vec<(i64, i64)>>,
    is_direct_hit: bool,
}

impl Listing {
    fn parse(
        app: &App,
        organization: Organization,
        mut projects: Vec<Project>,
        parameters: &Parameters,
    ) -> Result<Self> {
        let query = IssueQuery::parse(parameters.get("query"))?;
        if !query.projects.is_empty() {
            projects.retain(|project| query.projects.contains(&project.slug));
        }
        let now_ms = app.clock.now_ms();
        let since = parameters.get("statsPeriod").filter(|text| !text.is_empty());
        let filter = Filter {
            level: query.level.map(|level| level.to_string()),
            pattern: query.pattern.clone(),
            seen_since_ms: since.map(duration_ms).transpose()?.map_or(0, |ms| now_ms - ms),
        };
        let period = Period::parse(parameters.get("groupStatsPeriod"))?;
        let has_stats = !parameters.all("collapse").any(|part| part == "stats");
        Ok(Self {
            organization,
            projects,
            query,
            filter,
            sort: sort(parameters.get("sort"))?,
            cursor: parameters.cursor()?,
            limit: parameters.limit()?,
            period: period.filter(|_| has_stats),
            now_ms,
        })
    }
}

fn sort(text: Option<&str>) -> Result<Sort> {
    match text.unwrap_or("date") {
        "date" | "recommended" | "inbox" | "" => Ok(Sort::LastSeen),
        "new" => Ok(Sort::FirstSeen),
        "freq" => Ok(Sort::Events),
        "user" => Ok(Sort::Users),
        other => Err(Error::Invalid(format!(
            "Invalid sort `{other}`: supported are date, new, freq and user"
        ))),
    }
}

async fn answer(
    app: &App,
    organization: Organization,
    projects: Vec<Project>,
    parameters: &Parameters,
    origin: &Origin,
    uri: &Uri,
) -> Result<Response> {
    let listing = Listing::parse(app, organization, projects, parameters)?;
    let asked = listing.clone();
    let found = app
        .db
        .read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move { find(tx, &asked).await })
        })
        .await?;
    let mut headers = HeaderMap::from_iter(found.page.link(origin.as_str(), uri));
    if found.is_direct_hit {
        headers.insert(DIRECT_HIT, HeaderValue::from_static("1"));
    }
    Ok((headers, Json(items(&listing, &found, origin))).into_response())
}

async fn find(tx: &mut Tx<'_>, listing: &Listing) -> Result<Found> {
    let named = named_issue(tx, listing).await?;
    let is_direct_hit = named.is_some();
    let page = match named {
        Some(issue) => Page::new(vec![issue], Cursor::START, 1, |_| (0, 0)),
        None => search(tx, listing).await?,
    };
    let mut hours = Vec::with_capacity(page.items.len());
    if let Some(period) = listing.period {
        let from = period.first_hour(listing.now_ms);
        for issue in &page.items {
            hours.push(db::issue_count::hours(tx, issue.id, from).await?);
        }
    }
    Ok(Found { page, hours, is_direct_hit })
}

/// Finds the one issue that the query names by short id or by the id of one of its events.
async fn named_issue(tx: &mut Tx<'_>, listing: &Listing) -> Result<Option<StoredIssue>> {
    let is_listed =
        |issue: &StoredIssue| listing.projects.iter().any(|project| project.id == issue.project_id);
    if let Some(short_id) = &listing.query.short_id {
        let organization = listing.organization.clone();
        let found = issue_access::find_by_short_id(tx, organization, short_id).await?;
        if let Some(found) = found.filter(|found| is_listed(&found.issue)) {
            return Ok(Some(found.issue));
        }
    }
    if let Some(event_id) = &listing.query.event_id {
        return issue_with_event(tx, &listing.projects, event_id).await;
    }
    Ok(None)
}

async fn issue_with_event(
    tx: &mut Tx<'_>,
    projects: &[Project],
    event_id: &EventId,
) -> Result<Option<StoredIssue>> {
    for project in projects {
        let project = ProjectId(project.id);
        if let Some(issue) = db::event::issue_of(tx, project, event_id).await? {
            return db::issue::by_id(tx, issue).await;
        }
    }
    Ok(None)
}

/// Merges the lists of all projects and statuses in question.
async fn search(tx: &mut Tx<'_>, listing: &Listing) -> Result<Page<StoredIssue>> {
    let Cursor { key, id, is_previous } = listing.cursor;
    let place = if is_previous { Place::Before(key, id) } else { Place::After(key, id) };
    let sort = listing.sort;
    let read_max = i64::try_from(listing.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut read = Vec::new();
    for project in &listing.projects {
        for status in STATUSES {
            if listing.query.status.is_some_and(|wanted| wanted != status) {
                continue;
            }
            let (project, status) = (ProjectId(project.id), status.as_str());
            let order = (sort, place);
            let found =
                db::issue_search::search(tx, project, status, &listing.filter, order, read_max)
                    .await?;
            read.extend(found);
        }
    }
    let place = |issue: &StoredIssue| (sort.key(issue), issue.id);
    read.sort_unstable_by_key(|issue| std::cmp::Reverse(place(issue)));
    if is_previous {
        read.reverse();
    }
    read.truncate(listing.limit + 1);
    Ok(Page::new(read, listing.cursor, listing.limit, place))
}

fn items(listing: &Listing, found: &Found, origin: &Origin) -> Value {
    let item = |(index, issue): (usize, &StoredIssue)| {
        let project = listing.projects.iter().find(|project| project.id == issue.project_id)?;
        let mut object = issue_json(origin, &listing.organization, project, issue);
        if let Some((period, hours)) = listing.period.zip(found.hours.get(index)) {
            let bars = period.bars(listing.now_ms, hours);
            object.insert("stats".to_owned(), json!({period.name: bars}));
        }
        if let Some(event_id) = listing.query.event_id.filter(|_| found.is_direct_hit) {
            object.insert("matchingEventId".to_owned(), event_id.to_string().into());
        }
        Some(Value::Object(object))
    };
    found.page.items.iter().enumerate().filter_map(item).collect()
}
