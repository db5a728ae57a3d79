//! What a page of a list of issues shows, read in one snapshot.

use pages::issue::IssueStatus;
use pages::issues::Hints;
use pages::search::Period;
use protocol::id::ProjectId;

use super::figures::count;
use super::projects::public_key;
use crate::app::App;
use crate::config::nearest;
use crate::db;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::issue_search::{Place, Sort};
use crate::db::project::Project;
use crate::error::Result;
use crate::http::api::paging::{Cursor, Page};
use crate::issues::list::{self, Listing};
use crate::issues::query::IssueQuery;

/// Issues of one page.
const ISSUES_MAX: usize = 50;
/// Tags that a list can be narrowed by, and what they are called.
const FACETS: [(&str, &str); 2] = [("environment", "Environment"), ("release", "Release")];
/// Values that each of them offers.
const VALUES_MAX: usize = 8;
/// Projects that are asked for these.
const FACET_PROJECTS_MAX: usize = 8;
/// Letters by which a tag may differ from the one that is suggested.
const DISTANCE_MAX: usize = 3;

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) projects: Vec<Project>,
    pub(super) query: IssueQuery,
    pub(super) sort: Sort,
    pub(super) period: Period,
    pub(super) cursor: Cursor,
    /// Whether anything but a status narrows the list.
    pub(super) is_narrow: bool,
    pub(super) now_ms: i64,
}

/// What was found.
pub(super) struct Found {
    pub(super) page: Page<StoredIssue>,
    /// Events of each issue, by hour.
    pub(super) trends: Vec<Vec<(i64, i64)>>,
    /// Tags to narrow the list by: key, words, values.
    pub(super) facets: Vec<(&'static str, &'static str, Vec<String>)>,
    /// Issues by status, as the tabs stand, then all; empty for a list that is narrow.
    pub(super) counts: Vec<u64>,
    pub(super) hints: Hints,
    pub(super) public_key: Option<String>,
    pub(super) has_events: bool,
}

impl Asked {
    fn listing(&self, place: Place, limit: usize) -> Listing {
        Listing {
            projects: self.projects.clone(),
            query: self.query.clone(),
            sort: self.sort,
            place,
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
        }
    }
}

/// Reads the page.
pub(super) async fn read(app: &App, asked: Asked) -> Result<Found> {
    app.db
        .read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move { find(tx, &asked).await })
        })
        .await
}

async fn find(tx: &mut Tx<'_>, asked: &Asked) -> Result<Found> {
    let listing = asked.listing(asked.cursor.place(), ISSUES_MAX + 1);
    let page = match list::named(tx, &listing).await? {
        Some(issue) => Page::new(vec![issue], Cursor::START, 1, |_| (0, 0)),
        None => {
            let place = |issue: &StoredIssue| (asked.sort.key(issue), issue.id);
            Page::new(list::search(tx, &listing).await?, asked.cursor, ISSUES_MAX, place)
        }
    };
    let ids: Vec<i64> = page.items.iter().map(|issue| issue.id).collect();
    let (from, hours) = (asked.period.first_hour(asked.now_ms), asked.period.hours_per_bar());
    let is_empty = page.items.is_empty();
    let has_events = !is_empty || any_event(tx, &asked.projects).await?;
    let first = asked.projects.first().map_or(0, |project| project.id);
    Ok(Found {
        page,
        trends: db::issue_count::bars_of(tx, &ids, from, hours).await?,
        facets: facets(tx, asked).await?,
        counts: counts(tx, asked).await?,
        hints: if is_empty && has_events { hints(tx, asked).await? } else { Hints::default() },
        public_key: public_key(tx, first).await?,
        has_events,
    })
}

async fn any_event(tx: &mut Tx<'_>, projects: &[Project]) -> Result<bool> {
    for project in projects {
        if db::issue::last_seen(tx, ProjectId(project.id)).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn facets(
    tx: &mut Tx<'_>,
    asked: &Asked,
) -> Result<Vec<(&'static str, &'static str, Vec<String>)>> {
    let status = asked.query.statuses.first().copied().unwrap_or_default().as_str();
    let limit = i64::try_from(VALUES_MAX).unwrap_or(i64::MAX);
    let mut facets = Vec::new();
    for (key, words) in FACETS {
        let mut values: Vec<String> = Vec::new();
        for project in asked.projects.iter().take(FACET_PROJECTS_MAX) {
            let project = ProjectId(project.id);
            let found = db::issue_count::recent_values(tx, project, status, key, limit).await?;
            values.extend(found);
        }
        let mut seen = std::collections::HashSet::new();
        values.retain(|value| seen.insert(value.clone()));
        values.truncate(VALUES_MAX);
        facets.push((key, words, values));
    }
    Ok(facets)
}

async fn counts(tx: &mut Tx<'_>, asked: &Asked) -> Result<Vec<u64>> {
    if asked.is_narrow {
        return Ok(Vec::new());
    }
    let mut counts = Vec::new();
    for status in [IssueStatus::Unresolved, IssueStatus::Resolved, IssueStatus::Ignored] {
        let mut of_status = 0;
        for project in &asked.projects {
            of_status += db::issue::count(tx, ProjectId(project.id), status.as_str()).await?;
        }
        counts.push(count(of_status));
    }
    counts.push(counts.iter().sum());
    Ok(counts)
}

/// Looks for what would help somebody who found nothing.
async fn hints(tx: &mut Tx<'_>, asked: &Asked) -> Result<Hints> {
    let mut everywhere = asked.listing(Place::START, 1);
    everywhere.query.statuses =
        vec![IssueStatus::Unresolved, IssueStatus::Resolved, IssueStatus::Ignored];
    everywhere.query.filter.last_seen_ms = 0..=i64::MAX;
    let mut hints = Hints {
        is_elsewhere: !list::search(tx, &everywhere).await?.is_empty(),
        unknown_tags: Vec::new(),
    };
    for tag in asked.query.tags() {
        let mut known = Vec::new();
        let mut is_known = false;
        for project in &asked.projects {
            let project = ProjectId(project.id);
            is_known |= db::issue_count::has_tag(tx, project, tag).await?;
            known.extend(db::issue_count::recent_keys(tx, project).await?);
        }
        if !is_known {
            let near = known.iter().map(|key| (nearest::distance(tag, key), key));
            let near = near.filter(|(distance, _)| *distance <= DISTANCE_MAX).min();
            hints.unknown_tags.push((tag.to_owned(), near.map(|(_, key)| key.clone())));
        }
    }
    Ok(hints)
}
