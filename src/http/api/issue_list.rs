//! Lists of issues: of a project and of an organization.

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::issue_json::issue_json;
use super::issue_selection;
use super::issue_stats::Period;
use super::paging::{Cursor, Page};
use super::parameters::Parameters;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::Result;
use crate::http::extract::{OrganizationAccess, ProjectAccess};
use crate::http::origin::Origin;
use crate::issues::list::{self, Listing};

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
    let projects = issue_selection::projects(&app, at.organization.id, &parameters).await?;
    answer(&app, at.organization, projects, &parameters, &origin, &uri).await
}

/// What is asked for.
#[derive(Debug, Clone)]
struct Asked {
    listing: Listing,
    cursor: Cursor,
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

impl Asked {
    fn parse(app: &App, projects: Vec<Project>, parameters: &Parameters) -> Result<Self> {
        let now_ms = app.clock.now_ms();
        let listing = issue_selection::listing(parameters, projects, now_ms)?;
        let period = Period::parse(parameters.get("groupStatsPeriod"))?;
        let has_stats = !parameters.all("collapse").any(|part| part == "stats");
        let cursor = parameters.cursor()?;
        Ok(Self { listing, cursor, period: period.filter(|_| has_stats), now_ms })
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
    let asked = Asked::parse(app, projects, parameters)?;
    let reading = asked.clone();
    let found = app
        .db
        .read(move |tx| {
            let asked = reading.clone();
            Box::pin(async move { find(tx, &asked).await })
        })
        .await?;
    let mut headers = HeaderMap::from_iter(found.page.link(origin.as_str(), uri));
    if found.is_direct_hit {
        headers.insert(DIRECT_HIT, HeaderValue::from_static("1"));
    }
    Ok((headers, Json(items(&organization, &asked, &found, origin))).into_response())
}

async fn find(tx: &mut Tx<'_>, asked: &Asked) -> Result<Found> {
    let named = list::named(tx, &asked.listing).await?;
    let is_direct_hit = named.is_some();
    let page = match named {
        Some(issue) => Page::new(vec![issue], Cursor::START, 1, |_| (0, 0)),
        None => search(tx, asked).await?,
    };
    let mut hours = Vec::with_capacity(page.items.len());
    if let Some(period) = asked.period {
        let ids: Vec<i64> = page.items.iter().map(|issue| issue.id).collect();
        hours = db::issue_count::hours_of(tx, &ids, period.first_hour(asked.now_ms)).await?;
    }
    Ok(Found { page, hours, is_direct_hit })
}

async fn search(tx: &mut Tx<'_>, asked: &Asked) -> Result<Page<StoredIssue>> {
    let Asked { listing, cursor, .. } = asked;
    let one_more = listing.limit.saturating_add(1);
    let from = Listing { place: cursor.place(), limit: one_more, ..listing.clone() };
    let read = list::search(tx, &from).await?;
    let limit = usize::try_from(listing.limit).unwrap_or(usize::MAX);
    Ok(Page::new(read, *cursor, limit, |issue| (listing.sort.key(issue), issue.id)))
}

fn items(organization: &Organization, asked: &Asked, found: &Found, origin: &Origin) -> Value {
    let Asked { listing, .. } = asked;
    let item = |(index, issue): (usize, &StoredIssue)| {
        let project = listing.projects.iter().find(|project| project.id == issue.project_id)?;
        let mut object = issue_json(origin, organization, project, issue);
        if let Some((period, hours)) = asked.period.zip(found.hours.get(index)) {
            let bars = period.bars(asked.now_ms, hours);
            object.insert("stats".to_owned(), json!({period.name: bars}));
        }
        if let Some(event_id) = listing.query.event_id.filter(|_| found.is_direct_hit) {
            object.insert("matchingEventId".to_owned(), event_id.to_string().into());
        }
        Some(Value::Object(object))
    };
    found.page.items.iter().enumerate().filter_map(item).collect()
}
