//! Which issues a request means: what its parameters `query`, `project`, `environment`, `statsPeriod`, `start` and
//! `end` say. Lists and changes of many understand the same.

use protocol::id::IssueId;

use super::issue_stats::duration_ms;
use super::parameters::Parameters;
use crate::app::App;
use crate::db;
use crate::db::issue_search::{Place, Sort};
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::issues::list::Listing;
use crate::issues::query::{DEFAULT, IssueQuery};

/// Reads which issues of `projects` are meant, in which order, from the top.
///
/// # Errors
/// `Invalid` with the term or parameter that is not understood.
pub(super) fn listing(
    parameters: &Parameters,
    projects: Vec<Project>,
    now_ms: i64,
) -> Result<Listing> {
    let mut query = IssueQuery::parse(parameters.get("query").unwrap_or(DEFAULT), now_ms)?;
    let environments: Vec<&str> =
        parameters.all("environment").filter(|name| !name.is_empty()).collect();
    query.in_environments(&environments)?;
    let (start, end) = window(parameters, now_ms)?;
    let seen = &mut query.filter.last_seen_ms;
    *seen = start.max(*seen.start())..=*seen.end();
    let first = &mut query.filter.first_seen_ms;
    *first = *first.start()..=end.min(*first.end());
    let sort = sort(parameters.get("sort"))?;
    let limit = i64::try_from(parameters.limit()?).unwrap_or(i64::MAX);
    Ok(Listing { projects, query, sort, place: Place::START, limit })
}

/// Issues seen since the first time and not begun after the second.
fn window(parameters: &Parameters, now_ms: i64) -> Result<(i64, i64)> {
    let given = |key| parameters.get(key).filter(|text| !text.is_empty());
    if let Some(period) = given("statsPeriod") {
        return Ok((now_ms - duration_ms(period)?, i64::MAX));
    }
    let time = |key, absent| given(key).map_or(Ok(absent), |text| instant(key, text));
    Ok((time("start", 0)?, time("end", i64::MAX)?))
}

/// Reads `2026-11-21T07:41:22`, with or without `Z`.
fn instant(key: &str, text: &str) -> Result<i64> {
    let utc = format!("{}Z", text.trim_end_matches('Z'));
    let parsed = text.parse::<jiff::Timestamp>().or_else(|_| utc.parse::<jiff::Timestamp>());
    parsed.map(jiff::Timestamp::as_millisecond).map_err(|_| {
        Error::Invalid(format!("Invalid {key} `{text}`: it is like 2026-11-21T07:41:22Z"))
    })
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

/// Returns the projects of an organization that `project=` names: id or slug, several times, `-1` for all.
///
/// # Errors
/// `Absent` where there is none of these.
pub(super) async fn projects(
    app: &App,
    organization: i64,
    parameters: &Parameters,
) -> Result<Vec<Project>> {
    let all = app
        .db
        .read(move |tx| Box::pin(async move { db::project::active_of(tx, organization).await }))
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
    Ok(projects)
}

/// Returns the ids that a change of many names.
///
/// # Errors
/// `Invalid` where one is no id.
pub(super) fn ids(parameters: &Parameters) -> Result<Vec<IssueId>> {
    let ids = parameters.all("id").map(str::parse::<IssueId>).collect::<Result<Vec<_>, _>>();
    ids.map_err(|error| Error::Invalid(format!("id: {error}")))
}
