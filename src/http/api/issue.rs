//! One issue: what it is, its tags and hashes, and its short id.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, body::Bytes};
use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::issue_change::Change;
use super::issue_json::{IssueExtras, add_extras, issue_json, substatus};
use super::issue_selection;
use super::issue_stats::MONTH;
use super::organization::time;
use super::parameters::Parameters;
use crate::accounts::permission::{ReadEvents, WriteEvents};
use crate::app::App;
use crate::db;
use crate::db::issue_count::TagCount;
use crate::db::project::Project;
use crate::error::{Error, Result};
use crate::http::extract::{OrganizationAccess, ProjectAccess};
use crate::http::issue_access::{self, FoundIssue, IssueAccess};
use crate::http::origin::Origin;
use crate::issues::status;

/// Tag values of an issue that are read, the most frequent first.
const TAG_VALUES_READ_MAX: i64 = 10_000;
/// Values shown of each tag (Sentry's number).
const TOP_VALUES: usize = 10;
/// Hashes of an issue that are listed.
const HASHES_MAX: i64 = 1_000;

/// `GET /api/0/organizations/{organization}/issues/{issue}/` and `/api/0/issues/{issue}/`.
pub(crate) async fn show(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
    origin: Origin,
) -> Result<Json<Value>> {
    Ok(Json(Value::Object(whole(&app, &at.found, &origin).await?)))
}

/// `PUT` of the same: sets the status and answers with the whole issue (npm `sentry` takes no 204).
pub(crate) async fn update(
    State(app): State<App>,
    at: IssueAccess<WriteEvents>,
    origin: Origin,
    body: Bytes,
) -> Result<Json<Value>> {
    let change = Change::parse(&body)?;
    let mut found = at.found;
    if let Some(wanted) = change.status {
        let project = ProjectId(found.project.id);
        let issue = IssueId(found.issue.id);
        let changed = status::set(&app, project, &[issue], wanted, &at.actor).await?;
        if changed.is_empty() {
            return Err(Error::NotFound);
        }
        found.issue.status = wanted.as_str().to_owned();
    }
    let mut object = whole(&app, &found, &origin).await?;
    object.insert("statusDetails".to_owned(), change.details());
    Ok(Json(Value::Object(object)))
}

/// `PUT /api/0/projects/{organization}/{project}/issues/`; see [`change_many`].
pub(crate) async fn update_many(
    State(app): State<App>,
    at: ProjectAccess<WriteEvents>,
    parameters: Parameters,
    body: Bytes,
) -> Result<Response> {
    change_many(&app, vec![at.project], &parameters, &body, &at.actor).await
}

/// `PUT /api/0/organizations/{organization}/issues/`, of the projects that `project=` names; see [`change_many`].
pub(crate) async fn update_many_of_organization(
    State(app): State<App>,
    at: OrganizationAccess<WriteEvents>,
    parameters: Parameters,
    body: Bytes,
) -> Result<Response> {
    let projects = issue_selection::projects(&app, at.organization.id, &parameters).await?;
    change_many(&app, projects, &parameters, &body, &at.actor).await
}

/// Changes what `?id=…&id=…`, `?status=…` or `?query=…` names, or without any of these everything; answers with
/// what was changed, or 204 where there was nothing to change.
async fn change_many(
    app: &App,
    projects: Vec<Project>,
    parameters: &Parameters,
    body: &[u8],
    actor: &str,
) -> Result<Response> {
    let change = Change::parse(body)?;
    let ids = issue_selection::ids(parameters)?;
    let from = parameters.get("status").map(status_named).transpose()?;
    let query = parameters.get("query").filter(|query| !query.is_empty());
    if usize::from(!ids.is_empty()) + usize::from(from.is_some()) + usize::from(query.is_some()) > 1
    {
        return Err(Error::Invalid(
            "id, status and query cannot be combined: is:… in a query names a status".to_owned(),
        ));
    }
    let Some(wanted) = change.status else {
        return Err(Error::Invalid("the body has no `status`".to_owned()));
    };
    let mut changed = 0;
    if query.is_some() {
        let found = issue_selection::listing(parameters, projects, app.clock.now_ms())?;
        changed = status::set_found(app, &found, wanted, actor).await?;
    } else {
        for project in projects {
            let project = ProjectId(project.id);
            changed += if ids.is_empty() {
                status::set_all(app, project, from, wanted, actor).await?
            } else {
                status::set(app, project, &ids, wanted, actor).await?.len() as u64
            };
        }
    }
    if changed == 0 {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let answer = json!({
        "status": wanted.as_str(),
        "substatus": substatus(wanted.as_str()),
        "statusDetails": change.details(),
    });
    Ok(Json(answer).into_response())
}

fn status_named(text: &str) -> Result<IssueStatus> {
    let status =
        if text == "muted" { Some(IssueStatus::Ignored) } else { IssueStatus::from_text(text) };
    status.ok_or_else(|| {
        Error::Invalid(format!(
            "status is `{text}`, expected unresolved, resolved, ignored or muted"
        ))
    })
}

/// The short id in a path.
#[derive(Debug, Deserialize)]
pub(crate) struct ShortIdPath {
    short_id: String,
}

/// `GET /api/0/organizations/{organization}/shortids/{short_id}/`.
pub(crate) async fn by_short_id(
    State(app): State<App>,
    at: OrganizationAccess<ReadEvents>,
    Path(path): Path<ShortIdPath>,
    origin: Origin,
) -> Result<Json<Value>> {
    let organization = at.organization.clone();
    let found = app
        .db
        .read(move |tx| {
            let (organization, name) = (organization.clone(), path.short_id.clone());
            Box::pin(async move { issue_access::find(tx, organization, &name).await })
        })
        .await?
        .ok_or(Error::NotFound)?;
    let group = whole(&app, &found, &origin).await?;
    Ok(Json(json!({
        "organizationSlug": found.organization.slug,
        "projectSlug": found.project.slug,
        "groupId": found.issue.id.to_string(),
        "shortId": group.get("shortId"),
        "group": group,
    })))
}

/// Returns everything about an issue.
async fn whole(app: &App, found: &FoundIssue, origin: &Origin) -> Result<Map<String, Value>> {
    let now_ms = app.clock.now_ms();
    let id = found.issue.id;
    let extras = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                Ok(IssueExtras {
                    tags: db::issue_count::tags(tx, id, TAG_VALUES_READ_MAX).await?,
                    hours: db::issue_count::hours(tx, id, MONTH.first_hour(now_ms)).await?,
                    journal: db::issue_journal::of_issue(tx, id).await?,
                })
            })
        })
        .await?;
    let FoundIssue { organization, project, issue } = found;
    let mut object = issue_json(origin, organization, project, issue);
    add_extras(&mut object, issue, &project.slug, &extras, now_ms);
    Ok(object)
}

/// `GET …/issues/{issue}/tags/`: each tag with its most frequent values.
pub(crate) async fn tags(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
) -> Result<Json<Value>> {
    Ok(Json(tags_json(&read_tags(&app, at.found.issue.id).await?).into()))
}

/// The key of a tag in a path.
#[derive(Debug, Deserialize)]
pub(crate) struct TagPath {
    key: String,
}

/// `GET …/issues/{issue}/tags/{key}/`.
pub(crate) async fn tag(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
    Path(path): Path<TagPath>,
) -> Result<Json<Value>> {
    let mut tags = read_tags(&app, at.found.issue.id).await?;
    tags.retain(|tag| tag.key == path.key);
    let tag = tags_json(&tags).into_iter().next();
    tag.map(Json)
        .ok_or_else(|| Error::Absent(format!("no event of this issue has a tag `{}`", path.key)))
}

async fn read_tags(app: &App, issue: i64) -> Result<Vec<TagCount>> {
    app.db
        .read(move |tx| {
            Box::pin(async move { db::issue_count::tags(tx, issue, TAG_VALUES_READ_MAX).await })
        })
        .await
}

/// Gathers values, the most frequent first, under their tags.
fn tags_json(values: &[TagCount]) -> Vec<Value> {
    let mut keys: Vec<&str> = values.iter().map(|value| value.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let value_json = |value: &TagCount| {
        json!({
            "name": value.value,
            "value": value.value,
            "count": value.n,
            "firstSeen": null,
            "lastSeen": time(value.last_seen_ms),
        })
    };
    let tag_json = |key: &str| {
        let of_key = || values.iter().filter(|value| value.key == key);
        json!({
            "key": key,
            "name": key,
            "totalValues": of_key().map(|value| value.n).sum::<i64>(),
            "uniqueValues": of_key().count(),
            "topValues": of_key().take(TOP_VALUES).map(value_json).collect::<Vec<_>>(),
        })
    };
    keys.into_iter().map(tag_json).collect()
}

/// `GET …/issues/{issue}/hashes/`: what groups events into the issue.
pub(crate) async fn hashes(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
) -> Result<Json<Value>> {
    let id = at.found.issue.id;
    let hashes = app
        .db
        .read(move |tx| {
            Box::pin(async move { db::issue_search::hashes(tx, IssueId(id), HASHES_MAX).await })
        })
        .await?;
    let hash_json = |hash: &Vec<u8>| json!({"id": hex::encode(hash), "latestEvent": null});
    Ok(Json(hashes.iter().map(hash_json).collect()))
}
